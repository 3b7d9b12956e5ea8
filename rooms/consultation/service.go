package consultation

import (
	"context"
	"time"

	"wenzhen/rooms"
)

// Service carries out the commands of consultations.
type Service struct {
	store    Store
	hub      *rooms.Hub
	presence *rooms.Presence
	now      func() time.Time

	followers []Follower
	biller    Biller
	payWithin time.Duration
	terms     CancelTerms
	// verifiedOnly tells that an address finds a user only who has proved it.
	verifiedOnly bool
	evidence     Evidence
	caps         Caps
	// reads enters in the audit log that somebody reads something.
	reads   func(ctx context.Context, actor rooms.Actor, action, subject string) error
	joining chan struct{} // has an element for each join that is being answered
	// invitedMost bounds those who are let in beside patient and doctor.
	invitedMost int
}

// New makes the service.
func New(store Store, hub *rooms.Hub, presence *rooms.Presence, now func() time.Time) *Service {
	notNoted := func(context.Context, rooms.Actor, string, string) error { return nil }
	return &Service{store: store, reads: notNoted, hub: hub, presence: presence, now: now, joining: make(chan struct{}, joinsAtOnce), payWithin: payWithin, terms: usualTerms, caps: UsualCaps, invitedMost: invitedMost}
}

// Reads has f called with each join, before anything of the consultation is
// heard; an error of f is that of the join.
func (s *Service) Reads(f func(ctx context.Context, actor rooms.Actor, action, subject string) error) {
	s.reads = f
}

// VerifiedOnly makes invitations by e-mail find only those who have proved the
// address. It is for servers that send mail: on others nobody can.
func (s *Service) VerifiedOnly() { s.verifiedOnly = true }

// Commands are the commands that the service carries out.
func (s *Service) Commands() []rooms.Bound {
	return []rooms.Bound{
		Open.Bind(s.open), List.Bind(s.list), Read.Bind(s.read), Events.Bind(s.events), Cases.Bind(s.cases),
		Join.Bind(s.join), Leave.Bind(s.leave), Look.Bind(s.look),
		Accept.Bind(func(ctx context.Context, a rooms.Actor, in Input) (Consultation, error) {
			return s.move(ctx, in.ConsultationID, accept, change{actor: a})
		}),
		Decline.Bind(s.withReason(decline)),
		Cancel.Bind(s.withReason(cancel)),
		Hold.Bind(s.withReason(hold)),
		Resume.Bind(func(ctx context.Context, a rooms.Actor, in Input) (Consultation, error) {
			return s.move(ctx, in.ConsultationID, resume, change{actor: a})
		}),
		End.Bind(func(ctx context.Context, a rooms.Actor, in EndInput) (Consultation, error) {
			return s.move(ctx, in.ConsultationID, end, change{actor: a, reason: in.Reason, summary: in.Summary})
		}),
		Terminate.Bind(s.withReason(terminate)),
		Reopen.Bind(func(ctx context.Context, a rooms.Actor, in Input) (Consultation, error) {
			return s.move(ctx, in.ConsultationID, reopen, change{actor: a})
		}),
		Invite.Bind(s.invite), AnswerInvitation.Bind(s.answer), WithdrawInvitation.Bind(s.withdraw), ListInvitations.Bind(s.invitations),
		RemoveParticipant.Bind(s.remove), Quit.Bind(s.quit), CountAll.Bind(s.count), Close.Bind(s.close),
	}
}

func (s *Service) withReason(t transition) func(context.Context, rooms.Actor, ReasonInput) (Consultation, error) {
	return func(ctx context.Context, a rooms.Actor, in ReasonInput) (Consultation, error) {
		return s.move(ctx, in.ConsultationID, t, change{actor: a, reason: in.Reason})
	}
}

// timerKind is the kind of the one timer that a consultation has.
const timerKind = "consultation"

// Timers are the timers that the service fires.
func (s *Service) Timers() map[string]rooms.Fire {
	return map[string]rooms.Fire{timerKind: s.fire}
}

// fire moves a consultation on whose state has run out. A clock that was
// moved meanwhile is left alone.
func (s *Service) fire(ctx context.Context, t rooms.Timer) error {
	moved, err := rooms.InTx(ctx, s.store, func(tx Tx) (Consultation, error) {
		var none Consultation
		c, err := tx.Consultation(ID(t.Subject))
		if rooms.CodeOf(err) == rooms.CodeNotFound {
			return none, tx.ClearTimer(t.Kind, t.Subject)
		} else if err != nil {
			return none, err
		}
		next, ok := byClock[c.Status]
		switch {
		case !ok || c.DueAt == nil:
			return none, tx.ClearTimer(t.Kind, t.Subject)
		case c.DueAt.After(s.now()):
			return none, tx.SetTimer(rooms.Timer{Kind: t.Kind, Subject: t.Subject, Due: *c.DueAt})
		}
		return s.transit(tx, c, next, change{actor: rooms.System})
	})
	if err == nil && moved.ID != "" {
		s.announceQueue(ctx, moved.DoctorID)
	}
	return err
}

// move carries out a transition that a participant asks for.
func (s *Service) move(ctx context.Context, id ID, t transition, in change) (Consultation, error) {
	c, err := rooms.InTx(ctx, s.store, func(tx Tx) (Consultation, error) {
		me, err := tx.Participant(id, in.actor.UserID)
		if err != nil {
			return Consultation{}, err
		}
		if me.Role != t.by {
			return Consultation{}, rooms.Forbidden("only the %s can %s a consultation", t.by, t.name)
		}
		c, err := tx.Consultation(id)
		if err != nil {
			return c, err
		}
		if err := s.permits(tx, c, t, in); err != nil {
			return c, err
		}
		return s.transit(tx, c, t, in)
	})
	if err != nil {
		return Consultation{}, err
	}
	s.announceQueue(ctx, c.DoctorID)
	return c, nil
}

// transit applies t and writes what follows from it: the row, the timer, the event.
func (s *Service) transit(tx Tx, c Consultation, t transition, in change) (Consultation, error) {
	from := c.Status
	in.terms = s.terms
	var err error
	if in.excused, err = s.excuses(tx, c, t); err != nil {
		return c, err
	}
	summary := c.Summary
	if c, err = t.apply(c, in, s.now()); err != nil {
		return c, err
	}
	last, err := tx.LastSeq(c.ID.Room())
	if err != nil {
		return c, err
	}
	if c.ReasonSeq = last + 1; c.Summary != summary {
		c.SummarySeq = last + 1
	}
	if err := s.save(tx, c, in.actor); err != nil {
		return c, err
	}
	for _, f := range s.followers {
		if err := f.Follow(tx, from, c); err != nil {
			return c, err
		}
	}
	return c, nil
}

func (s *Service) save(tx Tx, c Consultation, actor rooms.Actor) error {
	if err := tx.SaveConsultation(c); err != nil {
		return err
	}
	return announce(tx, c, actor, s.now())
}

// announce records consultation:updated, for the room and for the devices of
// all participants, and sets the clock of the state.
func announce(tx Tx, c Consultation, actor rooms.Actor, now time.Time) error {
	people, err := tx.Participants(c.ID)
	if err != nil {
		return err
	}
	also := make([]rooms.RoomID, len(people))
	for i, p := range people {
		also[i] = rooms.UserRoom(p.UserID)
	}
	if _, err := Updated.Record(tx, c.ID.Room(), actor, now, also, func(seq rooms.Seq) (Consultation, error) { return c.logged(seq), nil }); err != nil {
		return err
	}
	if c.DueAt == nil {
		return tx.ClearTimer(timerKind, string(c.ID))
	}
	return tx.SetTimer(rooms.Timer{Kind: timerKind, Subject: string(c.ID), Due: *c.DueAt})
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
