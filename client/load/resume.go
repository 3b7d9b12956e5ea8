package load

import (
	"context"
	"time"
)

// resume: clients that were away come back all at once, each with the seq that
// it saw last, and get what they missed. Latency is from the moment of coming
// back to being level.
func resume(ctx context.Context, r *run) error {
	talks, err := r.world(ctx, r.Connections/2, r.SocketsPerUser/2)
	if err != nil {
		return err
	}
	away := newCrowd(r, talks, r.Connections)
	if err := away.openAll(ctx); err != nil {
		return err
	}
	for i := range away.members {
		if err := away.members[i].conn.close(); err != nil {
			return err
		}
	}
	present := newCrowd(r, talks, len(talks))
	if err := present.openAll(ctx); err != nil {
		return err
	}
	r.say("talking while they are away")
	present.asAnswered(ctx, r.Duration, r.Count*len(talks))
	for i := range present.members {
		if err := present.members[i].conn.close(); err != nil {
			return err
		}
		away.members[i].room.reaches(present.rooms[i].top.Load())
	}
	r.latency.take()
	r.acks.take()

	r.say("coming back")
	missed := int64(0)
	for i := range away.members {
		missed += away.members[i].room.top.Load() - away.members[i].log.next
	}
	if err := r.meter.start(r.Options); err != nil {
		return err
	}
	began := time.Now()
	err = r.each(ctx, len(away.members), func(ctx context.Context, i int) error {
		if err := away.members[i].open(ctx); err != nil {
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
	if err := away.close(ctx); err != nil {
		return err
	}
	r.result.Sent = present.sent
	return nil
}
