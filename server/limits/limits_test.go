package limits

import (
	"fmt"
	"testing"
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/schedule"
)

// Guests share the limits of their network: the /64 of IPv6, and sixteen times as
// much in the /48. What they use on another node counts too.
func TestGuestsAreLimitedByNetwork(t *testing.T) {
	t.Parallel()
	const burst = 2
	now := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	clock := func() time.Time { return now }
	o := Options{PerSecond: 0.001, Burst: burst, Now: clock}
	here, there := New(o), New(o)
	allow := func(l *Limits, address string) bool {
		return l.Guard(t.Context(), rooms.Actor{Address: address}, schedule.Calendar.Name) == nil
	}
	for i := range burst {
		if !allow(here, fmt.Sprintf("2001:db8:1:1::%d", i)) {
			t.Fatalf("%d of %d are refused", i+1, burst)
		}
	}
	if allow(here, "2001:db8:1:1:ffff::1") {
		t.Error("a /64 exceeds its burst")
	}
	if !allow(here, "2001:db8:1:2::1") || !allow(here, "192.0.2.1") {
		t.Error("other networks are refused")
	}
	allowed := 0
	for i := range 100 { // each from another /64
		if allow(here, fmt.Sprintf("2001:db8:2:%x::1", i)) {
			allowed++
		}
	}
	if allowed != 16*burst {
		t.Errorf("of 100 networks in one /48 %d are allowed, want %d", allowed, 16*burst)
	}
	there.SpentElsewhere(here.Spent())
	if allow(there, "2001:db8:1:1::9") {
		t.Error("a /64 exceeds its burst on another node")
	}
	allowed = 0
	for i := range 100 {
		if allow(there, fmt.Sprintf("2001:db8:2:%x::2", i)) {
			allowed++
		}
	}
	if most := 16 * burst / 4; allowed > most+1 { // the first quarter is not reported
		t.Errorf("a /48 sends %d more on another node", allowed)
	}
	if !allow(there, "2001:db8:3::1") {
		t.Error("on another node another network is refused")
	}
}

// A command with a rate has that limit, besides the limit for all commands. Use on
// another node counts too.
func TestCommandsHaveTheirOwnRates(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	rare := rooms.Command[rooms.Nothing, rooms.Nothing]{Name: "thing:rare", Rate: rooms.Rate{PerSecond: 1, Burst: 8}}
	usual := rooms.Command[rooms.Nothing, rooms.Nothing]{Name: "thing:usual"}
	o := Options{PerSecond: 1000, Burst: 1000, Now: func() time.Time { return now },
		Commands: []rooms.Handler{rare.Bind(nil), usual.Bind(nil)}}
	here, there := New(o), New(o)
	sent := func(l *Limits, command string) (n int) {
		for l.Guard(t.Context(), rooms.Actor{UserID: "bo"}, command) == nil && n < 100 {
			n++
		}
		return n
	}
	if n := sent(here, rare.Name); n != 8 {
		t.Errorf("%d at once, want 8", n)
	}
	if n := sent(here, usual.Name); n != 100 {
		t.Errorf("only %d of a command without a rate", n)
	}
	there.SpentElsewhere(here.Spent())
	if n := sent(there, rare.Name); n > 2 { // the first quarter is not reported
		t.Errorf("%d more on another node", n)
	}
	now = now.Add(time.Second)
	if n := sent(here, rare.Name); n != 1 {
		t.Errorf("a second later %d, want 1", n)
	}
}
