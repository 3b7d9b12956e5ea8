package chat

import (
	"sync"
	"time"

	"golang.org/x/time/rate"

	"wenzhen.example/rooms"
)

// refused counts, per user, the bytes of files that were sent and not kept:
// those count towards no quota, and cost the disk all the same. Some may come at
// once, because people do try the wrong file; after that, one of the largest size a
// minute.
type refused struct {
	bytes float64 // of the largest file
	now   func() time.Time

	mu    sync.Mutex
	users map[rooms.UserID]*rate.Limiter
}

const (
	refusedFiles = 10 // of the largest size, that may come at once
	refusedMost  = 10_000
)

func newRefused(largest int64, now func() time.Time) *refused {
	return &refused{bytes: float64(largest), now: now, users: map[rooms.UserID]*rate.Limiter{}}
}

// may reports whether a user may send a file; rate_limited if too much of what
// came last was refused.
func (r *refused) may(user rooms.UserID) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	l := r.users[user]
	if l == nil {
		return nil
	}
	if missing := -l.TokensAt(r.now()); missing >= 0 {
		wait := time.Second + time.Duration(missing/float64(l.Limit())*float64(time.Second))
		return rooms.RateLimited(wait, "too many of your files were refused or broken off")
	}
	return nil
}

// note counts a file that was not kept.
func (r *refused) note(user rooms.UserID, bytes int64) {
	now := r.now()
	r.mu.Lock()
	defer r.mu.Unlock()
	l := r.users[user]
	if l == nil {
		if len(r.users) >= refusedMost {
			r.forget(now)
		}
		l = rate.NewLimiter(rate.Limit(r.bytes/time.Minute.Seconds()), int(refusedFiles*r.bytes))
		r.users[user] = l
	}
	l.ReserveN(now, int(min(bytes, int64(l.Burst())))) // below nothing, if need be
}

// forget forgets those of whom nothing was refused lately.
func (r *refused) forget(now time.Time) {
	for user, l := range r.users {
		if l.TokensAt(now) >= float64(l.Burst()) {
			delete(r.users, user)
		}
	}
}
