package account

import (
	"context"
	"time"

	"wenzhen.example/rooms"
)

// timerExpiry ends a session, its subject, that was not refreshed for
// Config.RefreshLife. What it has open may last longer than its tokens: a call, a
// relay, a file that is being sent.
const timerExpiry = "account:expiry"

// expiresAt makes the session end at a time, unless that is moved before.
func expiresAt(tx Tx, id rooms.SessionID, at time.Time) error {
	return tx.SetTimer(rooms.Timer{Kind: timerExpiry, Subject: string(id), Due: at})
}

// endExpired is what timerExpiry fires.
func (s *Service) endExpired(ctx context.Context, t rooms.Timer) error {
	id := rooms.SessionID(t.Subject)
	revoked, err := rooms.InTx(ctx, s.store, func(tx Tx) ([]rooms.SessionID, error) {
		expires, err := tx.SessionExpiresAt(id)
		if rooms.CodeOf(err) == rooms.CodeNotFound {
			return nil, tx.ClearTimer(t.Kind, t.Subject) // it has ended
		} else if err != nil {
			return nil, err
		}
		if expires.After(s.now()) { // it was refreshed meanwhile, or the clock was set back
			return nil, expiresAt(tx, id, expires)
		}
		return s.endByTimer(tx, t, "expired")
	})
	s.forgetAll(revoked)
	return err
}

// endByTimer ends the session that a timer is about, and enters why.
func (s *Service) endByTimer(tx Tx, t rooms.Timer, why string) ([]rooms.SessionID, error) {
	id := rooms.SessionID(t.Subject)
	owner, err := tx.SessionOwner(id)
	if err != nil {
		return nil, err
	}
	revoked, err := tx.RevokeSessions(owner, id, s.now())
	if err != nil {
		return nil, err
	}
	if err := s.enterEnd(tx, rooms.Actor{Role: rooms.RoleSystem, SessionID: id}, LogOut.Name, owner, why); err != nil {
		return nil, err
	}
	return revoked, tx.ClearTimer(t.Kind, t.Subject)
}
