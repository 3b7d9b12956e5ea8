package load

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"wenzhen/client"
	"wenzhen/rooms/chat"
	"wenzhen/rooms/consultation"
)

// Proportions of whole: connections to a consultation, and what happens
// beside each message.
const (
	wholeDevices = 5  // three of the patient's, two of the doctor's
	wholeTyping  = 2  // one typing:start to so many messages
	wholeRead    = 3  // one message:read
	wholeHistory = 20 // one page of history and one list over REST
	wholeChurn   = 50 // one device that loses its connection and comes back
	wholeSamples = 20 // of the server's memory
)

// whole: everything at once, for some time. People talk, type and read, list
// and page over REST, lose their connections and come back. The memory should
// be flat.
func whole(ctx context.Context, r *run) error {
	talks, err := r.world(ctx, max(1, r.Connections/wholeDevices), max(1, r.SocketsPerUser/((wholeDevices+1)/2)))
	if err != nil {
		return err
	}
	d := newCrowd(r, talks, r.Connections)
	if err := d.openAll(ctx); err != nil {
		return err
	}
	r.say("talking, reading, coming and going")
	d.atRate(ctx, r.Rate, int(r.Rate*min(r.Duration/4, 5*time.Second).Seconds()))
	r.latency.take()
	r.acks.take()

	side, stop := context.WithCancel(ctx)
	var group sync.WaitGroup
	group.Go(func() { d.besides(side) })
	group.Go(func() { d.comeAndGo(side) })
	memory := &Memory{}
	if r.PID > 0 {
		group.Go(func() { memory.sample(side, r.PID, r.Duration/wholeSamples) })
	}
	err = r.meter.start(r.Options)
	before := d.answered.Load()
	if err == nil {
		d.atRate(ctx, r.Rate, atMost(int(r.Rate*r.Duration.Seconds()), r.Count))
		r.result.Operations, r.result.Unit = d.answered.Load()-before, "message"
		err = r.meter.stop(&r.result)
	}
	stop()
	group.Wait()
	if err != nil {
		return err
	}
	if err := d.reachEnds(ctx); err != nil {
		return err
	}
	d.settle(ctx, d.level)
	if n := len(memory.Samples); n > 0 {
		memory.Before, memory.During = memory.Samples[0], memory.Samples[n-1]
		r.result.Memory = memory
	}
	r.result.Latency, r.result.Acknowledged = r.latency.take(), r.acks.take()
	return d.close(ctx)
}

// level reports whether all clients have received what any of them has received.
func (d *crowd) level() bool {
	for i := range d.members {
		if m := &d.members[i]; m.level.Load() < m.room.top.Load() {
			return false
		}
	}
	return true
}

// reachEnds waits until all that people did besides is answered, and asks where
// each log ends: nobody may stop listening before having heard that.
func (d *crowd) reachEnds(ctx context.Context) error {
	d.say("waiting for the last answers")
	d.settle(ctx, func() bool { return d.reads.Load() == 0 })
	return d.each(ctx, len(d.rooms), func(ctx context.Context, i int) error {
		m := &d.members[i]
		last := make(chan int64, 1)
		arg := fmt.Appendf(nil, `{"consultationId":%q,"after":%d}`, m.talk.ID, m.level.Load())
		if err := m.conn.emit("consultation:join", arg, nil, func(body []byte) { last <- numberAfter(body, `"lastSeq":`) }); err != nil {
			return err
		}
		select {
		case seq := <-last:
			m.room.reaches(seq)
			return nil
		case <-time.After(answerTimeout):
			return errors.New("load: consultation:join was not answered")
		case <-ctx.Done():
			return ctx.Err()
		}
	})
}

// besides is what people do beside talking.
func (d *crowd) besides(ctx context.Context) {
	speakers := min(len(d.members), 2*len(d.rooms))
	pace(ctx, d.Rate, 1<<62, func(i int, _ time.Time) {
		m := &d.members[rand.IntN(speakers)]
		var err error
		if i%wholeTyping == 0 {
			err = m.conn.emit("typing:start", fmt.Appendf(nil, `{"consultationId":%q}`, m.talk.ID), nil, nil)
		}
		if err == nil && i%wholeRead == 0 {
			arg := fmt.Appendf(nil, `{"consultationId":%q,"upToSeq":%d}`, m.talk.ID, m.room.top.Load())
			d.reads.Add(1)
			if err = m.conn.emit("message:read", arg, nil, func([]byte) { d.reads.Add(-1) }); err != nil {
				d.reads.Add(-1)
			}
		}
		if err == nil && i%wholeHistory == 0 && m.talk.patient != nil {
			if _, err = client.Do(ctx, m.talk.patient, chat.History, chat.HistoryInput{ConsultationID: m.talk.ID}); err == nil {
				_, err = client.Do(ctx, m.talk.patient, consultation.List, consultation.Filter{})
			}
		}
		if err != nil && ctx.Err() == nil {
			d.problem(err)
		}
	})
}

// comeAndGo lets devices that do not talk lose their connections and come back.
func (d *crowd) comeAndGo(ctx context.Context) {
	speakers := 2 * len(d.rooms)
	if speakers >= len(d.members) {
		return
	}
	pace(ctx, d.Rate/wholeChurn, 1<<62, func(int, time.Time) {
		m := &d.members[speakers+rand.IntN(len(d.members)-speakers)]
		m.conn.ws.NetConn().Close() // without a goodbye
		<-m.conn.ended
		if err := m.open(context.WithoutCancel(ctx)); err != nil {
			d.problem(err)
		}
	})
}

// sample reads the server's memory at even intervals.
func (m *Memory) sample(ctx context.Context, pid int, every time.Duration) {
	for {
		if n, err := (process{pid}).rss(); err == nil {
			m.Samples = append(m.Samples, n)
		}
		if wait(ctx, every) != nil {
			return
		}
	}
}
