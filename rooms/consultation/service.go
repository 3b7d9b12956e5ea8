package consultation

import (
	"context"
	"strings"
	"time"

	"wenzhen.example/rooms"
)

// Options configure the service. Defaults has those of the domain.
type Options struct {
	Store    Store
	Hub      *rooms.Hub
	Presence *rooms.Presence
	Now      func() time.Time

	// Followers returns the services that are called with each transition, in
	// this order. It is a function because followers need the service; nil is none.
	Followers func() []Follower
	// Biller returns what keeps orders; nil bills nothing.
	Biller func() Biller
	// Reads enters a join in the audit log, before anything of the consultation
	// is delivered; its error is that of the join. nil enters nothing.
	Reads func(ctx context.Context, actor rooms.Actor, action, subject string) error

	// PayWithin is how long a consultation waits for its payment, and a slot is
	// held for it.
	PayWithin time.Duration
	// Terms are the refunds of patients who cancel, also of earlier bookings.
	Terms CancelTerms
	// RequireVerifiedEmail makes invitations by e-mail find only users who have proved the
	// address. It is for servers that send mail: on others nobody can.
	RequireVerifiedEmail bool
	EvidencePolicy       Evidence
	Caps                 Caps
	// InvitedMost is how many may be let into a consultation beside its patient
	// and its doctor. The last place is never taken by one side alone, so that
	// relatives do not keep out the doctor's colleague, nor colleagues an
	// interpreter of the patient's.
	InvitedMost int
}

// Defaults are the options that the domain has; the rest of Options is empty.
func Defaults() Options {
	return Options{PayWithin: payWithin, Terms: CancelTerms{Full: 24 * time.Hour, Part: 2 * time.Hour, Percent: 50},
		EvidencePolicy: EvidenceAsked, Caps: UsualCaps, InvitedMost: 10}
}

// Service executes the commands of consultations.
type Service struct {
	options  Options
	store    Store
	hub      *rooms.Hub
	presence *rooms.Presence
	now      func() time.Time
	joining  chan struct{} // has an element for each join that is being answered
}

// New makes the service.
func New(o Options) *Service {
	if o.Followers == nil {
		o.Followers = func() []Follower { return nil }
	}
	if o.Reads == nil {
		o.Reads = func(context.Context, rooms.Actor, string, string) error { return nil }
	}
	return &Service{options: o, store: o.Store, hub: o.Hub, presence: o.Presence, now: o.Now, joining: make(chan struct{}, joinsAtOnce)}
}

// Commands returns the commands that the service executes.
func (s *Service) Commands() []rooms.Handler {
	return []rooms.Handler{
		Open.Bind(s.open), List.Bind(s.list), Read.Bind(s.read), Events.Bind(s.events), Cases.Bind(s.cases),
		Join.Bind(s.join), Leave.Bind(s.leave), Look.Bind(s.setViewing),
		Accept.Bind(func(ctx context.Context, a rooms.Actor, in Input) (Consultation, error) {
			return s.move(ctx, in.ConsultationID, change{actor: a}, accept)
		}),
		Decline.Bind(s.withReason(decline)),
		Cancel.Bind(s.withReason(cancel)),
		Hold.Bind(s.withReason(hold)),
		Resume.Bind(func(ctx context.Context, a rooms.Actor, in Input) (Consultation, error) {
			return s.move(ctx, in.ConsultationID, change{actor: a}, resume)
		}),
		End.Bind(func(ctx context.Context, a rooms.Actor, in EndInput) (Consultation, error) {
			return s.move(ctx, in.ConsultationID, change{actor: a, reason: in.Reason, summary: in.Summary}, end, finish)
		}),
		Terminate.Bind(s.withReason(terminate)),
		Reopen.Bind(func(ctx context.Context, a rooms.Actor, in Input) (Consultation, error) {
			return s.move(ctx, in.ConsultationID, change{actor: a}, reopen)
		}),
		Invite.Bind(s.invite), AnswerInvitation.Bind(s.answer), WithdrawInvitation.Bind(s.withdraw), ListInvitations.Bind(s.invitations),
		RemoveParticipant.Bind(s.remove), Quit.Bind(s.quit), CountAll.Bind(s.count), Close.Bind(s.close),
	}
}

func (s *Service) withReason(t transition) func(context.Context, rooms.Actor, ReasonInput) (Consultation, error) {
	return func(ctx context.Context, a rooms.Actor, in ReasonInput) (Consultation, error) {
		return s.move(ctx, in.ConsultationID, change{actor: a, reason: in.Reason}, t)
	}
}

// timerKind is the kind of the one timer that a consultation has.
const timerKind = "consultation"

// Timers are the timers that the service fires.
func (s *Service) Timers() map[string]rooms.TimerFunc {
	return map[string]rooms.TimerFunc{timerKind: s.fire}
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
		s.AnnounceQueue(ctx, moved.DoctorID)
	}
	return err
}

// move executes the one of ways that is the participant's.
func (s *Service) move(ctx context.Context, id ID, in change, ways ...transition) (Consultation, error) {
	c, err := rooms.InTx(ctx, s.store, func(tx Tx) (Consultation, error) {
		me, err := tx.Participant(id, in.actor.UserID)
		if err != nil {
			return Consultation{}, err
		}
		t, err := wayOf(me.Role, ways)
		if err != nil {
			return Consultation{}, err
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
	s.AnnounceQueue(ctx, c.DoctorID)
	return c, nil
}

// wayOf is the one of ways that is for role.
func wayOf(role Part, ways []transition) (transition, error) {
	var who []string
	for _, t := range ways {
		if t.by == role {
			return t, nil
		}
		who = append(who, string(t.by))
	}
	return transition{}, rooms.Forbidden("only the %s can %s a consultation", strings.Join(who, " and the "), ways[0].name)
}

// transit applies t and writes what follows from it: the row, the timer, the event.
func (s *Service) transit(tx Tx, c Consultation, t transition, in change) (Consultation, error) {
	from := c.Status
	in.terms = s.options.Terms
	who, err := present(tx, c)
	if err != nil {
		return c, err
	}
	in.excused = who.excuse(c, t)
	summary := c.Summary
	if c, err = t.apply(c, in, s.now()); err != nil {
		return c, err
	}
	c.DoctorReview = who.unverified && c.Status.open()
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
	for _, f := range s.options.Followers() {
		if err := f.Follow(tx, from, c); err != nil {
			return c, err
		}
	}
	if t.name == accept.name {
		return c, s.letInAccepted(tx, c)
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
	if _, err := ConsultationUpdated.Record(tx, c.ID.Room(), actor, now, also, func(seq rooms.Seq) (Consultation, error) { return c.logged(seq), nil }); err != nil {
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
