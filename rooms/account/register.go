package account

import (
	"context"

	"wenzhen/rooms"
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
// address. Errors: not_found, for a ticket that is none.
func (s *Service) admit(tx Tx, secret string) error {
	var a applicant
	if _, err := s.takeTicket(tx, ticketRegister, secret, &a); err != nil {
		return err
	}
	user := s.newUser(a.Input, true)
	if _, err := tx.UserByEmail(user.Email); err == nil {
		return rooms.NotFound("ticket") // an older link of the same address was quicker
	} else if rooms.CodeOf(err) != rooms.CodeNotFound {
		return err
	}
	return s.insert(tx, Credentials{User: user, PasswordHash: a.PasswordHash})
}
