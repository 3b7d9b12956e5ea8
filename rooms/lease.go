package rooms

import (
	"context"
	"errors"
	"sync"
)

// ErrAccessLost is the cause of the end of a context that was held by an access.
var ErrAccessLost = errors.New("access was lost meanwhile")

// Leases are what takes a while and goes on by virtue of an access that may be
// lost meanwhile: downloads, uploads, exports. It is a Listener.
type Leases struct {
	mu      sync.Mutex
	running map[*lease]struct{}
}

type lease struct {
	of      *Leases
	user    UserID
	session SessionID
	rooms   map[RoomID]bool // guarded by of.mu
	end     context.CancelCauseFunc
}

type leaseKey struct{}

// NewLeases returns Leases of which none is held.
func NewLeases() *Leases { return &Leases{running: map[*lease]struct{}{}} }

// Start returns a context that ends, with the cause ErrAccessLost, when the
// actor's session ends or the actor loses access to a room that it depends on
// (DependOn). The session is to be checked after Hold, so that its end in
// between is noticed by one of the two. release must be called.
func (l *Leases) Start(ctx context.Context, actor Actor) (held context.Context, release func()) {
	held, cancel := context.WithCancelCause(ctx)
	one := &lease{of: l, user: actor.UserID, session: actor.SessionID, rooms: map[RoomID]bool{}, end: cancel}
	l.mu.Lock()
	l.running[one] = struct{}{}
	l.mu.Unlock()
	return context.WithValue(held, leaseKey{}, one), func() {
		l.mu.Lock()
		delete(l.running, one)
		l.mu.Unlock()
		cancel(nil)
	}
}

// DependOn makes what goes on under ctx end when its actor loses access to
// room. Where ctx is not held (Leases.Hold) it does nothing. Access to room is
// to be checked after it.
func DependOn(ctx context.Context, room RoomID) {
	if one, ok := ctx.Value(leaseKey{}).(*lease); ok {
		one.of.mu.Lock()
		defer one.of.mu.Unlock()
		one.rooms[room] = true
	}
}

// Published implements Listener.
func (l *Leases) Published(p Publication) {
	for _, user := range p.Lost {
		l.end(func(one *lease) bool { return one.rooms[p.Room] && one.user == user })
	}
}

// Signalled implements Listener.
func (l *Leases) Signalled(n Signal) {
	if n.EndsSession() {
		l.end(func(one *lease) bool { return one.session == SessionID(n.Room.Subject()) })
	}
}

func (l *Leases) end(of func(*lease) bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for one := range l.running {
		if of(one) {
			one.end(ErrAccessLost) // which calls nobody back
		}
	}
}
