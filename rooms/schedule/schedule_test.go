package schedule_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	ics "github.com/arran4/golang-ical"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
	"wenzhen.example/rooms/consultation"
	"wenzhen.example/rooms/roomstest"
	"wenzhen.example/rooms/roomstest/prove"
	. "wenzhen.example/rooms/schedule"
)

// The world's time is noon of Sunday, 1 November 2026, UTC.
var monday = time.Date(2026, 11, 2, 0, 0, 0, 0, time.UTC)

func at(clock string) time.Time {
	t, err := time.Parse("15:04", clock)
	if err != nil {
		panic(err)
	}
	return monday.Add(time.Duration(t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute)
}

// works gives a doctor weekly hours: Mondays from start to end, UTC.
func works(d *roomstest.Person, start, end string, capacity int) Schedule {
	d.W.T.Helper()
	return roomstest.Must(d, SaveSchedule, ScheduleInput{TimeZone: "UTC", Rules: []Rule{
		{Weekday: 1, Start: start, End: end, SlotMinutes: 30, Capacity: capacity, Media: []account.Medium{account.Text, account.Voice, account.Video}},
	}})
}

func booking(d *roomstest.Person, clock string) BookInput {
	return BookInput{DoctorID: d.User.ID, Start: at(clock), Medium: account.Text, Service: account.Advice, Complaint: "headache"}
}

func slots(p *roomstest.Person, d *roomstest.Person) string {
	p.W.T.Helper()
	to := monday.AddDate(0, 0, 1)
	var b strings.Builder
	for _, s := range roomstest.Must(p, Slots, SlotsInput{DoctorID: d.User.ID, To: &to}).Items {
		fmt.Fprintf(&b, "%s×%d ", s.Start.Format("15:04"), s.Available)
	}
	return strings.TrimSpace(b.String())
}

func reads(p *roomstest.Person, id AppointmentID) Appointment {
	p.W.T.Helper()
	return roomstest.Must(p, ReadAppointment, AppointmentRef{AppointmentID: id})
}

// When 100 patients book the last seat at the same instant, one gets it, 99 get
// a conflict, and nothing remains of their attempts.
func TestTheLastSeatIsSoldOnce(t *testing.T) {
	t.Parallel()
	rounds := prove.Size(t, "seats that 100 patients want", 5, 50)
	w := roomstest.New(t)
	doctor := w.Doctor("wang")
	roomstest.Must(doctor, SaveSchedule, ScheduleInput{TimeZone: "UTC", Rules: []Rule{
		{Weekday: 1, Start: "00:00", End: "24:00", SlotMinutes: 15, Capacity: 1, Media: []account.Medium{account.Text}}}})
	patients := make([]*roomstest.Person, 100)
	for i := range patients {
		if i%90 == 0 {
			w.Passes(time.Minute) // so many may register from one address in a minute
		}
		patients[i] = w.Patient(fmt.Sprint("p", i))
	}
	for round := range rounds {
		in := booking(doctor, "00:00")
		in.Start = in.Start.Add(time.Duration(round) * 15 * time.Minute)
		var won, lost atomic.Int32
		var group sync.WaitGroup
		for _, p := range patients {
			group.Go(func() {
				switch _, err := roomstest.Ask(w, p.As, Book, in); rooms.CodeOf(err) {
				case "":
					won.Add(1)
				case rooms.CodeConflict:
					lost.Add(1)
				default:
					t.Error(err)
				}
			})
		}
		group.Wait()
		if won.Load() != 1 || lost.Load() != 99 {
			t.Fatalf("round %d: %d booked and %d were refused", round, won.Load(), lost.Load())
		}
	}
	if list := roomstest.Must(doctor, Appointments, AppointmentFilter{Limit: 100}).Items; len(list) != rounds {
		t.Errorf("the doctor has %d appointments after %d rounds", len(list), rounds)
	}
	if list := roomstest.Must(doctor, consultation.List, consultation.Filter{Limit: 100}).Items; len(list) != rounds {
		t.Errorf("%d consultations came of %d bookings", len(list), rounds)
	}
}

func TestCapacity(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t)
	doctor, bo, jing, li := w.Doctor("wang"), w.Patient("bo"), w.Patient("jing"), w.Patient("li")
	works(doctor, "09:00", "10:00", 2)
	roomstest.Must(bo, Book, booking(doctor, "09:00"))
	if code := roomstest.Code(bo, Book, booking(doctor, "09:00")); code != rooms.CodeConflict {
		t.Errorf("two seats of one slot: %q", code)
	}
	b := roomstest.Must(jing, Book, booking(doctor, "09:00"))
	if code := roomstest.Code(li, Book, booking(doctor, "09:00")); code != rooms.CodeConflict {
		t.Errorf("a third in a slot of two: %q", code)
	}
	if got := slots(bo, doctor); got != "09:00×0 09:30×2" {
		t.Errorf("slots: %s", got)
	}
	roomstest.Must(jing, Cancel, CancelInput{AppointmentID: b.Appointment.ID})
	roomstest.Must(li, Book, booking(doctor, "09:00"))
}

func TestBookingIsIdempotent(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t)
	doctor, bo := w.Doctor("wang"), w.Patient("bo")
	works(doctor, "09:00", "10:00", 1)
	in := booking(doctor, "09:00")
	in.ID = "mine"
	first := roomstest.Must(bo, Book, in)
	if again := roomstest.Must(bo, Book, in); again.Appointment.ConsultationID != first.Appointment.ConsultationID {
		t.Errorf("booked again: %+v", again)
	}
	in.Complaint = "else"
	if code := roomstest.Code(bo, Book, in); code != rooms.CodeConflict {
		t.Errorf("other content: %q", code)
	}
}

func TestWhatCannotBeBooked(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t)
	doctor, bo := w.Doctor("wang"), w.Patient("bo")
	works(doctor, "09:00", "10:00", 1)
	good := booking(doctor, "09:00")
	for name, c := range map[string]struct {
		change func(*BookInput)
		code   rooms.Code
		field  string
	}{
		"past":             {func(in *BookInput) { in.Start = monday.AddDate(0, 0, -7) }, rooms.CodeInvalid, "start"},
		"far ahead":        {func(in *BookInput) { in.Start = monday.AddDate(0, 0, 98).Add(9 * time.Hour) }, rooms.CodeInvalid, "start"},
		"between slots":    {func(in *BookInput) { in.Start = at("09:10") }, rooms.CodeInvalid, "start"},
		"no start":         {func(in *BookInput) { in.Start = time.Time{} }, rooms.CodeInvalid, "start"},
		"nobody's doctor":  {func(in *BookInput) { in.DoctorID = bo.User.ID }, rooms.CodeNotFound, ""},
		"not offered":      {func(in *BookInput) { in.Service, in.PriorDiagnosis, in.Medium = account.Followup, "x", account.Voice }, rooms.CodeInvalid, "service"},
		"no complaint":     {func(in *BookInput) { in.Complaint = "" }, rooms.CodeInvalid, "complaint"},
		"someone's child":  {func(in *BookInput) { in.PatientID = "nobody" }, rooms.CodeNotFound, ""},
		"no such medium":   {func(in *BookInput) { in.Medium = "telepathy" }, rooms.CodeInvalid, "medium"},
		"an id with space": {func(in *BookInput) { in.ID = "a b" }, rooms.CodeInvalid, "id"},
	} {
		in := good
		c.change(&in)
		_, err := roomstest.Ask(w, bo.As, Book, in)
		var e *rooms.Error
		if !errors.As(err, &e) || e.Code != c.code || e.Field != c.field {
			t.Errorf("%s: %v, want %s on %q", name, err, c.code, c.field)
		}
	}
	if _, err := w.Catalogue.Answer(t.Context(), bo.As, Book.Name, json.RawMessage(`{"start":"tomorrow"}`)); err == nil || !strings.Contains(err.Error(), "(start)") {
		t.Errorf("a start that is no time: %v", err)
	}
	if got := slots(bo, doctor); got != "09:00×1 09:30×1" {
		t.Errorf("something was taken: %s", got)
	}
}

func TestSaveSchedule(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t)
	doctor := w.Doctor("wang")
	v := works(doctor, "09:00", "10:00", 1)
	stale := v.Version - 1
	good := Rule{Weekday: 1, Start: "09:00", End: "10:00", SlotMinutes: 30, Capacity: 1, Media: []account.Medium{account.Text}}
	with := func(change func(*Rule)) []Rule {
		r := good
		change(&r)
		return []Rule{r}
	}
	for name, c := range map[string]struct {
		in    ScheduleInput
		code  rooms.Code
		field string
	}{
		"stale":        {ScheduleInput{TimeZone: "UTC", Version: &stale}, rooms.CodeConflict, "version"},
		"zone":         {ScheduleInput{TimeZone: "Mars/Base"}, rooms.CodeInvalid, "timeZone"},
		"no zone":      {ScheduleInput{}, rooms.CodeInvalid, "timeZone"},
		"end first":    {ScheduleInput{TimeZone: "UTC", Rules: with(func(r *Rule) { r.End = "08:00" })}, rooms.CodeInvalid, "rules[0].end"},
		"no clock":     {ScheduleInput{TimeZone: "UTC", Rules: with(func(r *Rule) { r.Start = "9:00" })}, rooms.CodeInvalid, "rules[0].start"},
		"24:30":        {ScheduleInput{TimeZone: "UTC", Rules: with(func(r *Rule) { r.End = "24:30" })}, rooms.CodeInvalid, "rules[0].end"},
		"weekday":      {ScheduleInput{TimeZone: "UTC", Rules: with(func(r *Rule) { r.Weekday = 0 })}, rooms.CodeInvalid, "rules[0].weekday"},
		"slot":         {ScheduleInput{TimeZone: "UTC", Rules: with(func(r *Rule) { r.SlotMinutes = 0 })}, rooms.CodeInvalid, "rules[0].slotMinutes"},
		"slot too big": {ScheduleInput{TimeZone: "UTC", Rules: with(func(r *Rule) { r.SlotMinutes = 90 })}, rooms.CodeInvalid, "rules[0].slotMinutes"},
		"capacity":     {ScheduleInput{TimeZone: "UTC", Rules: with(func(r *Rule) { r.Capacity = 0 })}, rooms.CodeInvalid, "rules[0].capacity"},
		"media":        {ScheduleInput{TimeZone: "UTC", Rules: with(func(r *Rule) { r.Media = nil })}, rooms.CodeInvalid, "rules[0].media"},
		"day":          {ScheduleInput{TimeZone: "UTC", Rules: with(func(r *Rule) { r.ValidFrom = "2026-13-01" })}, rooms.CodeInvalid, "rules[0].validFrom"},
		"overlap":      {ScheduleInput{TimeZone: "UTC", Rules: append(with(func(*Rule) {}), with(func(r *Rule) { r.Start, r.End = "09:30", "11:00" })...)}, rooms.CodeInvalid, "rules[1].start"},
	} {
		_, err := roomstest.Ask(w, doctor.As, SaveSchedule, c.in)
		var e *rooms.Error
		if !errors.As(err, &e) || e.Code != c.code || e.Field != c.field {
			t.Errorf("%s: %v, want %s on %q", name, err, c.code, c.field)
		}
	}
	if got := roomstest.Must(doctor, ReadSchedule, rooms.Nothing{}); got.Version != v.Version || len(got.Rules) != 1 {
		t.Errorf("something changed: %+v", got)
	}
	bo := w.Patient("bo")
	if code := roomstest.Code(bo, SaveSchedule, ScheduleInput{TimeZone: "UTC"}); code != rooms.CodeForbidden {
		t.Errorf("a patient's schedule: %q", code)
	}
}

// Changing the rules orphans no booking: it stays, and takes its time from
// slots that now lie across it.
func TestRulesChangeAroundABooking(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t)
	doctor, bo := w.Doctor("wang"), w.Patient("bo")
	works(doctor, "09:00", "10:00", 1)
	b := roomstest.Must(bo, Book, booking(doctor, "09:30"))
	roomstest.Must(doctor, SaveSchedule, ScheduleInput{TimeZone: "UTC", Rules: []Rule{
		{Weekday: 1, Start: "09:15", End: "11:15", SlotMinutes: 30, Capacity: 1, Media: []account.Medium{account.Text}}}})
	if got := slots(bo, doctor); got != "09:15×0 09:45×0 10:15×1 10:45×1" {
		t.Errorf("slots: %s", got)
	}
	roomstest.Must(doctor, SaveSchedule, ScheduleInput{TimeZone: "UTC"})
	if a := reads(bo, b.Appointment.ID); a.Status != Booked || !a.Start.Equal(at("09:30")) {
		t.Errorf("the appointment became %+v", a)
	}
}

func TestFromBookingToFulfilment(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t)
	doctor, bo := w.Doctor("wang"), w.Patient("bo")
	works(doctor, "09:00", "10:00", 1)
	b := roomstest.Must(bo, Book, booking(doctor, "09:00"))
	ref, c := AppointmentRef{AppointmentID: b.Appointment.ID}, consultation.Input{ConsultationID: b.Consultation.ID}
	if b.Appointment.Status != Booked || b.Consultation.Status != consultation.Waiting {
		t.Fatalf("booked: %+v", b)
	}
	w.Passes(at("08:44").Sub(w.Now()))
	if code := roomstest.Code(bo, CheckIn, ref); code != rooms.CodeConflict {
		t.Errorf("checked in 16 minutes before: %q", code)
	}
	if code := roomstest.Code(doctor, consultation.Accept, c); code != rooms.CodeConflict {
		t.Errorf("admitted before check-in: %q", code)
	}
	if q := bo.Sees(b.Consultation.ID).Queue; q != nil {
		t.Errorf("in the queue before check-in: %+v", q)
	}
	if joined := roomstest.Must(bo, consultation.Join, consultation.JoinInput{ConsultationID: c.ConsultationID}); joined.Consultation.Queue != nil {
		t.Errorf("joined before check-in, in the queue: %+v", joined.Consultation.Queue)
	}
	w.Passes(time.Minute)
	if a := roomstest.Must(bo, CheckIn, ref); a.Status != CheckedIn {
		t.Errorf("checked in: %+v", a)
	}
	if q := bo.Sees(b.Consultation.ID).Queue; q == nil || q.Position != 1 {
		t.Errorf("in the queue after check-in: %+v", q)
	}
	roomstest.Must(doctor, consultation.Accept, c)
	if a := reads(bo, ref.AppointmentID); a.Status != InProgress {
		t.Errorf("admitted: %s", a.Status)
	}
	roomstest.Must(doctor, consultation.End, consultation.EndInput{ConsultationID: c.ConsultationID})
	if a := reads(doctor, ref.AppointmentID); a.Status != Fulfilled {
		t.Errorf("ended: %s", a.Status)
	}
	if code := roomstest.Code(w.Patient("jing"), ReadAppointment, ref); code != rooms.CodeNotFound {
		t.Errorf("read by a stranger: %q", code)
	}
}

func TestNoShow(t *testing.T) {
	t.Parallel()
	for _, comes := range []bool{false, true} {
		w := roomstest.New(t)
		doctor, bo := w.Doctor("wang"), w.Patient("bo")
		works(doctor, "09:00", "10:00", 1)
		id := roomstest.Must(bo, Book, booking(doctor, "09:00")).Appointment.ID
		w.Passes(at("09:00").Sub(w.Now()))
		want := ThePatient
		if comes {
			roomstest.Must(bo, CheckIn, AppointmentRef{AppointmentID: id})
			want = TheDoctor
		}
		w.Passes(14 * time.Minute)
		if a := reads(bo, id); !a.Status.Open() {
			t.Errorf("after 14 minutes: %s", a.Status)
		}
		w.Passes(time.Minute)
		if a := reads(bo, id); a.Status != NoShow || a.EndedBy != want {
			t.Errorf("patient there %v: %s by %s, want no_show by %s", comes, a.Status, a.EndedBy, want)
		}
	}
}

// A hold runs out although nobody was running when it was due.
func TestHoldExpires(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t)
	doctor, bo := w.Doctor("wang"), w.Patient("bo")
	works(doctor, "09:00", "10:00", 1)
	in := booking(doctor, "09:00")
	in.Medium = account.Video // costs something
	b := roomstest.Must(bo, Book, in)
	if b.Appointment.Status != Held || b.Consultation.Status != consultation.PendingPayment {
		t.Fatalf("unpaid: %+v", b)
	}
	if got := slots(bo, doctor); got != "09:00×0 09:30×1" {
		t.Errorf("while held: %s", got)
	}
	w.Restarts(20 * time.Minute) // it came due in between
	w.Passes(0)
	if a := reads(bo, b.Appointment.ID); a.Status != HoldExpired {
		t.Errorf("unpaid for 15 minutes: %s", a.Status)
	}
	if got := slots(bo, doctor); got != "09:00×1 09:30×1" {
		t.Errorf("after that: %s", got)
	}
}

func TestCancelPolicy(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		before   time.Duration
		byDoctor bool
		percent  int
	}{{24 * time.Hour, false, 100}, {24*time.Hour - time.Minute, false, 50}, {2 * time.Hour, false, 50}, {2*time.Hour - time.Minute, false, 0}, {time.Minute, true, 100}} {
		w := roomstest.New(t)
		doctor, bo := w.Doctor("wang"), w.Patient("bo")
		price := []account.DoctorService{{Service: account.Advice, Medium: account.Text, Price: 9900, Currency: "CNY", Minutes: 30}}
		roomstest.Must(doctor, account.UpdateDoctor, account.DoctorChange{Services: &price})
		roomstest.Must(doctor, SaveSchedule, ScheduleInput{TimeZone: "UTC", Rules: []Rule{{Weekday: 3, Start: "09:00", End: "10:00", SlotMinutes: 30, Capacity: 1, Media: []account.Medium{account.Text}}}})
		in := booking(doctor, "09:00")
		in.Start = in.Start.AddDate(0, 0, 2)
		a := roomstest.Must(bo, Book, in).Appointment
		bo.Pays(a.ConsultationID)
		w.Passes(a.Start.Add(-c.before).Sub(w.Now()))
		who, by := bo, ThePatient
		if c.byDoctor {
			who, by = doctor, TheDoctor
		}
		got := roomstest.Must(who, Cancel, CancelInput{AppointmentID: a.ID, Reason: "because"})
		if got.Status != Cancelled || got.RefundPercent != c.percent || got.EndedBy != by {
			t.Errorf("%v before, by the doctor %v: %s, %d %% by %s; want %d %%", c.before, c.byDoctor, got.Status, got.RefundPercent, got.EndedBy, c.percent)
		}
		if code := roomstest.Code(who, Cancel, CancelInput{AppointmentID: a.ID}); code != rooms.CodeConflict {
			t.Errorf("cancelled twice: %q", code)
		}
	}
}

func TestReschedule(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t)
	doctor, bo, jing := w.Doctor("wang"), w.Patient("bo"), w.Patient("jing")
	works(doctor, "09:00", "11:00", 1)
	a := roomstest.Must(bo, Book, booking(doctor, "09:00")).Appointment
	roomstest.Must(jing, Book, booking(doctor, "10:00"))
	move := func(clock string) rooms.Code {
		return roomstest.Code(bo, Reschedule, RescheduleInput{AppointmentID: a.ID, Start: at(clock)})
	}
	for clock, want := range map[string]rooms.Code{"10:00": rooms.CodeConflict, "09:10": rooms.CodeInvalid, "09:00": rooms.CodeInvalid, "14:00": rooms.CodeInvalid} {
		if code := move(clock); code != want {
			t.Errorf("moved to %s: %q, want %q", clock, code, want)
		}
	}
	if got := reads(bo, a.ID); !got.Start.Equal(at("09:00")) || got.Reschedules != 0 || slots(bo, doctor) != "09:00×0 09:30×1 10:00×0 10:30×1" {
		t.Errorf("a move that failed left %+v and %s", got, slots(bo, doctor))
	}
	if code := move("09:30"); code != "" {
		t.Fatal(code)
	}
	if got := slots(bo, doctor); got != "09:00×1 09:30×0 10:00×0 10:30×1" {
		t.Errorf("after a move: %s", got)
	}
	if code := roomstest.Code(jing, Reschedule, RescheduleInput{AppointmentID: a.ID, Start: at("10:30")}); code != rooms.CodeNotFound {
		t.Errorf("someone else's appointment: %q", code)
	}
	move("10:30")
	if code := move("09:00"); code != rooms.CodeConflict {
		t.Errorf("a third move: %q", code)
	}
	w.Passes(at("08:31").Sub(w.Now()))
	late := roomstest.Must(w.Patient("li"), Book, booking(doctor, "09:30")).Appointment
	if code := roomstest.Code(&roomstest.Person{W: w, As: rooms.Actor{UserID: late.UserID, Role: rooms.RolePatient}}, Reschedule,
		RescheduleInput{AppointmentID: late.ID, Start: at("09:00")}); code != rooms.CodeConflict {
		t.Errorf("an hour before: %q", code)
	}
}

// A leave over 30 bookings: the preview changes nothing; then who can be
// offered something is, consents count, and the rest is cancelled.
func TestLeave(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t)
	doctor, other := w.Doctor("wang"), w.Doctor("li")
	works(doctor, "09:00", "24:00", 1)                                                 // 30 slots
	roomstest.Must(doctor, SaveSchedule, ScheduleInput{TimeZone: "UTC", Rules: []Rule{ // and 10 two days later
		{Weekday: 1, Start: "09:00", End: "24:00", SlotMinutes: 30, Capacity: 1, Media: []account.Medium{account.Text}},
		{Weekday: 3, Start: "09:00", End: "14:00", SlotMinutes: 30, Capacity: 1, Media: []account.Medium{account.Text}, ValidUntil: "2026-11-04"}}})
	works(other, "09:00", "14:00", 1) // 10 at the same time
	var ids []AppointmentID
	patients := map[AppointmentID]*roomstest.Person{}
	for i := range 30 {
		p := w.Patient(fmt.Sprint("p", i))
		in := booking(doctor, "09:00")
		in.Start = in.Start.Add(time.Duration(i) * 30 * time.Minute)
		id := roomstest.Must(p, Book, in).Appointment.ID
		ids, patients[id] = append(ids, id), p
	}
	leave := ExceptionInput{Kind: TimeOff, Start: monday, End: monday.AddDate(0, 0, 1), Note: "ill", SubstituteID: other.User.ID}
	count := func(list []Appointment) string {
		n := map[string]int{}
		for _, a := range list {
			what := string(a.Status)
			if a.Offer != nil {
				what += " " + a.Offer.DoctorName
			}
			n[what]++
		}
		return fmt.Sprint(n)
	}
	want := "map[cancelled:10 reassign_pending li:10 reassign_pending wang:10]"
	// Next Monday's slots would do for the last ten, were they not past the two weeks: end the rule.
	v := roomstest.Must(doctor, ReadSchedule, rooms.Nothing{})
	v.Rules[0].ValidUntil = "2026-11-02"
	roomstest.Must(doctor, SaveSchedule, ScheduleInput{TimeZone: "UTC", Rules: v.Rules})
	if got := count(roomstest.Must(doctor, PreviewException, leave).Affected); got != want {
		t.Errorf("preview: %s, want %s", got, want)
	}
	if a := reads(patients[ids[0]], ids[0]); a.Status != Booked {
		t.Errorf("the preview made it %s", a.Status)
	}
	if got := count(roomstest.Must(doctor, AddException, leave).Affected); got != want {
		t.Errorf("leave: %s, want %s", got, want)
	}
	// The first ten were offered the substitute; the first accepts, the second declines, the rest says nothing.
	first := roomstest.Must(patients[ids[0]], AcceptOffer, AppointmentRef{AppointmentID: ids[0]})
	if first.Status != Booked || first.DoctorID != other.User.ID || !first.Start.Equal(at("09:00")) {
		t.Errorf("accepted: %+v", first)
	}
	if code := roomstest.Code(other, consultation.Read, consultation.Input{ConsultationID: first.ConsultationID}); code != "" {
		t.Errorf("the substitute cannot read the consultation: %s", code)
	}
	if code := roomstest.Code(doctor, consultation.Read, consultation.Input{ConsultationID: first.ConsultationID}); code != rooms.CodeNotFound {
		t.Errorf("the doctor who left still can: %q", code)
	}
	second := roomstest.Must(patients[ids[1]], DeclineOffer, AppointmentRef{AppointmentID: ids[1]})
	if second.Status != Cancelled || second.EndedBy != TheDoctor {
		t.Errorf("declined: %+v", second)
	}
	if code := roomstest.Code(patients[ids[1]], AcceptOffer, AppointmentRef{AppointmentID: ids[1]}); code != rooms.CodeConflict {
		t.Errorf("accepted after declining: %q", code)
	}
	w.Passes(24 * time.Hour)
	var left []Appointment
	for id, p := range patients {
		left = append(left, reads(p, id))
	}
	// The one with the substitute was at 09:00 today and nobody came: it is noon.
	if got := count(left); got != "map[cancelled:29 no_show:1]" {
		t.Errorf("a day later: %s", got)
	}
}

func TestWaitlist(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t)
	doctor, bo, jing, li := w.Doctor("wang"), w.Patient("bo"), w.Patient("jing"), w.Patient("li")
	works(doctor, "09:00", "09:30", 1)
	a := roomstest.Must(bo, Book, booking(doctor, "09:00")).Appointment
	wait := WaitInput{DoctorID: doctor.User.ID, From: monday, To: monday.AddDate(0, 0, 1), Medium: account.Text, Service: account.Advice, Complaint: "cough"}
	first := roomstest.Must(jing, JoinWaitlist, wait)
	w.Passes(time.Second)
	second := roomstest.Must(li, JoinWaitlist, wait)
	if first.Status != WaitWaiting {
		t.Fatalf("joined: %+v", first)
	}
	status := func(p *roomstest.Person) WaitStatus {
		return roomstest.Must(p, Waitlist, rooms.Nothing{}).Items[0].Status
	}
	roomstest.Must(bo, Cancel, CancelInput{AppointmentID: a.ID})
	if status(jing) != WaitOffered || status(li) != WaitWaiting {
		t.Errorf("after the cancellation: %s and %s", status(jing), status(li))
	}
	if got := slots(bo, doctor); got != "09:00×0" {
		t.Errorf("what is kept for someone is shown as free: %s", got)
	}
	if code := roomstest.Code(li, TakeOffer, WaitRef{WaitID: first.ID}); code != rooms.CodeNotFound {
		t.Errorf("someone else's offer: %q", code)
	}
	w.Passes(30 * time.Minute) // no answer: the next one's turn
	if status(jing) != WaitLeft || status(li) != WaitOffered {
		t.Errorf("half an hour later: %s and %s", status(jing), status(li))
	}
	if code := roomstest.Code(jing, TakeOffer, WaitRef{WaitID: first.ID}); code != rooms.CodeConflict {
		t.Errorf("too late: %q", code)
	}
	b := roomstest.Must(li, TakeOffer, WaitRef{WaitID: second.ID})
	if b.Appointment.Status != Booked || !b.Appointment.Start.Equal(at("09:00")) || status(li) != WaitTaken {
		t.Errorf("taken: %+v", b.Appointment)
	}
	if n := len(w.Events(rooms.UserRoom(li.User.ID))); n != 2 {
		t.Errorf("told %d times, want offered and taken", n)
	}
}

// Clients that watch a doctor's slots receive each change of a slot after it is
// committed.
func TestWatchersReceiveChangesOfSlots(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t)
	doctor, bo := w.Doctor("wang"), w.Patient("bo")
	works(doctor, "09:00", "10:00", 1)
	a := roomstest.Must(bo, Book, booking(doctor, "09:00")).Appointment
	if code := roomstest.Code(w.Patient("jing"), Book, booking(doctor, "09:00")); code != rooms.CodeConflict {
		t.Fatal(code)
	}
	roomstest.Must(bo, Cancel, CancelInput{AppointmentID: a.ID})
	var told []string
	for _, n := range w.Signals(Room(doctor.User.ID), SlotUpdated.Name) {
		var c SlotChange
		if err := json.Unmarshal(n.Data, &c); err != nil {
			t.Fatal(err)
		}
		told = append(told, fmt.Sprint(c.Start.Format("15:04"), "×", c.Available))
	}
	if fmt.Sprint(told) != "[09:00×0 09:00×1]" {
		t.Errorf("told: %v", told)
	}
	if n := len(w.Signals(Room(doctor.User.ID), ScheduleUpdated.Name)); n != 1 {
		t.Errorf("told %d times that the schedule changed", n)
	}
}

func TestCalendarFeed(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t)
	doctor, bo := w.Doctor("wang"), w.Patient("bo")
	works(doctor, "09:00", "10:00", 1)
	a := roomstest.Must(bo, Book, booking(doctor, "09:00")).Appointment
	feed := func(p *roomstest.Person) *ics.Calendar {
		t.Helper()
		url := roomstest.Must(p, account.Me, rooms.Nothing{}).CalendarURL
		token := strings.TrimSuffix(strings.TrimPrefix(url, "/calendar/"), ".ics")
		text, err := roomstest.Ask(w, rooms.Actor{}, Calendar, CalendarInput{Token: token})
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range strings.Split(text, "\r\n") {
			if len(line) > 75 || strings.Contains(line, "\n") {
				t.Errorf("a line of %d octets: %q", len(line), line)
			}
		}
		cal, err := ics.ParseCalendar(strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		return cal
	}
	event := func(p *roomstest.Person) (uid, status, sequence string, start time.Time) {
		t.Helper()
		list := feed(p).Events()
		if len(list) != 1 {
			t.Fatalf("%d events", len(list))
		}
		start, err := list[0].GetStartAt()
		if err != nil {
			t.Fatal(err)
		}
		return list[0].Id(), list[0].GetProperty(ics.ComponentPropertyStatus).Value, list[0].GetProperty(ics.ComponentPropertySequence).Value, start
	}
	uid, status, sequence, start := event(bo)
	if uid != string(a.ID)+"@wenzhen" || status != "CONFIRMED" || sequence != "0" || !start.Equal(a.Start) {
		t.Errorf("booked: %s %s %s %s", uid, status, sequence, start)
	}
	roomstest.Must(bo, Cancel, CancelInput{AppointmentID: a.ID})
	if again, status, sequence, _ := event(doctor); again != uid || status != "CANCELLED" || sequence != "1" {
		t.Errorf("cancelled, for the doctor: %s %s %s", again, status, sequence)
	}
	before := roomstest.Must(bo, account.Me, rooms.Nothing{}).CalendarURL
	if after := roomstest.Must(bo, account.RotateCalendar, rooms.Nothing{}).CalendarURL; after == before {
		t.Error("the address did not change")
	}
	old := strings.TrimSuffix(strings.TrimPrefix(before, "/calendar/"), ".ics")
	for _, token := range []string{old, "", "guess"} {
		if _, err := roomstest.Ask(w, rooms.Actor{}, Calendar, CalendarInput{Token: token}); rooms.CodeOf(err) != rooms.CodeNotFound {
			t.Errorf("token %q: %v", token, err)
		}
	}
}

func TestExceptions(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t)
	doctor, bo := w.Doctor("wang"), w.Patient("bo")
	works(doctor, "09:00", "10:00", 1)
	extra := roomstest.Must(doctor, AddException, ExceptionInput{Kind: Extra, Start: at("09:45"), End: at("11:00"), SlotMinutes: 15, Capacity: 2, Media: []account.Medium{account.Text}})
	if got := slots(bo, doctor); got != "09:00×1 09:30×1 10:00×2 10:15×2 10:30×2 10:45×2" {
		t.Errorf("with extra hours: %s", got)
	}
	off := roomstest.Must(doctor, AddException, ExceptionInput{Kind: TimeOff, Start: at("09:40"), End: at("10:40")})
	if got := slots(bo, doctor); got != "09:00×1 10:45×2" {
		t.Errorf("with time off: %s", got)
	}
	for _, id := range []ExceptionID{extra.Exception.ID, off.Exception.ID} {
		roomstest.Must(doctor, RemoveException, ExceptionRef{ExceptionID: id})
	}
	if got := slots(bo, doctor); got != "09:00×1 09:30×1" {
		t.Errorf("without: %s", got)
	}
	for name, in := range map[string]ExceptionInput{
		"kind":        {Kind: "party", Start: at("09:00"), End: at("10:00")},
		"end":         {Kind: TimeOff, Start: at("10:00"), End: at("09:00")},
		"start":       {Kind: TimeOff, End: at("09:00")},
		"slotMinutes": {Kind: Extra, Start: at("09:00"), End: at("10:00"), Capacity: 1, Media: []account.Medium{account.Text}},
	} {
		_, err := roomstest.AskWith(context.Background(), w, doctor.As, AddException, in)
		var e *rooms.Error
		if !errors.As(err, &e) || e.Code != rooms.CodeInvalid || e.Field != name {
			t.Errorf("%s: %v", name, err)
		}
	}
	if code := roomstest.Code(w.Doctor("li"), RemoveException, ExceptionRef{ExceptionID: off.Exception.ID}); code != rooms.CodeNotFound {
		t.Errorf("someone else's exception: %q", code)
	}
}
