package account

import (
	"context"
	"sync"
	"time"

	"wenzhen.example/rooms"
)

// livenessTTL is how long what the database says of a session is believed, and
// so how long a change of it on another node can go unseen here if no signal
// of it arrives.
const livenessTTL = 2 * time.Second

// livenessMost bounds the memory of answers; past it they are asked anew.
const livenessMost = 100_000

// Standing is what a session is good for at the moment.
type Standing struct {
	UserID rooms.UserID
	Role   rooms.Role
	// TwoFactors reports that the session stands on two: its account has a second
	// factor, or it was begun with a passkey.
	TwoFactors bool
}

// liveness remembers for a moment what sessions that live are good for, so that
// not every command costs a query.
type liveness struct {
	store Store
	now   func() time.Time

	mu    sync.Mutex
	known map[rooms.SessionID]knownStanding
	epoch uint64 // grows with each forget, so that an answer asked for before is not kept
}

type knownStanding struct {
	Standing
	until time.Time
}

func newLiveness(store Store, now func() time.Time) *liveness {
	return &liveness{store: store, now: now, known: map[rooms.SessionID]knownStanding{}}
}

// standing fails with unauthenticated if the session has ended, or is not user's.
func (l *liveness) standing(ctx context.Context, id rooms.SessionID, user rooms.UserID) (Standing, error) {
	now := l.now()
	l.mu.Lock()
	have, epoch := l.known[id], l.epoch
	l.mu.Unlock()
	if left := have.until.Sub(now); left <= 0 || left > livenessTTL { // more is left after the clock was set back
		var err error
		if have.Standing, err = l.store.Standing(ctx, id, now); rooms.CodeOf(err) == rooms.CodeNotFound {
			return Standing{}, errEnded
		} else if err != nil {
			return Standing{}, err
		}
		l.keep(id, have.Standing, now.Add(livenessTTL), epoch)
	}
	if have.UserID != user {
		return Standing{}, errEnded
	}
	return have.Standing, nil
}

var errEnded = rooms.Unauthenticated("this session has ended; log in again")

func (l *liveness) keep(id rooms.SessionID, s Standing, until time.Time, epoch uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.epoch != epoch {
		return
	}
	if len(l.known) >= livenessMost {
		clear(l.known)
	}
	l.known[id] = knownStanding{s, until}
}

func (l *liveness) forget(id rooms.SessionID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.known, id)
	l.epoch++
}
