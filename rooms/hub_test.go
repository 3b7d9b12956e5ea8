package rooms_test

import (
	"context"
	"strings"
	"testing"

	. "wenzhen.example/rooms"
)

type inOrder struct{ received []string }

func (o *inOrder) Published(p Publication) { o.received = append(o.received, p.Name) }
func (o *inOrder) Signalled(n Signal)      { o.received = append(o.received, n.Name) }

// Of what was committed together, the end of a session is delivered first.
func TestSessionsEndBeforeTheEvents(t *testing.T) {
	t.Parallel()
	hub, o := NewHub(HubOptions{Depth: 2}), &inOrder{}
	hub.Listen(o)
	hub.Publish([]Publication{{Event: Event{Room: "consultation:1", Name: "a"}}, {Event: Event{Room: "consultation:1", Name: "b"}}},
		[]Signal{{Room: "user:1", Name: "rings"}, {Room: SessionRoom("1"), Name: "revoked"}})
	ctx, stop := context.WithCancel(t.Context())
	stop()
	hub.Run(ctx) // what is queued
	if got := strings.Join(o.received, " "); got != "revoked a b rings" {
		t.Errorf("received: %s", got)
	}
}
