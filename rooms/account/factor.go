package account

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"image/png"
	"strings"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/totp"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/audit"
)

// Time-based one-time passwords (RFC 6238) as every authenticator app has
// them: six digits, 30 seconds, SHA-1. A code of the period before or after is
// taken, for clocks that are off; none is taken twice.
const (
	totpPeriod    = 30
	totpSkew      = 1
	recoveryCodes = 10
)

// TOTP is a user's shared secret, sealed.
type TOTP struct {
	UserID      rooms.UserID
	Secret      []byte
	ConfirmedAt time.Time // zero until the first code was right
	LastStep    int64     // the period of the last code that was taken
}

// secondFactor checks otp, a code of the authenticator app or a recovery code,
// of an account that has a second factor; needed reports whether it has one. At
// most SecondFactorGuesses codes of the app can be tried per day, regardless of
// devices and resets of the password; a user who is locked out by that can log
// in with a recovery code. Errors: unauthenticated with field otp,
// rate_limited; conflict if the factor is of another account key.
func (s *Service) secondFactor(ctx context.Context, user rooms.UserID, otp, device string) (needed bool, err error) {
	factor, err := s.store.TOTP(ctx, user)
	if rooms.CodeOf(err) == rooms.CodeNotFound || (err == nil && factor.ConfirmedAt.IsZero()) {
		return false, nil
	} else if err != nil {
		return false, err
	}
	if _, err := s.factorSecret(factor); err != nil { // no code can be right, of the app or for recovery
		return true, err
	}
	refused := rooms.Unauthenticated("the code is wrong or was used before")
	refused.Field = "otp"
	if otp == "" {
		refused.Message = "this account asks for a code of its second factor"
		return true, refused
	}
	now := s.now()
	try := s.guess("otp", string(user), user, device, rooms.Actor{})
	if looksLikeTOTP(otp) { // a recovery code is too long to be guessed
		try.day, try.dayMost = "otp-day:"+string(user), s.cfg.SecondFactorGuesses
	}
	if err := s.count(ctx, try, now); err != nil {
		return true, err
	}
	ok, err := rooms.InTx(ctx, s.store, func(tx Tx) (bool, error) {
		if looksLikeTOTP(otp) {
			return s.useTOTP(tx, user, otp, now)
		}
		return tx.UseRecoveryCode(user, s.recoveryHash(user, otp))
	})
	switch {
	case err != nil:
		return true, err
	case !ok:
		return true, refused
	}
	return true, s.forget(ctx, try, now)
}

// factorSecret is the shared secret of a second factor. Errors: conflict if the
// server has another account key than the one that it was sealed with.
func (s *Service) factorSecret(factor TOTP) ([]byte, error) {
	secret, err := s.decrypt("totp", string(factor.UserID), factor.Secret)
	if err != nil {
		return nil, rooms.Conflict("second_factor_lost", "the server has another key than when this second factor was set up, and can check neither its codes nor "+
			"its recovery codes; have an admin reset it, or run wenzhen users reset-second-factor on the server")
	}
	return secret, nil
}

// useTOTP takes a code; the period that it is of is not taken again.
func (s *Service) useTOTP(tx Tx, user rooms.UserID, code string, now time.Time) (bool, error) {
	factor, err := tx.TOTP(user)
	if err != nil {
		return false, err
	}
	secret, err := s.factorSecret(factor)
	if err != nil {
		return false, err
	}
	step := now.Unix() / totpPeriod
	for _, at := range []int64{step, step - totpSkew, step + totpSkew} {
		want, err := totp.GenerateCode(string(secret), time.Unix(at*totpPeriod, 0))
		if err != nil {
			return false, err
		}
		if subtle.ConstantTimeCompare([]byte(want), []byte(compact(code))) == 1 {
			if at <= factor.LastStep {
				return false, nil
			}
			factor.LastStep = at
			if factor.ConfirmedAt.IsZero() {
				factor.ConfirmedAt = now
			}
			return true, tx.SaveTOTP(factor)
		}
	}
	return false, nil
}

// looksLikeTOTP tells six digits from a recovery code.
func looksLikeTOTP(code string) bool {
	code = compact(code)
	return len(code) == 6 && strings.Trim(code, "0123456789") == ""
}

// compact leaves out what people type between the parts of a code.
func compact(code string) string {
	return strings.ToUpper(strings.NewReplacer(" ", "", "-", "").Replace(code))
}

// beginTOTP makes a secret, which counts once a code of it has been confirmed.
func (s *Service) beginTOTP(ctx context.Context, actor rooms.Actor, _ rooms.Nothing) (TOTPSetup, error) {
	user, err := s.store.User(ctx, actor.UserID)
	if err != nil {
		return TOTPSetup{}, err
	}
	key, err := totp.Generate(totp.GenerateOpts{Issuer: "Wenzhen", AccountName: user.Email, Period: totpPeriod, Digits: otp.DigitsSix})
	if err != nil {
		return TOTPSetup{}, err
	}
	picture, err := key.Image(232, 232)
	if err != nil {
		return TOTPSetup{}, err
	}
	var file bytes.Buffer
	if err := png.Encode(&file, picture); err != nil {
		return TOTPSetup{}, err
	}
	err = s.store.InTx(ctx, func(tx Tx) error {
		if err := s.recentlyAuthenticated(tx, actor); err != nil {
			return err
		}
		have, err := tx.TOTP(actor.UserID)
		if err == nil && !have.ConfirmedAt.IsZero() {
			return rooms.Conflict("on", "the second factor is on already; switch it off first")
		} else if err != nil && rooms.CodeOf(err) != rooms.CodeNotFound {
			return err
		}
		return tx.SaveTOTP(TOTP{UserID: actor.UserID, Secret: s.encrypt("totp", string(actor.UserID), []byte(key.Secret()))})
	})
	return TOTPSetup{Secret: key.Secret(), URI: key.URL(), QR: "data:image/png;base64," + base64.StdEncoding.EncodeToString(file.Bytes())}, err
}

// confirmTOTP switches the second factor on with a first code, and gives out
// the recovery codes.
func (s *Service) confirmTOTP(ctx context.Context, actor rooms.Actor, in TOTPInput) (RecoveryCodes, error) {
	return rooms.InTx(ctx, s.store, func(tx Tx) (RecoveryCodes, error) {
		if err := s.changesLogin(tx, actor, ConfirmTOTP.Name); err != nil {
			return RecoveryCodes{}, err
		}
		have, err := tx.TOTP(actor.UserID)
		if rooms.CodeOf(err) == rooms.CodeNotFound {
			return RecoveryCodes{}, rooms.Conflict("off", "begin with POST /me/totp")
		} else if err != nil {
			return RecoveryCodes{}, err
		}
		if !have.ConfirmedAt.IsZero() {
			return RecoveryCodes{}, rooms.Conflict("on", "the second factor is on already")
		}
		if _, err := s.factorSecret(have); err != nil {
			return RecoveryCodes{}, rooms.Conflict("off", "this was begun before the server got another key; begin again with POST /me/totp")
		}
		ok, err := s.useTOTP(tx, actor.UserID, in.OTP, s.now())
		if err != nil {
			return RecoveryCodes{}, err
		}
		if !ok {
			return RecoveryCodes{}, rooms.Invalid("otp", "the code is wrong; is the device's clock right?")
		}
		return s.newRecoveryCodes(tx, actor.UserID)
	})
}

// resetSecondFactor removes the second factor of a user who has lost it
// together with its recovery codes. The admin must have verified the user's
// identity.
func (s *Service) resetSecondFactor(ctx context.Context, actor rooms.Actor, in UserInput) (rooms.Nothing, error) {
	if in.UserID == actor.UserID {
		return rooms.Nothing{}, rooms.Invalid("userId", "switch your own second factor off in your account, with a code")
	}
	return rooms.Nothing{}, s.resetFactor(ctx, actor, in.UserID, func(tx Tx) error { return s.recentlyAuthenticated(tx, actor) })
}

// resetFactor removes the second factor of a user, and ends their sessions. Who
// does it is asked for by proved. Errors: not_found, conflict.
func (s *Service) resetFactor(ctx context.Context, actor rooms.Actor, id rooms.UserID, proved func(Tx) error) error {
	revoked, err := rooms.InTx(ctx, s.store, func(tx Tx) ([]rooms.SessionID, error) {
		user, err := tx.User(id)
		if err != nil {
			return nil, err
		}
		if err := proved(tx); err != nil {
			return nil, err
		}
		if _, err := tx.TOTP(user.ID); rooms.CodeOf(err) == rooms.CodeNotFound {
			return nil, rooms.Conflict("second_factor_off", "this account has no second factor")
		} else if err != nil {
			return nil, err
		}
		if err := tx.DeleteTOTP(user.ID); err != nil {
			return nil, err
		}
		revoked, err := tx.RevokeSessions(user.ID, "", s.now())
		if err != nil {
			return nil, err
		}
		if err := s.post(tx, letterFactor, string(user.ID)); err != nil {
			return nil, err
		}
		return revoked, audit.Append(tx, actor, s.now(), ResetSecondFactor.Name, "user:"+string(user.ID), nil)
	})
	s.forgetAll(revoked)
	return err
}

func (s *Service) removeTOTP(ctx context.Context, actor rooms.Actor, _ rooms.Nothing) (rooms.Nothing, error) {
	return rooms.Nothing{}, s.store.InTx(ctx, func(tx Tx) error {
		if err := s.changesLogin(tx, actor, RemoveTOTP.Name); err != nil {
			return err
		}
		return tx.DeleteTOTP(actor.UserID)
	})
}

func (s *Service) renewRecoveryCodes(ctx context.Context, actor rooms.Actor, _ rooms.Nothing) (RecoveryCodes, error) {
	return rooms.InTx(ctx, s.store, func(tx Tx) (RecoveryCodes, error) {
		if err := s.changesLogin(tx, actor, RenewRecoveryCodes.Name); err != nil {
			return RecoveryCodes{}, err
		}
		have, err := tx.TOTP(actor.UserID)
		if rooms.CodeOf(err) == rooms.CodeNotFound || (err == nil && have.ConfirmedAt.IsZero()) {
			return RecoveryCodes{}, rooms.Conflict("off", "there is no second factor to recover from")
		} else if err != nil {
			return RecoveryCodes{}, err
		}
		return s.newRecoveryCodes(tx, actor.UserID)
	})
}

// newRecoveryCodes replaces a user's recovery codes: 65 random bits each.
func (s *Service) newRecoveryCodes(tx Tx, user rooms.UserID) (RecoveryCodes, error) {
	var out RecoveryCodes
	var hashes [][]byte
	for range recoveryCodes {
		code := rand.Text()[:13]
		out.Codes = append(out.Codes, code[:4]+"-"+code[4:8]+"-"+code[8:])
		hashes = append(hashes, s.recoveryHash(user, code))
	}
	return out, tx.SetRecoveryCodes(user, hashes)
}

// recoveryHash is how a recovery code is kept: of no use without the account key.
func (s *Service) recoveryHash(user rooms.UserID, code string) []byte {
	mac := hmac.New(sha256.New, s.secret("recovery code"))
	mac.Write([]byte(string(user) + "\n" + compact(code)))
	return mac.Sum(nil)
}
