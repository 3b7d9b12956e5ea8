//go:build unix

package schedule

import (
	"testing"
	"time"

	"wenzhen.example/rooms/account"
	"wenzhen.example/rooms/roomstest/cost"
)

// Whatever rules and exceptions a doctor may have, their slots of 62 days are
// found with what an upload may take.
func TestCostOfSlots(t *testing.T) {
	from := time.Date(2026, 11, 30, 0, 0, 0, 0, time.UTC)
	media := []account.Medium{account.Text}
	extra := func(start time.Time) Exception {
		return Exception{Kind: Extra, Start: start, End: start.Add(24 * time.Hour), SlotMinutes: 5, Capacity: 1, Media: media}
	}
	var full, parts []Rule
	for i := range 100 {
		start := i / 7 * 100
		parts = append(parts, Rule{Weekday: 1 + i%7, Start: clockOf(start), End: clockOf(min(start+100, dayMinutes)), SlotMinutes: 5, Capacity: 1, Media: media})
	}
	for i := range 7 {
		full = append(full, Rule{Weekday: 1 + i, Start: "00:00", End: "24:00", SlotMinutes: 5, Capacity: 1, Media: media})
	}
	for name, c := range map[string]struct {
		rules     []Rule
		exception func(i int) Exception
	}{
		"extra hours, one day after the other": {exception: func(i int) Exception { return extra(from.AddDate(0, 0, i)) }},
		"extra hours that overlap":             {exception: func(i int) Exception { return extra(from.Add(time.Duration(i) * 3 * time.Hour)) }},
		"extra hours beside rules":             {rules: full, exception: func(i int) Exception { return extra(from.Add(time.Duration(i) * 3 * time.Hour)) }},
		"rules, and time off that touches none": {rules: parts, exception: func(int) Exception {
			return Exception{Kind: TimeOff, Start: from.AddDate(1, 0, 0), End: from.AddDate(2, 0, 0)}
		}},
		"extra hours and time off, in the years": {rules: full, exception: func(i int) Exception { return extra(from.AddDate(i, 0, 0)) }},
	} {
		s := Schedule{TimeZone: "America/Sao_Paulo", Rules: c.rules}
		for i := range exceptionsMost {
			s.Exceptions = append(s.Exceptions, c.exception(i))
		}
		cost.Bounded(t, name, func() {
			got, err := s.slots(from, from.Add(slotsMost))
			if err != nil || len(got) < 10_000 {
				t.Errorf("%s: %d slots, %v", name, len(got), err)
			}
		})
	}
}
