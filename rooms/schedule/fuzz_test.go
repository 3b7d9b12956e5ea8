package schedule

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	ics "github.com/arran4/golang-ical"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
)

// accepted runs an input through a command as a client's comes: limits, shape,
// and the input's own judgement. It fails on a refusal that says nothing.
func accepted[In, Out any](t *testing.T, c rooms.Command[In, Out], raw []byte) (in In, ok bool) {
	t.Helper()
	catalogue := rooms.NewCatalogue(rooms.CatalogueOptions{},
		[]rooms.Handler{c.Bind(func(_ context.Context, _ rooms.Actor, got In) (out Out, err error) {
			in, ok = got, true
			return out, nil
		})})
	_, err := catalogue.Answer(t.Context(), rooms.Actor{UserID: "wang", Role: rooms.RoleDoctor}, c.Name, raw)
	if code := rooms.CodeOf(err); err != nil && code != rooms.CodeInvalid && code != rooms.CodeTooLarge {
		t.Fatalf("%s refuses %q with %v", c.Name, raw, err)
	}
	return in, ok && err == nil
}

// FuzzRules: weekly rules and exceptions that are accepted from a client make
// slots that are in order, do not meet, are as long as was said and lie where
// the clock of that zone says; and they can be written and read again.
func FuzzRules(f *testing.F) {
	for _, seed := range [][2]string{
		{`{"timeZone":"Europe/Berlin","rules":[{"weekday":7,"start":"00:00","end":"06:00","slotMinutes":30,"capacity":1,"media":["text"]}]}`, `{"kind":"time_off","start":"2026-03-29T00:00:00Z","end":"2026-03-29T02:10:00Z"}`},
		{`{"timeZone":"Asia/Shanghai","rules":[{"weekday":1,"start":"09:00","end":"24:00","slotMinutes":7,"capacity":100,"media":["voice","video"],"validFrom":"2026-03-01","validUntil":"2026-12-31"}]}`, `{"kind":"extra","start":"2026-03-30T10:00:00+08:00","end":"2026-03-30T12:00:00+08:00","slotMinutes":20,"capacity":2,"media":["text"]}`},
		{`{"timeZone":"Australia/Lord_Howe","rules":[{"weekday":7,"start":"01:00","end":"03:00","slotMinutes":5,"capacity":1,"media":["text"]},{"weekday":7,"start":"03:00","end":"04:00","slotMinutes":60,"capacity":1,"media":["text"]}]}`, `{"kind":"extra","start":"9999-12-31T23:00:00-23:59","end":"9999-12-31T23:59:59-23:59","slotMinutes":5,"capacity":1,"media":["text"]}`},
		{`{"timeZone":"Pacific/Apia","rules":[{"weekday":5,"start":"00:00","end":"24:00","slotMinutes":720,"capacity":1,"media":["text"]}]}`, `{"kind":"time_off","start":"0000-01-01T00:00:00+23:59","end":"0000-06-01T00:00:00Z"}`},
		{`{"timeZone":"../../etc/passwd","rules":[{"weekday":0}]}`, `{}`}, {`{"rules":[{"weekday":1,"start":"9:00"}],"timeZone":"Local"}`, `null`},
	} {
		f.Add([]byte(seed[0]), []byte(seed[1]), int32(20_540), uint16(48))
	}
	f.Fuzz(func(t *testing.T, rules, exception []byte, day int32, hours uint16) {
		var s Schedule
		if in, ok := accepted(t, SaveSchedule, rules); ok {
			s.TimeZone, s.Rules = in.TimeZone, in.Rules
		} else {
			s.TimeZone = "Asia/Tokyo"
		}
		if in, ok := accepted(t, AddException, exception); ok {
			s.Exceptions = append(s.Exceptions, in.exception("e"))
		}
		written, err := json.Marshal(s)
		var again Schedule
		if err == nil {
			err = json.Unmarshal(written, &again)
		}
		if err != nil {
			t.Fatalf("%+v cannot be written and read: %v", s, err)
		}
		// From 1972, when the last zone gave up counting seconds, to 2100.
		const years = 128 * 365
		from := time.Date(1972, 3, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, int(uint32(day)%years)).Add(time.Duration(hours%24) * time.Hour)
		to := from.Add(time.Duration(1+hours%72) * time.Hour)
		got, err := s.slots(from, to)
		if err != nil {
			t.Fatal(err)
		}
		have := map[string]bool{}
		for i, o := range got {
			if i > 0 && o.start.Before(got[i-1].end) || o.start.Before(from) || !o.start.Before(to) || o.capacity < 1 || o.capacity > 100 || s.off(o.span) {
				t.Fatalf("slot %d of %+v is %v, after %v", i, s, o, got[max(i-1, 0)])
			}
			have[key(o)] = true
		}
		if len(s.Rules) > 2 || slices.ContainsFunc(s.Exceptions, func(e Exception) bool {
			return e.Start.Second()+e.Start.Nanosecond()+e.End.Second()+e.End.Nanosecond() > 0
		}) {
			return // for which the model takes too long, or knows no seconds
		}
		want := everyMinute(t, s, from, to)
		for k := range want {
			if !have[k] {
				t.Errorf("slot %s is lost from %+v", k, s)
			}
		}
		for k := range have {
			if !want[k] {
				t.Errorf("slot %s is not covered by %+v", k, s)
			}
		}
	})
}

// FuzzInvitation: whatever people may be called, the calendar that is sent to
// them is one that calendars read (RFC 5545), says no more than it should, and
// has their names in it, without what is a link or cannot be seen.
func FuzzInvitation(f *testing.F) {
	for _, name := range []string{"Wang Fang", "王芳", `Smith, "Bob"; MD: \n`, "a\tb", "<b>", strings.Repeat("长", 60), strings.Repeat("a b", 33), "\u2028\u2029", "^n^'", "x:mailto", "=;="} {
		f.Add(name, "bo@wenzhen.example", uint8(3))
	}
	f.Add("Bo", `"a;b:c,d"@wenzhen.example`, uint8(9))
	statuses := []AppointmentStatus{Held, Booked, CheckedIn, InProgress, Fulfilled, Cancelled, HoldExpired, NoShow, ReassignPending}
	f.Fuzz(func(t *testing.T, name, email string, status uint8) {
		raw, err := json.Marshal(map[string]string{"name": name, "email": email, "role": "doctor", "password": "correct horse battery"})
		if err != nil {
			t.Fatal(err)
		}
		who, ok := accepted(t, account.Register, raw)
		if !ok {
			return
		}
		who.Name, who.Email = strings.TrimSpace(who.Name), strings.ToLower(strings.TrimSpace(who.Email)) // as accounts keep them
		at := time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)
		a := Appointment{ID: "x", DoctorID: "wang", PatientID: "p", DoctorName: who.Name, PatientName: "Bo", Start: at, End: at.Add(time.Hour), CreatedAt: at, UpdatedAt: at,
			Medium: account.Text, Status: statuses[int(status)%len(statuses)], Sequence: int(status)}
		shown := rooms.WithoutLinks(who.Name, nameMost) + " (text)"
		method, text := Invitation(a, account.User{ID: "bo", Email: who.Email, Name: who.Name}, "clinic@wenzhen.example")
		lines := unfolded(t, text)
		var names []string
		for _, line := range lines {
			names = append(names, line[:strings.IndexAny(line+":", ";:")])
		}
		slices.Sort(names)
		want := []string{"ATTENDEE", "BEGIN", "BEGIN", "CREATED", "DTEND", "DTSTAMP", "DTSTART", "END", "END", "LAST-MODIFIED", "METHOD", "ORGANIZER", "PRODID", "SEQUENCE", "STATUS", "SUMMARY", "UID", "VERSION"}
		if !slices.Equal(names, want) {
			t.Errorf("the calendar says %q", lines)
		}
		if !slices.Contains(lines, "METHOD:"+method) || !slices.Contains(lines, "SUMMARY:"+ics.ToText(shown)) {
			t.Errorf("%q is missing from %q", who.Name, lines)
		}
		for _, line := range lines {
			if !strings.HasPrefix(line, "ATTENDEE") {
				continue
			}
			// No parameter's value may have what ends it (RFC 5545, 3.2).
			params, address, _ := strings.Cut(line, ":")
			if address != "mailto:"+who.Email || strings.ContainsAny(params, "\"\\,") || strings.Count(params, ";") != 3 {
				t.Errorf("the guest is %q", line)
			}
		}
		cal, err := ics.ParseCalendar(strings.NewReader(text))
		if err != nil || len(cal.Events()) != 1 || cal.Events()[0].GetProperty(ics.ComponentPropertySummary).Value != shown {
			t.Errorf("%q cannot be read: %v", text, err)
		}
	})
}

// unfolded are the lines of an iCalendar text, each of which has at most 75
// octets and is valid by itself (RFC 5545, 3.1).
func unfolded(t *testing.T, text string) []string {
	t.Helper()
	if !strings.HasSuffix(text, "\r\n") {
		t.Errorf("%q breaks off", text)
	}
	var lines []string
	for line := range strings.SplitSeq(strings.TrimSuffix(text, "\r\n"), "\r\n") {
		if len(line) > 75 || !utf8.ValidString(line) || strings.ContainsAny(line, "\r\n") {
			t.Errorf("a line of %d octets: %q", len(line), line)
		}
		if rest, folded := strings.CutPrefix(line, " "); folded && len(lines) > 0 {
			lines[len(lines)-1] += rest
		} else {
			lines = append(lines, line)
		}
	}
	return lines
}
