package e2e

import (
	"testing"

	"wenzhen.example/client"
	"wenzhen.example/rooms"
	calls "wenzhen.example/rooms/call"
)

// Listens collects a signal on a device, from now on.
func Listens[D any](p *Person, signal rooms.SignalType[D]) <-chan D {
	received := make(chan D, 100)
	client.On(p.Client, signal, func(d D) { received <- d })
	return received
}

// Updates returns a channel with the states of calls that a device receives
// from now on.
func Updates(p *Person) <-chan calls.Call {
	received := make(chan calls.Call, 100)
	client.OnEvent(p.Client, calls.CallUpdated, func(_ rooms.Event, c calls.Call) { received <- c })
	return received
}

// CallIs waits for a call to be in a state.
func CallIs(t *testing.T, from <-chan calls.Call, want calls.CallStatus) calls.Call {
	t.Helper()
	for {
		if c := Await(t, "a call that is "+string(want), from); c.Status == want {
			return c
		}
	}
}
