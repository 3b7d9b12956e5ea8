package app

import (
	"fmt"
	"slices"
	"testing"

	"wenzhen.example/server/services"
)

// The order in which events reach listeners is part of the composition: see the
// reasons in listeners.
func TestOrderOfListeners(t *testing.T) {
	t.Parallel()
	s := &Server{services: &services.Services{}}
	var got []string
	for _, l := range s.listeners(&parts{}) {
		got = append(got, fmt.Sprintf("%T", l))
	}
	want := []string{"*notification.Service", "*realtime.Server", "*rooms.Leases", "*turn.Server", "*lobby.Service", "*metrics.Metrics"}
	if !slices.Equal(got, want) {
		t.Errorf("listeners are called in the order %v, want %v", got, want)
	}
}
