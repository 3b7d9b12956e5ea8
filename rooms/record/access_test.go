package record_test

import (
	"testing"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
	"wenzhen.example/rooms/consultation"
	"wenzhen.example/rooms/notification"
	"wenzhen.example/rooms/record"
	"wenzhen.example/rooms/roomstest"
)

// access is what a doctor may do with a record.
type access struct{ read, write rooms.Code }

func (c *clinic) access(p *roomstest.Person, id account.PatientID) access {
	c.T.Helper()
	got := access{
		roomstest.Code(p, record.ReadRecord, record.PatientRef{PatientID: id}),
		roomstest.Code(p, record.UpdateRecord, record.BackgroundInput{PatientID: id, Allergies: []record.Allergy{{Substance: "penicillin"}}}),
	}
	listed := len(roomstest.Must(p, record.TreatedPatients, rooms.Nothing{}).Items) > 0 // FHIR reads by this list
	if listed != (got.read == "") {
		c.T.Errorf("%s reads the record: %q, and it is listed: %v", p.User.Name, got.read, listed)
	}
	return got
}

const hidden, readOnly = rooms.CodeNotFound, rooms.CodeForbidden

// A request that waits shows its complaint, and nothing of the record; the
// record is written by the patient and by the doctor of an active consultation.
func TestTheRecordIsForTheDoctorWhoTreats(t *testing.T) {
	t.Parallel()
	c := open(t)
	lin := c.Doctor("lin")
	waits := roomstest.Must(c.bo, consultation.Open, consultation.OpenInput{DoctorID: lin.User.ID, Service: account.Advice, Medium: account.Text, Complaint: "a rash"}).Consultation
	patient := waits.PatientID
	in := consultation.Input{ConsultationID: waits.ID}
	expect := func(when string, p *roomstest.Person, want access) {
		t.Helper()
		if got := c.access(p, patient); got != want {
			t.Errorf("%s: %+v, want %+v", when, got, want)
		}
	}
	expect("while the request waits", lin, access{hidden, hidden})
	if lin.Sees(waits.ID).Complaint != "a rash" {
		t.Error("the request does not show its complaint")
	}
	roomstest.Must(lin, consultation.Decline, consultation.ReasonInput{ConsultationID: waits.ID, Reason: "not my field"})
	expect("declined", lin, access{hidden, hidden})

	again := c.bo.Consults(lin, "a rash")
	lin.Accepts(again)
	in.ConsultationID = again
	expect("accepted", lin, access{"", ""})
	roomstest.Must(lin, consultation.Hold, consultation.ReasonInput{ConsultationID: again})
	expect("on hold", lin, access{"", ""})
	roomstest.Must(lin, consultation.Resume, in)
	roomstest.Must(lin, consultation.End, consultation.EndInput{ConsultationID: again})
	expect("ended", lin, access{"", readOnly})
	expect("the patient", c.bo, access{"", ""})
}

// A doctor whom an admin has rejected reads no record, in what is over, and in
// what the server has yet to end, until an admin verifies the doctor again. One
// who has changed the data and waits for the review goes on.
func TestARejectedDoctorReadsNoRecord(t *testing.T) {
	t.Parallel()
	for name, ended := range map[string]bool{"ended": true, "goes on": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := open(t)
			lin := c.Doctor("lin")
			id := c.bo.Consults(lin, "a rash")
			lin.Accepts(id)
			want := access{"", ""}
			if ended {
				roomstest.Must(lin, consultation.End, consultation.EndInput{ConsultationID: id})
				want = access{"", readOnly}
			}
			patient := c.bo.Sees(id).PatientID
			expect := func(when string, want access) {
				t.Helper()
				if got := c.access(lin, patient); got != want {
					t.Errorf("%s: %+v, want %+v", when, got, want)
				}
			}
			changes := func(title string) { roomstest.Must(lin, account.UpdateDoctor, account.DoctorChange{Title: &title}) }
			changes("professor")
			expect("under review", want)
			// From the command line, so that no server has ended anything yet.
			if err := c.Node(c.Hub).Administer(t.Context(), account.UnverifyDoctor.Name, lin.User.ID, "the licence is forged"); err != nil {
				t.Fatal(err)
			}
			expect("rejected", access{hidden, hidden})
			changes("resident")
			expect("rejected, and changed since", access{hidden, hidden})
			c.Verifies(lin)
			expect("verified again", want)
		})
	}
}

// A second doctor sees the record only if the patient has shared what was
// before, and never writes it; nor does an interpreter or a relative, doctor or not.
func TestInvitedPeopleDoNotWriteTheRecord(t *testing.T) {
	t.Parallel()
	c := open(t)
	patient := c.bo.Sees(c.id).PatientID
	for _, v := range []struct {
		role    consultation.Part
		history bool
		want    access
	}{
		{consultation.PartColleague, false, access{hidden, hidden}},
		{consultation.PartColleague, true, access{"", readOnly}},
		{consultation.PartRelative, true, access{hidden, hidden}},
		{consultation.PartInterpreter, true, access{hidden, hidden}},
	} {
		guest := c.Doctor("guest" + string(v.role) + map[bool]string{true: "-all"}[v.history])
		roomstest.Must(c.bo, consultation.Invite, consultation.InviteInput{ConsultationID: c.id, UserID: guest.User.ID, Role: v.role, History: v.history})
		if got := c.access(guest, patient); got != v.want {
			t.Errorf("%s, history %v: %+v, want %+v", v.role, v.history, got, v.want)
		}
		roomstest.Must(c.bo, consultation.RemoveParticipant, consultation.ParticipantRef{ConsultationID: c.id, UserID: guest.User.ID})
		if got := c.access(guest, patient); got != (access{hidden, hidden}) {
			t.Errorf("%s once removed: %+v", v.role, got)
		}
	}
}

// The patient is notified when another changes the record, and not of their own changes.
func TestThePatientLearnsOfChangesOfTheRecord(t *testing.T) {
	t.Parallel()
	c := open(t)
	patient := c.bo.Sees(c.id).PatientID
	told := func() (list []notification.Notification) {
		c.Notifies()
		for _, n := range c.bo.Inbox() {
			if n.Topic == notification.RecordChanged {
				list = append(list, n)
			}
		}
		return list
	}
	change := record.BackgroundInput{PatientID: patient, Allergies: []record.Allergy{{Substance: "penicillin"}}}
	roomstest.Must(c.bo, record.UpdateRecord, change)
	unread := 0
	for _, n := range told() {
		if n.ReadAt == nil {
			unread++
		}
	}
	if unread > 0 {
		t.Errorf("%d notifications of the patient's own change", unread)
	}
	roomstest.Must(c.wang, record.UpdateRecord, record.BackgroundInput{PatientID: patient})
	list := told()
	if len(list) != 1 || list[0].Path != "/patients/"+string(patient) || list[0].Kind != notification.Diagnoses {
		t.Errorf("notified of the doctor's change: %+v", list)
	}
}
