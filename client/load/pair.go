package load

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// pair: rooms of two, who talk in turn at a fixed rate in all. A message is
// delivered to both and acknowledged, as a chat's is.
func pair(ctx context.Context, r *run) error {
	p := &pairs{run: r, pad: strings.Repeat("x", r.Payload), origin: time.Now(),
		sent: make([][2]int64, r.Connections/2), heard: make([][2]stream, r.Connections)}
	err := r.openAll(ctx, func(i int) (string, string, func([]byte)) {
		return "/", "", func(body []byte) { p.hear(i, body) }
	})
	if err != nil {
		return err
	}
	if err := r.join(ctx, func(i int) string { return strconv.Itoa(i / 2) }); err != nil {
		return err
	}
	r.say("talking")
	p.talk(ctx, r.Rate, int(r.Rate*r.Duration.Seconds()/4)) // until caches and compilers are warm
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
	for i := range p.heard {
		for from := range 2 {
			r.result.Sent += p.sent[i/2][from]
			p.heard[i][from].count(p.sent[i/2][from], &r.result.Count)
		}
	}
	r.result.Sent /= 2 // counted once for each receiver
	r.result.Refused += p.asked - p.answered.Load()
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
	heard    [][2]stream
	asked    int64
	answered atomic.Int64
}

// talk sends n messages and waits until all have arrived.
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
		p.asked++
		p.done.Add(1)
	})
	p.settle(ctx, func() bool { return p.delivered.Load() >= 2*p.asked && p.answered.Load() >= p.asked })
	return n
}

// hear takes an event of the i-th connection, in its goroutine.
func (p *pairs) hear(i int, body []byte) {
	p.heard[i][numberAfter(body, `"from":`)&1].hear(numberAfter(body, `"n":`))
	p.latency.add(time.Since(p.origin) - time.Duration(numberAfter(body, `"t":`))*time.Microsecond)
	p.delivered.Add(1)
}

// answerTimeout is how long an acknowledgement outside any measurement may take.
const answerTimeout = 30 * time.Second

// join lets every connection join a room of a server in bench/peers.
func (r *run) join(ctx context.Context, room func(i int) string) error {
	r.say("joining")
	return r.each(ctx, len(r.conns), func(_ context.Context, i int) error {
		_, err := r.conns[i].ask("join", fmt.Appendf(nil, `{"room":%q}`, room(i)), answerTimeout)
		return err
	})
}
