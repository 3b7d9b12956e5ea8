package account_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"wenzhen.example/rooms"
	. "wenzhen.example/rooms/account"
	"wenzhen.example/rooms/roomstest"
)

func second1(l Login, err error) Login {
	if err != nil {
		panic(err)
	}
	return l
}

// resetOnly sets a new password by mail.
func resetOnly(w *roomstest.World, email, password string) ResetAnswer {
	w.T.Helper()
	if _, err := roomstest.Ask(w, guest("203.0.113.9"), ForgotPassword, ForgotInput{Email: email}); err != nil {
		w.T.Fatal(err)
	}
	w.Passes(time.Second)
	answer, err := roomstest.Ask(w, guest("203.0.113.9"), ResetPassword, ResetInput{Token: token(w, email), Password: password})
	if err != nil {
		w.T.Fatal(err)
	}
	return answer
}

// Somebody who has the password and the mailbox, and makes a new known device with
// each reset, guesses at the second factor thirty times a day (SEC-16). The
// owner, whom that locks out, comes in with a recovery code.
func TestSecondFactorGuessesOfADay(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t)
	bo := w.Patient("bo")
	device, codes := protected(bo)
	in := LoginInput{Email: bo.User.Email, Password: roomstest.Password, Device: bo.Device, OTP: "000000"}
	judged := 0
	for i := range 90 {
		w.Turns(10 * time.Minute) // 15 hours in all
		if i%15 == 14 {
			in.Password = fmt.Sprint("the words of reset ", i)
			in.Device = resetOnly(w, bo.User.Email, in.Password).Device
		}
		switch _, err := roomstest.Ask(w, guest("a"), LogIn, in); rooms.CodeOf(err) {
		case rooms.CodeUnauthenticated:
			judged++
		case rooms.CodeRateLimited:
		default:
			t.Fatalf("guess %d: %v", i, err)
		}
	}
	if judged != 30 {
		t.Errorf("%d guesses were judged in a day, want 30", judged)
	}
	in.OTP = device.code()
	if _, err := roomstest.Ask(w, guest("a"), LogIn, in); rooms.CodeOf(err) != rooms.CodeRateLimited {
		t.Errorf("the right code then: %v", err)
	}
	in.OTP = codes[0]
	if _, err := roomstest.Ask(w, guest("a"), LogIn, in); err != nil {
		t.Errorf("a recovery code: %v", err)
	}
	w.Turns(25 * time.Hour)
	in.OTP = device.code()
	if _, err := roomstest.Ask(w, guest("a"), LogIn, in); err != nil {
		t.Errorf("the day after: %v", err)
	}
}

// An owner who logs in gives nobody more guesses.
func TestLoginKeepsTheGuessesOfTheDay(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t)
	bo := w.Patient("bo")
	device, _ := protected(bo)
	in := LoginInput{Email: bo.User.Email, Password: roomstest.Password, OTP: "000000"}
	judged := 0
	for i := range 60 {
		w.Turns(16 * time.Minute)
		if _, err := roomstest.Ask(w, guest("a"), LogIn, in); rooms.CodeOf(err) == rooms.CodeUnauthenticated {
			judged++
		}
		if i%10 == 0 && judged < 30 {
			w.Turns(time.Minute)
			right := in
			right.OTP, right.Device = device.code(), bo.Device
			if _, err := roomstest.Ask(w, guest("b"), LogIn, right); err != nil {
				t.Fatalf("the owner: %v", err)
			}
		}
	}
	if judged != 30 {
		t.Errorf("%d guesses were judged", judged)
	}
}

// With the second factor on, the password alone confirms nothing (SEC-35).
func TestConfirmAsksForBoth(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t)
	bo := w.Patient("bo")
	device, codes := protected(bo)
	w.Turns(time.Hour)
	for name, x := range map[string]struct {
		in    ConfirmInput
		field string
	}{
		"nothing":        {ConfirmInput{}, "password"},
		"a code alone":   {ConfirmInput{OTP: device.code()}, "password"},
		"password alone": {ConfirmInput{Password: roomstest.Password}, "otp"},
		"a wrong code":   {ConfirmInput{Password: roomstest.Password, OTP: "000000"}, "otp"},
	} {
		e, ok := second(roomstest.Ask(w, bo.As, Confirm, x.in)).(*rooms.Error)
		if !ok || e.Code != rooms.CodeInvalid || e.Field != x.field {
			t.Errorf("%s: %v, want invalid at %s", name, e, x.field)
		}
	}
	for name, code := range map[string]rooms.Code{
		"remove":   roomstest.Code(bo, RemoveTOTP, rooms.Nothing{}),
		"renew":    roomstest.Code(bo, RenewRecoveryCodes, rooms.Nothing{}),
		"password": roomstest.Code(bo, ChangePassword, PasswordInput{Password: "some other words"}),
	} {
		if code != rooms.CodeForbidden {
			t.Errorf("%s without a confirmation: %q", name, code)
		}
	}
	roomstest.Must(bo, Confirm, ConfirmInput{Password: roomstest.Password, OTP: codes[0]})
	roomstest.Must(bo, RemoveTOTP, rooms.Nothing{})
	w.Turns(time.Hour)
	roomstest.Must(bo, Confirm, ConfirmInput{Password: roomstest.Password})
}

// A password that is tried first is refused, wherever one is set (SEC-36).
func TestWeakPasswords(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t)
	bo := w.Patient("zhangbo")
	for password, status := range map[string]string{
		"password": "password_common", "Password1!": "password_common", "P@ssw0rd": "password_common", "qwertyuiop": "password_simple",
		"12345678": "password_simple", "87654321": "password_simple", "11111111": "password_simple", "abcd1234": "password_simple", "abcabcabc": "password_simple",
		"abcdeabcde": "password_simple", "19900101": "password_simple", "13812345678": "password_simple", "iloveyou2026": "password_common", "woaini520": "password_common",
		"zhangbo123": "password_personal", "1zhangbo!": "password_personal", "zhangbo@example.org": "password_personal", "密码密码密码密码": "password_simple", "letmein!!": "password_common",
	} {
		e, ok := second(roomstest.Ask(w, bo.As, ChangePassword, PasswordInput{Password: password})).(*rooms.Error)
		if !ok || e.Code != rooms.CodeInvalid || e.Field != "password" || e.Status != status || e.Message == "" {
			t.Errorf("%q: %v (%s), want %s", password, e, statusOf(e), status)
		}
	}
	for _, password := range []string{"correct horse battery", "wenzhen-demo", "xq7#Lm2v", "床前明月光疑是地上霜", "zhangbo likes tea", "a new password"} {
		if code := roomstest.Code(bo, ChangePassword, PasswordInput{Password: password}); code != "" {
			t.Errorf("%q: %q", password, code)
		}
	}
	for what, err := range map[string]error{
		"register": second(roomstest.Ask(w, guest("a"), Register, RegisterInput{Role: rooms.RolePatient, Name: "jing", Email: "jing@example.org", Password: "Password123"})),
		"admin":    second(w.Accounts.CreateAdmin(t.Context(), "root", "root@example.org", "administrator1")),
	} {
		if rooms.CodeOf(err) != rooms.CodeInvalid || !strings.Contains(err.Error(), "(password)") {
			t.Errorf("%s: %v", what, err)
		}
	}
	// A reset that is refused leaves the link as it was.
	if _, err := roomstest.Ask(w, guest("a"), ForgotPassword, ForgotInput{Email: bo.User.Email}); err != nil {
		t.Fatal(err)
	}
	w.Passes(time.Second)
	in := ResetInput{Token: token(w, bo.User.Email), Password: "zhangbo99"}
	if err := second(roomstest.Ask(w, guest("a"), ResetPassword, in)); rooms.CodeOf(err) != rooms.CodeInvalid || !strings.Contains(err.Error(), "(password)") {
		t.Errorf("reset: %v", err)
	}
	in.Password = "a better choice"
	if _, err := roomstest.Ask(w, guest("a"), ResetPassword, in); err != nil {
		t.Errorf("reset with a good one: %v", err)
	}
}

func statusOf(e *rooms.Error) string {
	if e == nil {
		return ""
	}
	return e.Status
}

// One address gets twenty mails of a kind in a day, five in an hour.
func TestMailsOfADayAreCapped(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t)
	bo := w.Patient("bo")
	for range 20 {
		for range 7 {
			if _, err := roomstest.Ask(w, guest("a"), ForgotPassword, ForgotInput{Email: bo.User.Email}); err != nil && rooms.CodeOf(err) != rooms.CodeRateLimited {
				t.Fatal(err)
			}
			_, _ = roomstest.Ask(w, bo.As, SendVerification, rooms.Nothing{})
		}
		w.Passes(0)
		w.Turns(time.Hour)
	}
	kinds := map[string]int{}
	for _, l := range w.Post.To(bo.User.Email) {
		kinds[l.Subject]++
	}
	if kinds["重设密码"] != 20 || kinds["请验证您的邮箱"] > 21 { // and the one of the registration
		t.Errorf("letters: %v", kinds)
	}
}
