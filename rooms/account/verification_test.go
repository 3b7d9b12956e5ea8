package account_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"wenzhen.example/rooms"
	. "wenzhen.example/rooms/account"
	"wenzhen.example/rooms/audit"
	"wenzhen.example/rooms/consultation"
	"wenzhen.example/rooms/notification"
	"wenzhen.example/rooms/record"
	"wenzhen.example/rooms/roomstest"
	"wenzhen.example/rooms/schedule"
	accountstore "wenzhen.example/rooms/store/account"
)

// A cursor of another list, or one that was made up, is no error of the server.
func TestCursorOfAnotherList(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t)
	w.Doctor("wang")
	admin := w.Admin("root")
	users := roomstest.Must(admin, Users, UserFilter{Limit: 1})
	if users.NextCursor == "" {
		t.Fatal("one page has all users")
	}
	if code := roomstest.Code(admin, Applicants, ApplicantFilter{Cursor: users.NextCursor}); code == rooms.CodeInternal {
		t.Errorf("doctors after a user: %s", code)
	}
	made := base64.RawURLEncoding.EncodeToString([]byte(`{"k":"a\u0000","i":"x"}`))
	if code := roomstest.Code(admin, Applicants, ApplicantFilter{Cursor: made}); code != rooms.CodeInvalid {
		t.Errorf("doctors after U+0000: %q", code)
	}
}

func profile(p *roomstest.Person) Doctor {
	p.W.T.Helper()
	return *roomstest.Must(p, Me, rooms.Nothing{}).Doctor
}

func told(p *roomstest.Person, topic notification.Topic) int {
	n := 0
	for _, entry := range p.Inbox() {
		if entry.Topic == topic {
			n++
		}
	}
	return n
}

func rename(p *roomstest.Person, name string) error { return ask(p, UpdateMe, MeInput{Name: &name}) }

// Whatever an admin has reviewed of a doctor, a change of it takes the badge
// away, and with it what only a verified doctor can do, until it is reviewed.
func TestChangeOfVerifiedDataEndsTheVerification(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t, func(w *roomstest.World) { w.Policy = record.PolicyNone })
	bo, admin := w.Patient("bo"), w.Admin("root")
	other := "something else"
	for name, change := range map[string]func(p *roomstest.Person) error{
		"name":       func(p *roomstest.Person) error { return rename(p, other) },
		"title":      func(p *roomstest.Person) error { return ask(p, UpdateDoctor, DoctorChange{Title: &other}) },
		"department": func(p *roomstest.Person) error { return ask(p, UpdateDoctor, DoctorChange{Department: &other}) },
		"licence":    func(p *roomstest.Person) error { return ask(p, UpdateDoctor, DoctorChange{Licence: &other}) },
	} {
		wang := w.Doctor("wang-" + name)
		goesOn := bo.Consults(wang, "began before")
		wang.Accepts(goesOn)
		draft := roomstest.Must(wang, record.DraftDiagnosis, record.DiagnosisDraft{ConsultationID: goesOn, DiagnosisInput: record.DiagnosisInput{Codes: []string{"R51"}, Text: "headache"}})
		waits := bo.Consults(wang, "waits")
		before := told(admin, notification.DoctorReviewDue)
		if err := change(wang); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if profile(wang).Verified {
			t.Errorf("%s: still verified", name)
		}
		if got := told(admin, notification.DoctorReviewDue) - before; got != 1 {
			t.Errorf("%s: the admin has %d notifications", name, got)
		}
		for what, code := range map[string]rooms.Code{
			"read":     roomstest.Code(bo, ReadDoctor, DoctorInput{DoctorID: wang.User.ID}),
			"consult":  roomstest.Code(bo, consultation.Open, consultation.OpenInput{DoctorID: wang.User.ID, Service: Advice, Medium: Text, Complaint: "new"}),
			"slots":    roomstest.Code(bo, schedule.Slots, schedule.SlotsInput{DoctorID: wang.User.ID}),
			"waitlist": roomstest.Code(bo, schedule.JoinWaitlist, schedule.WaitInput{DoctorID: wang.User.ID, Service: Advice, Medium: Text, Complaint: "new", From: w.Now(), To: w.Now().AddDate(0, 0, 7)}),
		} {
			if code != rooms.CodeNotFound {
				t.Errorf("%s: a patient can %s: %q", name, what, code)
			}
		}
		forbidden := func(what string, code rooms.Code) {
			t.Helper()
			if code != rooms.CodeForbidden {
				t.Errorf("%s: an unverified doctor can %s: %q", name, what, code)
			}
		}
		forbidden("accept", roomstest.Code(wang, consultation.Accept, consultation.Input{ConsultationID: waits}))
		forbidden("sign", roomstest.Code(wang, record.SignDiagnosis, record.DiagnosisRef{DiagnosisID: draft.ID}))
		forbidden("sign a summary", roomstest.Code(wang, consultation.End, consultation.EndInput{ConsultationID: goesOn, Summary: "rest"}))
		wang.Says(goesOn, "what has begun goes on")
		w.Verifies(wang)
		wang.Accepts(waits)
		roomstest.Must(wang, record.SignDiagnosis, record.DiagnosisRef{DiagnosisID: draft.ID})
		if got := profile(wang); !got.Verified || got.Rejection != "" {
			t.Errorf("%s: after the review: %+v", name, got)
		}
	}
}

// What is not reviewed can be changed, and what stays the same is no change.
func TestOtherChangesKeepTheVerification(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t)
	wang := w.Doctor("wang")
	bio, title := "about me", profile(wang).Title
	onDuty := true
	roomstest.Must(wang, UpdateDoctor, DoctorChange{Bio: &bio, OnDuty: &onDuty, Title: &title})
	if err := rename(wang, "wang"); err != nil || !profile(wang).Verified {
		t.Errorf("%v, %+v", err, profile(wang))
	}
}

// A rejection is read by the doctor, whose next change has it reviewed again; an
// admin verifies what they have seen, or nothing.
func TestRejectAndReviewAgain(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t)
	admin, wang, bo := w.Admin("root"), w.Doctor("wang").Verifies(), w.Patient("bo")
	waits := bo.Consults(wang, "waits")
	runs := bo.Consults(wang, "runs")
	wang.Accepts(runs)
	applicants := func() Applicant {
		list := roomstest.Must(admin, Applicants, ApplicantFilter{}).Items
		if len(list) != 1 || list[0].Email != wang.User.Email || list[0].Checked == nil || list[0].Checked.Name != "wang" {
			t.Fatalf("applicants: %+v", list)
		}
		return list[0]
	}
	if code := roomstest.Code(admin, UnverifyDoctor, UnverifyDoctorInput{UserID: wang.User.ID}); code != rooms.CodeInvalid {
		t.Errorf("without a reason: %q", code)
	}
	roomstest.Must(admin, UnverifyDoctor, UnverifyDoctorInput{UserID: wang.User.ID, Reason: "the licence has expired"})
	if got := profile(wang); got.Verified || got.Rejection != "the licence has expired" {
		t.Errorf("the doctor reads %+v", got)
	}
	if a, b := bo.Sees(waits).Status, bo.Sees(runs).Status; a != consultation.Cancelled || b != consultation.Terminated {
		t.Errorf("what waited is %s, and what went on %s", a, b)
	}
	if told(wang, notification.DoctorUnverified) != 1 || told(bo, notification.ConsultationClosed) != 2 {
		t.Error("they were not told")
	}
	seen := applicants().Revision
	licence := "110110000012345"
	roomstest.Must(wang, UpdateDoctor, DoctorChange{Licence: &licence})
	if got := profile(wang); got.Rejection != "" || got.Verified {
		t.Errorf("after a change: %+v", got)
	}
	stale := VerifyDoctorInput{DoctorID: wang.User.ID, Revision: &seen}
	if code := roomstest.Code(admin, VerifyDoctor, stale); code != rooms.CodeConflict {
		t.Errorf("verifying what was not seen: %q", code)
	}
	seen = applicants().Revision
	roomstest.Must(admin, VerifyDoctor, stale)
	if got := profile(wang); !got.Verified || got.Licence != licence {
		t.Errorf("verified again: %+v", got)
	}
	w.Passes(0)
	var subjects []string
	for _, letter := range w.Post.To(wang.User.Email) {
		subjects = append(subjects, letter.Subject)
	}
	if got := strings.Join(subjects, "\n"); !strings.Contains(got, "您未通过核验") || !strings.Contains(got, "您已通过核验") {
		t.Errorf("mail to the doctor:\n%s", got)
	}
	for _, action := range []string{VerifyDoctor.Name, UnverifyDoctor.Name} {
		if len(roomstest.Must(admin, audit.List, audit.LogFilter{Action: action, ActorID: admin.User.ID}).Items) != 1 {
			t.Errorf("%s is not in the audit log", action)
		}
	}
}

// Admins are notified of a doctor who registers, and of no patient.
func TestAdminsAreNotifiedOfNewDoctors(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t)
	admin := w.Admin("root")
	w.Patient("bo")
	w.Doctor("wang")
	inbox := admin.Inbox()
	if len(inbox) != 1 || inbox[0].Topic != notification.DoctorReviewDue || inbox[0].Path != "/admin/doctors" || !strings.Contains(inbox[0].Title, "wang") {
		t.Errorf("%+v", inbox)
	}
}

func TestUnsuspend(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t)
	admin, bo := w.Admin("root"), w.Patient("bo").Verifies()
	from := rooms.Actor{Address: "192.0.2.7"}
	login := LoginInput{Email: bo.User.Email, Password: roomstest.Password}
	for range 2 { // suspending twice is suspending once
		if u := roomstest.Must(admin, SuspendUser, UserInput{UserID: bo.User.ID}); !u.Suspended {
			t.Errorf("%+v", u)
		}
	}
	if _, err := roomstest.Ask(w, from, LogIn, login); rooms.CodeOf(err) != rooms.CodeForbidden {
		t.Errorf("logs in while suspended: %v", err)
	}
	for range 2 {
		if u := roomstest.Must(admin, UnsuspendUser, UserInput{UserID: bo.User.ID}); u.Suspended {
			t.Errorf("%+v", u)
		}
	}
	if _, err := roomstest.Ask(w, from, LogIn, login); err != nil {
		t.Errorf("logs in again: %v", err)
	}
	w.Passes(0)
	var got []string
	for _, letter := range w.Post.To(bo.User.Email) {
		got = append(got, letter.Subject)
	}
	if all := strings.Join(got, "\n"); !strings.Contains(all, "您的账户已停用") || !strings.Contains(all, "您的账户已恢复") {
		t.Errorf("mail:\n%s", all)
	}
	for _, action := range []string{SuspendUser.Name, UnsuspendUser.Name} {
		if len(roomstest.Must(admin, audit.List, audit.LogFilter{Action: action, ActorID: admin.User.ID, Subject: "user:" + string(bo.User.ID)}).Items) != 1 {
			t.Errorf("%s is not once in the audit log", action)
		}
	}
}

// An erased account stays so, and the last admin stays.
func TestWhatCannotBeSuspended(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t)
	admin, bo := w.Admin("root"), w.Patient("bo")
	roomstest.Must(bo, Erase, rooms.Nothing{})
	if code := roomstest.Code(admin, UnsuspendUser, UserInput{UserID: bo.User.ID}); code != rooms.CodeConflict {
		t.Errorf("an erased account comes back: %q", code)
	}
	if _, err := roomstest.Ask(w, rooms.Actor{Role: rooms.RoleAdmin}, SuspendUser, UserInput{UserID: admin.User.ID}); rooms.CodeOf(err) != rooms.CodeConflict {
		t.Errorf("the last admin: %v", err)
	}
}

// A program that could not remove second doctors ends no verification.
func TestNoVerificationEndsWithoutWhatFollows(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t)
	wang := w.Doctor("wang")
	accounts, err := New(Options{Store: accountstore.Store{DB: w.DB}, Now: w.Now, Mail: &w.Post})
	if err != nil {
		t.Fatal(err)
	}
	if err := accounts.Administer(t.Context(), UnverifyDoctor.Name, wang.User.ID, "the licence has expired"); err == nil {
		t.Error("no error")
	}
	if !profile(wang).Verified {
		t.Error("the doctor is verified no more")
	}
}
