// Package turns shares out a few places fairly among many users.
package turns

import (
	"context"
	"slices"
	"sync"
)

// Turns are places that users take for a while. Each user has at most some of
// them, and those who wait come in turn: however much one user wants, another
// waits for one turn of each user, and no longer.
type Turns struct {
	each int

	mu   sync.Mutex
	free int
	busy map[string]int             // places that a user has
	wait map[string][]chan struct{} // a user's calls that wait, the first first
	next []string                   // those who wait and may have one more, in turn
}

// New makes so many places, of which a user may have each.
func New(places, each int) *Turns {
	return &Turns{each: each, free: places, busy: map[string]int{}, wait: map[string][]chan struct{}{}}
}

// Take waits for a place. Who has it calls done, once. Errors: the context's,
// when it ends before there is one.
func (t *Turns) Take(ctx context.Context, user string) (done func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	mine := make(chan struct{})
	t.mu.Lock()
	t.wait[user] = append(t.wait[user], mine)
	t.line(user)
	t.share()
	t.mu.Unlock()
	select {
	case <-mine:
		return func() { t.leave(user) }, nil
	case <-ctx.Done():
		t.giveUp(user, mine)
		return nil, ctx.Err()
	}
}

// line puts a user who waits, and may have one more, behind everybody else; the
// lock is held.
func (t *Turns) line(user string) {
	if len(t.wait[user]) > 0 && t.busy[user] < t.each && !slices.Contains(t.next, user) {
		t.next = append(t.next, user)
	}
}

// share gives out what is free; the lock is held.
func (t *Turns) share() {
	for t.free > 0 && len(t.next) > 0 {
		user := t.next[0]
		t.next = t.next[1:]
		t.free--
		t.busy[user]++
		close(t.wait[user][0])
		if t.wait[user] = t.wait[user][1:]; len(t.wait[user]) == 0 {
			delete(t.wait, user)
		}
		t.line(user)
	}
}

func (t *Turns) leave(user string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.free++
	if t.busy[user]--; t.busy[user] == 0 {
		delete(t.busy, user)
	}
	t.line(user)
	t.share()
}

// giveUp takes back a call; one that got its place meanwhile leaves it.
func (t *Turns) giveUp(user string, mine chan struct{}) {
	t.mu.Lock()
	at := slices.Index(t.wait[user], mine)
	if at >= 0 {
		if t.wait[user] = slices.Delete(t.wait[user], at, at+1); len(t.wait[user]) == 0 {
			delete(t.wait, user)
			t.next = slices.DeleteFunc(t.next, func(u string) bool { return u == user })
		}
	}
	t.mu.Unlock()
	if at < 0 {
		t.leave(user)
	}
}
