package consultation_test

import (
	"slices"
	"testing"
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
	"wenzhen.example/rooms/billing"
	. "wenzhen.example/rooms/consultation"
	"wenzhen.example/rooms/notification"
	"wenzhen.example/rooms/roomstest"
	"wenzhen.example/rooms/schedule"
	schedulestore "wenzhen.example/rooms/store/schedule"
)

// scene is a consultation in some state, with a patient and a doctor of its own.
type scene struct {
	name     string
	bo, wang *roomstest.Person
	id       ID
	slot     schedule.AppointmentID // empty without an appointment
	// full lists the situations after which everything that was paid has to be
	// back with the patient; after the others nothing is.
	full []string
}

// The situations that a consultation of any state gets into.
const (
	nothingHappens = "nothing happens"
	doctorGone     = "the doctor is suspended"
	patientGone    = "the patient is suspended"
	bothGone       = "both are suspended"
	doctorRejected = "an admin withdraws the verification"
	doctorRenamed  = "the doctor changes the name"
	changeRejected = "the doctor changes the name, and an admin rejects it"
	adminCloses    = "an admin closes it"
	patientLeaves  = "the patient takes the way out"
	doctorLeaves   = "the doctor takes the way out"
)

var situations = []string{nothingHappens, doctorGone, patientGone, bothGone, doctorRejected, doctorRenamed, changeRejected, adminCloses,
	patientLeaves, doctorLeaves}

// wayOut is how one side ends a consultation in a state. Without a command the
// state ends by itself, after at most that long.
type wayOut struct {
	take   func(s *scene)
	within time.Duration
}

// waysOut are those of patient and doctor, from every state that is not final. A
// state that is missing fails the walk.
var waysOut = map[string]map[Status]wayOut{
	patientLeaves: {
		PendingPayment: {take: func(s *scene) { s.cancels(s.bo) }}, Waiting: {take: func(s *scene) { s.cancels(s.bo) }},
		Active: {take: func(s *scene) { roomstest.Must(s.bo, End, EndInput{ConsultationID: s.id}) }},
		OnHold: {take: func(s *scene) { roomstest.Must(s.bo, End, EndInput{ConsultationID: s.id}) }},
		Ended:  {within: 72 * time.Hour},
	},
	doctorLeaves: {
		PendingPayment: {within: 15 * time.Minute}, // the doctor was not notified of it
		Waiting:        {take: func(s *scene) { s.cancels(s.wang) }},
		Active:         {take: func(s *scene) { s.terminates() }}, OnHold: {take: func(s *scene) { s.terminates() }},
		Ended: {within: 72 * time.Hour},
	},
}

// cancels ends what has not begun, an appointment as one.
func (s *scene) cancels(p *roomstest.Person) {
	in := ReasonInput{ConsultationID: s.id, Reason: "something came up"}
	switch {
	case s.slot != "":
		roomstest.Must(p, schedule.Cancel, schedule.CancelInput{AppointmentID: s.slot})
	case p == s.bo:
		roomstest.Must(p, Cancel, in)
	default:
		roomstest.Must(p, Decline, in)
	}
}

func (s *scene) terminates() {
	roomstest.Must(s.wang, Terminate, ReasonInput{ConsultationID: s.id, Reason: "please go to a hospital"})
}

// stage is all states of a consultation, with those of its order and its
// appointment. It begins on Sunday at noon and ends on Monday at 8:50.
func stage(w *roomstest.World) []*scene {
	w.T.Helper()
	monday := time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)
	var all []*scene
	add := func(name string, full ...string) *scene {
		s := &scene{name: name, bo: w.Patient("p-" + name), wang: w.Doctor("d-" + name), full: full}
		all = append(all, s)
		return s
	}
	paid := func(s *scene, complaint string) *scene {
		s.id = roomstest.Must(s.bo, Open, OpenInput{DoctorID: s.wang.User.ID, Service: account.Advice, Medium: account.Video, Complaint: complaint}).Consultation.ID
		s.bo.Pays(s.id)
		return s
	}
	books := func(s *scene, pays bool) *scene {
		roomstest.Must(s.wang, schedule.SaveSchedule, schedule.ScheduleInput{TimeZone: "UTC", Rules: []schedule.Rule{
			{Weekday: 1, Start: "09:00", End: "10:00", SlotMinutes: 30, Capacity: 1, Media: []account.Medium{account.Video}}}})
		b := roomstest.Must(s.bo, schedule.Book, schedule.BookInput{DoctorID: s.wang.User.ID, Start: monday, Medium: account.Video, Service: account.Advice, Complaint: "at nine"})
		s.id, s.slot = b.Consultation.ID, b.Appointment.ID
		if pays {
			s.bo.Pays(s.id)
		}
		return s
	}
	// Who does not come to an appointment gets nothing back, unless the doctor could
	// not have, nor does who cancels it so late.
	books(add("booked", without(nothingHappens, patientLeaves)...), true)
	checked := books(add("checked-in", without(patientLeaves)...), true)
	begun := books(add("in-progress", situations...), true)
	offered := books(add("reassigned", situations...), true)
	w.Turns(monday.Add(-10 * time.Minute).Sub(w.Now()))
	for _, s := range []*scene{checked, begun} {
		roomstest.Must(s.bo, schedule.CheckIn, schedule.AppointmentRef{AppointmentID: s.slot})
	}
	begun.wang.Accepts(begun.id)
	roomstest.Must(offered.wang, schedule.AddException, schedule.ExceptionInput{Kind: schedule.TimeOff, Start: monday, End: monday.Add(time.Hour)})
	books(add("held"), false)

	pending := add("pending")
	pending.id = roomstest.Must(pending.bo, Open, OpenInput{DoctorID: pending.wang.User.ID, Service: account.Advice, Medium: account.Video, Complaint: "unpaid"}).Consultation.ID
	paid(add("waiting", situations...), "waits")
	silent := paid(add("unanswered", situations...), "nobody answers")
	silent.wang.Accepts(silent.id)
	// What was begun is not delivered without the doctor, nor if the doctor refers the
	// patient elsewhere; a patient who goes has had it.
	undelivered := []string{doctorGone, doctorRejected, changeRejected, doctorLeaves}
	for _, s := range []*scene{add("answered", undelivered...), add("on-hold", undelivered...), add("ended"), add("reopened", doctorLeaves)} {
		paid(s, "answered").wang.Accepts(s.id)
		s.wang.Says(s.id, "good morning")
		switch s.name {
		case "on-hold":
			roomstest.Must(s.wang, Hold, ReasonInput{ConsultationID: s.id})
		case "ended", "reopened":
			roomstest.Must(s.wang, End, EndInput{ConsultationID: s.id})
		}
		if s.name == "reopened" {
			roomstest.Must(s.bo, Reopen, Input{ConsultationID: s.id})
		}
	}
	return all
}

func without(those ...string) []string {
	return slices.DeleteFunc(slices.Clone(situations), func(s string) bool { return slices.Contains(those, s) })
}

// befall brings a situation about, in a state.
func (s *scene) befall(admin *roomstest.Person, situation string, in Status) {
	suspend := func(p *roomstest.Person) {
		roomstest.Must(admin, account.SuspendUser, account.UserInput{UserID: p.User.ID})
	}
	switch situation {
	case doctorGone:
		suspend(s.wang)
	case patientGone:
		suspend(s.bo)
	case bothGone:
		suspend(s.bo)
		suspend(s.wang)
	case doctorRejected:
		roomstest.Must(admin, account.UnverifyDoctor, account.UnverifyDoctorInput{UserID: s.wang.User.ID, Reason: "the licence has expired"})
	case changeRejected:
		s.befall(admin, doctorRenamed, in)
		s.befall(admin, doctorRejected, in)
	case patientLeaves, doctorLeaves:
		way, ok := waysOut[situation][in]
		if !ok {
			admin.W.T.Errorf("%s: %s: there is none from %s", s.name, situation, in)
		} else if way.take != nil {
			way.take(s)
		}
	case doctorRenamed:
		roomstest.Must(s.wang, account.UpdateMe, account.MeInput{Name: new("somebody else")})
	case adminCloses:
		roomstest.Must(admin, Close, CloseInput{ConsultationID: s.id, Reason: "it is stuck"})
	}
}

// status is what an admin sees.
func (s *scene) status(admin *roomstest.Person) Status {
	admin.W.T.Helper()
	list := roomstest.Must(admin, Cases, CaseFilter{Q: string(s.id)}).Items
	if len(list) != 1 {
		admin.W.T.Fatalf("%s: %d cases", s.name, len(list))
	}
	return list[0].Status
}

// No state is a dead end: whatever state a consultation, its order and its
// appointment are in, and whatever befalls its people, it comes to an end by
// itself, the money is where it belongs, and those who are left are free.
func TestNoStateIsADeadEnd(t *testing.T) {
	t.Parallel()
	for _, situation := range situations {
		t.Run(situation, func(t *testing.T) {
			t.Parallel()
			w := roomstest.New(t)
			admin := w.Admin("root")
			scenes := stage(w)
			before := map[*scene]Status{}
			for _, s := range scenes {
				before[s] = s.status(admin)
				s.befall(admin, situation, before[s])
			}
			for _, s := range scenes {
				atOnce(t, s, admin, situation, before[s])
			}
			w.Passes(15 * time.Minute)
			for _, s := range scenes {
				inTime(t, s, admin, situation, before[s], 15*time.Minute)
			}
			w.Passes(72*time.Hour - 15*time.Minute)
			for _, s := range scenes {
				inTime(t, s, admin, situation, before[s], 72*time.Hour)
			}
			for range 13 { // a hold of 7 days, the clock of 2, questions for 3, and a retry
				w.Passes(24 * time.Hour)
			}
			for _, s := range scenes {
				inTheEnd(t, s, admin, situation)
			}
		})
	}
}

// inTime checks that what had a way out by itself alone is over after so long.
func inTime(t *testing.T, s *scene, admin *roomstest.Person, situation string, before Status, after time.Duration) {
	t.Helper()
	way, ok := waysOut[situation][before]
	if ok && way.take == nil && way.within <= after && !s.status(admin).Final() {
		t.Errorf("%s: it was %s, and is still %s after %s", s.name, before, s.status(admin), after)
	}
}

// atOnce is what has to be so without waiting for any clock.
func atOnce(t *testing.T, s *scene, admin *roomstest.Person, situation string, before Status) {
	t.Helper()
	gone := situation == doctorGone || situation == patientGone || situation == bothGone
	now := s.status(admin)
	rejected := situation == doctorRejected || situation == changeRejected
	left := waysOut[situation][before].take != nil
	ends := gone || situation == adminCloses || rejected || left
	switch {
	case ends && !now.Final() && now != Ended:
		t.Errorf("%s: it is still %s", s.name, now)
	case situation == adminCloses && before == Ended && now != Closed:
		t.Errorf("%s: an admin closed it, and it is %s", s.name, now)
	}
	if !ends || before == Ended && situation != adminCloses {
		return
	}
	if left {
		notifiedOf(t, s, situation, before)
		return
	}
	for _, p := range []*roomstest.Person{s.bo, s.wang} {
		if gone && (p == s.bo && situation != doctorGone || p == s.wang && situation != patientGone) {
			continue // those who are gone read nothing
		}
		received := p == s.bo || before != PendingPayment // of one that was never paid the doctor was not notified
		if told := slices.ContainsFunc(p.Inbox(), func(n notification.Notification) bool {
			return n.Topic == notification.ConsultationClosed || n.Topic == notification.AppointmentCancelled
		}); told != received && s.slot == "" || !told && received {
			t.Errorf("%s: %s was notified: %t", s.name, p.User.Name, told)
		}
	}
}

// notifiedOf checks that the side that did not end it was notified.
func notifiedOf(t *testing.T, s *scene, situation string, before Status) {
	t.Helper()
	other, topics := s.wang, []notification.Topic{notification.ConsultationCancelled, notification.ConsultationFinished, notification.AppointmentCancelled}
	if situation == doctorLeaves {
		other, topics = s.bo, []notification.Topic{notification.ConsultationDeclined, notification.ConsultationTerminated, notification.AppointmentCancelled}
	}
	if told := slices.ContainsFunc(other.Inbox(), func(n notification.Notification) bool {
		return slices.Contains(topics, n.Topic)
	}); !told && before != PendingPayment { // of one that was never paid the doctor was not notified
		t.Errorf("%s: %s was not notified", s.name, other.User.Name)
	}
}

// inTheEnd is what has to be so after all clocks have run out.
func inTheEnd(t *testing.T, s *scene, admin *roomstest.Person, situation string) {
	t.Helper()
	if now := s.status(admin); !now.Final() {
		t.Errorf("%s: it stays %s", s.name, now)
	}
	orders := roomstest.Must(admin, billing.AllOrders, billing.OrderFilter{Q: s.bo.User.Name}).Items
	if len(orders) != 1 {
		t.Fatalf("%s: %d orders", s.name, len(orders))
	}
	o, back := orders[0], int64(0)
	if slices.Contains(s.full, situation) {
		back = o.Paid
	}
	if o.Status.Payable() || o.Status == OrderRefunding || o.Refunded != back {
		t.Errorf("%s: the order is %s, %d of %d refunded, want %d", s.name, o.Status, o.Refunded, o.Paid, back)
	}
	if s.slot != "" {
		a, err := schedulestore.Store{DB: admin.W.DB}.Appointment(t.Context(), s.slot)
		if err != nil || a.Status.Open() || a.Status == schedule.InProgress {
			t.Errorf("%s: the appointment is %s (%v)", s.name, a.Status, err)
		}
		if back > 0 && a.Status == schedule.NoShow && a.EndedBy == schedule.ThePatient {
			t.Errorf("%s: the patient is said not to have come", s.name)
		}
	}
	for _, p := range []*roomstest.Person{s.bo, s.wang} {
		would, err := roomstest.Ask(admin.W, p.As, account.ReadErasure, rooms.Nothing{})
		if rooms.CodeOf(err) == rooms.CodeUnauthenticated { // suspended: once that is lifted they are free, too
			roomstest.Must(admin, account.UnsuspendUser, account.UserInput{UserID: p.User.ID})
			would = roomstest.Must(p.Again(rooms.Actor{Address: "192.0.2.9"}), account.ReadErasure, rooms.Nothing{})
		} else if err != nil {
			t.Fatal(err)
		}
		if len(would.Obstacles) > 0 {
			t.Errorf("%s: %s cannot leave: %v", s.name, p.User.Name, would.Obstacles)
		}
	}
}

// An ended consultation can be reopened by its patient, unless the doctor has no
// access any more.
func TestNoReopeningWithoutTheDoctor(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t)
	admin := w.Admin("root")
	for name, leaves := range map[string]func(wang *roomstest.Person){
		"suspended": func(wang *roomstest.Person) {
			roomstest.Must(admin, account.SuspendUser, account.UserInput{UserID: wang.User.ID})
		},
		"erased": func(wang *roomstest.Person) { roomstest.Must(wang, account.Erase, rooms.Nothing{}) },
	} {
		bo, wang, jing := w.Patient("bo-"+name), w.Doctor("wang-"+name), w.Patient("jing-"+name)
		id := bo.Consults(wang, "headache")
		wang.Accepts(id)
		roomstest.Must(wang, End, EndInput{ConsultationID: id})
		wait := roomstest.Must(jing, schedule.JoinWaitlist, schedule.WaitInput{DoctorID: wang.User.ID, Service: account.Advice, Medium: account.Text,
			Complaint: "some time", From: w.Now(), To: w.Now().AddDate(0, 0, 30)})
		leaves(wang)
		if code := roomstest.Code(bo, Reopen, Input{ConsultationID: id}); code != rooms.CodeConflict {
			t.Errorf("%s: reopened: %q", name, code)
		}
		places := roomstest.Must(jing, schedule.Waitlist, rooms.Nothing{}).Items
		if len(places) != 1 || places[0].ID != wait.ID || places[0].Status != schedule.WaitClosed {
			t.Errorf("%s: the waitlist: %+v", name, places)
		}
		if inbox := jing.Inbox(); len(inbox) != 1 || inbox[0].Topic != notification.WaitlistClosed {
			t.Errorf("%s: the waiting patient's inbox: %+v", name, inbox)
		}
	}
}

// A substitute doctor who has left is offered to no patient.
func TestNoOfferOfAMissingSubstitute(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t)
	admin, bo, wang, li := w.Admin("root"), w.Patient("bo"), w.Doctor("wang"), w.Doctor("li")
	start := time.Date(2026, 11, 9, 9, 0, 0, 0, time.UTC)
	for _, d := range []*roomstest.Person{wang, li} {
		roomstest.Must(d, schedule.SaveSchedule, schedule.ScheduleInput{TimeZone: "UTC", Rules: []schedule.Rule{
			{Weekday: 1, Start: "09:00", End: "10:00", SlotMinutes: 30, Capacity: 1, Media: []account.Medium{account.Video}}}})
	}
	b := roomstest.Must(bo, schedule.Book, schedule.BookInput{DoctorID: wang.User.ID, Start: start, Medium: account.Video, Service: account.Advice, Complaint: "at nine"})
	bo.Pays(b.Consultation.ID)
	away := roomstest.Must(wang, schedule.AddException, schedule.ExceptionInput{Kind: schedule.TimeOff, Start: start, End: start.Add(time.Hour), SubstituteID: li.User.ID})
	if len(away.Affected) != 1 || away.Affected[0].Offer == nil || away.Affected[0].Offer.DoctorID != li.User.ID {
		t.Fatalf("%+v", away)
	}
	roomstest.Must(admin, account.SuspendUser, account.UserInput{UserID: li.User.ID})
	w.Passes(time.Second)
	a := roomstest.Must(bo, schedule.ReadAppointment, schedule.AppointmentRef{AppointmentID: b.Appointment.ID})
	if o := bo.OrderOf(b.Consultation.ID); a.Status != schedule.Cancelled || o.Refunded != o.Paid {
		t.Errorf("the appointment is %s, and %d of %d went back", a.Status, o.Refunded, o.Paid)
	}
}

// What the suspension could not end at once, its timer ends.
func TestUnwindingSurvivesARestart(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t)
	admin, bo, wang := w.Admin("root"), w.Patient("bo"), w.Doctor("wang")
	id := bo.Consults(wang, "waits")
	elsewhere := w.Node(w.Hub) // has no features, as the command line
	if err := elsewhere.Administer(t.Context(), account.SuspendUser.Name, wang.User.ID, ""); err != nil {
		t.Fatal(err)
	}
	if now := bo.Sees(id).Status; now != Waiting {
		t.Errorf("it is %s already", now)
	}
	w.Restarts(time.Minute)
	w.Passes(0)
	if now := bo.Sees(id).Status; now != Cancelled {
		t.Errorf("it is %s", now)
	}
	if code := roomstest.Code(admin, Close, CloseInput{ConsultationID: id, Reason: "again"}); code != rooms.CodeConflict {
		t.Errorf("closed again: %q", code)
	}
}
