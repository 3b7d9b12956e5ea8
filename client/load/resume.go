package load

import (
	"context"
	"time"
)

// resume reconnects many clients at once. Each joins with its last seq and receives
// the events that it missed. Latency is the time from the start to having received
// all events.
func resume(ctx context.Context, r *run) error {
	talks, err := r.world(ctx, r.Connections/2, r.SocketsPerUser/2)
	if err != nil {
		return err
	}
	returning := newMemberGroup(r, talks, r.Connections)
	if err := returning.openAll(ctx); err != nil {
		return err
	}
	for i := range returning.members {
		if err := returning.members[i].conn.close(); err != nil {
			return err
		}
	}
	present := newMemberGroup(r, talks, len(talks))
	if err := present.openAll(ctx); err != nil {
		return err
	}
	r.stageIs("sending messages while clients are disconnected")
	present.asAnswered(ctx, r.Duration, r.Count*len(talks))
	for i := range present.members {
		if err := present.members[i].conn.close(); err != nil {
			return err
		}
		returning.members[i].room.reaches(present.rooms[i].top.Load())
	}
	r.latency.take()
	r.acks.take()

	r.stageIs("reconnecting")
	missed := int64(0)
	for i := range returning.members {
		missed += returning.members[i].room.top.Load() - returning.members[i].log.next
	}
	if err := r.meter.start(r.Options); err != nil {
		return err
	}
	began := time.Now()
	err = r.each(ctx, len(returning.members), func(ctx context.Context, i int) error {
		if err := returning.members[i].open(ctx); err != nil {
			r.problem(err)
			return nil
		}
		r.latency.add(time.Since(began))
		return nil
	})
	if err != nil {
		return err
	}
	r.result.Operations, r.result.Unit = missed, "missed event"
	if err := r.meter.stop(&r.result); err != nil {
		return err
	}
	r.result.Latency = r.latency.take()
	if err := returning.close(ctx); err != nil {
		return err
	}
	r.result.Sent = present.sent
	return nil
}
