package consultation

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"strings"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/audit"
)

// Events in one answer: what a join brings, and what may be asked for.
const (
	joinEvents    = 200
	eventsDefault = 200
	eventsMost    = 500
	// joinBytes keeps an answer far below what a connection may have queued.
	joinBytes = 512 << 10
	// joinsAtOnce is how many joins are answered side by side; the others wait.
	joinsAtOnce = 16
)

// admit returns a consultation with all participants to somebody who takes part
// in it. For a stranger it does not exist.
func (s *Service) admit(ctx context.Context, id ID, actor rooms.Actor) (Consultation, []Participant, Participant, error) {
	me, err := s.takesPart(ctx, id, actor)
	if err != nil {
		return Consultation{}, nil, Participant{}, err
	}
	people, err := s.store.Participants(ctx, id)
	if err != nil {
		return Consultation{}, nil, Participant{}, err
	}
	c, err := s.store.Consultation(ctx, id)
	return c, people, me, err
}

// takesPart is the actor as one who takes part in a consultation.
func (s *Service) takesPart(ctx context.Context, id ID, actor rooms.Actor) (Participant, error) {
	me, err := s.store.Participant(ctx, id, actor.UserID)
	if err == nil && me.Expected {
		me, err = s.arrive(ctx, id, actor)
	}
	return me, err
}

// NotFound is what anyone gets who does not take part in a consultation,
// whether it exists or not.
func NotFound() error { return rooms.NotFound("consultation") }

func (s *Service) read(ctx context.Context, actor rooms.Actor, in Input) (Consultation, error) {
	c, _, me, err := s.admit(ctx, in.ConsultationID, actor)
	if err != nil {
		return Consultation{}, err
	}
	c = c.ShownTo(me)
	c.ReadUpTo = max(me.ReadUpTo, me.Since)
	if c.Status == Waiting {
		c.Queue, err = s.queueOf(ctx, c)
	}
	return c, err
}

// statuses are the states that a filter names, with commas between them.
func statuses(filter Status) ([]Status, error) {
	var list []Status
	for _, name := range strings.FieldsFunc(string(filter), func(r rune) bool { return r == ',' }) {
		status := Status(name)
		if _, moves := byClock[status]; !moves && !status.Final() {
			return nil, rooms.Invalid("status", "there is no status %q", name)
		}
		list = append(list, status)
	}
	return list, nil
}

func (s *Service) list(ctx context.Context, actor rooms.Actor, in Filter) (Page, error) {
	q := Query{User: actor.UserID}
	var err error
	if q.Statuses, err = statuses(in.Status); err != nil {
		return Page{}, err
	}
	limit, err := rooms.PageSize(in.Limit, 20, 100)
	if err != nil {
		return Page{}, err
	}
	if q.After, err = rooms.ParseCursor(in.Cursor); err != nil {
		return Page{}, err
	}
	q.Limit = limit + 1
	list, err := s.store.Consultations(ctx, q)
	if err != nil {
		return Page{}, err
	}
	items, next := rooms.CutPage(list, limit, func(c Consultation) rooms.Cursor {
		return rooms.Cursor{Num: c.UpdatedAt.UnixMicro(), ID: string(c.ID)}
	})
	return Page{Items: items, NextCursor: next}, nil
}

func (s *Service) events(ctx context.Context, actor rooms.Actor, in EventsInput) (EventPage, error) {
	limit, err := rooms.PageSize(in.Limit, eventsDefault, eventsMost)
	if err != nil {
		return EventPage{}, err
	}
	if in.After < 0 {
		return EventPage{}, rooms.Invalid("after", "after must not be negative")
	}
	_, _, me, err := s.admit(ctx, in.ConsultationID, actor)
	if err != nil {
		return EventPage{}, err
	}
	after := max(in.After, me.Since)
	items, last, err := s.store.Events(ctx, in.ConsultationID.Room(), after, limit)
	if err != nil {
		return EventPage{}, err
	}
	items, err = shown(items, me)
	return EventPage{Items: items, LastSeq: last, HasMore: more(items, after, last)}, err
}

// more reports whether the log continues after items.
func more(items []rooms.Event, after, last rooms.Seq) bool {
	if len(items) == 0 {
		return after < last
	}
	return items[len(items)-1].Seq < last
}

// upToBytes cuts a stretch of the log where its data gets too large; the first
// event stays whatever its size.
func upToBytes(events []rooms.Event, most int) []rooms.Event {
	for i, e := range events {
		if most -= len(e.Data); most < 0 && i > 0 {
			return events[:i]
		}
	}
	return events
}

// shown are events of the log as me may see them: those of earlier versions had
// the complaint and the earlier diagnosis, and the summary whenever it had been
// signed.
func shown(events []rooms.Event, me Participant) ([]rooms.Event, error) {
	if me.Since == 0 {
		return events, nil
	}
	for i, e := range events {
		if e.Name != ConsultationUpdated.Name || !bytes.Contains(e.Data, []byte(`"priorDiagnosis":`)) && bytes.Contains(e.Data, []byte(`"complaint":""`)) {
			continue
		}
		var c Consultation
		if err := json.Unmarshal(e.Data, &c); err != nil {
			return nil, err
		}
		if c.PriorDiagnosis != "" {
			c.Summary = nil // it may have been signed before
		}
		c.PriorDiagnosis = ""
		if me.Role != PartColleague {
			c.Complaint = ""
		}
		data, err := json.Marshal(c)
		if err != nil {
			return nil, err
		}
		events[i].Data = data
	}
	return events, nil
}

// join subscribes before it reads the log. An event that is committed in
// between arrives twice, and clients drop the second by its seq; none is
// missed.
func (s *Service) join(ctx context.Context, actor rooms.Actor, in JoinInput) (Joined, error) {
	if in.After != nil && *in.After < 0 {
		return Joined{}, rooms.Invalid("after", "after must not be negative")
	}
	// After a restart everyone joins at once. All of them side by side would wait
	// for the same few connections with each read, and with too many none would
	// come to its end before its deadline.
	select {
	case s.joining <- struct{}{}:
		defer func() { <-s.joining }()
	case <-ctx.Done():
		return Joined{}, ctx.Err()
	}
	room := in.ConsultationID.Room()
	me, known, err := s.subscribe(ctx, actor, in.ConsultationID)
	if err != nil {
		return Joined{}, err
	}
	after := max(0, known-joinEvents)
	if in.After != nil {
		after = *in.After
	}
	joined, err := s.joined(ctx, actor, in.ConsultationID, max(after, me.Since))
	if conn := rooms.SubscriberOf(ctx); conn != nil && rooms.CodeOf(err) == rooms.CodeNotFound {
		conn.Unsubscribe(room) // access was lost before the connection could be cut
	}
	return joined, err
}

// subscribe makes the connection of a participant hear the room, and returns
// the last seq that the room had before.
func (s *Service) subscribe(ctx context.Context, actor rooms.Actor, id ID) (Participant, rooms.Seq, error) {
	_, known, err := s.store.Events(ctx, id.Room(), 0, 0)
	if err != nil {
		return Participant{}, 0, err
	}
	me, err := s.takesPart(ctx, id, actor)
	if err != nil {
		return Participant{}, 0, err
	}
	if err := s.options.Reads(ctx, actor, audit.MessageRead, id.subject()); err != nil {
		return Participant{}, 0, err
	}
	conn := rooms.SubscriberOf(ctx)
	if conn == nil {
		return me, known, nil
	}
	return me, known, conn.Subscribe(id.Room(), known)
}

// joined is what a join answers, read once the connection is subscribed to the room.
func (s *Service) joined(ctx context.Context, actor rooms.Actor, id ID, after rooms.Seq) (Joined, error) {
	room := id.Room()
	events, last, err := s.store.Events(ctx, room, after, joinEvents)
	if err != nil {
		return Joined{}, err
	}
	events = upToBytes(events, joinBytes)
	// Read again: the state in the answer must not be older than the log, and a
	// loss of access before the subscription is detected here.
	c, people, me, err := s.admit(ctx, id, actor)
	if err != nil {
		return Joined{}, err
	}
	if c.Status == Waiting {
		if c.Queue, err = s.queueOf(ctx, c); err != nil {
			return Joined{}, err
		}
		if c.Queue != nil { // who has an appointment queues once they have checked in
			QueueUpdated.Send(s.hub, room, *c.Queue)
		}
	}
	former, err := s.former(ctx, c.ID, me)
	if err != nil {
		return Joined{}, err
	}
	if me.Since > after { // let in anew meanwhile
		after, events = me.Since, slices.DeleteFunc(events, func(e rooms.Event) bool { return !me.Sees(e.Seq) })
	}
	events, err = shown(events, me)
	return Joined{Consultation: c.ShownTo(me), Participants: people, Former: former, Presence: s.presence.In(room), Events: events, Since: me.Since,
		LastSeq: last, HasMore: more(events, after, last), ReadUpTo: max(me.ReadUpTo, me.Since)}, err
}

func (s *Service) leave(ctx context.Context, actor rooms.Actor, in Input) (rooms.Nothing, error) {
	if _, _, _, err := s.admit(ctx, in.ConsultationID, actor); err != nil {
		return rooms.Nothing{}, err
	}
	if conn := rooms.SubscriberOf(ctx); conn != nil {
		conn.Unsubscribe(in.ConsultationID.Room())
	}
	return rooms.Nothing{}, nil
}

func (s *Service) setViewing(ctx context.Context, actor rooms.Actor, in LookInput) (rooms.Nothing, error) {
	if _, _, _, err := s.admit(ctx, in.ConsultationID, actor); err != nil {
		return rooms.Nothing{}, err
	}
	if conn := rooms.SubscriberOf(ctx); conn != nil {
		conn.SetViewing(in.ConsultationID.Room(), in.Looking)
	}
	return rooms.Nothing{}, nil
}
