package call

import (
	"context"
	"slices"
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
	"wenzhen.example/rooms/consultation"
)

// invite starts a call and rings its members, if the consultation includes
// calls of this medium or a doctor calls. While a call of this consultation
// is live, every invitation returns that call and changes nothing. A call that
// is over is not started again under its id.
func (s *Service) invite(ctx context.Context, actor rooms.Actor, in CallInvitation) (Invited, error) {
	c, err := rooms.InTx(ctx, s.store, func(tx Tx) (Call, error) {
		me, err := tx.Speaker(in.ConsultationID, actor.UserID)
		if err != nil {
			return Call{}, err
		}
		if in.CallID != "" {
			first, err := tx.Call(in.CallID)
			if rooms.CodeOf(err) != rooms.CodeNotFound {
				return first, sameInvitation(first, actor, in, err)
			}
		}
		now := s.now()
		before, err := tx.LiveCall(in.ConsultationID)
		if err == nil {
			c := before.clone()
			if s.lapse(&c, now); c.Status.Live() {
				err := s.inviteMore(tx, before, &c, actor, in, now)
				return c, err
			}
			if err := s.save(tx, before, c, rooms.System, now); err != nil {
				return Call{}, err
			}
		} else if rooms.CodeOf(err) != rooms.CodeNotFound {
			return Call{}, err
		}
		if err := may(me); err != nil {
			return Call{}, err
		}
		if err := includes(me, in.Medium); err != nil {
			return Call{}, err
		}
		return s.call(tx, actor, in, now)
	})
	if err != nil {
		return Invited{}, err
	}
	return Invited{Call: c, ICEServers: s.relay.Servers(actor, c.ID, s.now()).ICEServers}, nil
}

// call begins a call and rings.
func (s *Service) call(tx Tx, actor rooms.Actor, in CallInvitation, now time.Time) (Call, error) {
	c, err := s.begin(tx, actor, in, now)
	if err != nil {
		return c, err
	}
	if err := s.ring(tx, &c, in.To, now); err != nil {
		return c, err
	}
	c.settle("", now)
	if err := s.save(tx, Call{}, c, actor, now); err != nil {
		return c, err
	}
	tell(tx, c, c.Members)
	return c, nil
}

// sameInvitation tells a resend from an id that is used for something else.
func sameInvitation(first Call, actor rooms.Actor, in CallInvitation, err error) error {
	if err == nil && (first.CallerID != actor.UserID || first.ConsultationID != in.ConsultationID) {
		e := rooms.Conflict("", "this callId has been used for another call")
		e.Field = "callId"
		return e
	}
	return err
}

// may returns an error unless a call may start or be joined now: the
// consultation must be active or on hold.
func may(me consultation.Speaker) error {
	if err := me.May(); err != nil {
		return err
	}
	if me.Status != consultation.Active && me.Status != consultation.OnHold {
		return rooms.Conflict(string(me.Status), "there are no calls while the consultation is %s", me.Status)
	}
	return nil
}

// includes returns an error unless the caller may start a call of a medium: the
// doctors may start each, others those that the consultation includes. Everyone
// may join the calls of others.
func includes(me consultation.Speaker, medium account.Medium) error {
	switch {
	case me.Role == consultation.PartDoctor, me.Role == consultation.PartColleague:
		return nil
	case me.Medium == account.Video, me.Medium == medium:
		return nil
	case me.Medium == account.Voice:
		return rooms.Forbidden("this consultation includes voice calls; only the doctor can start a video call")
	}
	return rooms.Forbidden("this consultation includes no calls; only the doctor can start one")
}

// begin makes a call with everyone who may be rung, the caller in it.
func (s *Service) begin(tx Tx, actor rooms.Actor, in CallInvitation, now time.Time) (Call, error) {
	if err := loggedIn(tx, actor); err != nil {
		return Call{}, err
	}
	if engaged, err := tx.Engaged(actor.UserID, ""); err != nil {
		return Call{}, err
	} else if engaged {
		return Call{}, rooms.Conflict(string(Busy), "you are in another call")
	}
	people, err := tx.Participants(in.ConsultationID)
	if err != nil {
		return Call{}, err
	}
	c := Call{ID: in.CallID, ConsultationID: in.ConsultationID, CallerID: actor.UserID, Medium: in.Medium, Status: Ringing, CreatedAt: now}
	if c.ID == "" {
		c.ID = ID(rooms.NewID(now))
	}
	for _, p := range people {
		if p.UserID == actor.UserID {
			c.Members = append(c.Members, Member{UserID: p.UserID, Name: p.Name, Role: p.Role, Status: MemberJoined,
				DeviceID: device(actor, in.DeviceID), SessionID: actor.SessionID, JoinedAt: &now, SeenAt: &now})
		}
	}
	return c, nil
}

// ring lets the devices of participants ring: of those named, or of all who
// are not in the call, patient and doctor first. Who is in another call is busy.
func (s *Service) ring(tx Tx, c *Call, to []rooms.UserID, now time.Time) error {
	people, err := tx.Participants(c.ConsultationID)
	if err != nil {
		return err
	}
	slices.SortStableFunc(people, func(a, b consultation.Participant) int { return rank(a.Role) - rank(b.Role) })
	for _, user := range to {
		if !slices.ContainsFunc(people, func(p consultation.Participant) bool { return p.UserID == user }) {
			return rooms.Invalid("to", "someone named there does not take part in this consultation")
		}
	}
	until := now.Add(s.cfg.RingFor)
	for _, p := range people {
		m := c.member(p.UserID)
		if m != nil && (m.Status == MemberJoined || m.Status == MemberRinging) || len(to) > 0 && !slices.Contains(to, p.UserID) {
			continue
		}
		if c.count(MemberJoined)+c.count(MemberRinging) >= membersMost {
			if len(to) == 0 {
				break // those who are not rung may still join
			}
			return rooms.TooLarge("to", "a call has at most %d members", membersMost)
		}
		if m == nil {
			c.Members = append(c.Members, Member{UserID: p.UserID, Name: p.Name, Role: p.Role})
			m = &c.Members[len(c.Members)-1]
		}
		engaged, err := tx.Engaged(p.UserID, c.ID)
		if err != nil {
			return err
		}
		m.Status, m.RingUntil = MemberRinging, &until
		if engaged {
			m.Status, m.RingUntil = MemberBusy, nil
		}
	}
	if c.count(MemberRinging)+c.count(MemberBusy) == 0 {
		return rooms.Conflict(string(c.Status), "there is nobody to call")
	}
	return nil
}

func rank(p consultation.Part) int {
	if p == consultation.PartPatient || p == consultation.PartDoctor {
		return 0
	}
	return 1
}

// inviteMore rings those named, while a call goes on; naming nobody asks for
// the call as it is.
func (s *Service) inviteMore(tx Tx, before Call, c *Call, actor rooms.Actor, in CallInvitation, now time.Time) error {
	if len(in.To) == 0 {
		return nil
	}
	if _, err := c.in(actor.UserID, ""); err != nil {
		return err
	}
	if err := s.ring(tx, c, in.To, now); err != nil {
		return err
	}
	if err := s.save(tx, before, *c, actor, now); err != nil {
		return err
	}
	rung := c.clone()
	rung.Members = slices.DeleteFunc(rung.Members, func(m Member) bool {
		old := before.member(m.UserID)
		return old != nil && old.Status == MemberRinging
	})
	tell(tx, *c, rung.Members)
	return nil
}

// tell lets the devices ring of those members who are rung.
func tell(tx Tx, c Call, members []Member) {
	caller := c.member(c.CallerID)
	for _, m := range members {
		if m.Status == MemberRinging {
			CallRinging.After(tx, rooms.UserRoom(m.UserID), Ring{Call: c, CallerName: caller.Name, RingUntil: *m.RingUntil})
		}
	}
}

// accept answers, joins, or moves the user's call to this device.
func (s *Service) accept(ctx context.Context, actor rooms.Actor, in CallAnswer) (Call, error) {
	dev := device(actor, in.DeviceID)
	c, err := s.change(ctx, actor, in.CallID, func(tx Tx, c *Call, me consultation.Participant, now time.Time) error {
		if !c.Status.Live() {
			return rooms.Conflict(string(c.Status), "the call is over: %s", c.Status)
		}
		if err := loggedIn(tx, actor); err != nil {
			return err
		}
		m := c.member(actor.UserID)
		switch {
		case m != nil && m.Status == MemberJoined && m.DeviceID == dev:
			m.SeenAt, m.SessionID = &now, actor.SessionID
			return nil // sent again
		case m != nil && m.Status == MemberJoined && !in.Move:
			return rooms.Conflict(string(c.Status), "you are in this call on another device")
		case c.Status == Ringing && (m == nil || m.Status != MemberRinging && m.Status != MemberJoined):
			return rooms.Conflict(string(c.Status), "you are not being called")
		}
		if err := s.mayJoin(tx, *c, actor, m); err != nil {
			return err
		}
		if m == nil {
			c.Members = append(c.Members, Member{UserID: me.UserID, Name: me.Name, Role: me.Role})
			m = &c.Members[len(c.Members)-1]
		}
		if m.JoinedAt == nil || m.Status != MemberJoined {
			m.JoinedAt = &now
		}
		m.Status, m.DeviceID, m.SessionID, m.SeenAt, m.RingUntil, m.LeftAt = MemberJoined, dev, actor.SessionID, &now, nil, nil
		c.settle(actor.UserID, now)
		AnsweredElsewhere.After(tx, rooms.UserRoom(actor.UserID), Answered{CallID: c.ID, DeviceID: dev})
		return answers(tx, *c, now)
	})
	if err == nil && !c.Status.Live() {
		err = rooms.Conflict(string(c.Status), "the call is over: %s", c.Status)
	}
	return c, err
}

// loggedIn refuses a session that has ended since the command was let in: nobody
// would take its member out of the call.
func loggedIn(tx Tx, actor rooms.Actor) error {
	if actor.SessionID == "" {
		return nil
	}
	lives, err := tx.SessionLives(actor.SessionID)
	if err == nil && !lives {
		err = rooms.Unauthenticated("this session has ended; log in again")
	}
	return err
}

func (s *Service) mayJoin(tx Tx, c Call, actor rooms.Actor, m *Member) error {
	speaker, err := tx.Speaker(c.ConsultationID, actor.UserID)
	if err != nil {
		return err
	}
	if err := may(speaker); err != nil {
		return err
	}
	if engaged, err := tx.Engaged(actor.UserID, c.ID); err != nil {
		return err
	} else if engaged {
		return rooms.Conflict(string(Busy), "you are in another call")
	}
	if (m == nil || m.Status != MemberJoined) && c.count(MemberJoined) >= membersMost {
		return rooms.Conflict(string(c.Status), "a call has at most %d members", membersMost)
	}
	return nil
}

// answers notes that a doctor who talks has answered the patient.
func answers(tx Tx, c Call, now time.Time) error {
	for _, m := range c.Members {
		if c.Status != Active || m.Role != consultation.PartDoctor || m.Status != MemberJoined {
			continue
		}
		speaker, err := tx.Speaker(c.ConsultationID, m.UserID)
		if err != nil {
			return err
		}
		if err := speaker.Spoke(tx, now); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) decline(ctx context.Context, actor rooms.Actor, in CallRef) (Call, error) {
	return s.change(ctx, actor, in.CallID, func(tx Tx, c *Call, _ consultation.Participant, now time.Time) error {
		m := c.member(actor.UserID)
		switch {
		case m != nil && m.Status == MemberDeclined:
			return nil // sent again
		case !c.Status.Live() || m == nil || m.Status != MemberRinging:
			return rooms.Conflict(string(c.Status), "you are not being called")
		}
		m.Status, m.RingUntil = MemberDeclined, nil
		c.settle(actor.UserID, now)
		AnsweredElsewhere.After(tx, rooms.UserRoom(actor.UserID), Answered{CallID: c.ID, DeviceID: device(actor, in.DeviceID)})
		return nil
	})
}

// leave hangs up. Who has left, or whose call is over, has left.
func (s *Service) leave(ctx context.Context, actor rooms.Actor, in CallRef) (Call, error) {
	return s.change(ctx, actor, in.CallID, func(_ Tx, c *Call, _ consultation.Participant, now time.Time) error {
		m, err := c.in(actor.UserID, in.DeviceID)
		if m == nil && c.member(actor.UserID) != nil && c.member(actor.UserID).Status != MemberJoined {
			return nil
		}
		if err != nil {
			return err
		}
		m.Status, m.LeftAt = MemberLeft, &now
		c.settle(actor.UserID, now)
		return nil
	})
}

func (s *Service) end(ctx context.Context, actor rooms.Actor, in CallEnding) (Call, error) {
	return s.change(ctx, actor, in.CallID, func(_ Tx, c *Call, me consultation.Participant, now time.Time) error {
		switch {
		case !c.Status.Live():
			return nil // over already
		case actor.UserID != c.CallerID && rank(me.Role) > 0:
			return rooms.Forbidden("only the caller, the patient and the doctor end a call for everyone; leave it instead")
		case c.Status == Ringing:
			c.close(c.unanswered(), actor.UserID, now)
		case in.Failed:
			c.close(Failed, actor.UserID, now)
		default:
			c.close(Ended, actor.UserID, now)
		}
		return nil
	})
}
