package account

import (
	"context"
	"maps"
	"sync"
	"time"

	"wenzhen.example/rooms"
)

// A session of a doctor or an admin that nobody uses for Options.IdleLogOff ends,
// wherever its browser is (NIST SP 800-63B, section 4.2.3). Every command is a
// use; trading a refresh token is none, for browsers do that by themselves. A
// page that is read without asking for anything says so with KeepSession.

// timerIdle looks whether a session, its subject, is still used.
const timerIdle = "account:idle"

// useMost bounds how long a use is known to its node alone.
const useMost = 30 * time.Second

// sessionUses is what this node knows of the use of sessions and has not written down
// yet: a command costs no write.
type sessionUses struct {
	mu sync.Mutex
	at map[rooms.SessionID]time.Time
}

func (u *sessionUses) note(id rooms.SessionID, at time.Time) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.at[id] = at
}

func (u *sessionUses) all() map[rooms.SessionID]time.Time {
	u.mu.Lock()
	defer u.mu.Unlock()
	return maps.Clone(u.at)
}

// written forgets what was noted and has not changed since.
func (u *sessionUses) written(known map[rooms.SessionID]time.Time) {
	u.mu.Lock()
	defer u.mu.Unlock()
	maps.DeleteFunc(u.at, func(id rooms.SessionID, at time.Time) bool { return known[id].Equal(at) })
}

// hasIdleTimeout reports whether sessions of a role end when they are not used.
func (s *Service) hasIdleTimeout(role rooms.Role) bool {
	return s.cfg.IdleLogOff > 0 && (role == rooms.RoleDoctor || role == rooms.RoleAdmin)
}

// useEvery is how often uses are written down.
func (s *Service) useEvery() time.Duration {
	return min(max(s.cfg.IdleLogOff/20, revocationsEvery), useMost)
}

// WriteUses writes down which sessions were used on this node, for the others.
// Watch calls it every now and then.
func (s *Service) WriteUses(ctx context.Context) error {
	known := s.uses.all()
	if len(known) == 0 {
		return nil
	}
	err := s.store.InTx(ctx, func(tx Tx) error {
		for id, at := range known {
			if err := tx.UseSession(id, at); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		s.uses.written(known)
	}
	return err
}

// watchIdle has a session looked at once it would have been idle for too long:
// as long as another node may take to tell of a use, and a little more.
func (s *Service) watchIdle(tx Tx, id rooms.SessionID) (due time.Time, err error) {
	used, err := tx.SessionUsedAt(id)
	if err != nil {
		return due, err
	}
	due = used.Add(s.cfg.IdleLogOff + 2*s.useEvery())
	return due, tx.SetTimer(rooms.Timer{Kind: timerIdle, Subject: string(id), Due: due})
}

// expireIdleSession ends a session that was not used for too long, and cuts its sockets.
func (s *Service) expireIdleSession(ctx context.Context, t rooms.Timer) error {
	if err := s.WriteUses(ctx); err != nil {
		return err
	}
	id := rooms.SessionID(t.Subject)
	revoked, err := rooms.InTx(ctx, s.store, func(tx Tx) ([]rooms.SessionID, error) {
		owner, err := tx.SessionOwner(id)
		if rooms.CodeOf(err) == rooms.CodeNotFound {
			return nil, tx.ClearTimer(t.Kind, t.Subject) // it has ended
		} else if err != nil {
			return nil, err
		}
		user, err := tx.User(owner)
		if err != nil {
			return nil, err
		}
		if !s.hasIdleTimeout(user.Role) {
			return nil, tx.ClearTimer(t.Kind, t.Subject) // the setting was another one
		}
		if due, err := s.watchIdle(tx, id); err != nil || due.After(s.now()) {
			return nil, err
		}
		return s.endByTimer(tx, t, "idle")
	})
	s.forgetAll(revoked)
	return err
}
