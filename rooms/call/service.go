package call

import (
	"context"
	"encoding/json"
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
	"wenzhen.example/rooms/consultation"
)

// membersMost bounds a call: each device sends to each other one.
var membersMost = 1 + rooms.MostOf[CallInvitation]("To")

// Options are what the service needs, and the rules of calls.
type Options struct {
	Store Store
	Notes consultation.Notes
	Relay Relay
	Hub   *rooms.Hub
	Now   func() time.Time

	// RingFor is how long devices ring before the call counts as missed.
	RingFor time.Duration
	// VanishAfter is how long a member may be silent before it counts as gone.
	// Devices send call:state every 10 seconds; a page that reconnects has done
	// so long before the 45 seconds that are usual.
	VanishAfter time.Duration
}

// seenEvery is how often a member's being there is written down.
func (o Options) seenEvery() time.Duration { return o.VanishAfter / 9 }

// Service executes the commands of calls.
type Service struct {
	cfg   Options
	store Store
	notes consultation.Notes
	relay Relay
	hub   *rooms.Hub
	now   func() time.Time
	// started is when this server began to listen: nobody can have been seen
	// while it did not.
	started time.Time
}

// New makes the service. As a follower of consultations it ends calls with them.
func New(o Options) *Service {
	return &Service{cfg: o, store: o.Store, notes: o.Notes, relay: o.Relay, hub: o.Hub, now: o.Now, started: o.Now()}
}

// Commands returns the commands that the service executes.
func (s *Service) Commands() []rooms.Handler {
	return []rooms.Handler{
		Invite.Bind(s.invite), Accept.Bind(s.accept), Decline.Bind(s.decline), Leave.Bind(s.leave), End.Bind(s.end),
		Signal.Bind(s.signal), State.Bind(s.state), List.Bind(s.list), ReadServers.Bind(s.servers),
	}
}

// device is the one that speaks: the page or app that names itself, or else
// the login.
func device(actor rooms.Actor, given string) string {
	if given != "" {
		return given
	}
	return string(actor.SessionID)
}

// change loads a call for a participant of its consultation, lets judge change
// it, and writes what came of it. For a stranger there is no such call.
func (s *Service) change(ctx context.Context, actor rooms.Actor, id ID, judge func(tx Tx, c *Call, me consultation.Participant, now time.Time) error) (Call, error) {
	return rooms.InTx(ctx, s.store, func(tx Tx) (Call, error) {
		before, me, err := s.known(tx, actor, id)
		if err != nil {
			return Call{}, err
		}
		now := s.now()
		c := before.clone()
		s.lapse(&c, now)
		judged := judge(tx, &c, me, now)
		if rooms.CodeOf(judged) == rooms.CodeConflict && !c.Status.Live() && before.Status.Live() {
			judged = nil // it lapsed just now, which is written before it is said
		}
		if judged != nil {
			return Call{}, judged
		}
		return c, s.save(tx, before, c, actor, now)
	})
}

func (s *Service) known(tx Tx, actor rooms.Actor, id ID) (Call, consultation.Participant, error) {
	c, err := tx.Call(id)
	if err != nil {
		return c, consultation.Participant{}, err
	}
	me, err := tx.Participant(c.ConsultationID, actor.UserID)
	if rooms.CodeOf(err) == rooms.CodeNotFound || err == nil && !c.shownTo(me) {
		err = rooms.NotFound("call")
	}
	return c, me, err
}

// shownTo reports whether a call is part of what a participant may see: one that
// was over before they were let in is not, unless they may see what was before.
func (c Call) shownTo(p consultation.Participant) bool {
	return p.Since == 0 || c.Status.Live() || !c.CreatedAt.Before(p.JoinedAt)
}

// save writes a call that has changed, tells everyone, and sets its clock. A
// call that is over leaves a note in the conversation.
func (s *Service) save(tx Tx, before, c Call, actor rooms.Actor, now time.Time) error {
	if err := tx.SaveCall(c); err != nil {
		return err
	}
	timer := rooms.Timer{Kind: timerKind, Subject: string(c.ID), Due: c.due(s.cfg.VanishAfter)}
	if timer.Due.IsZero() {
		if err := tx.ClearTimer(timer.Kind, timer.Subject); err != nil {
			return err
		}
	} else if err := tx.SetTimer(timer); err != nil {
		return err
	}
	if same(before, c) {
		return nil
	}
	people, err := tx.Participants(c.ConsultationID)
	if err != nil {
		return err
	}
	also := make([]rooms.RoomID, len(people))
	for i, p := range people {
		also[i] = rooms.UserRoom(p.UserID)
	}
	if _, err := CallUpdated.Record(tx, c.ConsultationID.Room(), actor, now, also, func(rooms.Seq) (Call, error) { return c, nil }); err != nil {
		return err
	}
	if c.Status.Live() || !before.Status.Live() && before.Status != "" {
		return nil
	}
	detail, err := json.Marshal(CallSummary{CallID: c.ID, Medium: c.Medium, Outcome: c.Status, Seconds: c.Seconds()})
	if err != nil {
		return err
	}
	return s.notes.Note(tx, actor, consultation.Note{ConsultationID: c.ConsultationID, SenderID: c.CallerID, Kind: "call",
		ClientID: "call:" + string(c.ID), Detail: detail, At: now})
}

// CallSummary is the detail of the message that a call leaves behind.
type CallSummary struct {
	CallID  ID             `json:"callId"`
	Medium  account.Medium `json:"medium"`
	Outcome CallStatus     `json:"outcome"`
	Seconds int            `json:"seconds"` // of talk
}

// same reports whether two states of a call differ in nothing that clients see.
func same(a, b Call) bool {
	if a.Status != b.Status || len(a.Members) != len(b.Members) {
		return false
	}
	for i, m := range a.Members {
		if n := b.Members[i]; m.Status != n.Status || m.DeviceID != n.DeviceID || (m.RingUntil == nil) != (n.RingUntil == nil) ||
			(m.RingUntil != nil && !m.RingUntil.Equal(*n.RingUntil)) {
			return false
		}
	}
	return true
}

func (s *Service) list(ctx context.Context, actor rooms.Actor, in CallFilter) (CallList, error) {
	if in.ConsultationID != "" {
		if _, err := s.store.Participant(ctx, in.ConsultationID, actor.UserID); err != nil {
			return CallList{}, err
		}
	}
	live, err := s.store.LiveCalls(ctx, actor.UserID)
	page := CallList{Items: []Call{}}
	for _, c := range live {
		if in.ConsultationID == "" || c.ConsultationID == in.ConsultationID {
			page.Items = append(page.Items, c)
		}
	}
	return page, err
}

func (s *Service) servers(ctx context.Context, actor rooms.Actor, in ServersInput) (ICEServers, error) {
	if in.CallID != "" {
		c, err := s.visible(ctx, actor, in.CallID)
		if err != nil {
			return ICEServers{}, err
		}
		switch {
		case !c.Status.Live():
			return ICEServers{}, rooms.Conflict(string(c.Status), "the call is over")
		case !c.Concerns(actor.UserID):
			return ICEServers{}, rooms.Conflict(string(c.Status), "you are not in this call; join it first")
		}
	}
	return s.relay.Servers(actor, in.CallID, s.now()), nil
}

// Permits reports whether user, who takes part in its consultation, is in a
// live call or rung by it. Relays ask.
func (s *Service) Permits(ctx context.Context, user rooms.UserID, id ID) bool {
	c, err := s.visible(ctx, rooms.Actor{UserID: user}, id)
	return err == nil && c.Concerns(user)
}

// visible is a call of a consultation that actor takes part in.
func (s *Service) visible(ctx context.Context, actor rooms.Actor, id ID) (Call, error) {
	c, err := s.store.Call(ctx, id)
	if err != nil {
		return c, err
	}
	if me, err := s.store.Participant(ctx, c.ConsultationID, actor.UserID); rooms.CodeOf(err) == rooms.CodeNotFound || err == nil && !c.shownTo(me) {
		return Call{}, rooms.NotFound("call")
	} else if err != nil {
		return Call{}, err
	}
	return c, nil
}
