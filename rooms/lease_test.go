package rooms_test

import (
	"context"
	"errors"
	"testing"

	. "wenzhen.example/rooms"
)

// What goes on by virtue of an access ends with it, and with nothing else.
func TestLeases(t *testing.T) {
	t.Parallel()
	const room = RoomID("consultation:1")
	lost := func(r RoomID, users ...UserID) func(*Leases) {
		return func(l *Leases) { l.Published(Publication{Event: Event{Room: r}, Lost: users}) }
	}
	for name, c := range map[string]struct {
		happens func(*Leases)
		ends    bool
	}{
		"access is lost":         {lost(room, "li", "bo"), true},
		"another's is":           {lost(room, "li"), false},
		"to another room":        {lost("consultation:2", "bo"), false},
		"something is said":      {lost(room), false},
		"the session ends":       {func(l *Leases) { l.Signalled(Signal{Room: SessionRoom("s")}) }, true},
		"another session does":   {func(l *Leases) { l.Signalled(Signal{Room: SessionRoom("t")}) }, false},
		"something is signalled": {func(l *Leases) { l.Signalled(Signal{Room: UserRoom("bo")}) }, false},
	} {
		l := NewLeases()
		ctx, release := l.Start(t.Context(), Actor{UserID: "bo", SessionID: "s"})
		DependOn(ctx, room)
		DependOn(t.Context(), room) // which nothing holds
		c.happens(l)
		if ended := errors.Is(context.Cause(ctx), ErrAccessLost); ended != c.ends {
			t.Errorf("%s: ended %v", name, ended)
		}
		release()
		if ctx.Err() == nil {
			t.Errorf("%s: it is not released", name)
		}
	}
}
