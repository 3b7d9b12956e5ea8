package schedule

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"wenzhen.example/rooms/account"
	"wenzhen.example/rooms/roomstest/prove"
)

var text = []account.Medium{account.Text}

// Days on which clocks change, in zones that do it differently: at two, at
// midnight, by half an hour, by a whole day.
var changes = map[string][]string{
	"Asia/Shanghai": {"2026-11-01"}, "Europe/Berlin": {"2026-03-29", "2026-10-25"}, "America/New_York": {"2026-03-08", "2026-11-01"},
	"Australia/Lord_Howe": {"2026-04-05", "2026-10-04"}, "America/Sao_Paulo": {"2018-02-18", "2018-11-04"}, "Africa/Cairo": {"2026-04-24", "2026-10-30"},
	"Pacific/Apia": {"2011-12-30"}, "Asia/Kolkata": {"2026-11-01"}, "America/St_Johns": {"2026-03-08"},
}

func TestClockChanges(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		zone, day, start, end string
		slots                 int
	}{
		{"Europe/Berlin", "2026-03-28", "00:00", "06:00", 12}, // an ordinary day
		{"Europe/Berlin", "2026-03-29", "00:00", "06:00", 10}, // 02:00 to 03:00 does not exist
		{"Europe/Berlin", "2026-03-29", "02:00", "03:00", 0},
		{"Europe/Berlin", "2026-03-29", "02:30", "03:30", 1},
		{"Europe/Berlin", "2026-10-25", "00:00", "06:00", 14}, // 02:00 to 03:00 comes twice
		{"Europe/Berlin", "2026-10-25", "02:00", "02:30", 2},
		{"Africa/Cairo", "2026-04-24", "00:00", "02:00", 2}, // midnight does not exist
		{"Australia/Lord_Howe", "2026-04-05", "00:00", "04:00", 9},
		{"Pacific/Apia", "2011-12-30", "00:00", "24:00", 0}, // a day that was left out
	} {
		d, err := time.Parse(time.DateOnly, c.day)
		if err != nil {
			t.Fatal(err)
		}
		s := Schedule{TimeZone: c.zone, Rules: []Rule{{Weekday: (int(d.Weekday())+6)%7 + 1, Start: c.start, End: c.end, SlotMinutes: 30, Capacity: 1, Media: text,
			ValidFrom: c.day, ValidUntil: c.day}}}
		got, err := s.slots(d.AddDate(0, 0, -3), d.AddDate(0, 0, 3))
		if err != nil {
			t.Fatal(err)
		}
		if len(got) != c.slots {
			t.Errorf("%s %s %s–%s has %d slots, want %d", c.zone, c.day, c.start, c.end, len(got), c.slots)
		}
	}
}

// Random rules, zones, clock changes and exceptions, against a model that
// looks at every minute: no slot overlaps another, none lies outside what is
// covered, none is lost, and each has its rule's capacity.
func TestSlotsAgainstEveryMinute(t *testing.T) {
	t.Parallel()
	rounds := prove.Size(t, "random schedules against every minute", 50, 1000)
	names := make([]string, 0, len(changes))
	for z := range changes {
		names = append(names, z)
	}
	for round := range rounds {
		rnd := rand.New(rand.NewPCG(uint64(round), 7))
		zone := names[rnd.IntN(len(names))]
		change, err := time.Parse(time.DateOnly, changes[zone][rnd.IntN(len(changes[zone]))])
		if err != nil {
			t.Fatal(err)
		}
		from := change.AddDate(0, 0, -2).Add(time.Duration(rnd.IntN(24*60)) * time.Minute)
		to := from.Add(time.Duration(1+rnd.IntN(5*24*60)) * time.Minute)
		s := randomSchedule(rnd, zone, from)
		got, err := s.slots(from, to)
		if err != nil {
			t.Fatal(err)
		}
		have := map[string]bool{}
		for i, o := range got {
			if i > 0 && o.start.Before(got[i-1].end) {
				t.Fatalf("round %d: %v overlaps %v", round, o, got[i-1])
			}
			have[key(o)] = true
		}
		want := everyMinute(t, s, from, to)
		for k := range want {
			if !have[k] {
				t.Fatalf("round %d in %s: slot %s is lost\n%+v", round, zone, k, s)
			}
		}
		for k := range have {
			if !want[k] {
				t.Fatalf("round %d in %s: slot %s is not covered\n%+v", round, zone, k, s)
			}
		}
	}
}

func key(o offer) string {
	return fmt.Sprint(o.start.Unix()/60, "–", o.end.Unix()/60, " × ", o.capacity)
}

func randomSchedule(rnd *rand.Rand, zone string, from time.Time) Schedule {
	s := Schedule{TimeZone: zone}
	for range 1 + rnd.IntN(12) {
		start := rnd.IntN(96) * 15
		end := start + (1+rnd.IntN(24))*15
		if end > dayMinutes {
			continue
		}
		r := Rule{Weekday: 1 + rnd.IntN(7), Start: clockOf(start), End: clockOf(end), SlotMinutes: []int{5, 10, 15, 20, 25, 40}[rnd.IntN(6)], Capacity: 1 + rnd.IntN(3), Media: text}
		if rnd.IntN(4) == 0 {
			r.ValidFrom = from.AddDate(0, 0, rnd.IntN(4)).Format(time.DateOnly)
		}
		if rnd.IntN(4) == 0 {
			r.ValidUntil = from.AddDate(0, 0, rnd.IntN(4)).Format(time.DateOnly)
		}
		if err := validRules(append(s.Rules, r)); err == nil {
			s.Rules = append(s.Rules, r)
		}
	}
	for range rnd.IntN(4) {
		at := from.Add(time.Duration(rnd.IntN(4*24*60)) * time.Minute)
		e := Exception{Kind: TimeOff, Start: at, End: at.Add(time.Duration(1+rnd.IntN(600)) * time.Minute)}
		if rnd.IntN(2) == 0 {
			e.Kind, e.SlotMinutes, e.Capacity, e.Media = Extra, 15, 1, text
		}
		s.Exceptions = append(s.Exceptions, e)
	}
	return s
}

func clockOf(m int) string { return fmt.Sprintf("%02d:%02d", m/60, m%60) }

// everyMinute finds the slots by asking of every minute what the clock shows.
func everyMinute(t *testing.T, s Schedule, from, to time.Time) map[string]bool {
	t.Helper()
	zone, err := time.LoadLocation(s.TimeZone)
	if err != nil {
		t.Fatal(err)
	}
	first, last := from.Add(-30*time.Hour).Unix()/60, to.Add(30*time.Hour).Unix()/60
	taken := map[int64]bool{} // minutes of slots so far
	found := map[string]bool{}
	slot := func(start, length int64, capacity int) {
		for m := start; m < start+length; m++ {
			if taken[m] {
				return
			}
		}
		for m := start; m < start+length; m++ {
			taken[m] = true
		}
		a, b := time.Unix(start*60, 0), time.Unix((start+length)*60, 0)
		if a.Before(from) || !a.Before(to) {
			return
		}
		for _, e := range s.Exceptions {
			if e.Kind == TimeOff && a.Before(e.End) && e.Start.Before(b) {
				return
			}
		}
		found[key(offer{span: span{a, b}, capacity: capacity})] = true
	}
	for _, r := range s.Rules {
		run := int64(0)
		runDay := ""
		for m := first; m <= last; m++ {
			local := time.Unix(m*60, 0).In(zone)
			date, clock := local.Format(time.DateOnly), local.Format("15:04")
			weekday := int(local.Weekday())
			if weekday == 0 {
				weekday = 7
			}
			covered := weekday == r.Weekday && clock >= r.Start && clock < r.End && date >= r.ValidFrom && (r.ValidUntil == "" || date <= r.ValidUntil)
			if !covered || date != runDay {
				run = 0
			}
			if covered {
				run, runDay = run+1, date
				if run == int64(r.SlotMinutes) {
					slot(m+1-run, run, r.Capacity)
					run = 0
				}
			}
		}
	}
	for _, e := range s.Exceptions {
		if e.Kind == Extra {
			for m := e.Start.Unix() / 60; m+int64(e.SlotMinutes) <= e.End.Unix()/60; m += int64(e.SlotMinutes) {
				slot(m, int64(e.SlotMinutes), e.Capacity)
			}
		}
	}
	return found
}

func BenchmarkSlotsOfAMonth(b *testing.B) {
	s := Schedule{TimeZone: "Europe/Berlin"}
	for i := range 20 {
		s.Rules = append(s.Rules, Rule{Weekday: 1 + i%7, Start: clockOf(8*60 + i/7*240), End: clockOf(11*60 + i/7*240), SlotMinutes: 15, Capacity: 2, Media: text})
	}
	from := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	for b.Loop() {
		if _, err := s.slots(from, from.AddDate(0, 1, 0)); err != nil {
			b.Fatal(err)
		}
	}
}
