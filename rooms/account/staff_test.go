package account_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"wenzhen.example/rooms"
	. "wenzhen.example/rooms/account"
	"wenzhen.example/rooms/consultation"
	"wenzhen.example/rooms/record"
	"wenzhen.example/rooms/roomstest"
)

func forbidden(t *testing.T, what, field string, err error) {
	t.Helper()
	if e, ok := err.(*rooms.Error); !ok || e.Code != rooms.CodeForbidden || e.Field != field {
		t.Errorf("%s: %v, want forbidden at %s", what, err, field)
	}
}

// Where staff need a second factor, a doctor and an admin without one set it up
// before anything else; patients do not have to (SEC-34).
func TestStaffNeedASecondFactor(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t, func(w *roomstest.World) { w.SecondFactor = FactorStaff })
	bo := w.Patient("bo")
	roomstest.Must(bo, Patients, rooms.Nothing{})
	login, err := roomstest.Ask(w, guest("a"), Register, RegisterInput{Role: rooms.RoleDoctor, Name: "wang", Email: "wang@example.org", Password: roomstest.Password})
	if err != nil {
		t.Fatal(err)
	}
	wang := w.Enters(login.Login())
	root := w.Admin("root")
	admin := w.Enters(second1(roomstest.Ask(w, guest("a"), LogIn, LoginInput{Email: root.User.Email, Password: roomstest.Password})))
	forbidden(t, "a doctor's profile", "secondFactor", second(roomstest.Ask(w, wang.As, UpdateDoctor, DoctorChange{OnDuty: new(true)})))
	forbidden(t, "an admin's list of accounts", "secondFactor", second(roomstest.Ask(w, admin.As, Users, UserFilter{})))
	forbidden(t, "a socket", "secondFactor", w.Accounts.Alive(t.Context(), wang.As, ""))
	for _, staff := range []*roomstest.Person{wang, admin} {
		roomstest.Must(staff, Me, rooms.Nothing{})
		roomstest.Must(staff, ReadSecurity, rooms.Nothing{})
		protected(staff)
	}
	roomstest.Must(wang, UpdateDoctor, DoctorChange{OnDuty: new(true)})
	roomstest.Must(admin, Users, UserFilter{})
	roomstest.Must(wang, RemoveTOTP, rooms.Nothing{})
	w.Turns(time.Minute)
	forbidden(t, "switched off again", "secondFactor", second(roomstest.Ask(w, wang.As, UpdateDoctor, DoctorChange{OnDuty: new(false)})))
}

// A signature asks for a login or a confirmation that is recent (SEC-34).
func TestSigningAsksForAConfirmation(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t, func(w *roomstest.World) { w.SignConfirm = 10 * time.Minute })
	wang := w.Doctor("wang")
	in := record.DiagnosisRef{DiagnosisID: "none"}
	if code := roomstest.Code(wang, record.SignDiagnosis, in); code != rooms.CodeNotFound {
		t.Errorf("just logged in: %q", code)
	}
	bo := w.Patient("bo")
	id := bo.Consults(wang, "headache")
	wang.Accepts(id)
	w.Turns(11 * time.Minute)
	roomstest.Must(bo, consultation.End, consultation.EndInput{ConsultationID: id}) // patients sign nothing
	forbidden(t, "later", "confirm", second(roomstest.Ask(w, wang.As, record.SignDiagnosis, in)))
	roomstest.Must(wang, Confirm, ConfirmInput{Password: roomstest.Password})
	if code := roomstest.Code(wang, record.SignDiagnosis, in); code != rooms.CodeNotFound {
		t.Errorf("confirmed: %q", code)
	}
}

// A registration is answered the same whether or not the address has an
// account; a mail tells its owner (SEC-26).
func TestRegistrationRevealsNoAccounts(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t, func(w *roomstest.World) { w.ConfirmRegistration = true })
	in := RegisterInput{Role: rooms.RolePatient, Name: "Your account is locked", Email: "Bo@example.org ", Password: roomstest.Password}
	register := func() Registration {
		t.Helper()
		made, err := roomstest.Ask(w, guest("a"), Register, in)
		if err != nil {
			t.Fatal(err)
		}
		w.Passes(time.Second)
		return made
	}
	login := func() error {
		return second(roomstest.Ask(w, guest("a"), LogIn, LoginInput{Email: "bo@example.org", Password: roomstest.Password}))
	}
	fresh := register()
	if answer, err := json.Marshal(fresh); err != nil || string(answer) != `{"confirm":true}` {
		t.Errorf("a free address is answered %s", answer)
	}
	if rooms.CodeOf(login()) != rooms.CodeUnauthenticated {
		t.Error("the account is there before its address is confirmed")
	}
	letter := w.Post.To("bo@example.org")[0]
	if letter.To.Name != "" || strings.Contains(strings.Join(letter.Lines, " "), in.Name) {
		t.Errorf("a stranger's mail has the name in it: %+v", letter)
	}
	link := VerifyEmailInput{Token: token(w, "bo@example.org")}
	for _, password := range []string{"", "another battery"} { // the owner of an address that a stranger registered
		link.Password = password
		err := second(roomstest.Ask(w, guest("a"), VerifyEmail, link))
		var e *rooms.Error
		if !errors.As(err, &e) || e.Code != rooms.CodeInvalid || e.Field != "password" {
			t.Errorf("confirmed with %q: %v", password, err)
		}
	}
	link.Password = in.Password
	if err := second(roomstest.Ask(w, guest("a"), VerifyEmail, link)); err != nil {
		t.Fatal(err)
	}
	if err := login(); err != nil {
		t.Errorf("confirmed, a login: %v", err)
	}
	if err := second(roomstest.Ask(w, guest("a"), VerifyEmail, link)); rooms.CodeOf(err) != rooms.CodeInvalid {
		t.Errorf("the link twice: %v", err)
	}
	if taken := register(); taken != fresh {
		t.Errorf("a taken address is answered %+v, a free one %+v", taken, fresh)
	}
	if !slices.ContainsFunc(w.Post.To("bo@example.org"), func(l Letter) bool { return l.Subject == "您已经有账户" }) {
		t.Error("the owner of the account got no mail")
	}
	for range 50 { // not to flood a stranger's mailbox
		if _, err := roomstest.Ask(w, guest("a"), Register, in); err != nil && rooms.CodeOf(err) != rooms.CodeRateLimited {
			t.Fatal(err)
		}
	}
	w.Passes(time.Second)
	if n := len(w.Post.To("bo@example.org")); n > 8 {
		t.Errorf("%d mails", n)
	}
}
