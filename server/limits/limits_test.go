package limits

import (
	"fmt"
	"testing"
	"time"

	"wenzhen/rooms"
	"wenzhen/rooms/schedule"
)

// Guests share the limits of their network: the /64 of IPv6, and sixteen times
// as much in the /48; so they do with what they spent on another node.
func TestGuestsAreLimitedByNetwork(t *testing.T) {
	t.Parallel()
	const burst = 2
	now := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	clock := func() time.Time { return now }
	o := Options{PerSecond: 0.001, Burst: burst, Now: clock}
	here, there := New(o), New(o)
	ask := func(l *Limits, address string) bool {
		return l.Guard(t.Context(), rooms.Actor{Address: address}, schedule.Calendar.Name) == nil
	}
	for i := range burst {
		if !ask(here, fmt.Sprintf("2001:db8:1:1::%d", i)) {
			t.Fatalf("%d of %d are refused", i+1, burst)
		}
	}
	if ask(here, "2001:db8:1:1:ffff::1") {
		t.Error("one /64 has more than its burst")
	}
	if !ask(here, "2001:db8:1:2::1") || !ask(here, "192.0.2.1") {
		t.Error("other networks are refused")
	}
	allowed := 0
	for i := range 100 { // each from a /64 of its own
		if ask(here, fmt.Sprintf("2001:db8:2:%x::1", i)) {
			allowed++
		}
	}
	if allowed != 16*burst {
		t.Errorf("of 100 networks in one /48 %d are let in, want %d", allowed, 16*burst)
	}
	there.SpentElsewhere(here.Spent())
	if ask(there, "2001:db8:1:1::9") {
		t.Error("on another node a /64 has more to spend")
	}
	allowed = 0
	for i := range 100 {
		if ask(there, fmt.Sprintf("2001:db8:2:%x::2", i)) {
			allowed++
		}
	}
	if most := 16 * burst / 4; allowed > most+1 { // the first quarter is not told
		t.Errorf("on another node a /48 has %d more to spend", allowed)
	}
	if !ask(there, "2001:db8:3::1") {
		t.Error("on another node another network is refused")
	}
}

// A command with a rate is bounded by it, beside the limit for all commands, and
// so is what was sent on another node.
func TestCommandsHaveTheirOwnRates(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	rare := rooms.Command[rooms.Nothing, rooms.Nothing]{Name: "thing:rare", Rate: rooms.Rate{PerSecond: 1, Burst: 8}}
	usual := rooms.Command[rooms.Nothing, rooms.Nothing]{Name: "thing:usual"}
	o := Options{PerSecond: 1000, Burst: 1000, Now: func() time.Time { return now }, Commands: []rooms.Handler{rare.Bind(nil), usual.Bind(nil)}}
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
