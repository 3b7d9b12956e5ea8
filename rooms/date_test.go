package rooms

import (
	"testing"
	"time"
)

func TestPastDate(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 30, 9, 0, 0, 0, time.UTC) // 23:00 in the zone that is furthest ahead
	for _, c := range []struct {
		date    string
		partial bool
		ok      bool
	}{
		{"", false, true}, {"2026-11-30", false, true}, {"2026-12-01", false, false}, {"2999-12-31", false, false}, {"0001-01-01", false, false},
		{"1899-12-31", false, false}, {"1900-01-01", false, true}, {"2024-02-29", false, true}, {"2023-02-29", false, false}, {"2020", false, false},
		{"2020-05", false, false}, {"20200501", true, false}, {"2020", true, true}, {"2020-05", true, true}, {"2026-11", true, true}, {"2026-12", true, false},
		{"2027", true, false}, {"1899", true, false}, {"２０２０", true, false}, {" 2020-01-01", false, false},
	} {
		if err := PastDate("birthDate", c.date, c.partial, now); (err == nil) != c.ok {
			t.Errorf("%q (partial %t): %v", c.date, c.partial, err)
		}
	}
	if err := PastDate("birthDate", "2026-12-01", false, now.Add(time.Hour)); err != nil {
		t.Errorf("it is December on the first island: %v", err)
	}
}

func TestScheduleDate(t *testing.T) {
	t.Parallel()
	for date, ok := range map[string]bool{"": true, "2027-01-31": true, "2199-12-31": true, "2200-01-01": false, "0001-01-01": false, "2027-02-30": false} {
		if err := ScheduleDate("validFrom", date); (err == nil) != ok {
			t.Errorf("%q: %v", date, err)
		}
	}
}
