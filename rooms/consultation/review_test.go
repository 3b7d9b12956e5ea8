package consultation_test

import (
	"strings"
	"testing"
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
	"wenzhen.example/rooms/audit"
	"wenzhen.example/rooms/chat"
	. "wenzhen.example/rooms/consultation"
	"wenzhen.example/rooms/notification"
	"wenzhen.example/rooms/record"
	"wenzhen.example/rooms/roomstest"
)

// endings are the ways in which a doctor is verified no longer.
var endings = map[string]func(admin, doctor *roomstest.Person) error{
	"withdrawn": func(admin, doctor *roomstest.Person) error {
		_, err := roomstest.Ask(admin.W, admin.As, account.UnverifyDoctor, account.UnverifyDoctorInput{UserID: doctor.User.ID, Reason: "the licence has expired"})
		return err
	},
	"withdrawn from the command line": func(admin, doctor *roomstest.Person) error {
		return admin.W.Node(admin.W.Hub).Administer(admin.W.T.Context(), account.UnverifyDoctor.Name, doctor.User.ID, "the licence has expired")
	},
	"renamed": func(_, doctor *roomstest.Person) error {
		_, err := roomstest.Ask(doctor.W, doctor.As, account.UpdateMe, account.MeInput{Name: new("Li the Second")})
		return err
	},
	"another title": func(_, doctor *roomstest.Person) error {
		_, err := roomstest.Ask(doctor.W, doctor.As, account.UpdateDoctor, account.DoctorChange{Title: new("professor")})
		return err
	},
}

// A second doctor takes part while verified: one who loses the badge is removed
// from every consultation, patient and doctor are notified, and a badge that
// comes back lets nobody in again without an invitation.
func TestASecondDoctorLeavesWithTheVerification(t *testing.T) {
	t.Parallel()
	for name, falls := range endings {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := roomstest.New(t)
			bo, wang, id := w.Talk()
			admin, li := w.Admin("root"), w.Doctor("li")
			over := bo.Consults(wang, "fever")
			for _, room := range []ID{id, over} {
				roomstest.Must(bo, Invite, InviteInput{ConsultationID: room, UserID: li.User.ID, Role: PartColleague, History: true})
			}
			wang.Accepts(over)
			roomstest.Must(wang, Terminate, ReasonInput{ConsultationID: over, Reason: "please go to a hospital"})
			li.Says(id, "I am here")
			before := roomstest.Must(bo, Join, JoinInput{ConsultationID: id}).LastSeq
			if err := falls(admin, li); err != nil {
				t.Fatal(err)
			}
			for _, room := range []ID{id, over} {
				for what, code := range map[string]rooms.Code{
					"reads":   roomstest.Code(li, Read, Input{ConsultationID: room}),
					"joins":   roomstest.Code(li, Join, JoinInput{ConsultationID: room}),
					"history": roomstest.Code(li, chat.History, chat.HistoryInput{ConsultationID: room}),
					"speaks":  roomstest.Code(li, chat.Send, chat.SendInput{ConsultationID: room, ClientID: "x", Kind: chat.Text, Text: "still here"}),
				} {
					if code != rooms.CodeNotFound {
						t.Errorf("%s: %q", what, code)
					}
				}
			}
			if code := roomstest.Code(li, record.ReadRecord, record.PatientRef{PatientID: bo.Sees(id).PatientID}); code != rooms.CodeNotFound {
				t.Errorf("reads the record: %q", code)
			}
			told := roomstest.Must(bo, Events, EventsInput{ConsultationID: id, After: before}).Items
			if len(told) != 1 || told[0].Name != ParticipantLeft.Name || !strings.Contains(string(told[0].Data), string(LeftUnverified)) || told[0].ActorID == admin.User.ID {
				t.Errorf("the room receives %+v", told)
			}
			for _, p := range []*roomstest.Person{bo, wang} {
				if got := strings.Count(topics(p), string(notification.ConsultationLeft)); got != 2 {
					t.Errorf("%s is notified %d times", p.User.Name, got)
				}
			}
			if got := roomstest.Must(admin, audit.List, audit.LogFilter{Action: RemoveParticipant.Name}).Items; len(got) != 2 {
				t.Errorf("the audit log has %+v", got)
			}
			w.Verifies(li)
			if code := roomstest.Code(li, Read, Input{ConsultationID: id}); code != rooms.CodeNotFound {
				t.Errorf("reads with the badge that is back: %q", code)
			}
			invites(bo, li, id, PartColleague)
			li.Says(id, "I am back")
		})
	}
}

// Who is a relative, an interpreter or the treating doctor is not there by the
// badge, and stays.
func TestTheVerificationIsForSecondDoctorsAlone(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t)
	bo, wang, id := w.Talk()
	li, pei := w.Doctor("li"), w.Doctor("pei")
	invites(bo, li, id, PartRelative)
	invites(bo, pei, id, PartInterpreter)
	for _, doctor := range []*roomstest.Person{wang, li, pei} {
		roomstest.Must(doctor, account.UpdateMe, account.MeInput{Name: new("somebody else")})
		doctor.Says(id, "still here")
	}
}

// An address that was invited looks the same after the badge of its owner has
// fallen, and inviting it again lets a doctor in who is verified again.
func TestAnInvitedAddressLosesTheVerification(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t)
	bo, _, id := w.Talk()
	li := w.Doctor("li").Verifies()
	in := InviteInput{ConsultationID: id, Email: li.User.Email, Role: PartColleague}
	roomstest.Must(bo, Invite, in)
	before := roomstest.Must(bo, ListInvitations, Input{ConsultationID: id}).Items
	roomstest.Must(li, account.UpdateMe, account.MeInput{Name: new("Li the Second")})
	if after := roomstest.Must(bo, ListInvitations, Input{ConsultationID: id}).Items; len(after) != 1 || after[0] != before[0] {
		t.Errorf("the invitations were %+v and are %+v", before, after)
	}
	if list := roomstest.Must(li, List, Filter{}).Items; len(list) != 0 {
		t.Errorf("is shown %+v", list)
	}
	w.Verifies(li)
	roomstest.Must(bo, Invite, in)
	li.Sees(id)
}

// The patient of a doctor whose data is under review learns of it in the room
// and by a notification, and may wait, or end it with a full refund; what had
// ended before and was reopened was delivered.
func TestPatientsLearnOfAReview(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		reopened, verified bool
		back               bool
	}{"under review": {back: true}, "reviewed again": {verified: true}, "reopened": {reopened: true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := roomstest.New(t)
			bo, wang := w.Patient("bo"), w.Doctor("wang")
			id := roomstest.Must(bo, Open, OpenInput{DoctorID: wang.User.ID, Service: account.Advice, Medium: account.Video, Complaint: "headache"}).Consultation.ID
			bo.Pays(id)
			wang.Accepts(id)
			wang.Says(id, "good morning")
			if c.reopened {
				roomstest.Must(wang, End, EndInput{ConsultationID: id})
				roomstest.Must(bo, Reopen, Input{ConsultationID: id})
			}
			w.Turns(time.Second)
			roomstest.Must(wang, account.UpdateMe, account.MeInput{Name: new("Wang the Second")})
			if now := bo.Sees(id); !now.DoctorReview || now.Status != Active {
				t.Errorf("the patient sees %+v", now)
			}
			if log := bo.Log(id); log[len(log)-1].Name != ConsultationUpdated.Name || !strings.Contains(string(log[len(log)-1].Data), `"doctorReview":true`) {
				t.Errorf("the room receives %+v", log[len(log)-1])
			}
			if got := strings.Count(topics(bo), string(notification.ConsultationReview)); got != 1 {
				t.Errorf("the patient is notified %d times", got)
			}
			wang.Says(id, "I am still here")
			if c.verified {
				w.Verifies(wang)
				if bo.Sees(id).DoctorReview {
					t.Error("it is still said to be under review")
				}
			}
			ended := roomstest.Must(bo, End, EndInput{ConsultationID: id})
			w.Passes(time.Second)
			if o := bo.OrderOf(id); ended.Status != Ended || ended.DoctorReview || (o.Refunded == o.Paid) != c.back || !c.back && o.Refunded != 0 {
				t.Errorf("it is %s (under review: %t), and %d of %d went back", ended.Status, ended.DoctorReview, o.Refunded, o.Paid)
			}
		})
	}
}

// What a rejected doctor has ended is not reopened before an admin has verified
// the doctor again; that the doctor changes the data does not suffice.
func TestRejectedDoctorGetsNoRequests(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t)
	bo, wang, id := w.Talk()
	admin := w.Admin("root")
	roomstest.Must(wang, End, EndInput{ConsultationID: id})
	for _, way := range []string{"withdrawn", "another title"} {
		if err := endings[way](admin, wang); err != nil {
			t.Fatal(err)
		}
		if code := roomstest.Code(bo, Reopen, Input{ConsultationID: id}); code != rooms.CodeConflict {
			t.Errorf("%s: reopened: %q", way, code)
		}
	}
	w.Verifies(wang)
	roomstest.Must(bo, Reopen, Input{ConsultationID: id})
}

// A rejected doctor who changes the data before the server has ended what was
// open keeps none of it: here the rejection is from the command line, and the
// server reads of it later.
func TestAChangeDoesNotUndoARejection(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t)
	bo, wang, id := w.Talk()
	admin := w.Admin("root")
	w.Turns(time.Second)
	for _, way := range []string{"withdrawn from the command line", "another title"} {
		if err := endings[way](admin, wang); err != nil {
			t.Fatal(err)
		}
	}
	w.Passes(time.Minute)
	if now := bo.Sees(id); now.Status != Terminated || now.DoctorReview {
		t.Errorf("it is %s (under review: %t)", now.Status, now.DoctorReview)
	}
}

// The patient ends a consultation that goes on, or is on hold: with a full refund
// if the doctor has never answered, otherwise with none. The rest is as after
// any other end.
func TestThePatientEndsIt(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ answered, held bool }{
		"unanswered": {}, "answered": {answered: true}, "unanswered, on hold": {held: true}, "answered, on hold": {answered: true, held: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := roomstest.New(t)
			bo, wang, aunt := w.Patient("bo"), w.Doctor("wang"), w.Patient("aunt")
			id := roomstest.Must(bo, Open, OpenInput{DoctorID: wang.User.ID, Service: account.Advice, Medium: account.Video, Complaint: "headache"}).Consultation.ID
			bo.Pays(id)
			invites(bo, aunt, id, PartRelative)
			wang.Accepts(id)
			if c.answered {
				wang.Says(id, "good morning")
			}
			if c.held {
				roomstest.Must(wang, Hold, ReasonInput{ConsultationID: id})
			}
			if code := roomstest.Code(aunt, End, EndInput{ConsultationID: id}); code != rooms.CodeForbidden {
				t.Errorf("a relative ends it: %q", code)
			}
			if code := roomstest.Code(bo, End, EndInput{ConsultationID: id, Summary: "I am well"}); code != rooms.CodeInvalid {
				t.Errorf("the patient signs a summary: %q", code)
			}
			ended := roomstest.Must(bo, End, EndInput{ConsultationID: id, Reason: "I feel better"})
			w.Passes(time.Second)
			if o := bo.OrderOf(id); ended.Status != Ended || ended.EndedBy != "" || o.Refunded == o.Paid == c.answered || c.answered && o.Refunded > 0 {
				t.Errorf("it is %s by %q, and %d of %d went back", ended.Status, ended.EndedBy, o.Refunded, o.Paid)
			}
			if !strings.Contains(topics(wang), string(notification.ConsultationFinished)) || strings.Contains(topics(bo), string(notification.ConsultationEnded)) {
				t.Errorf("the doctor's inbox has %s, the patient's %s", topics(wang), topics(bo))
			}
			roomstest.Must(bo, Reopen, Input{ConsultationID: id})
			roomstest.Must(bo, End, EndInput{ConsultationID: id})
			w.Passes(72 * time.Hour)
			if now := bo.Sees(id).Status; now != Closed {
				t.Errorf("after 72 hours it is %s", now)
			}
		})
	}
}

// A followup that its patient ends needs no summary.
func TestThePatientEndsAFollowup(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t)
	bo, wang := w.Patient("bo"), w.Doctor("wang")
	id := roomstest.Must(bo, Open, OpenInput{DoctorID: wang.User.ID, Service: account.Followup, Medium: account.Text,
		Complaint: "again", PriorDiagnosis: "hypertension"}).Consultation.ID
	wang.Accepts(id)
	if c := roomstest.Must(bo, End, EndInput{ConsultationID: id}); c.Status != Ended || c.Summary != nil {
		t.Errorf("%+v", c)
	}
}
