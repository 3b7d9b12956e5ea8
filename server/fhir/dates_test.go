package fhir_test

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"time"

	"wenzhen.example/rooms/account"
	"wenzhen.example/rooms/consultation"
	"wenzhen.example/rooms/roomstest"
	"wenzhen.example/server/fhir"
)

// total is how many resources a search finds.
func total(t *testing.T, p *roomstest.Person, search string) int {
	t.Helper()
	kind, query, _ := strings.Cut(search, "?")
	values, err := url.ParseQuery(query)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := fhir.New(p.W.Catalogue, func() string { return "https://clinic.example" }, p.W.Now).Answer(t.Context(), p.As, kind, values)
	if err != nil {
		t.Fatalf("%s: %v", search, err)
	}
	var bundle struct{ Total int }
	if err := json.Unmarshal(raw, &bundle); err != nil {
		t.Fatal(err)
	}
	return bundle.Total
}

// What goes on has no end: it is found on every later day.
func TestAPeriodWithoutAnEndIsOpen(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t) // noon of 1 November 2026
	bo, wang, id := w.Talk()
	roomstest.Must(bo, account.UpdateMe, account.MeInput{TimeZone: new("UTC")})
	finds := func(when string, want map[string]int) {
		t.Helper()
		for date, n := range want {
			if got := total(t, bo, "Encounter?date="+date); got != n {
				t.Errorf("%s, %s finds %d, want %d", when, date, got, n)
			}
		}
	}
	finds("under way", map[string]int{"gt2026-11-01": 1, "ge2026-11-05": 1, "gt2030": 1, "lt2026-11-01": 0, "le2026-11-01": 1, "lt2026-11-02": 1,
		"2026-11-01": 0, "ne2026-11-01": 1, "sa2026-10-31": 1, "sa2026-11-01": 0, "eb2030": 0})
	w.Passes(time.Hour)
	roomstest.Must(wang, consultation.End, consultation.EndInput{ConsultationID: id})
	finds("ended", map[string]int{"gt2026-11-01": 0, "ge2026-11-05": 0, "ge2026-11-01": 1, "2026-11-01": 1, "2026-11": 1, "ne2026-11-01": 0, "eb2026-11-02": 1,
		"gt2026-11-01T12:30:00Z": 1, "gt2026-11-01T13:30:00Z": 0, "lt2026-11-01T12:30:00Z": 1, "sa2026-11-01T11:00:00Z": 1})
}

// A date without a time is a day where the account that asks is.
func TestADayIsADayOfTheReader(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t)
	w.Turns(11*time.Hour + 30*time.Minute) // 07:30 of 2 November in Shanghai
	bo, wang, id := w.Talk()
	roomstest.Must(wang, consultation.End, consultation.EndInput{ConsultationID: id})
	for zone, day := range map[string]string{"Asia/Shanghai": "2026-11-02", "UTC": "2026-11-01", "America/New_York": "2026-11-01"} {
		roomstest.Must(bo, account.UpdateMe, account.MeInput{TimeZone: &zone})
		for _, date := range []string{"2026-11-01", "2026-11-02"} {
			want := 0
			if date == day {
				want = 1
			}
			if got := total(t, bo, "Encounter?date="+date); got != want {
				t.Errorf("in %s, %s finds %d, want %d", zone, date, got, want)
			}
		}
		if got := total(t, bo, "Encounter?date=2026-11-01T23:30:00Z&date=lt2026-11-02T07:31:00%2B08:00"); got != 1 {
			t.Errorf("in %s, times with a zone find %d", zone, got)
		}
	}
}
