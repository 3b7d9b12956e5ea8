package load

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"wenzhen.example/rooms"
)

// member is a connection of a participant of a consultation, which receives its log.
// Fields that are not atomic belong to the goroutine that reads the connection.
type member struct {
	run  *run
	room *room
	talk talk
	side int // 0 patient, 1 doctor
	conn *conn

	log      stream
	level    atomic.Int64 // log.next, for other goroutines
	joining  bool
	answered int64   // the last seq in the answer to a join
	ahead    []event // live events that were received while joining
}

// event is an event of the log.
type event struct {
	Seq  int64
	Name string
}

// room is the state of a consultation that its members share.
type room struct {
	top      atomic.Int64 // the highest seq that was acknowledged or received
	messages atomic.Int64 // acknowledged messages
}

func (rm *room) reaches(seq int64) {
	for {
		top := rm.top.Load()
		if seq <= top || rm.top.CompareAndSwap(top, seq) {
			return
		}
	}
}

// open connects and joins after the last event that was received.
func (m *member) open(ctx context.Context) error {
	m.joining = true
	c, err := m.run.dialer.open(ctx, consultations, m.talk.token(m.side), m.handle)
	if err != nil {
		return err
	}
	m.conn = c
	for more := true; more; {
		if more, err = m.join(); err != nil {
			return err
		}
	}
	return nil
}

// join joins the consultation after the last event that was received.
func (m *member) join() (more bool, err error) {
	type joined struct {
		OK   bool
		Data struct {
			Events  []event
			LastSeq int64
			HasMore bool
		}
		Error *rooms.Error
	}
	type result struct {
		more bool
		err  error
	}
	reply := make(chan result, 1)
	arg := fmt.Appendf(nil, `{"consultationId":%q,"after":%d}`, m.talk.ID, m.log.next)
	err = m.conn.emit("consultation:join", arg, nil, func(body []byte) {
		var answer []joined
		switch err := json.Unmarshal(body, &answer); {
		case err != nil || len(answer) != 1:
			reply <- result{err: errors.Join(err, errPacket)}
			return
		case !answer[0].OK:
			reply <- result{err: fmt.Errorf("join: %w", answer[0].Error)}
			return
		}
		data := answer[0].Data
		for _, e := range data.Events {
			m.receive(e)
			m.answered = e.Seq
		}
		m.room.reaches(data.LastSeq)
		if !data.HasMore {
			m.joining = false
			for _, e := range m.ahead {
				m.live(e)
			}
			m.ahead = nil
		}
		reply <- result{more: data.HasMore}
	})
	if err != nil {
		return false, err
	}
	select {
	case v := <-reply:
		return v.more, v.err
	case <-time.After(answerTimeout):
		return false, errors.New("load: consultation:join was not answered")
	}
}

var (
	created = []byte(`["message:created",`)
	failure = []byte(`["error",`)
)

const createdName = "message:created"

// handle handles an event that was received live.
func (m *member) handle(body []byte) {
	seq := numberAfter(body, `,"seq":`)
	if seq == 0 {
		if bytes.HasPrefix(body, failure) { // of a command without an acknowledgement
			m.run.problem(fmt.Errorf("load: %s", body))
		}
		return // a signal
	}
	if !bytes.Contains(body[:min(len(body), 150)], []byte(m.talk.ID)) {
		return // of another consultation, sent to all devices of the user
	}
	m.room.reaches(seq)
	e := event{Seq: seq}
	if bytes.HasPrefix(body, created) {
		e.Name = createdName
		if at := numberAfter(body, `"text":"t`); at > 0 {
			m.run.latency.add(time.Since(m.run.result.Started) - time.Duration(at)*time.Microsecond)
		}
	}
	if m.joining {
		m.ahead = append(m.ahead, e)
		return
	}
	m.live(e)
}

// live records an event that was received live. An event that is committed while a
// join reads the log may be in the answer and also be sent live, before or after it.
// Clients recognize it by its seq, so it does not count as a duplicate.
func (m *member) live(e event) {
	if e.Seq > m.answered {
		m.receive(e)
	}
}

// receive counts an event of the log.
func (m *member) receive(e event) {
	m.log.receive(e.Seq)
	m.level.Store(m.log.next)
	m.run.logged.Add(1)
	if e.Name == createdName {
		m.run.delivered.Add(1)
	}
}

// send sends a message whose text contains the time when it was due. answered is
// called with its seq, or 0 if it was refused.
func (m *member) send(due time.Time, pad string, answered func(seq int64)) error {
	arg := fmt.Appendf(nil, `{"consultationId":%q,"clientId":%q,"kind":"text","text":"t%d %s"}`,
		m.talk.ID, rooms.NewID(due), due.Sub(m.run.result.Started).Microseconds(), pad)
	return m.conn.emit("message:send", arg, nil, func(body []byte) {
		var seq int64
		if bytes.HasPrefix(body, []byte(`[{"ok":true`)) {
			seq = numberAfter(body, `"seq":`)
			m.room.reaches(seq)
			m.room.messages.Add(1)
			m.run.acks.add(time.Since(due))
		} else if body == nil {
			m.run.problem(errors.New("load: a message was never answered"))
		} else {
			m.run.problem(fmt.Errorf("load: a message was refused: %s", body))
		}
		answered(seq)
	})
}
