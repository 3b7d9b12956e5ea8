package load

import (
	"context"
	"strings"
	"sync/atomic"
	"time"
)

// durable runs consultations of two users who send messages in turn, through the
// whole product. A message must be acknowledged, which means that it is on disk, and
// delivered to both in the order of the log.
func durable(ctx context.Context, r *run) error {
	talks, err := r.world(ctx, r.Connections/2, r.SocketsPerUser)
	if err != nil {
		return err
	}
	d := newMemberGroup(r, talks, r.Connections)
	if err := d.openAll(ctx); err != nil {
		return err
	}
	r.stageIs("sending messages")
	// The doctors' first answers also change their consultations, which is not part
	// of the cost of a message: they are sent before the measurement.
	d.asAnswered(ctx, answerTimeout, len(d.members))
	if r.Rate > 0 {
		d.atRate(ctx, r.Rate, int(r.Rate*r.Duration.Seconds()/4))
	} else {
		d.asAnswered(ctx, r.Duration/4, r.Count/4)
	}
	r.latency.take()
	r.acks.take()
	if r.Ramp {
		orElse(&r.Rate, 500)
		r.result.Steps, r.result.MaxRate = ramp(r.Rate, func(rate float64) (float64, Latency) {
			began := time.Now()
			n := d.atRate(ctx, rate, int(rate*r.Duration.Seconds()))
			return float64(n) / time.Since(began).Seconds(), r.latency.take()
		})
		return d.close(ctx)
	}
	if err := r.meter.start(r.Options); err != nil {
		return err
	}
	before := d.answered.Load()
	if r.Rate > 0 {
		d.atRate(ctx, r.Rate, atMost(int(r.Rate*r.Duration.Seconds()), r.Count))
	} else {
		d.asAnswered(ctx, r.Duration, r.Count)
	}
	r.result.Operations, r.result.Unit = d.answered.Load()-before, "message"
	if err := r.meter.stop(&r.result); err != nil {
		return err
	}
	r.result.Latency, r.result.Acknowledged = r.latency.take(), r.acks.take()
	return d.close(ctx)
}

func atMost(n, most int) int {
	if most > 0 {
		return min(n, most)
	}
	return n
}

// memberGroup is the members of many consultations.
type memberGroup struct {
	*run
	rooms   []room
	members []member
	pad     string
	turn    int
	sent    int64

	answered atomic.Int64 // messages, including those answered with an error
	reads    atomic.Int64 // message:read commands that are not answered yet
}

// newMemberGroup assigns connections to consultations: the i-th is the patient's in the
// i-th consultation; after the patients follow the doctors, then further devices of
// both.
func newMemberGroup(r *run, talks []talk, connections int) *memberGroup {
	d := &memberGroup{run: r, rooms: make([]room, len(talks)), members: make([]member, connections),
		pad: strings.Repeat("x", r.Payload)}
	for i := range d.members {
		d.members[i] = member{run: r, room: &d.rooms[i%len(talks)], talk: talks[i%len(talks)], side: i / len(talks) % 2}
	}
	return d
}

func (d *memberGroup) openAll(ctx context.Context) error {
	d.stageIs("joining")
	return d.each(ctx, len(d.members), func(ctx context.Context, i int) error { return d.members[i].open(ctx) })
}

// sendNext sends the next message in turn: all patients, then all doctors.
func (d *memberGroup) sendNext(due time.Time, answered func()) {
	m := &d.members[d.turn%min(len(d.members), 2*len(d.rooms))]
	d.turn++
	err := m.send(due, d.pad, func(int64) {
		d.answered.Add(1)
		answered()
	})
	if err != nil {
		d.problem(err)
		answered()
		return
	}
	d.sent++
	d.done.Add(1)
}

// atRate sends n messages and waits until all are delivered.
func (d *memberGroup) atRate(ctx context.Context, rate float64, n int) int {
	n = pace(ctx, rate, n, func(_ int, due time.Time) { d.sendNext(due, func() {}) })
	d.waitDelivered(ctx)
	return n
}

// asAnswered sends messages for the given time, at most most of them, with Window
// unanswered at a time, and waits until all are delivered.
func (d *memberGroup) asAnswered(ctx context.Context, until time.Duration, most int) {
	window := make(chan struct{}, d.Window)
	end := time.Now().Add(until)
	for n := 0; (most == 0 || n < most) && ctx.Err() == nil; n++ {
		window <- struct{}{}
		now := time.Now()
		if now.After(end) {
			break
		}
		d.sendNext(now, func() { <-window })
	}
	d.waitDelivered(ctx)
}

// waitDelivered waits until all messages are answered and delivered to all members.
func (d *memberGroup) waitDelivered(ctx context.Context) {
	each := int64(len(d.members) / len(d.rooms))
	d.waitUntil(ctx, func() bool { return d.answered.Load() >= d.sent && d.delivered.Load() >= each*d.sent })
}

// close closes all connections and adds up the counts of their streams.
func (d *memberGroup) close(ctx context.Context) error {
	d.stageIs("closing")
	err := d.each(context.Background(), len(d.members), func(_ context.Context, i int) error {
		if c := d.members[i].conn; c != nil {
			if err := c.close(); err != nil {
				d.problem(err)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	d.result.Sent = d.sent
	d.result.Refused += d.sent - d.answered.Load()
	for i := range d.members {
		m := &d.members[i]
		if m.conn != nil {
			d.result.Bytes += m.conn.bytes
		}
		m.log.count(m.room.top.Load(), &d.result.Count)
	}
	return ctx.Err()
}
