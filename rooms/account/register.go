package account

import (
	"context"
	"encoding/json"
	"fmt"

	"wenzhen.example/rooms"
)

// applicant is an account that is to be, in its ticket: nobody has shown yet to
// have the address.
type applicant struct {
	Input        RegisterInput
	PasswordHash string
}

// applyFor takes a registration without revealing whether the address has an
// account: it does the same work for both, and only a mail tells them apart. An
// address without one gets the link that makes the account, the owner of an
// account learns that somebody tried.
func (s *Service) applyFor(ctx context.Context, in RegisterInput) error {
	if err := s.goodPassword(in.Password, in.Name, in.Email); err != nil {
		return err
	}
	hash, err := s.passwords.hash(ctx, in.Password)
	if err != nil {
		return err
	}
	email := normalEmail(in.Email)
	in.Password = ""
	return s.store.InTx(ctx, func(tx Tx) error {
		if may, err := s.mailed(tx, letterRegister, email); err != nil || !may {
			return err // said to nobody: it would reveal that others tried
		}
		secret, err := s.newTicket(tx, ticketRegister, "", verifyLife, applicant{in, hash})
		if err != nil {
			return err
		}
		id, _ := s.ticketID(ticketRegister, secret)
		have, err := tx.UserByEmail(email)
		switch {
		case rooms.CodeOf(err) == rooms.CodeNotFound:
			return s.post(tx, letterRegister, id)
		case err != nil:
			return err
		}
		if _, err := tx.TakeTicket(id); err != nil { // it was made to take as long
			return err
		}
		return s.post(tx, letterTaken, string(have.ID))
	})
}

// admit makes the account of a ticket, whose holder has shown to have the
// address, and to know the password: otherwise a stranger could register an
// address, let its owner confirm it, and keep the account. Errors: not_found,
// for a ticket that is none; invalid in password.
func (s *Service) admit(ctx context.Context, actor rooms.Actor, id string, in VerifyEmailInput) error {
	t, err := s.store.Ticket(ctx, id)
	if err != nil {
		return err
	}
	var a applicant
	if err := json.Unmarshal(t.Data, &a); err != nil {
		return fmt.Errorf("registration: %w", err)
	}
	if in.Password == "" {
		return rooms.Invalid("password", "enter the password that was chosen for this account")
	}
	if matches, err := s.passwords.matches(ctx, in.Password, a.PasswordHash); err != nil {
		return err
	} else if !matches {
		return rooms.Invalid("password", "this is not the password that was chosen for this account; if you did not register, do nothing")
	}
	return s.store.InTx(ctx, func(tx Tx) error {
		if _, err := s.takeTicket(tx, ticketRegister, in.Token, &applicant{}); err != nil {
			return err
		}
		user := s.newUser(a.Input, true)
		if _, err := tx.UserByEmail(user.Email); err == nil {
			return rooms.NotFound("ticket") // an older link of the same address was quicker
		} else if rooms.CodeOf(err) != rooms.CodeNotFound {
			return err
		}
		return s.insert(tx, actor, Credentials{User: user, PasswordHash: a.PasswordHash})
	})
}
