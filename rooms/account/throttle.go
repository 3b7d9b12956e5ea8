package account

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"strings"
	"time"

	"wenzhen.example/rooms"
)

// strangersADay is how many windows' worth of failures strangers have in a day.
const strangersADay = 10

// aDay is what the caps of a day count.
const aDay = 24 * time.Hour

// attempt counts one more try on subject, or refuses it.
func attempt(tx Tx, subject string, most int, window time.Duration, now time.Time) error {
	n, err := tx.CountAttempts(subject, now.Add(-window))
	if err != nil {
		return err
	}
	if n >= most {
		return rooms.RateLimited(window, "too many attempts; wait a while")
	}
	return tx.AddAttempt(subject, now)
}

// attemptFrom counts one more try from an address, or refuses it.
func attemptFrom(tx Tx, what, address string, most int, window time.Duration, now time.Time) error {
	for _, from := range rooms.Sources(address) {
		if err := attempt(tx, what+"-from:"+from.Name, most*from.Times, window, now); err != nil {
			return err
		}
	}
	return nil
}

// forgetFrom takes tries from an address back.
func forgetFrom(tx Tx, what, address string, since time.Time) error {
	for _, from := range rooms.Sources(address) {
		if err := tx.ForgetAttempts(what+"-from:"+from.Name, since); err != nil {
			return err
		}
	}
	return nil
}

// guess is one try to get into an account, as the throttle counts it.
//
// A device that the account has been used on carries a token and counts for
// itself; all others together are strangers. However many addresses guess,
// they share LoginFailures in a window and strangersADay times that in a day,
// and can lock out strangers only: the owner comes in on a known device, with
// a passkey, through a provider, or after a password reset, which makes the
// device a known one.
type guess struct {
	what, account, address string // what is counted; no address where it does not count
	stranger               bool
	// day is counted for all devices together, up to dayMost within 24 hours;
	// "" where it does not count.
	day     string
	dayMost int
}

// guess names the try: what is the kind of secret guessed at.
func (s *Service) guess(what, account string, user rooms.UserID, device string, actor rooms.Actor) guess {
	if id, ok := s.deviceID(user, device); ok {
		return guess{what: what, account: what + "-device:" + id}
	}
	return guess{what: what, account: what + ":" + account, address: actor.Address, stranger: true}
}

// count counts the try before the secret is looked at, so that many guesses at
// once cannot all slip through; a success takes it back.
func (s *Service) count(ctx context.Context, g guess, now time.Time) error {
	return s.store.InTx(ctx, func(tx Tx) error {
		if g.stranger {
			today, err := tx.CountAttempts(g.account, now.Add(-aDay))
			if err != nil {
				return err
			}
			if today >= strangersADay*s.cfg.LoginFailures {
				return rooms.RateLimited(time.Hour, "too many attempts today; use a device that was logged in before, or reset the password")
			}
		}
		if g.day != "" {
			today, err := tx.CountAttempts(g.day, now.Add(-aDay))
			if err != nil {
				return err
			}
			if today >= g.dayMost {
				return rooms.RateLimited(time.Hour, "too many wrong codes today; use a recovery code or a passkey")
			}
			if err := tx.AddAttempt(g.day, now); err != nil {
				return err
			}
		}
		if err := attempt(tx, g.account, s.cfg.LoginFailures, s.cfg.LoginWindow, now); err != nil || g.address == "" {
			return err
		}
		return attemptFrom(tx, g.what, g.address, s.cfg.AddressFailures, s.cfg.LoginWindow, now)
	})
}

// forget takes the tries back after the right secret was given; of those of the
// day this one alone, so that an owner who logs in gives nobody more guesses.
func (s *Service) forget(ctx context.Context, g guess, now time.Time) error {
	return s.store.InTx(ctx, func(tx Tx) error {
		if g.day != "" {
			if err := tx.ForgetAttempts(g.day, now); err != nil {
				return err
			}
		}
		if err := tx.ForgetAttempts(g.account, now.Add(-s.cfg.LoginWindow)); err != nil || g.address == "" {
			return err
		}
		return forgetFrom(tx, g.what, g.address, now)
	})
}

// deviceToken is what a device keeps to show that the user has logged in on it:
// the one it has, or a new one.
func (s *Service) deviceToken(user rooms.UserID, have string) string {
	if _, ok := s.deviceID(user, have); ok {
		return have
	}
	return s.signDevice(user, rand.Text())
}

// deviceID reads a device token of user.
func (s *Service) deviceID(user rooms.UserID, token string) (string, bool) {
	id, _, _ := strings.Cut(token, ".")
	return id, user != "" && subtle.ConstantTimeCompare([]byte(s.signDevice(user, id)), []byte(token)) == 1
}

func (s *Service) signDevice(user rooms.UserID, id string) string {
	mac := hmac.New(sha256.New, s.secret("device"))
	mac.Write([]byte(string(user) + "\n" + id))
	return id + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}
