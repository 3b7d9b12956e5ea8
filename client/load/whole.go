package load

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"wenzhen.example/client"
	"wenzhen.example/rooms/chat"
	"wenzhen.example/rooms/consultation"
)

// Proportions of whole: connections per consultation, and messages per other
// operation.
const (
	wholeDevices = 5  // three of the patient's, two of the doctor's
	wholeTyping  = 2  // messages per typing:start
	wholeRead    = 3  // messages per message:read
	wholeHistory = 20 // messages per page of history and list over REST
	wholeChurn   = 50 // messages per device that loses its connection and reconnects
	wholeSamples = 20 // samples of the server's memory
)

// whole runs all operations at once for a longer time: users send messages, type,
// read, list and page over REST, lose their connections and reconnect. The server's
// memory should not grow.
func whole(ctx context.Context, r *run) error {
	talks, err := r.world(ctx, max(1, r.Connections/wholeDevices), max(1, r.SocketsPerUser/((wholeDevices+1)/2)))
	if err != nil {
		return err
	}
	d := newMemberGroup(r, talks, r.Connections)
	if err := d.openAll(ctx); err != nil {
		return err
	}
	r.stageIs("sending, reading, reconnecting")
	d.atRate(ctx, r.Rate, int(r.Rate*min(r.Duration/4, 5*time.Second).Seconds()))
	r.latency.take()
	r.acks.take()

	side, stop := context.WithCancel(ctx)
	var group sync.WaitGroup
	group.Go(func() { d.sideTraffic(side) })
	group.Go(func() { d.reconnectDevices(side) })
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
	if err := d.findLogEnds(ctx); err != nil {
		return err
	}
	d.waitUntil(ctx, d.level)
	if n := len(memory.Samples); n > 0 {
		memory.Before, memory.During = memory.Samples[0], memory.Samples[n-1]
		r.result.Memory = memory
	}
	r.result.Latency, r.result.Acknowledged = r.latency.take(), r.acks.take()
	return d.close(ctx)
}

// level reports whether all members have received their complete logs.
func (d *memberGroup) level() bool {
	for i := range d.members {
		if m := &d.members[i]; m.level.Load() < m.room.top.Load() {
			return false
		}
	}
	return true
}

// findLogEnds waits until the side traffic is answered, and reads the last seq of each
// log, up to which all members must receive.
func (d *memberGroup) findLogEnds(ctx context.Context) error {
	d.stageIs("waiting for the last answers")
	d.waitUntil(ctx, func() bool { return d.reads.Load() == 0 })
	return d.each(ctx, len(d.rooms), func(ctx context.Context, i int) error {
		m := &d.members[i]
		last := make(chan int64, 1)
		arg := fmt.Appendf(nil, `{"consultationId":%q,"after":%d}`, m.talk.ID, m.level.Load())
		answer := func(body []byte) { last <- numberAfter(body, `"lastSeq":`) }
		if err := m.conn.emit("consultation:join", arg, nil, answer); err != nil {
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

// sideTraffic sends the operations other than messages until ctx ends.
func (d *memberGroup) sideTraffic(ctx context.Context) {
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

// reconnectDevices breaks and reopens connections of devices that send no messages,
// until ctx ends.
func (d *memberGroup) reconnectDevices(ctx context.Context) {
	speakers := 2 * len(d.rooms)
	if speakers >= len(d.members) {
		return
	}
	pace(ctx, d.Rate/wholeChurn, 1<<62, func(int, time.Time) {
		m := &d.members[speakers+rand.IntN(len(d.members)-speakers)]
		m.conn.ws.NetConn().Close() // without a closing frame
		<-m.conn.ended
		if err := m.open(context.WithoutCancel(ctx)); err != nil {
			d.problem(err)
		}
	})
}

// sample reads the server's memory at regular intervals until ctx ends.
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
