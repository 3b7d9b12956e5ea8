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
	members := r.Connections
	streams := make([]stream, members)
	origin := time.Now()
	err := r.openAll(ctx, func(i int) (string, string, func([]byte)) {
		return "/", "", func(body []byte) {
			streams[i].receive(numberAfter(body, `"n":`))
			r.latency.add(time.Since(origin) - time.Duration(numberAfter(body, `"t":`))*time.Microsecond)
			r.delivered.Add(1)
		}
	})
	if err != nil {
		return err
	}
	if err := r.join(ctx, func(int) string { return "all" }); err != nil {
		return err
	}
	pad := strings.Repeat("x", r.Payload)
	var sent, waived int64
	var buf []byte
	behind := func() int64 { return sent*int64(members) - r.delivered.Load() - waived }
	talk := func(until time.Duration, most int64) error {
		end := time.Now().Add(until)
		for n := int64(0); (most == 0 || n < most) && time.Now().Before(end) && ctx.Err() == nil; n++ {
			r.waitUntil(ctx, func() bool { return behind() <= fanAhead*int64(members) })
			if behind() > fanAhead*int64(members) {
				waived += behind() // lost, or very late: do not wait again
			}
			now := time.Now()
			buf = fmt.Appendf(buf[:0], `{"room":"all","from":0,"n":%d,"t":%d,"text":"%s"}`,
				sent+1, now.Sub(origin).Microseconds(), pad)
			sent++
			if _, err := r.conns[0].call("say", buf, fanPatience); err != nil {
				r.problem(err)
				break
			}
			r.acks.add(time.Since(now))
			r.done.Add(1)
		}
		r.waitUntil(ctx, func() bool { return behind() <= 0 })
		return ctx.Err()
	}
	r.stageIs("sending messages")
	if err := talk(r.Duration/4, int64(r.Count)/4); err != nil {
		return err
	}
	r.latency.take()
	r.acks.take()
	if err := r.meter.start(r.Options); err != nil {
		return err
	}
	before := r.delivered.Load()
	if err := talk(r.Duration, int64(r.Count)); err != nil {
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
	r.result.Sent = sent
	for i := range streams {
		streams[i].count(sent, &r.result.Count)
	}
	return nil
}
