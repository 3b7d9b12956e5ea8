package account

import (
	"context"
	"strings"

	"wenzhen.example/rooms"
)

// operator is someone at the server's own command line.
func operator() rooms.Actor { return rooms.AtConsole() }

// UserRecord is an account, with the profile of a doctor.
type UserRecord struct {
	User   User    `json:"user"`
	Doctor *Doctor `json:"doctor,omitempty"`
}

// FindUser finds an account by its id or its e-mail address. Errors: not_found.
func (s *Service) FindUser(ctx context.Context, who string) (UserRecord, error) {
	return rooms.InTx(ctx, s.store, func(tx Tx) (r UserRecord, err error) {
		if strings.Contains(who, "@") {
			r.User, err = tx.UserByEmail(normalEmail(who))
		} else {
			r.User, err = tx.User(rooms.UserID(who))
		}
		if err != nil || r.User.Role != rooms.RoleDoctor {
			return r, err
		}
		doctor, err := tx.AnyDoctor(r.User.ID)
		r.Doctor = &doctor
		return r, err
	})
}

// ListUsers is a page of accounts, the latest first.
func (s *Service) ListUsers(ctx context.Context, in UserFilter) (UserList, error) {
	return s.users(ctx, operator(), in)
}

// Administer executes one of the commands that suspend users, verify doctors
// and reset second factors, for an operator at the command line. The running
// server, or the next one that runs on the database, ends what a suspended user
// has open. Errors: those of the command; invalid for any other command.
func (s *Service) Administer(ctx context.Context, command string, user rooms.UserID, reason string) error {
	var err error
	switch command {
	case SuspendUser.Name:
		_, err = s.suspendUser(ctx, operator(), UserInput{UserID: user})
	case UnsuspendUser.Name:
		_, err = s.unsuspendUser(ctx, operator(), UserInput{UserID: user})
	case ResetSecondFactor.Name:
		err = s.resetFactor(ctx, operator(), user, func(Tx) error { return nil }) // who has the database could do worse
	case VerifyDoctor.Name:
		_, err = s.verifyDoctor(ctx, operator(), VerifyDoctorInput{DoctorID: user})
	case UnverifyDoctor.Name:
		in := UnverifyDoctorInput{UserID: user, Reason: reason}
		if err = rooms.Check(in); err == nil {
			_, err = s.unverifyDoctor(ctx, operator(), in)
		}
	default:
		err = rooms.Invalid("command", "%s is not for the command line", command)
	}
	return err
}
