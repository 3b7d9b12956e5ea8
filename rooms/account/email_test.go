package account_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"wenzhen.example/rooms"
	. "wenzhen.example/rooms/account"
	"wenzhen.example/rooms/audit"
	"wenzhen.example/rooms/roomstest"
)

// token is that of the latest letter with a link to an address.
func token(w *roomstest.World, email string) string {
	w.T.Helper()
	letters := w.Post.To(email)
	for i := len(letters) - 1; i >= 0; i-- {
		if _, secret, ok := strings.Cut(letters[i].URL, "#"); ok {
			return secret
		}
	}
	w.T.Fatalf("no letter with a link among %+v", letters)
	return ""
}

// entered demands that the audit log has an action of somebody's account, with an
// outcome.
func entered(w *roomstest.World, p *roomstest.Person, action, outcome string) {
	w.T.Helper()
	in := audit.LogFilter{Subject: "user:" + string(p.User.ID), Action: action}
	page, err := roomstest.Ask(w, rooms.Actor{Role: rooms.RoleAdmin}, audit.List, in)
	if err != nil || len(page.Items) == 0 || page.Items[0].Outcome != outcome {
		w.T.Errorf("%s: the audit log has %+v, %v", action, page.Items, err)
	}
}

func TestVerifyEmail(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t)
	w.Post.Breaks(true)
	bo := w.Patient("bo")
	w.Passes(time.Second)
	w.Post.Breaks(false)
	w.Passes(time.Minute) // tried again
	letters := w.Post.To(bo.User.Email)
	if len(letters) != 1 || !strings.HasPrefix(letters[0].URL, "https://clinic.example/email/verify#") || !letters[0].Chinese {
		t.Fatalf("letters: %+v", letters)
	}
	secret := token(w, bo.User.Email)
	verify := func(secret string) error {
		_, err := roomstest.Ask(w, guest("a"), VerifyEmail, VerifyEmailInput{Token: secret})
		return err
	}
	verified := func() bool { return roomstest.Must(bo, Me, rooms.Nothing{}).User.EmailVerified }
	// A link for something else is no link, nor is one that was changed.
	for name, wrong := range map[string]string{"changed": secret[:len(secret)-1] + "_", "cut": strings.Split(secret, ".")[0], "empty": ""} {
		if err := verify(wrong); rooms.CodeOf(err) != rooms.CodeInvalid || verified() {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := roomstest.Ask(w, guest("a"), ResetPassword, ResetInput{Token: secret, Password: "long enough"}); rooms.CodeOf(err) != rooms.CodeInvalid {
		t.Errorf("a password was set with it: %v", err)
	}
	if err := verify(secret); err != nil || !verified() {
		t.Errorf("verify: %v", err)
	}
	entered(w, bo, VerifyEmail.Name, "")
	if err := verify(secret); rooms.CodeOf(err) != rooms.CodeInvalid {
		t.Errorf("twice: %v", err)
	}
	// Two days late is too late; another can be asked for, not too often.
	jing := w.Patient("jing")
	w.Passes(time.Second)
	late := token(w, jing.User.Email)
	w.Passes(48 * time.Hour)
	if err := verify(late); rooms.CodeOf(err) != rooms.CodeInvalid {
		t.Errorf("late: %v", err)
	}
	var last rooms.Code
	for range 6 {
		last = roomstest.Code(jing, SendVerification, rooms.Nothing{})
	}
	w.Passes(time.Second)
	if last != rooms.CodeRateLimited || len(w.Post.To(jing.User.Email)) != 6 {
		t.Errorf("the last was answered %q, and %d letters came", last, len(w.Post.To(jing.User.Email)))
	}
}

func TestResetPassword(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t)
	bo := w.Patient("bo")
	forgot := func(email string) {
		t.Helper()
		if _, err := roomstest.Ask(w, guest("a"), ForgotPassword, ForgotInput{Email: email}); err != nil {
			t.Fatal(err)
		}
		w.Passes(time.Second)
	}
	forgot("nobody@example.org") // answered the same
	if n := len(w.Post.To("nobody@example.org")); n != 0 {
		t.Errorf("%d letters to nobody", n)
	}
	forgot(" Bo@example.org ")
	first := token(w, bo.User.Email)
	forgot(bo.User.Email)
	second := token(w, bo.User.Email)
	in := ResetInput{Token: second, Password: "a new password"}
	answer, err := roomstest.Ask(w, guest("a"), ResetPassword, in)
	entered(w, bo, ResetPassword.Name, "")
	if err != nil || answer.Email != bo.User.Email {
		t.Fatalf("%+v, %v", answer, err)
	}
	for name, secret := range map[string]string{"the same link": second, "an older link": first} {
		in.Token = secret
		if _, err := roomstest.Ask(w, guest("a"), ResetPassword, in); rooms.CodeOf(err) != rooms.CodeInvalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	if code := roomstest.Code(bo, Me, rooms.Nothing{}); code != rooms.CodeUnauthenticated {
		t.Errorf("the sessions of before: %q", code)
	}
	if _, err := roomstest.Ask(w, guest("a"), LogIn, LoginInput{Email: bo.User.Email, Password: roomstest.Password}); rooms.CodeOf(err) != rooms.CodeUnauthenticated {
		t.Errorf("the old password: %v", err)
	}
	login, err := roomstest.Ask(w, guest("a"), LogIn, LoginInput{Email: bo.User.Email, Password: "a new password"})
	if err != nil || !login.User.EmailVerified {
		t.Errorf("the new password: %+v, %v", login.User, err)
	}
	w.Passes(time.Second)
	if letters := w.Post.To(bo.User.Email); letters[len(letters)-1].Subject != "您的密码已修改" {
		t.Errorf("its owner received %+v", letters[len(letters)-1])
	}
	forgot(bo.User.Email)
	in.Token = token(w, bo.User.Email)
	w.Passes(time.Hour)
	if _, err := roomstest.Ask(w, guest("a"), ResetPassword, in); rooms.CodeOf(err) != rooms.CodeInvalid {
		t.Errorf("an hour later: %v", err)
	}
	// However often it is asked for, only so many letters are sent in an hour.
	before := len(w.Post.To(bo.User.Email))
	for range 20 {
		forgot(bo.User.Email)
	}
	if n := len(w.Post.To(bo.User.Email)) - before; n > 5 {
		t.Errorf("%d letters", n)
	}
}

// Until someone has shown to have an address, it gets the mail to verify it
// and the one to reset the password, and neither says whose account it is.
func TestUnverifiedAddressLearnsNothing(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t)
	bo := w.Patient("bo-tippfehler")
	w.Passes(time.Second)
	bo.Again(rooms.Actor{Address: "203.0.113.7", Agent: "another browser"})
	roomstest.Must(bo, ChangePassword, PasswordInput{Password: "a new password"})
	if _, err := roomstest.Ask(w, guest("a"), ForgotPassword, ForgotInput{Email: bo.User.Email}); err != nil {
		t.Fatal(err)
	}
	w.Passes(time.Second)
	letters := w.Post.To(bo.User.Email)
	if len(letters) != 2 {
		t.Errorf("%d letters", len(letters))
	}
	for _, l := range letters {
		if text := l.Subject + strings.Join(l.Lines, " ") + l.Reason; strings.Contains(text, bo.User.Name) || strings.Contains(text, "203.0.113.7") {
			t.Errorf("it says %q", text)
		}
	}
}

func TestChangePassword(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t)
	bo := w.Patient("bo")
	other := bo.Again(guest("192.0.2.1"))
	roomstest.Must(bo, ChangePassword, PasswordInput{Password: "a new password"})
	if code := roomstest.Code(other, Me, rooms.Nothing{}); code != rooms.CodeUnauthenticated {
		t.Errorf("the other device: %q", code)
	}
	if code := roomstest.Code(bo, Me, rooms.Nothing{}); code != "" {
		t.Errorf("this device: %q", code)
	}
	if _, err := roomstest.Ask(w, guest("a"), LogIn, LoginInput{Email: bo.User.Email, Password: "a new password"}); err != nil {
		t.Error(err)
	}
}

// Who signs up with an address that is not theirs keeps nothing of the account
// once its owner resets the password: no session, no passkey. The second factor
// stays, and an admin removes it.
func TestOwnerOfTheAddressTakesTheAccount(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t)
	admin := w.Enters(second1(roomstest.Ask(w, guest("a"), LogIn, LoginInput{Email: w.Admin("root").User.Email, Password: roomstest.Password})))
	squatter := w.Patient("bo")
	protected(squatter)
	answer := resetOnly(w, squatter.User.Email, "the owner's words")
	in := LoginInput{Email: answer.Email, Password: "the owner's words", Device: answer.Device, OTP: "garbage"}
	var refused *rooms.Error
	if err := second(roomstest.Ask(w, guest("a"), LogIn, in)); !errors.As(err, &refused) || refused.Field != "otp" {
		t.Errorf("with a code that is none: %v", err)
	}
	if code := roomstest.Code(squatter, ResetSecondFactor, UserInput{UserID: squatter.User.ID}); code == "" {
		t.Error("a patient reset a second factor")
	}
	roomstest.Must(admin, ResetSecondFactor, UserInput{UserID: squatter.User.ID})
	in.OTP = ""
	owner := w.Enters(second1(roomstest.Ask(w, guest("a"), LogIn, in)))
	if s := roomstest.Must(owner, ReadSecurity, rooms.Nothing{}); s.TOTP || !s.EmailVerified {
		t.Errorf("the account is %+v", s)
	}
	if code := roomstest.Code(squatter, Me, rooms.Nothing{}); code != rooms.CodeUnauthenticated {
		t.Errorf("the squatter: %q", code)
	}
	w.Passes(time.Second)
	if !slices.ContainsFunc(w.Post.To(owner.User.Email), func(l Letter) bool { return l.Subject == "您的两步验证已关闭" }) {
		t.Error("no letter reports it to the owner")
	}
	if code := roomstest.Code(admin, ResetSecondFactor, UserInput{UserID: owner.User.ID}); code != rooms.CodeConflict {
		t.Errorf("reset once more: %q", code)
	}
	// An owner who had proved to have the address keeps the second factor, too.
	protected(owner)
	resetOnly(w, owner.User.Email, "another password")
	err := second(roomstest.Ask(w, guest("a"), LogIn, LoginInput{Email: owner.User.Email, Password: "another password"}))
	if e, ok := err.(*rooms.Error); !ok || e.Field != "otp" {
		t.Errorf("a reset took the second factor away: %v", err)
	}
}
