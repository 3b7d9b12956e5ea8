package account_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"wenzhen.example/rooms"
	. "wenzhen.example/rooms/account"
	"wenzhen.example/rooms/audit"
	"wenzhen.example/rooms/chat"
	"wenzhen.example/rooms/consultation"
	"wenzhen.example/rooms/roomstest"
)

// obstacle is why an account cannot be erased, as the refusal says.
func obstacle(t *testing.T, p *roomstest.Person) ErasureBlocker {
	t.Helper()
	would := roomstest.Must(p, ReadErasure, rooms.Nothing{})
	err := ask(p, Erase, rooms.Nothing{})
	e, ok := err.(*rooms.Error)
	if !ok || e.Code != rooms.CodeConflict || len(would.Obstacles) == 0 || e.Status != string(would.Obstacles[0]) {
		t.Fatalf("erasing is answered %v, and what is in the way is %v", err, would.Obstacles)
	}
	return would.Obstacles[0]
}

// Nobody gets into an erased account, and nothing tells whose it was but what
// the law wants kept, which is said before and after.
func TestErase(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t)
	bo, wang, admin := w.Patient("bo"), w.Doctor("wang"), w.Admin("root")
	child := roomstest.Must(bo, AddPatient, PatientInput{Name: "little bo", Relation: "child"})
	id := bo.Consults(wang, "a headache")
	if got := obstacle(t, bo); got != BlockedByConsultations {
		t.Errorf("with a consultation open: %s", got)
	}
	if got := obstacle(t, wang); got != BlockedByConsultations {
		t.Errorf("a doctor with a consultation open: %s", got)
	}
	wang.Accepts(id)
	bo.Says(id, "for the record")
	roomstest.Must(wang, consultation.End, consultation.EndInput{ConsultationID: id})
	ended := w.Now()
	placed := roomstest.Must(admin, PlaceLegalHold, LegalHoldInput{UserID: bo.User.ID, Reason: "a lawsuit"})
	if got := obstacle(t, bo); got != BlockedByLegalHold {
		t.Errorf("under a hold: %s", got)
	}
	if err := ask(admin, PlaceLegalHold, LegalHoldInput{UserID: bo.User.ID, Reason: "again"}); rooms.CodeOf(err) != rooms.CodeConflict {
		t.Errorf("a second hold: %v", err)
	}
	held := LegalHold{UserID: bo.User.ID, UserName: "bo", UserEmail: bo.User.Email, Reason: "a lawsuit", By: admin.User.ID, ByName: "root", At: ended}
	if list := roomstest.Must(admin, LegalHolds, rooms.Nothing{}).Items; !cmp.Equal(placed, held) || !cmp.Equal(list, []LegalHold{held}) {
		t.Errorf("placed %+v, and the holds are %+v, want %+v", placed, list, held)
	}
	roomstest.Must(admin, ReleaseLegalHold, UserInput{UserID: bo.User.ID})
	if err := ask(admin, ReleaseLegalHold, UserInput{UserID: bo.User.ID}); rooms.CodeOf(err) != rooms.CodeNotFound {
		t.Errorf("a second release: %v", err)
	}

	would := roomstest.Must(bo, ReadErasure, rooms.Nothing{})
	if would.Erased != nil || len(would.Obstacles) > 0 || would.Consultations != 1 ||
		!would.MessagesUntil.Equal(ended.Add(roomstest.KeepMessages)) || !would.RecordsUntil.Equal(ended.Add(roomstest.KeepRecords)) {
		t.Errorf("erasing would mean %+v", would)
	}
	w.Passes(16 * time.Minute)
	if e, ok := ask(bo, Erase, rooms.Nothing{}).(*rooms.Error); !ok || e.Field != "confirm" {
		t.Errorf("without a confirmation: %v", e)
	}
	roomstest.Must(bo, Confirm, ConfirmInput{Password: roomstest.Password})
	if done := roomstest.Must(bo, Erase, rooms.Nothing{}); done.Erased == nil || done.Consultations != 1 {
		t.Errorf("erased: %+v", done)
	}

	if err := ask(bo, Me, rooms.Nothing{}); rooms.CodeOf(err) != rooms.CodeUnauthenticated {
		t.Errorf("the session goes on: %v", err)
	}
	if _, err := roomstest.Ask(w, rooms.Actor{}, LogIn, LoginInput{Email: bo.User.Email, Password: roomstest.Password}); rooms.CodeOf(err) != rooms.CodeUnauthenticated {
		t.Errorf("logging in: %v", err)
	}
	for _, u := range roomstest.Must(admin, Users, UserFilter{}).Items {
		if u.ID == bo.User.ID && (u.Name != "" || u.Email == bo.User.Email || !u.Suspended) {
			t.Errorf("the admin still reads %+v", u)
		}
	}
	if said := roomstest.Must(wang, chat.History, chat.HistoryInput{ConsultationID: id}).Items; len(said) == 0 || said[0].Text != "for the record" {
		t.Errorf("what has to be kept is %+v", said)
	}
	log := roomstest.Must(admin, audit.List, audit.LogFilter{Subject: "user:" + string(bo.User.ID)}).Items
	for i, want := range []struct{ action, reason string }{{Erase.Name, ""}, {Confirm.Name, ""}, {ReleaseLegalHold.Name, "a lawsuit"}, {PlaceLegalHold.Name, "a lawsuit"},
		{audit.LoggedIn, string(ByPassword)}, {Register.Name, ""}} {
		if i >= len(log) || log[i].Action != want.action || log[i].Reason != want.reason {
			t.Errorf("entry %d from the end should be %+v: %+v", i, want, log)
		}
	}
	again := w.Patient("bo") // the address is free
	for _, p := range roomstest.Must(again, Patients, rooms.Nothing{}).Items {
		if p.ID == child.ID {
			t.Error("someone else got the child")
		}
	}
}

// A doctor who has gone is found and booked no more; the last admin stays.
func TestEraseDoctorsAndAdmins(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t)
	wang, bo := w.Doctor("wang"), w.Patient("bo")
	roomstest.Must(wang, Erase, rooms.Nothing{})
	if list := roomstest.Must(bo, Doctors, DoctorFilter{}).Items; len(list) != 0 {
		t.Errorf("still listed: %+v", list)
	}
	err := ask(bo, consultation.Open, consultation.OpenInput{DoctorID: wang.User.ID, Service: Advice, Medium: Text, Complaint: "x"})
	if rooms.CodeOf(err) != rooms.CodeNotFound {
		t.Errorf("consulting who has gone: %v", err)
	}
	root := w.Admin("root")
	if would := roomstest.Must(root, ReadErasure, rooms.Nothing{}); len(would.Obstacles) != 1 || would.Obstacles[0] != BlockedByLastAdmin {
		t.Errorf("the last admin: %+v", would)
	}
	w.Admin("second")
	if would := roomstest.Must(root, ReadErasure, rooms.Nothing{}); len(would.Obstacles) != 0 {
		t.Errorf("one of two admins: %+v", would)
	}
}
