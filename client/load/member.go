package load

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"wenzhen/rooms"
)

// member is a connection that takes part in a consultation and hears its log.
// What it hears belongs to the goroutine that reads its connection.
type member struct {
	run  *run
	room *room
	talk talk
	side int // 0 patient, 1 doctor
	conn *conn

	log      stream
	level    atomic.Int64 // log.next, for other goroutines
	joining  bool
	answered int64   // the last seq that a join's answer brought
	ahead    []event // live events that came while joining
}

// event is one of the log.
type event struct {
	Seq  int64
	Name string
}

// room is what all members of a consultation know of it.
type room struct {
	top      atomic.Int64 // the highest seq that was acknowledged or heard
	messages atomic.Int64 // acknowledged
}

func (rm *room) reaches(seq int64) {
	for {
		top := rm.top.Load()
		if seq <= top || rm.top.CompareAndSwap(top, seq) {
			return
		}
	}
}

// open connects and joins after what was heard last.
func (m *member) open(ctx context.Context) error {
	m.joining = true
	c, err := m.run.dialer.open(ctx, consultations, m.talk.token(m.side), m.hear)
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

// join asks for the log after what was heard, from the start the first time.
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
	type verdict struct {
		more bool
		err  error
	}
	reply := make(chan verdict, 1)
	arg := fmt.Appendf(nil, `{"consultationId":%q,"after":%d}`, m.talk.ID, m.log.next)
	err = m.conn.emit("consultation:join", arg, nil, func(body []byte) {
		var answer []joined
		switch err := json.Unmarshal(body, &answer); {
		case err != nil || len(answer) != 1:
			reply <- verdict{err: errors.Join(err, errPacket)}
			return
		case !answer[0].OK:
			reply <- verdict{err: fmt.Errorf("join: %w", answer[0].Error)}
			return
		}
		data := answer[0].Data
		for _, e := range data.Events {
			m.heard(e)
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
		reply <- verdict{more: data.HasMore}
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

// hear takes an event that came live.
func (m *member) hear(body []byte) {
	seq := numberAfter(body, `,"seq":`)
	if seq == 0 {
		if bytes.HasPrefix(body, failure) { // of a command without an acknowledgement
			m.run.problem(fmt.Errorf("load: %s", body))
		}
		return // a signal
	}
	if !bytes.Contains(body[:min(len(body), 150)], []byte(m.talk.ID)) {
		return // of another consultation of this user's, told to all devices
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

// live takes an event that came live. An event that is committed while a join
// reads the log may be in the answer and also come live, before or after it:
// clients tell by the seq, and that is no duplicate.
func (m *member) live(e event) {
	if e.Seq > m.answered {
		m.heard(e)
	}
}

func (m *member) heard(e event) {
	m.log.hear(e.Seq)
	m.level.Store(m.log.next)
	m.run.logged.Add(1)
	if e.Name == createdName {
		m.run.delivered.Add(1)
	}
}

// say sends a message, which tells when it was due. answered is called with
// the seq that it got; 0 if it was refused.
func (m *member) say(due time.Time, pad string, answered func(seq int64)) error {
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
