package consultations_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"wenzhen.example/client"
	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
	"wenzhen.example/rooms/roomstest/prove"
	"wenzhen.example/rooms/schedule"
	"wenzhen.example/server/app"
	"wenzhen.example/server/e2e"
)

// Many clients book the last slot at the same instant, by REST and by socket,
// through two servers on the same database, each a process of its own: one has it.
func TestTheLastSlotIsSoldOnce(t *testing.T) {
	t.Parallel()
	w := e2e.StartOn(t, e2e.PostgresDatabase(t), func(c *app.Config) { c.Synchronous = "full" }) // as the other has it
	other := &e2e.Process{T: t, Dir: w.Dir, Addr: e2e.FreeAddress(t), Database: w.Database}
	other.Launch()
	t.Cleanup(other.Kill)
	second := &e2e.World{T: t, Dir: w.Dir, HTTP: w.HTTP, Base: "http://" + other.Addr}
	doctor := w.Doctor("wang")
	first := e2e.Always(doctor, 10)
	clients := prove.Size(t, "clients that book one slot through two servers", 40, 100)
	rounds := prove.Size(t, "slots that they book", 5, 50)
	patients := make([]*e2e.Person, clients)
	for i := range patients {
		patients[i] = w.Patient(fmt.Sprint("p", i))
	}
	book := make([]func(schedule.BookInput) rooms.Code, clients)
	for i, p := range patients {
		at := []*e2e.World{w, second}[i%2]
		if i%4 < 2 {
			c, err := client.New(at.Base, client.WithHTTPClient(w.HTTP), client.WithTokens(p.Tokens()))
			e2e.Must(t, err)
			book[i] = func(in schedule.BookInput) rooms.Code {
				_, err := client.Do(t.Context(), c, schedule.Book, in)
				return rooms.CodeOf(err)
			}
			t.Cleanup(func() { _ = c.Close(t.Context()) })
			continue
		}
		b := at.Bare(t).On(rooms.Schedules)
		if got := b.Connect(p.Tokens().AccessToken); !strings.HasPrefix(got, "40/schedules,{") {
			t.Fatal(got)
		}
		book[i] = func(in schedule.BookInput) rooms.Code {
			r := b.Ask(1, schedule.Book.Name, in)
			if r.OK {
				return ""
			}
			return r.Error.Code
		}
	}
	for round := range rounds {
		in := e2e.BookingOf(doctor, first.Add(time.Duration(round)*10*time.Minute))
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
	w := e2e.Start(t)
	doctor, bo := w.Doctor("wang"), w.Patient("bo")
	slot := e2e.Always(doctor, 60)
	watch := func() (*e2e.Bare, int) {
		b := w.Bare(t).On(rooms.Schedules)
		b.Text("40/schedules,")
		if got := b.Next(); !strings.HasPrefix(got, "40/schedules,{") {
			t.Fatalf("a guest cannot come in: %s", got)
		}
		r := b.Ask(1, schedule.Watch.Name, schedule.SlotsInput{DoctorID: doctor.User.ID, From: &slot})
		var list schedule.SlotList
		e2e.Must(t, json.Unmarshal(r.Data, &list))
		if !list.Items[0].Start.Equal(slot) {
			t.Fatalf("the first slot is %v", list.Items[0])
		}
		return b, list.Items[0].Available
	}
	told := func(b *e2e.Bare) int {
		var c schedule.SlotChange
		e2e.Must(t, json.Unmarshal(b.Event(schedule.SlotUpdated.Name), &c))
		if !c.Start.Equal(slot) || c.DoctorID != doctor.User.ID {
			t.Fatalf("told of %+v", c)
		}
		return c.Available
	}
	guest, free := watch()
	if free != 1 {
		t.Errorf("at first %d are free", free)
	}
	a := e2e.Do(bo, schedule.Book, e2e.BookingOf(doctor, slot)).Appointment
	if n := told(guest); n != 0 {
		t.Errorf("after the booking %d are free", n)
	}
	if _, free := watch(); free != 0 {
		t.Errorf("who comes now sees %d free", free)
	}
	e2e.Do(bo, schedule.Cancel, schedule.CancelInput{AppointmentID: a.ID})
	if n := told(guest); n != 1 {
		t.Errorf("after the cancellation %d are free", n)
	}
	e2e.Do(doctor, schedule.AddException, schedule.ExceptionInput{Kind: schedule.TimeOff, Start: slot, End: slot.Add(time.Hour)})
	guest.Event(schedule.ScheduleUpdated.Name)
	if r := guest.Ask(2, schedule.Book.Name, e2e.BookingOf(doctor, slot)); r.OK || r.Error.Code != rooms.CodeUnauthenticated {
		t.Errorf("a guest books: %+v", r)
	}
	if r := guest.Ask(3, "message:send", map[string]string{}); r.OK || r.Error.Code != rooms.CodeInvalid {
		t.Errorf("a command of another namespace: %+v", r)
	}
}

// Patient and doctor receive the events of an appointment on all their devices.
func TestAppointmentNotifications(t *testing.T) {
	t.Parallel()
	w := e2e.Start(t)
	doctor, bo := w.Doctor("wang"), w.Patient("bo")
	slot := e2e.Always(doctor, 60)
	var devices []*e2e.Bare
	for _, p := range []*e2e.Person{doctor, bo, bo} {
		b := w.Bare(t).On(rooms.Schedules)
		b.Connect(p.Tokens().AccessToken)
		devices = append(devices, b)
	}
	a := e2e.Do(bo, schedule.Book, e2e.BookingOf(doctor, slot)).Appointment
	for i, b := range devices {
		var e rooms.Event
		e2e.Must(t, json.Unmarshal(b.Event(schedule.AppointmentUpdated.Name), &e))
		var told schedule.Appointment
		e2e.Must(t, json.Unmarshal(e.Data, &told))
		if told.ID != a.ID || told.Status != schedule.Booked || e.Room != a.ConsultationID.Room() {
			t.Errorf("device %d received %+v", i, told)
		}
	}
	// The log of the consultation, of which the event is part, has no gap.
	for i, e := range bo.Log(a.ConsultationID) {
		if e.Seq != rooms.Seq(i+1) {
			t.Errorf("event %d has seq %d", i, e.Seq)
		}
	}
}

func TestScheduleOverREST(t *testing.T) {
	t.Parallel()
	w := e2e.Start(t)
	doctor := w.Doctor("wang")
	e2e.Always(doctor, 60)
	token := doctor.Tokens().AccessToken
	read := w.Ask(t, http.MethodGet, "/api/v1/me/schedule", token, "")
	tag := read.Header.Get("ETag")
	if tag == "" {
		t.Fatal("no ETag")
	}
	body := `{"timeZone":"Asia/Shanghai","rules":[{"weekday":1,"start":"09:00","end":"12:00","slotMinutes":30,"capacity":1,"media":["text"]}]}`
	if a := w.Ask(t, http.MethodPut, "/api/v1/me/schedule", token, body, "If-Match", `"99"`); a.Status != http.StatusConflict || a.Problem.Field != "version" {
		t.Errorf("a stale If-Match: %d %s", a.Status, a.Body)
	}
	if a := w.Ask(t, http.MethodPut, "/api/v1/me/schedule", token, body, "If-Match", tag); a.Status != http.StatusOK || a.Header.Get("ETag") == tag {
		t.Errorf("a good If-Match: %d %s", a.Status, a.Body)
	}
	if a := w.Ask(t, http.MethodGet, "/api/v1/doctors/"+string(doctor.User.ID)+"/slots?from=yesterday", "", ""); a.Status != http.StatusBadRequest || a.Problem.Field != "from" {
		t.Errorf("from yesterday: %d %s", a.Status, a.Body)
	}
	me := e2e.Do(doctor, account.Me, rooms.Nothing{})
	resp, err := w.HTTP.Get(w.Base + me.CalendarURL)
	e2e.Must(t, err)
	defer resp.Body.Close()
	feed, err := io.ReadAll(resp.Body)
	e2e.Must(t, err)
	if resp.Header.Get("Content-Type") != "text/calendar; charset=utf-8" || !strings.HasPrefix(string(feed), "BEGIN:VCALENDAR\r\n") {
		t.Errorf("the calendar is %s: %s", resp.Header.Get("Content-Type"), feed)
	}
	if got := resp.Header.Get("Cache-Control"); !strings.Contains(got, "no-store") {
		t.Errorf("the calendar may be kept: %q", got)
	}
	if a := w.Ask(t, http.MethodGet, "/calendar/guess.ics", "", ""); a.Status != http.StatusNotFound {
		t.Errorf("a guessed calendar: %d", a.Status)
	}
}
