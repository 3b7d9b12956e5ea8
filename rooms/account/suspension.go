package account

import (
	"context"
	"errors"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/audit"
)

// The commands of suspension.
var (
	SuspendUser = rooms.Command[UserInput, User]{Name: "user:suspend", For: rooms.Admins, Access: rooms.All,
		Doc: "Suspend an account: all its sessions end, its open consultations and appointments are ended or cancelled, " +
			"and payments for services not delivered are refunded. Entered in the audit log; the user gets a mail."}
	UnsuspendUser = rooms.Command[UserInput, User]{Name: "user:unsuspend", For: rooms.Admins, Access: rooms.All,
		Doc: "Lift a suspension. Consultations and appointments that it ended stay ended. Entered in the audit log; the " +
			"user gets a mail."}
)

// Unwinder is a feature in which people have things open that someone who is
// gone cannot go on with.
type Unwinder interface {
	// Unwind ends what user has open, if user is suspended, erased or a doctor
	// who was rejected, and notes of a doctor whether they are under review; each
	// thing in a transaction of its own that looks again whether that is so. Doing
	// it twice does no harm.
	Unwind(ctx context.Context, user rooms.UserID) error
}

// VerificationObserver is a feature in which doctors have access because they are
// verified.
type VerificationObserver interface {
	// VerificationEnded ends, as part of tx, the access that a doctor has by being
	// verified: actor has withdrawn that, or changed the data.
	VerificationEnded(tx rooms.Tx, actor rooms.Actor, doctor rooms.UserID) error
}

// timerUnwind stands for a user whose things have to be ended or changed. It is set in the
// transaction that makes it so, and stays until all of them are.
const timerUnwind = "account:unwind"

func (s *Service) plantUnwinding(tx Tx, user rooms.UserID) error {
	return tx.SetTimer(rooms.Timer{Kind: timerUnwind, Subject: string(user), Due: s.now()})
}

// unwind is what timerUnwind fires.
func (s *Service) unwind(ctx context.Context, t rooms.Timer) error {
	var failed []error
	for _, feature := range s.cfg.Unwinders() {
		failed = append(failed, feature.Unwind(ctx, rooms.UserID(t.Subject)))
	}
	if err := errors.Join(failed...); err != nil {
		return err
	}
	return s.store.InTx(ctx, func(tx Tx) error { return tx.ClearTimer(t.Kind, t.Subject) })
}

// unwindNow spares those concerned the wait for the timer. What fails here is
// left to it; so is everything where no features are at hand (command line).
func (s *Service) unwindNow(ctx context.Context, user rooms.UserID) {
	if len(s.cfg.Unwinders()) > 0 {
		_ = s.unwind(ctx, rooms.Timer{Kind: timerUnwind, Subject: string(user)})
	}
}

func (s *Service) suspendUser(ctx context.Context, actor rooms.Actor, in UserInput) (User, error) {
	if in.UserID == actor.UserID {
		return User{}, rooms.Invalid("userId", "you cannot suspend yourself")
	}
	done, err := rooms.InTx(ctx, s.store, func(tx Tx) (changed, error) {
		user, err := tx.User(in.UserID)
		if err != nil || user.Suspended {
			return changed{user: user}, err
		}
		if alone, err := tx.LastAdmin(user.ID); err != nil {
			return changed{}, err
		} else if alone {
			return changed{}, rooms.Conflict(string(BlockedByLastAdmin), "nobody else could administer")
		}
		user.Suspended = true
		if err := tx.SetCalendarToken(user.ID, ""); err != nil { // it would be back with the account
			return changed{}, err
		}
		revoked, err := tx.RevokeSessions(user.ID, "", s.now())
		if err != nil {
			return changed{}, err
		}
		if err := s.plantUnwinding(tx, user.ID); err != nil {
			return changed{}, err
		}
		return changed{user, revoked}, s.suspended(tx, actor, user, SuspendUser.Name, letterSuspended)
	})
	if err != nil {
		return User{}, err
	}
	s.forgetAll(done.revoked)
	s.unwindNow(ctx, done.user.ID)
	return done.user, nil
}

func (s *Service) unsuspendUser(ctx context.Context, actor rooms.Actor, in UserInput) (User, error) {
	return rooms.InTx(ctx, s.store, func(tx Tx) (User, error) {
		user, err := tx.User(in.UserID)
		if err != nil {
			return User{}, err
		}
		if user.Erased {
			return User{}, rooms.Conflict("erased", "the owner of this account has erased it; nobody can bring it back")
		}
		if !user.Suspended {
			return user, nil
		}
		user.Suspended = false
		return user, s.suspended(tx, actor, user, UnsuspendUser.Name, letterUnsuspended)
	})
}

// suspended writes that an account was suspended, or is no more.
func (s *Service) suspended(tx Tx, actor rooms.Actor, user User, action, letter string) error {
	if err := tx.SaveUser(user); err != nil {
		return err
	}
	if err := s.post(tx, letter, string(user.ID)); err != nil {
		return err
	}
	return audit.Append(tx, actor, s.now(), action, "user:"+string(user.ID), nil)
}
