package account

import (
	"context"
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/audit"
)

const (
	verifyLife = 48 * time.Hour
	resetLife  = time.Hour
	// mailsAnHour bounds the mails of one kind that can be asked for to one
	// address; Options.MailsADay does so for a day.
	mailsAnHour = 5
)

// mailed counts a mail of a kind to an address, unless there were enough of
// them: then it reports false, and none is to be sent.
func (s *Service) mailed(tx Tx, kind, email string) (bool, error) {
	now, subject := s.now(), kind+"-mail:"+email
	for _, bound := range []struct {
		most   int
		within time.Duration
	}{{mailsAnHour, time.Hour}, {s.cfg.MailsADay, aDay}} {
		n, err := tx.CountAttempts(subject, now.Add(-bound.within))
		if err != nil || n >= bound.most {
			return false, err
		}
	}
	return true, tx.AddAttempt(subject, now)
}

// postVerification sends a mail that proves who reads it has the address.
func (s *Service) postVerification(tx Tx, user User) error {
	if s.cfg.Mail == nil {
		return nil
	}
	secret, err := s.newTicket(tx, ticketVerify, user.ID, verifyLife, user.Email)
	if err != nil {
		return err
	}
	id, _ := s.ticketID(ticketVerify, secret)
	return s.post(tx, letterVerify, id)
}

func (s *Service) sendVerification(ctx context.Context, actor rooms.Actor, _ rooms.Nothing) (rooms.Nothing, error) {
	if s.cfg.Mail == nil {
		return rooms.Nothing{}, errNoMail()
	}
	return rooms.Nothing{}, s.store.InTx(ctx, func(tx Tx) error {
		user, err := tx.User(actor.UserID)
		if err != nil || user.EmailVerified {
			return err
		}
		if may, err := s.mailed(tx, letterVerify, user.Email); err != nil {
			return err
		} else if !may {
			return rooms.RateLimited(time.Hour, "enough mails have been sent to this address; look into the spam folder, or come back later")
		}
		return s.postVerification(tx, user)
	})
}

func errNoMail() error {
	return rooms.Conflict("no_mail", "this server sends no mail; ask its operator")
}

func (s *Service) verifyEmail(ctx context.Context, actor rooms.Actor, in VerifyEmailInput) (rooms.Nothing, error) {
	if id, registers := s.ticketID(ticketRegister, in.Token); registers {
		err := s.admit(ctx, actor, id, in)
		if rooms.CodeOf(err) == rooms.CodeNotFound {
			err = errDeadLink()
		}
		return rooms.Nothing{}, err
	}
	return rooms.Nothing{}, s.store.InTx(ctx, func(tx Tx) error {
		var email string
		t, err := s.takeTicket(tx, ticketVerify, in.Token, &email)
		if rooms.CodeOf(err) == rooms.CodeNotFound {
			return errDeadLink()
		} else if err != nil {
			return err
		}
		user, err := tx.User(t.UserID)
		if err != nil {
			return err
		}
		if user.Email != email {
			return errDeadLink()
		}
		if err := s.enterInLog(tx, rooms.Actor{Address: actor.Address}, VerifyEmail.Name, user.ID); err != nil {
			return err
		}
		user.EmailVerified = true
		return tx.SaveUser(user)
	})
}

func errDeadLink() error { return rooms.Invalid("token", "this link was used, or is too old") }

// forgotPassword sends a mail with which a new password can be set. Whether
// there is such an account shows neither in the answer nor in its time.
func (s *Service) forgotPassword(ctx context.Context, actor rooms.Actor, in ForgotInput) (rooms.Nothing, error) {
	if s.cfg.Mail == nil {
		return rooms.Nothing{}, errNoMail()
	}
	now, email := s.now(), normalEmail(in.Email)
	return rooms.Nothing{}, s.store.InTx(ctx, func(tx Tx) error {
		if err := attemptFrom(tx, "forgot", actor.Address, s.cfg.AddressFailures, s.cfg.LoginWindow, now); err != nil {
			return err
		}
		if may, err := s.mailed(tx, letterReset, email); err != nil || !may {
			return err // said to nobody: it would reveal that others asked
		}
		user, err := tx.UserByEmail(email)
		if rooms.CodeOf(err) == rooms.CodeNotFound || user.Suspended {
			return nil
		} else if err != nil {
			return err
		}
		secret, err := s.newTicket(tx, ticketReset, user.ID, resetLife, user.Email)
		if err != nil {
			return err
		}
		id, _ := s.ticketID(ticketReset, secret)
		return s.post(tx, letterReset, id)
	})
}

// resetPassword sets a new password with the link of a mail, ends all sessions
// and returns a device token. With the token, failed logins of an attacker on
// other devices cannot keep the owner from logging in next.
//
// Where nobody had proved yet to have the address, whatever else opens the
// account was put there by someone who may not: passkeys and providers are
// removed. The second factor stays, always: a mailbox is not two factors. Who
// has lost it uses a recovery code, or asks an admin (ResetSecondFactor).
func (s *Service) resetPassword(ctx context.Context, actor rooms.Actor, in ResetInput) (ResetAnswer, error) {
	if ok, err := s.hasTicket(ctx, ticketReset, in.Token); err != nil {
		return ResetAnswer{}, err
	} else if !ok {
		return ResetAnswer{}, errDeadLink()
	}
	if err := s.goodReset(ctx, in); err != nil {
		return ResetAnswer{}, err
	}
	hash, err := s.passwords.hash(ctx, in.Password)
	if err != nil {
		return ResetAnswer{}, err
	}
	done, err := rooms.InTx(ctx, s.store, func(tx Tx) (changed, error) { return s.takeReset(tx, actor, in.Token, hash) })
	if err != nil {
		return ResetAnswer{}, err
	}
	s.forgetAll(done.revoked)
	return ResetAnswer{Email: done.user.Email, Device: s.deviceToken(done.user.ID, "")}, nil
}

// changed is an account after a change that ended sessions of it.
type changed struct {
	user    User
	revoked []rooms.SessionID
}

// takeReset uses up the ticket of a link, which the actor holds, and sets the
// password.
func (s *Service) takeReset(tx Tx, actor rooms.Actor, token, hash string) (changed, error) {
	var email string
	t, err := s.takeTicket(tx, ticketReset, token, &email)
	if rooms.CodeOf(err) == rooms.CodeNotFound {
		return changed{}, errDeadLink()
	} else if err != nil {
		return changed{}, err
	}
	user, err := tx.User(t.UserID)
	if err != nil {
		return changed{}, err
	}
	if user.Suspended || user.Email != email {
		return changed{}, errDeadLink()
	}
	if !user.EmailVerified {
		if err := lock(tx, user.ID); err != nil {
			return changed{}, err
		}
		user.EmailVerified = true
		if err := tx.SaveUser(user); err != nil {
			return changed{}, err
		}
	}
	revoked, err := tx.RevokeSessions(user.ID, "", s.now())
	if err != nil {
		return changed{}, err
	}
	if err := audit.Append(tx, rooms.Actor{Address: actor.Address}, s.now(), ResetPassword.Name, "user:"+string(user.ID), nil); err != nil {
		return changed{}, err
	}
	return changed{user, revoked}, s.setPassword(tx, user.ID, hash)
}

// goodReset judges a new password before the ticket is used up.
func (s *Service) goodReset(ctx context.Context, in ResetInput) error {
	id, _ := s.ticketID(ticketReset, in.Token)
	t, err := s.store.Ticket(ctx, id)
	if err != nil {
		return err
	}
	user, err := s.store.User(ctx, t.UserID)
	if err != nil {
		return err
	}
	return s.goodPassword(in.Password, user.Name, user.Email)
}

// lock removes everything but the password that opens an account by itself.
func lock(tx Tx, user rooms.UserID) error {
	if err := tx.DeletePasskeys(user); err != nil {
		return err
	}
	return tx.DeleteIdentities(user)
}

// setPassword ends everything that waits for the account: other links to reset
// it, logins that are half done. The address of the calendar feed, which opens
// it without a login, ends too. A letter tells its owner.
func (s *Service) setPassword(tx Tx, user rooms.UserID, hash string) error {
	if err := tx.SetPasswordHash(user, hash); err != nil {
		return err
	}
	if err := tx.DeleteTickets(user); err != nil {
		return err
	}
	if err := tx.SetCalendarToken(user, ""); err != nil {
		return err
	}
	return s.post(tx, letterPassword, string(user))
}

// changePassword sets a new password and ends the other sessions.
func (s *Service) changePassword(ctx context.Context, actor rooms.Actor, in PasswordInput) (rooms.Nothing, error) {
	err := s.store.InTx(ctx, func(tx Tx) error {
		if err := s.recentlyAuthenticated(tx, actor); err != nil {
			return err
		}
		user, err := tx.User(actor.UserID)
		if err != nil {
			return err
		}
		return s.goodPassword(in.Password, user.Name, user.Email)
	})
	if err != nil {
		return rooms.Nothing{}, err
	}
	hash, err := s.passwords.hash(ctx, in.Password)
	if err != nil {
		return rooms.Nothing{}, err
	}
	revoked, err := rooms.InTx(ctx, s.store, func(tx Tx) ([]rooms.SessionID, error) {
		if err := s.changesLogin(tx, actor, ChangePassword.Name); err != nil {
			return nil, err
		}
		revoked, err := tx.RevokeOtherSessions(actor.UserID, actor.SessionID, s.now())
		if err != nil {
			return nil, err
		}
		return revoked, s.setPassword(tx, actor.UserID, hash)
	})
	s.forgetAll(revoked)
	return rooms.Nothing{}, err
}
