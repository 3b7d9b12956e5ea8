package load

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// pair sends messages in rooms of two, whose members send in turn, at a fixed total
// rate. Each message is delivered to both and acknowledged.
func pair(ctx context.Context, r *run) error {
	p := &pairs{run: r, pad: strings.Repeat("x", r.Payload), origin: time.Now(),
		sent: make([][2]int64, r.Connections/2), streams: make([][2]stream, r.Connections)}
	err := r.openAll(ctx, func(i int) (string, string, func([]byte)) {
		return "/", "", func(body []byte) { p.receive(i, body) }
	})
	if err != nil {
		return err
	}
	if err := r.join(ctx, func(i int) string { return strconv.Itoa(i / 2) }); err != nil {
		return err
	}
	r.stageIs("sending messages")
	p.talk(ctx, r.Rate, int(r.Rate*r.Duration.Seconds()/4)) // warm-up of caches and compilers
	r.latency.take()
	r.acks.take()
	if r.Ramp {
		r.result.Steps, r.result.MaxRate = ramp(r.Rate, func(rate float64) (float64, Latency) {
			began := time.Now()
			n := p.talk(ctx, rate, int(rate*r.Duration.Seconds()))
			return float64(n) / time.Since(began).Seconds(), r.latency.take()
		})
	} else {
		if err := r.meter.start(r.Options); err != nil {
			return err
		}
		n := int(r.Rate * r.Duration.Seconds())
		if r.Count > 0 {
			n = min(n, r.Count)
		}
		r.result.Operations, r.result.Unit = int64(p.talk(ctx, r.Rate, n)), "message"
		if err := r.meter.stop(&r.result); err != nil {
			return err
		}
		r.result.Latency, r.result.Acknowledged = r.latency.take(), r.acks.take()
	}
	conns := r.conns
	if err := r.closeAll(); err != nil {
		return err
	}
	r.result.Bytes = received(conns)
	for i := range p.streams {
		for from := range 2 {
			r.result.Sent += p.sent[i/2][from]
			p.streams[i][from].count(p.sent[i/2][from], &r.result.Count)
		}
	}
	r.result.Sent /= 2 // counted once for each receiver
	r.result.Refused += p.total - p.answered.Load()
	return ctx.Err()
}

// pairs is the state of pair.
type pairs struct {
	*run
	pad    string
	origin time.Time
	buf    []byte
	turn   int

	sent     [][2]int64 // by room and sender; the sender's goroutine's
	streams  [][2]stream
	total    int64 // messages sent
	answered atomic.Int64
}

// talk sends n messages and waits until all are delivered.
func (p *pairs) talk(ctx context.Context, rate float64, n int) int {
	n = pace(ctx, rate, n, func(_ int, due time.Time) {
		room := p.turn % len(p.sent)
		from := p.turn / len(p.sent) % 2
		p.turn++
		p.buf = fmt.Appendf(p.buf[:0], `{"room":"%d","from":%d,"n":%d,"t":%d,"text":"%s"}`,
			room, from, p.sent[room][from]+1, due.Sub(p.origin).Microseconds(), p.pad)
		answer := func(body []byte) {
			if body != nil {
				p.answered.Add(1)
				p.acks.add(time.Since(due))
			}
		}
		if err := p.conns[2*room+from].emit("say", p.buf, nil, answer); err != nil {
			p.problem(err)
			return
		}
		p.sent[room][from]++
		p.total++
		p.done.Add(1)
	})
	p.waitUntil(ctx, func() bool { return p.delivered.Load() >= 2*p.total && p.answered.Load() >= p.total })
	return n
}

// receive handles an event of the i-th connection, in its goroutine.
func (p *pairs) receive(i int, body []byte) {
	p.streams[i][numberAfter(body, `"from":`)&1].receive(numberAfter(body, `"n":`))
	p.latency.add(time.Since(p.origin) - time.Duration(numberAfter(body, `"t":`))*time.Microsecond)
	p.delivered.Add(1)
}

// answerTimeout is the timeout of an acknowledgement outside of measurements.
const answerTimeout = 30 * time.Second

// join joins every connection to a room of a server in bench/peers.
func (r *run) join(ctx context.Context, room func(i int) string) error {
	r.stageIs("joining")
	return r.each(ctx, len(r.conns), func(_ context.Context, i int) error {
		_, err := r.conns[i].call("join", fmt.Appendf(nil, `{"room":%q}`, room(i)), answerTimeout)
		return err
	})
}
