package call

import (
	"context"
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/consultation"
)

// timerKind is the kind of the one timer that a call has.
const timerKind = "call"

// Timers are the timers that the service fires.
func (s *Service) Timers() map[string]rooms.TimerFunc {
	return map[string]rooms.TimerFunc{timerKind: s.fire}
}

// fire does what time does to a call: rings are missed, members who are not
// seen have left, and so are those who have logged out.
func (s *Service) fire(ctx context.Context, t rooms.Timer) error {
	return s.store.InTx(ctx, func(tx Tx) error {
		before, err := tx.Call(ID(t.Subject))
		if rooms.CodeOf(err) == rooms.CodeNotFound {
			return tx.ClearTimer(t.Kind, t.Subject)
		} else if err != nil {
			return err
		}
		now := s.now()
		c := before.clone()
		s.lapse(&c, now)
		s.vanish(&c, now)
		if err := logOut(tx, &c, now); err != nil {
			return err
		}
		return s.save(tx, before, c, rooms.System, now)
	})
}

// lapse ends rings whose time is up, whether their timer has fired or not.
func (s *Service) lapse(c *Call, now time.Time) {
	if !c.Status.Live() {
		return
	}
	for i := range c.Members {
		if m := &c.Members[i]; m.Status == MemberRinging && m.RingUntil != nil && !now.Before(*m.RingUntil) {
			m.Status, m.RingUntil = MemberMissed, nil
		}
	}
	c.settle("", now)
}

// vanish removes the members from whom nothing was received for too long. The time
// counts from the start of this server at the earliest, because it received
// nothing before.
func (s *Service) vanish(c *Call, now time.Time) {
	if !c.Status.Live() {
		return
	}
	for i := range c.Members {
		m := &c.Members[i]
		if m.Status != MemberJoined || m.SeenAt == nil {
			continue
		}
		if m.SeenAt.Before(s.started) {
			m.SeenAt = &s.started
		}
		if !now.Before(m.SeenAt.Add(s.cfg.VanishAfter)) {
			m.Status, m.LeftAt = MemberVanished, &now
		}
	}
	c.settle("", now)
}

// HangUp takes members out of a call whose login has ended, as part of the
// transaction that ends it. Errors: not_found.
func (s *Service) HangUp(tx Tx, id ID) error {
	before, err := tx.Call(id)
	if err != nil {
		return err
	}
	now := s.now()
	c := before.clone()
	if err := logOut(tx, &c, now); err != nil {
		return err
	}
	return s.save(tx, before, c, rooms.System, now)
}

// logOut takes members out of the call whose login has ended.
func logOut(tx Tx, c *Call, now time.Time) error {
	for _, m := range c.Members {
		if !c.Status.Live() || m.Status != MemberJoined || m.SessionID == "" {
			continue
		}
		lives, err := tx.SessionLives(m.SessionID)
		if err != nil {
			return err
		}
		if !lives {
			c.drop(m.UserID, now)
		}
	}
	return nil
}

// Follow implements consultation.Follower: with the consultation its call ends.
func (s *Service) Follow(of consultation.Tx, _ consultation.Status, c consultation.Consultation) error {
	if c.Status == consultation.Active || c.Status == consultation.OnHold {
		return nil
	}
	tx := s.store.In(of)
	before, err := tx.LiveCall(c.ID)
	if rooms.CodeOf(err) == rooms.CodeNotFound {
		return nil
	} else if err != nil {
		return err
	}
	now := s.now()
	over := before.clone()
	if over.Status == Ringing {
		over.close(over.unanswered(), "", now)
	} else {
		over.close(Ended, "", now)
	}
	return s.save(tx, before, over, rooms.System, now)
}

// Leaves implements consultation.Leaver: a call goes on without a member who
// takes part in the consultation no more.
func (s *Service) Leaves(of consultation.Tx, id consultation.ID, user rooms.UserID) error {
	tx := s.store.In(of)
	before, err := tx.LiveCall(id)
	if rooms.CodeOf(err) == rooms.CodeNotFound {
		return nil
	} else if err != nil {
		return err
	}
	now := s.now()
	c := before.clone()
	c.drop(user, now)
	return s.save(tx, before, c, rooms.System, now)
}
