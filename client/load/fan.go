package load

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// fanAhead bounds how many messages the sender may be ahead of their deliveries, so
// that queues stay short and the server's rate is measured.
const (
	fanAhead    = 64
	fanPatience = 5 * time.Second // for an acknowledgement
)

// fan sends messages to one room with many members. One member sends each message as
// soon as the previous one is acknowledged.
func fan(ctx context.Context, r *run) error {
	f := &fanRoom{run: r, streams: make([]stream, r.Connections), origin: time.Now(), pad: strings.Repeat("x", r.Payload)}
	err := r.openAll(ctx, func(i int) (string, string, func([]byte)) {
		return "/", "", func(body []byte) { f.receive(i, body) }
	})
	if err != nil {
		return err
	}
	if err := r.join(ctx, func(int) string { return "all" }); err != nil {
		return err
	}
	r.stageIs("sending messages")
	if err := f.talk(ctx, r.Duration/4, int64(r.Count)/4); err != nil {
		return err
	}
	r.latency.take()
	r.acks.take()
	if err := r.meter.start(r.Options); err != nil {
		return err
	}
	before := r.delivered.Load()
	if err := f.talk(ctx, r.Duration, int64(r.Count)); err != nil {
		return err
	}
	r.result.Operations, r.result.Unit = r.delivered.Load()-before, "delivery"
	if err := r.meter.stop(&r.result); err != nil {
		return err
	}
	r.result.Latency, r.result.Acknowledged = r.latency.take(), r.acks.take()
	conns := r.conns
	if err := r.closeAll(); err != nil {
		return err
	}
	r.result.Bytes = received(conns)
	r.result.Sent = f.sent
	for i := range f.streams {
		f.streams[i].count(f.sent, &r.result.Count)
	}
	return nil
}

// fanRoom is the state of fan.
type fanRoom struct {
	*run
	streams []stream // by receiver
	origin  time.Time
	pad     string
	buf     []byte

	sent   int64
	waived int64 // deliveries that talk no longer waits for
}

// receive handles an event of the i-th connection, in its goroutine.
func (f *fanRoom) receive(i int, body []byte) {
	f.streams[i].receive(numberAfter(body, `"n":`))
	f.latency.add(time.Since(f.origin) - time.Duration(numberAfter(body, `"t":`))*time.Microsecond)
	f.delivered.Add(1)
}

// behind returns the number of deliveries that are missing.
func (f *fanRoom) behind() int64 {
	return f.sent*int64(len(f.streams)) - f.delivered.Load() - f.waived
}

// talk sends messages for the given time, at most most of them, and waits until all
// are delivered.
func (f *fanRoom) talk(ctx context.Context, until time.Duration, most int64) error {
	end := time.Now().Add(until)
	ahead := fanAhead * int64(len(f.streams))
	for n := int64(0); (most == 0 || n < most) && time.Now().Before(end) && ctx.Err() == nil; n++ {
		f.waitUntil(ctx, func() bool { return f.behind() <= ahead })
		if f.behind() > ahead {
			f.waived += f.behind() // lost, or very late: do not wait again
		}
		now := time.Now()
		f.buf = fmt.Appendf(f.buf[:0], `{"room":"all","from":0,"n":%d,"t":%d,"text":"%s"}`,
			f.sent+1, now.Sub(f.origin).Microseconds(), f.pad)
		f.sent++
		if _, err := f.conns[0].call("say", f.buf, fanPatience); err != nil {
			f.problem(err)
			break
		}
		f.acks.add(time.Since(now))
		f.done.Add(1)
	}
	f.waitUntil(ctx, func() bool { return f.behind() <= 0 })
	return ctx.Err()
}
