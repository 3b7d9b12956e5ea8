package account_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"wenzhen.example/rooms"
	. "wenzhen.example/rooms/account"
	"wenzhen.example/rooms/roomstest"
)

// The token by which a device is known replaces neither the password nor the
// second factor.
func TestADeviceAloneLogsNobodyIn(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t)
	bo := w.Patient("bo")
	for what, password := range map[string]string{"a wrong password": "not the password", "no password": ""} {
		_, err := roomstest.Ask(w, guest("198.51.100.1"), LogIn, LoginInput{Email: bo.User.Email, Password: password, Device: bo.Device})
		if code := rooms.CodeOf(err); code != rooms.CodeUnauthenticated && code != rooms.CodeInvalid {
			t.Errorf("a known device with %s: %v", what, err)
		}
	}
	protected(bo)
	_, err := roomstest.Ask(w, guest("198.51.100.1"), LogIn, LoginInput{Email: bo.User.Email, Password: roomstest.Password, Device: bo.Device})
	var refused *rooms.Error
	if !errors.As(err, &refused) || refused.Code != rooms.CodeUnauthenticated || refused.Field != "otp" {
		t.Errorf("a known device with the password alone: %v", err)
	}
}

// Ten thousand guesses, each from an address of its own, over a day and a
// night: hardly any is looked at, and the owner gets in all the same.
func TestTenThousandGuesses(t *testing.T) {
	t.Parallel()
	const failures = 1 // in a quarter of an hour; ten times that in a day
	w := roomstest.New(t, func(w *roomstest.World) { w.LoginFailures = failures })
	bo := w.Patient("bo")
	right := LoginInput{Email: bo.User.Email, Password: roomstest.Password}
	known := right
	known.Device = bo.Device
	looked := 0
	for i := range 10_000 {
		if i%100 == 0 {
			w.Passes(24 * time.Hour / 100)
		}
		address := fmt.Sprintf("2001:db8:%x::1", i)
		_, err := roomstest.Ask(w, guest(address), LogIn, LoginInput{Email: bo.User.Email, Password: fmt.Sprint("guess", i)})
		switch rooms.CodeOf(err) {
		case rooms.CodeUnauthenticated:
			looked++
		case rooms.CodeRateLimited:
		default:
			t.Fatalf("guess %d: %v", i, err)
		}
		if i == 5000 {
			if _, err := roomstest.Ask(w, guest("198.51.100.1"), LogIn, right); rooms.CodeOf(err) != rooms.CodeRateLimited {
				t.Errorf("a stranger with the right password: %v", err)
			}
			if _, err := roomstest.Ask(w, guest("198.51.100.1"), LogIn, known); err != nil {
				t.Errorf("the owner on a device of theirs: %v", err)
			}
		}
	}
	if most := 10 * failures; looked > most {
		t.Errorf("%d guesses were looked at in a day, at most %d should be", looked, most)
	}
	// A token that is made up, or another's, makes no known device.
	for _, device := range []string{"made.up", w.Patient("jing").Device} {
		forged := right
		forged.Device = device
		if _, err := roomstest.Ask(w, guest("198.51.100.1"), LogIn, forged); rooms.CodeOf(err) != rooms.CodeRateLimited {
			t.Errorf("with the device %s: %v", device, err)
		}
	}
	// Under attack and with no device at hand, a mail lets the owner in.
	reset(w, bo, "a new password")
	w.Passes(time.Minute)
	// When the attack is over, so is the lock.
	w.Passes(24 * time.Hour)
	right.Password = "a new password"
	if _, err := roomstest.Ask(w, guest("198.51.100.1"), LogIn, right); err != nil {
		t.Errorf("the day after: %v", err)
	}
}

// reset sets a new password by mail, and logs in with it.
func reset(w *roomstest.World, p *roomstest.Person, password string) Login {
	w.T.Helper()
	if _, err := roomstest.Ask(w, guest("203.0.113.9"), ForgotPassword, ForgotInput{Email: p.User.Email}); err != nil {
		w.T.Fatal(err)
	}
	w.Passes(time.Second)
	answer, err := roomstest.Ask(w, guest("203.0.113.9"), ResetPassword, ResetInput{Token: token(w, p.User.Email), Password: password})
	if err != nil {
		w.T.Fatal(err)
	}
	login, err := roomstest.Ask(w, guest("203.0.113.9"), LogIn, LoginInput{Email: answer.Email, Password: password, Device: answer.Device})
	if err != nil {
		w.T.Fatal(err)
	}
	return login
}

// A known device has its own failures, and no more of them than a stranger.
func TestKnownDeviceIsThrottled(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t, func(w *roomstest.World) { w.LoginFailures = 2 })
	bo := w.Patient("bo")
	in := LoginInput{Email: bo.User.Email, Password: "guess", Device: bo.Device}
	for i, want := range []rooms.Code{rooms.CodeUnauthenticated, rooms.CodeUnauthenticated, rooms.CodeRateLimited} {
		if _, err := roomstest.Ask(w, guest("a"), LogIn, in); rooms.CodeOf(err) != want {
			t.Errorf("guess %d: %v, want %s", i+1, err, want)
		}
	}
	in.Device, in.Password = "", roomstest.Password
	if _, err := roomstest.Ask(w, guest("a"), LogIn, in); err != nil {
		t.Errorf("elsewhere: %v", err)
	}
}
