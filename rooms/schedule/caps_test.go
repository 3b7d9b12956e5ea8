package schedule_test

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"wenzhen/rooms"
	"wenzhen/rooms/account"
	"wenzhen/rooms/consultation"
	"wenzhen/rooms/roomstest"
	. "wenzhen/rooms/schedule"
)

// quarters gives a doctor 96 slots on Monday.
func quarters(d *roomstest.Person) {
	d.W.T.Helper()
	roomstest.Must(d, SaveSchedule, ScheduleInput{TimeZone: "UTC", Rules: []Rule{
		{Weekday: 1, Start: "00:00", End: "24:00", SlotMinutes: 15, Capacity: 1, Media: []account.Medium{account.Text, account.Video}}}})
}

// atOnce does the same 90 times at the same instant, and counts what became of it.
func atOnce(t *testing.T, do func(i int) error) (won, refused int) {
	t.Helper()
	var good, bad atomic.Int32
	var group sync.WaitGroup
	for i := range 90 {
		group.Go(func() {
			switch err := do(i); rooms.CodeOf(err) {
			case "":
				good.Add(1)
			case rooms.CodeConflict, rooms.CodeRateLimited:
				bad.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	group.Wait()
	return int(good.Load()), int(bad.Load())
}

// One person holds five unpaid slots, however many are asked for at once, and
// twenty a day (SEC-19).
func TestUnpaidHoldsAreCapped(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t)
	wang, bo, li := w.Doctor("wang"), w.Patient("bo"), w.Patient("li")
	quarters(wang)
	slot := func(i int) BookInput {
		return BookInput{DoctorID: wang.User.ID, Start: monday.Add(time.Duration(i) * 15 * time.Minute), Medium: account.Video, Service: account.Advice, Complaint: "headache"}
	}
	won, refused := atOnce(t, func(i int) error {
		_, err := roomstest.Ask(w, bo.As, Book, slot(i))
		return err
	})
	if won != 5 || refused != 85 {
		t.Fatalf("%d slots held and %d refused, want 5 and 85", won, refused)
	}
	_, err := roomstest.Ask(w, bo.As, consultation.Open, consultation.OpenInput{DoctorID: wang.User.ID, Service: account.Advice, Medium: account.Video, Complaint: "x"})
	if rooms.CodeOf(err) != rooms.CodeConflict || !strings.Contains(err.Error(), "pay or cancel one first") {
		t.Errorf("a sixth without a slot: %v", err)
	}
	if code := roomstest.Code(li, Book, slot(95)); code != "" {
		t.Errorf("another person is refused: %q", code)
	}
	total := won
	for range 20 {
		for _, a := range roomstest.Must(bo, Appointments, AppointmentFilter{Limit: 100}).Items {
			if a.Status == Held {
				roomstest.Must(bo, Cancel, CancelInput{AppointmentID: a.ID})
			}
		}
		if _, err = roomstest.Ask(w, bo.As, Book, slot(90)); err != nil {
			break
		}
		total++
	}
	if total != 20 || rooms.CodeOf(err) != rooms.CodeRateLimited {
		t.Errorf("%d holds in a day, then %v", total, err)
	}
	w.Passes(25 * time.Hour)
	if code := roomstest.Code(bo, consultation.Open, consultation.OpenInput{DoctorID: wang.User.ID, Service: account.Advice, Medium: account.Video, Complaint: "x"}); code != "" {
		t.Errorf("the next day: %q", code)
	}
}

// One person has ten free consultations open, booked slots included (SEC-42).
func TestFreeConsultationsAreCapped(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t)
	wang, bo := w.Doctor("wang"), w.Patient("bo")
	quarters(wang)
	open := consultation.OpenInput{DoctorID: wang.User.ID, Service: account.Advice, Medium: account.Text, Complaint: "x"}
	won, _ := atOnce(t, func(i int) (err error) {
		if i%2 == 0 {
			_, err = roomstest.Ask(w, bo.As, consultation.Open, open)
			return err
		}
		_, err = roomstest.Ask(w, bo.As, Book, BookInput{DoctorID: wang.User.ID, Start: monday.Add(time.Duration(i) * 15 * time.Minute), Medium: account.Text, Service: account.Advice, Complaint: "x"})
		return err
	})
	if won != 10 {
		t.Fatalf("%d free consultations are open, want 10", won)
	}
	_, err := roomstest.Ask(w, bo.As, consultation.Open, open)
	if rooms.CodeOf(err) != rooms.CodeConflict || !strings.Contains(err.Error(), "10 free consultations open") {
		t.Errorf("an eleventh: %v", err)
	}
	for range 40 { // one after the other is bounded by the day
		var first consultation.Consultation
		for _, c := range roomstest.Must(bo, consultation.List, consultation.Filter{Status: consultation.Waiting, Limit: 1}).Items {
			first = c
		}
		roomstest.Must(bo, consultation.Cancel, consultation.ReasonInput{ConsultationID: first.ID})
		if _, err = roomstest.Ask(w, bo.As, consultation.Open, open); err != nil {
			break
		}
	}
	if rooms.CodeOf(err) != rooms.CodeRateLimited {
		t.Errorf("no end of free consultations in a day: %v", err)
	}
}

// What one person sends is bounded, whether or not there is such a person, and
// what becomes of it.
func TestInvitationsOfOneSenderAreCapped(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t)
	bo, _, id := w.Talk()
	var err error
	n := 0
	for ; n < 100 && rooms.CodeOf(err) != rooms.CodeRateLimited; n++ {
		_, err = roomstest.Ask(w, bo.As, consultation.Invite, consultation.InviteInput{ConsultationID: id, Email: "nobody@example.org", Role: consultation.PartColleague})
	}
	if n != consultation.UsualCaps.Invitations+1 {
		t.Errorf("%d invitations of one sender", n)
	}
}

// What one person is sent is bounded as well. What is refused or repeated is not
// counted, and a doctor may still invite a colleague whom others invite too.
func TestInvitationsToOnePersonAreCapped(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t)
	wang, aunt := w.Doctor("wang"), w.Patient("aunt")
	invite := func(by *roomstest.Person, id consultation.ID) rooms.Code {
		return roomstest.Code(by, consultation.Invite, consultation.InviteInput{ConsultationID: id, UserID: aunt.User.ID, Role: consultation.PartRelative})
	}
	for n := range consultation.UsualCaps.Invited + 1 {
		patient := w.Patient(fmt.Sprint("patient", n))
		id := patient.Consults(wang, "a headache")
		if n == 0 {
			for range consultation.UsualCaps.Invited {
				if code := invite(patient, "no-such"); code != rooms.CodeNotFound {
					t.Fatalf("into no consultation: %q", code)
				}
			}
		}
		for range 2 {
			want := rooms.Code("")
			if n == consultation.UsualCaps.Invited {
				want = rooms.CodeRateLimited
			}
			if code := invite(patient, id); code != want {
				t.Errorf("invitation %d: %q, want %q", n, code, want)
			}
		}
		if n == consultation.UsualCaps.Invited {
			wang.Accepts(id)
			if code := invite(wang, id); code != "" {
				t.Errorf("the doctor's invitation: %q", code)
			}
		}
	}
}

// Strangers cannot use up what a person may be sent: not from consultations that a
// doctor has accepted, and none of them alone.
func TestStrangersDoNotUseUpInvitations(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t)
	wang, li, aunt := w.Doctor("wang"), w.Doctor("li"), w.Patient("aunt")
	invite := func(by, whom *roomstest.Person, id consultation.ID) rooms.Code {
		return roomstest.Code(by, consultation.Invite, consultation.InviteInput{ConsultationID: id, UserID: whom.User.ID, Role: consultation.PartRelative})
	}
	alone := w.Patient("alone")
	most := consultation.UsualCaps.Invited / 4
	for n := range most + 1 {
		want := rooms.Code("")
		if n == most {
			want = rooms.CodeRateLimited
		}
		if code := invite(alone, li, alone.Consults(wang, fmt.Sprint("a matter ", n))); code != want {
			t.Errorf("invitation %d of one stranger: %q, want %q", n, code, want)
		}
	}
	for n := range consultation.UsualCaps.Invited {
		stranger := w.Patient(fmt.Sprint("stranger", n))
		if code := invite(stranger, aunt, stranger.Consults(wang, "nothing")); code != "" {
			t.Fatalf("stranger %d: %q", n, code)
		}
	}
	bo := w.Patient("bo")
	id := bo.Consults(wang, "a headache")
	if code := invite(bo, aunt, id); code != rooms.CodeRateLimited {
		t.Errorf("before the doctor has accepted: %q", code)
	}
	wang.Accepts(id)
	if code := invite(bo, aunt, id); code != "" {
		t.Errorf("once the doctor has accepted: %q", code)
	}
}

// A doctor who is off duty is not asked at once, and can be booked (SEC-41, FLD-18).
func TestOffDutyDoctorsAreBookedOnly(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t)
	wang, bo := w.Doctor("wang"), w.Patient("bo")
	works(wang, "09:00", "10:00", 1)
	roomstest.Must(wang, account.UpdateDoctor, account.DoctorChange{OnDuty: new(false)})
	for _, medium := range []account.Medium{account.Text, account.Video} {
		_, err := roomstest.Ask(w, bo.As, consultation.Open, consultation.OpenInput{DoctorID: wang.User.ID, Service: account.Advice, Medium: medium, Complaint: "x"})
		if rooms.CodeOf(err) != rooms.CodeConflict || !strings.Contains(err.Error(), "off duty") {
			t.Errorf("by %s: %v", medium, err)
		}
	}
	if list := roomstest.Must(bo, consultation.List, consultation.Filter{}).Items; len(list) != 0 {
		t.Errorf("%d consultations came of it", len(list))
	}
	roomstest.Must(bo, Book, booking(wang, "09:00"))
	roomstest.Must(wang, account.UpdateDoctor, account.DoctorChange{OnDuty: new(true)})
	bo.Consults(wang, "headache")
}

// A patient is with one doctor at a time; another in the same care may be with
// another (FLD-19).
func TestAppointmentsOfOnePatientDoNotOverlap(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t)
	wang, li, bo := w.Doctor("wang"), w.Doctor("li"), w.Patient("bo")
	works(wang, "09:00", "12:00", 2)
	roomstest.Must(li, SaveSchedule, ScheduleInput{TimeZone: "UTC", Rules: []Rule{
		{Weekday: 1, Start: "08:45", End: "12:00", SlotMinutes: 45, Capacity: 2, Media: []account.Medium{account.Text}}}}) // 08:45, 09:30, …
	first := roomstest.Must(bo, Book, booking(wang, "09:00")).Appointment
	_, err := roomstest.Ask(w, bo.As, Book, booking(li, "08:45"))
	if rooms.CodeOf(err) != rooms.CodeConflict || !strings.Contains(err.Error(), string(first.ID)) || !strings.Contains(err.Error(), "wang") {
		t.Errorf("an overlapping appointment: %v", err)
	}
	next := roomstest.Must(bo, Book, booking(li, "09:30")).Appointment // begins as the first ends
	if code := roomstest.Code(bo, Reschedule, RescheduleInput{AppointmentID: next.ID, Start: at("08:45")}); code != rooms.CodeConflict {
		t.Errorf("moved over another: %q", code)
	}
	roomstest.Must(bo, Reschedule, RescheduleInput{AppointmentID: next.ID, Start: at("10:15")})
	child := roomstest.Must(bo, account.AddPatient, account.PatientInput{Name: "jing", Relation: "child"})
	in := booking(li, "08:45")
	in.PatientID = child.ID
	roomstest.Must(bo, Book, in)
	roomstest.Must(bo, Cancel, CancelInput{AppointmentID: first.ID})
	roomstest.Must(bo, Book, booking(wang, "09:30"))
}

// Two doctors at the same time, asked for at the same instant: one is had.
func TestOverlappingBookingsAtOnce(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t)
	bo := w.Patient("bo")
	doctors := []*roomstest.Person{w.Doctor("a"), w.Doctor("b"), w.Doctor("c")}
	for _, d := range doctors {
		works(d, "09:00", "10:00", 100)
	}
	won, _ := atOnce(t, func(i int) error {
		_, err := roomstest.Ask(w, bo.As, Book, booking(doctors[i%len(doctors)], "09:00"))
		return err
	})
	if won != 1 {
		t.Errorf("%d appointments at the same time", won)
	}
}
