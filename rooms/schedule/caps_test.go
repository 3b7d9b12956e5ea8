package schedule_test

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
	"wenzhen.example/rooms/consultation"
	"wenzhen.example/rooms/roomstest"
	. "wenzhen.example/rooms/schedule"
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

// Until a doctor has accepted, one person is let into so many consultations of
// strangers a day. The invitations after that are held, and let the person in
// when the doctor accepts. A doctor may invite a colleague all the same.
func TestInvitationsToOnePersonAreCapped(t *testing.T) {
	t.Parallel()
	for _, address := range []bool{false, true} {
		t.Run(fmt.Sprint("by address ", address), func(t *testing.T) {
			t.Parallel()
			w := roomstest.New(t)
			wang, aunt, li := w.Doctor("wang"), w.Patient("aunt").Verifies(), w.Doctor("li")
			invite := func(by *roomstest.Person, id consultation.ID) (consultation.Admission, error) {
				in := consultation.InviteInput{ConsultationID: id, UserID: aunt.User.ID, Role: consultation.PartRelative}
				if address {
					in.UserID, in.Email = "", aunt.User.Email
				}
				return roomstest.Ask(w, by.As, consultation.Invite, in)
			}
			reads := func(id consultation.ID) rooms.Code {
				return roomstest.Code(aunt, consultation.Read, consultation.Input{ConsultationID: id})
			}
			for n := range consultation.UsualCaps.Invited {
				stranger := w.Patient(fmt.Sprint("stranger", n))
				id := stranger.Consults(wang, "nothing")
				for range 2 {
					if _, err := invite(stranger, id); err != nil {
						t.Fatalf("stranger %d: %v", n, err)
					}
				}
				if code := reads(id); code != "" {
					t.Errorf("stranger %d: reading is %q", n, code)
				}
			}
			bo := w.Patient("bo")
			id := bo.Consults(wang, "a headache")
			for range 2 {
				held, err := invite(bo, id)
				if err != nil || held.Participant != nil || held.Invitation.Status != consultation.InvitationAccepted {
					t.Errorf("the invitation is %+v, %v; want one that has not been used", held, err)
				}
			}
			if code := reads(id); code != rooms.CodeNotFound {
				t.Errorf("before the doctor has accepted, reading is %q", code)
			}
			wang.Accepts(id)
			if code := reads(id); code != "" {
				t.Errorf("once the doctor has accepted, reading is %q", code)
			}
			list := roomstest.Must(bo, consultation.ListInvitations, consultation.Input{ConsultationID: id}).Items
			if len(list) != 1 || list[0].Status != consultation.InvitationEntered {
				t.Errorf("the invitations are %+v, want one that was used", list)
			}
			if told := aunt.Inbox(); !strings.HasPrefix(told[len(told)-1].Title, "bo") {
				t.Errorf("the last notification is %+v, want the invitation by bo", told[len(told)-1])
			}
			if code := roomstest.Code(wang, consultation.Invite, consultation.InviteInput{ConsultationID: id, UserID: li.User.ID, Role: consultation.PartColleague}); code != "" {
				t.Errorf("the doctor's invitation: %q", code)
			}
		})
	}
}

// An invitation that is held can be withdrawn, and lets nobody in who cannot take
// part when the doctor accepts, whom it does not keep from accepting.
func TestHeldInvitationsCanComeToNothing(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t)
	wang, aunt, uncle := w.Doctor("wang"), w.Patient("aunt"), w.Patient("uncle")
	invite := func(by, whom *roomstest.Person, id consultation.ID) consultation.Invitation {
		return roomstest.Must(by, consultation.Invite, consultation.InviteInput{ConsultationID: id, UserID: whom.User.ID, Role: consultation.PartRelative}).Invitation
	}
	for n := range consultation.UsualCaps.Invited {
		stranger := w.Patient(fmt.Sprint("stranger", n))
		id := stranger.Consults(wang, "nothing")
		invite(stranger, aunt, id)
		invite(stranger, uncle, id)
	}
	bo := w.Patient("bo")
	id := bo.Consults(wang, "a headache")
	invite(bo, aunt, id)
	roomstest.Must(bo, consultation.WithdrawInvitation, consultation.InvitationRef{ConsultationID: id, InvitationID: invite(bo, uncle, id).ID})
	admin := w.Admin("ann")
	roomstest.Must(admin, account.SuspendUser, account.UserInput{UserID: aunt.User.ID})
	wang.Accepts(id)
	for _, inv := range roomstest.Must(bo, consultation.ListInvitations, consultation.Input{ConsultationID: id}).Items {
		if want := map[string]consultation.InvitationStatus{"aunt": consultation.InvitationAccepted, "uncle": consultation.InvitationWithdrawn}[inv.Invitee]; inv.Status != want {
			t.Errorf("the invitation of %s is %s, want %s", inv.Invitee, inv.Status, want)
		}
	}
	if code := roomstest.Code(uncle, consultation.Read, consultation.Input{ConsultationID: id}); code != rooms.CodeNotFound {
		t.Errorf("whose invitation was withdrawn reads: %q", code)
	}
}

// One stranger alone does not send anyone all that they may be sent.
func TestOneStrangerSendsFewInvitations(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t)
	wang, li, alone := w.Doctor("wang"), w.Doctor("li"), w.Patient("alone")
	most := consultation.UsualCaps.Invited / 4
	for n := range most + 1 {
		want := rooms.Code("")
		if n == most {
			want = rooms.CodeRateLimited
		}
		in := consultation.InviteInput{ConsultationID: alone.Consults(wang, fmt.Sprint("a matter ", n)), UserID: li.User.ID, Role: consultation.PartRelative}
		if code := roomstest.Code(alone, consultation.Invite, in); code != want {
			t.Errorf("invitation %d of one stranger: %q, want %q", n, code, want)
		}
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
