package account_test

import (
	"fmt"
	"testing"
	"time"

	"wenzhen.example/rooms"
	. "wenzhen.example/rooms/account"
	"wenzhen.example/rooms/roomstest"
)

// A limit per address counts the /64 that a client of IPv6 has all addresses
// of, and with sixteen times the limit the /48 around it.
func TestLimitsPerAddressCountNetworks(t *testing.T) {
	t.Parallel()
	const most = 3
	newWorld := func() *roomstest.World {
		return roomstest.New(t, func(w *roomstest.World) { w.AddressLimit = most })
	}
	w := newWorld()
	guesses := 0
	for what, try := range map[string]func(address string) error{
		"failed logins": func(address string) error {
			guesses++ // of different accounts, so that none of them is locked
			_, err := roomstest.Ask(w, guest(address), LogIn, LoginInput{Email: fmt.Sprintf("%d@wenzhen.example", guesses), Password: "guess"})
			if rooms.CodeOf(err) == rooms.CodeUnauthenticated {
				return nil
			}
			return err
		},
		"registrations": func(address string) error {
			guesses++
			_, err := roomstest.Ask(w, guest(address), Register, RegisterInput{Role: rooms.RolePatient, Name: "Bo",
				Email: fmt.Sprintf("%d@wenzhen.example", guesses), Password: roomstest.Password})
			return err
		},
		"forgotten passwords": func(address string) error {
			guesses++
			_, err := roomstest.Ask(w, guest(address), ForgotPassword, ForgotInput{Email: fmt.Sprintf("%d@wenzhen.example", guesses)})
			return err
		},
		"passkeys": func(address string) error {
			_, err := roomstest.Ask(w, guest(address), AskPasskey, rooms.Nothing{})
			return err
		},
	} {
		w.Passes(time.Hour)
		allowed := func(address string) bool { return rooms.CodeOf(try(address)) != rooms.CodeRateLimited }
		for i := range most {
			if !allowed(fmt.Sprintf("2001:db8:1:1::%x", i+1)) {
				t.Fatalf("%s: %d of %d are refused", what, i+1, most)
			}
		}
		if allowed("2001:db8:1:1:ffff::1") {
			t.Errorf("%s: one /64 has more than %d", what, most)
		}
		if !allowed("2001:db8:1:2::1") || !allowed("198.51.100.1") {
			t.Errorf("%s: other networks are refused", what)
		}
	}

	refused := 0
	for i := range 100 { // each from a /64 of its own
		_, err := roomstest.Ask(w, guest(fmt.Sprintf("2001:db8:2:%x::1", i)), AskPasskey, rooms.Nothing{})
		if rooms.CodeOf(err) == rooms.CodeRateLimited {
			refused++
		}
	}
	if want := 100 - 16*most; refused != want {
		t.Errorf("%d of 100 networks in one /48 are refused, want %d", refused, want)
	}
	if _, err := roomstest.Ask(w, guest("2001:db8:3::1"), AskPasskey, rooms.Nothing{}); err != nil {
		t.Errorf("another /48: %v", err)
	}
}
