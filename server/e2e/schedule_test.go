package e2e_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"wenzhen/client"
	"wenzhen/rooms"
	"wenzhen/rooms/account"
	"wenzhen/rooms/schedule"
)

// always gives a doctor hours around the clock, and returns a slot of them two
// days from now.
func always(d *person, slotMinutes int) time.Time {
	d.w.t.Helper()
	var rules []schedule.Rule
	for day := range 7 {
		rules = append(rules, schedule.Rule{Weekday: day + 1, Start: "00:00", End: "24:00", SlotMinutes: slotMinutes, Capacity: 1, Media: []account.Medium{account.Text}})
	}
	do(d, schedule.SaveSchedule, schedule.ScheduleInput{TimeZone: "UTC", Rules: rules})
	return time.Now().UTC().Truncate(time.Hour).Add(48 * time.Hour)
}

func bookingOf(d *person, start time.Time) schedule.BookInput {
	return schedule.BookInput{DoctorID: d.user.ID, Start: start, Medium: account.Text, Service: account.Advice, Complaint: "headache"}
}

// 100 clients book the last slot at the same instant, by REST and by socket,
// through two servers on the same database, each a process of its own: one has it.
func TestTheLastSlotIsSoldOnce(t *testing.T) {
	t.Parallel()
	w := startOn(t, postgresDatabase(t))
	other := &process{t: t, dir: w.dir, addr: freeAddress(t), on: w.database}
	other.launch()
	t.Cleanup(other.kill)
	second := &world{t: t, dir: w.dir, http: w.http, base: "http://" + other.addr}
	doctor := w.doctor("wang")
	first := always(doctor, 10)
	clients, rounds := 100, 50
	if testing.Short() {
		clients, rounds = 20, 3
	}
	patients := make([]*person, clients)
	for i := range patients {
		patients[i] = w.patient(fmt.Sprint("p", i))
	}
	book := make([]func(schedule.BookInput) rooms.Code, clients)
	for i, p := range patients {
		at := []*world{w, second}[i%2]
		if i%4 < 2 {
			c, err := client.New(at.base, client.WithHTTPClient(w.http), client.WithTokens(p.Tokens()))
			must(t, err)
			book[i] = func(in schedule.BookInput) rooms.Code {
				_, err := client.Do(t.Context(), c, schedule.Book, in)
				return rooms.CodeOf(err)
			}
			t.Cleanup(func() { _ = c.Close(t.Context()) })
			continue
		}
		b := at.bare(t).on(rooms.Schedules)
		if got := b.connect(p.Tokens().AccessToken); !strings.HasPrefix(got, "40/schedules,{") {
			t.Fatal(got)
		}
		book[i] = func(in schedule.BookInput) rooms.Code {
			r := b.ask(1, schedule.Book.Name, in)
			if r.OK {
				return ""
			}
			return r.Error.Code
		}
	}
	for round := range rounds {
		in := bookingOf(doctor, first.Add(time.Duration(round)*10*time.Minute))
		var mu sync.Mutex
		got := map[rooms.Code]int{}
		var group sync.WaitGroup
		for _, try := range book {
			group.Go(func() {
				code := try(in)
				mu.Lock()
				defer mu.Unlock()
				got[code]++
			})
		}
		group.Wait()
		if got[""] != 1 || got[rooms.CodeConflict] != clients-1 {
			t.Fatalf("round %d: %v", round, got)
		}
	}
}

// A guest who watches sees a slot go and come back, and after reconnecting the
// present state.
func TestWatching(t *testing.T) {
	t.Parallel()
	w := start(t)
	doctor, bo := w.doctor("wang"), w.patient("bo")
	slot := always(doctor, 60)
	watch := func() (*bare, int) {
		b := w.bare(t).on(rooms.Schedules)
		b.text("40/schedules,")
		if got := b.next(); !strings.HasPrefix(got, "40/schedules,{") {
			t.Fatalf("a guest cannot come in: %s", got)
		}
		r := b.ask(1, schedule.Watch.Name, schedule.SlotsInput{DoctorID: doctor.user.ID, From: &slot})
		var list schedule.SlotList
		must(t, json.Unmarshal(r.Data, &list))
		if !list.Items[0].Start.Equal(slot) {
			t.Fatalf("the first slot is %v", list.Items[0])
		}
		return b, list.Items[0].Available
	}
	told := func(b *bare) int {
		var c schedule.SlotChange
		must(t, json.Unmarshal(b.event(schedule.SlotUpdated.Name), &c))
		if !c.Start.Equal(slot) || c.DoctorID != doctor.user.ID {
			t.Fatalf("told of %+v", c)
		}
		return c.Available
	}
	guest, free := watch()
	if free != 1 {
		t.Errorf("at first %d are free", free)
	}
	a := do(bo, schedule.Book, bookingOf(doctor, slot)).Appointment
	if n := told(guest); n != 0 {
		t.Errorf("after the booking %d are free", n)
	}
	if _, free := watch(); free != 0 {
		t.Errorf("who comes now sees %d free", free)
	}
	do(bo, schedule.Cancel, schedule.CancelInput{AppointmentID: a.ID})
	if n := told(guest); n != 1 {
		t.Errorf("after the cancellation %d are free", n)
	}
	do(doctor, schedule.AddException, schedule.ExceptionInput{Kind: schedule.TimeOff, Start: slot, End: slot.Add(time.Hour)})
	guest.event(schedule.ScheduleUpdated.Name)
	if r := guest.ask(2, schedule.Book.Name, bookingOf(doctor, slot)); r.OK || r.Error.Code != rooms.CodeUnauthenticated {
		t.Errorf("a guest books: %+v", r)
	}
	if r := guest.ask(3, "message:send", map[string]string{}); r.OK || r.Error.Code != rooms.CodeInvalid {
		t.Errorf("a command of another namespace: %+v", r)
	}
}

// Patient and doctor hear of an appointment on all their devices.
func TestAppointmentsAreTold(t *testing.T) {
	t.Parallel()
	w := start(t)
	doctor, bo := w.doctor("wang"), w.patient("bo")
	slot := always(doctor, 60)
	var devices []*bare
	for _, p := range []*person{doctor, bo, bo} {
		b := w.bare(t).on(rooms.Schedules)
		b.connect(p.Tokens().AccessToken)
		devices = append(devices, b)
	}
	a := do(bo, schedule.Book, bookingOf(doctor, slot)).Appointment
	for i, b := range devices {
		var e rooms.Entry
		must(t, json.Unmarshal(b.event(schedule.AppointmentUpdated.Name), &e))
		var told schedule.Appointment
		must(t, json.Unmarshal(e.Data, &told))
		if told.ID != a.ID || told.Status != schedule.Booked || e.Room != a.ConsultationID.Room() {
			t.Errorf("device %d heard %+v", i, told)
		}
	}
	// The log of the consultation, of which the event is part, has no gap.
	for i, e := range bo.log(a.ConsultationID) {
		if e.Seq != rooms.Seq(i+1) {
			t.Errorf("event %d has seq %d", i, e.Seq)
		}
	}
}

func TestScheduleOverREST(t *testing.T) {
	t.Parallel()
	w := start(t)
	doctor := w.doctor("wang")
	always(doctor, 60)
	token := doctor.Tokens().AccessToken
	read := w.ask(t, http.MethodGet, "/api/v1/me/schedule", token, "")
	tag := read.header.Get("ETag")
	if tag == "" {
		t.Fatal("no ETag")
	}
	body := `{"timeZone":"Asia/Shanghai","rules":[{"weekday":1,"start":"09:00","end":"12:00","slotMinutes":30,"capacity":1,"media":["text"]}]}`
	if a := w.ask(t, http.MethodPut, "/api/v1/me/schedule", token, body, "If-Match", `"99"`); a.status != http.StatusConflict || a.problem.Field != "version" {
		t.Errorf("a stale If-Match: %d %s", a.status, a.body)
	}
	if a := w.ask(t, http.MethodPut, "/api/v1/me/schedule", token, body, "If-Match", tag); a.status != http.StatusOK || a.header.Get("ETag") == tag {
		t.Errorf("a good If-Match: %d %s", a.status, a.body)
	}
	if a := w.ask(t, http.MethodGet, "/api/v1/doctors/"+string(doctor.user.ID)+"/slots?from=yesterday", "", ""); a.status != http.StatusBadRequest || a.problem.Field != "from" {
		t.Errorf("from yesterday: %d %s", a.status, a.body)
	}
	me := do(doctor, account.Me, rooms.Nothing{})
	resp, err := w.http.Get(w.base + me.CalendarURL)
	must(t, err)
	defer resp.Body.Close()
	feed, err := io.ReadAll(resp.Body)
	must(t, err)
	if resp.Header.Get("Content-Type") != "text/calendar; charset=utf-8" || !strings.HasPrefix(string(feed), "BEGIN:VCALENDAR\r\n") {
		t.Errorf("the calendar is %s: %s", resp.Header.Get("Content-Type"), feed)
	}
	if got := resp.Header.Get("Cache-Control"); !strings.Contains(got, "no-store") {
		t.Errorf("the calendar may be kept: %q", got)
	}
	if a := w.ask(t, http.MethodGet, "/calendar/guess.ics", "", ""); a.status != http.StatusNotFound {
		t.Errorf("a guessed calendar: %d", a.status)
	}
}
