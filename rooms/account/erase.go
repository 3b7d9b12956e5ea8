package account

import (
	"context"
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/audit"
)

// The commands that erase an account, and legal holds, which prevent that.
var (
	ReadErasure = rooms.Command[rooms.Nothing, Erasure]{Name: "account:erasure", For: rooms.Users, Access: rooms.Own,
		Doc: "List what erasing the caller's account would keep, and what prevents it."}
	Erase = rooms.Command[rooms.Nothing, Erasure]{Name: "account:erase", For: rooms.Users, Access: rooms.Own,
		Doc: "Erase the caller's account: nobody can log in to it any more, and its name and address are removed. What " +
			"the law requires is kept for as long, and listed. Requires a confirmation of identity; refused with " +
			"conflict while something prevents it; entered in the audit log."}

	PlaceLegalHold = rooms.Command[LegalHoldInput, LegalHold]{Name: "hold:place", For: rooms.Admins, Access: rooms.All,
		Doc: "Place a legal hold: keep all data of a user, regardless of erasure and retention, until it is released. " +
			"Entered in the audit log."}
	ReleaseLegalHold = rooms.Command[UserInput, rooms.Nothing]{Name: "hold:release", For: rooms.Admins, Access: rooms.All,
		Doc: "Release a legal hold. Entered in the audit log, with the reason of the hold."}
	LegalHolds = rooms.Command[rooms.Nothing, LegalHoldList]{Name: "hold:list", For: rooms.Admins, Access: rooms.All,
		Doc: "List the legal holds, latest first."}
)

// ErasureBlocker is why an account cannot be erased now.
type ErasureBlocker string

// The obstacles.
const (
	BlockedByConsultations ErasureBlocker = "consultations" // some are open
	BlockedByAppointments  ErasureBlocker = "appointments"  // some are to come, or are waited for
	BlockedByMoney         ErasureBlocker = "money"         // a refund is under way
	BlockedByLegalHold     ErasureBlocker = "hold"          // a legal hold
	BlockedByLastAdmin     ErasureBlocker = "last_admin"    // nobody else could administer
)

// Erasure is what erasing an account means, or has meant.
type Erasure struct {
	// Erased is when it happened; nil for what would.
	Erased    *time.Time       `json:"erased,omitempty"`
	Obstacles []ErasureBlocker `json:"obstacles"`
	// Consultations is how many stay, with what was said and signed in them.
	Consultations int `json:"consultations"`
	// MessagesUntil and RecordsUntil are when the clocks of the latest of them
	// run out; nil without any.
	MessagesUntil *time.Time `json:"messagesUntil,omitempty"`
	RecordsUntil  *time.Time `json:"recordsUntil,omitempty"`
}

// LegalHoldInput says whose data to hold, and why: 1 to 1000 characters.
type LegalHoldInput struct {
	UserID rooms.UserID `json:"userId"`
	Reason string       `json:"reason"`
}

// Validate implements rooms.Validator.
func (in LegalHoldInput) Validate() error {
	if n := len([]rune(in.Reason)); n < 1 || n > 1000 {
		return rooms.Invalid("reason", "reason must have 1 to 1000 characters")
	}
	return nil
}

// LegalHold is a legal hold: the user whose data is kept, the reason, and the admin
// who placed it. Names are the current ones, "" if the account has been erased.
type LegalHold struct {
	UserID    rooms.UserID `json:"userId"`
	UserName  string       `json:"userName"`
	UserEmail string       `json:"userEmail"`
	Reason    string       `json:"reason"`
	By        rooms.UserID `json:"by"`
	ByName    string       `json:"byName"`
	At        time.Time    `json:"at"`
}

// LegalHoldList is all legal holds.
type LegalHoldList struct {
	Items      []LegalHold `json:"items"`
	NextCursor string      `json:"nextCursor"`
}

// eraseTx is what erasing needs.
type eraseTx interface {
	// Obstacles are what is in the way of erasing a user.
	Obstacles(user rooms.UserID) ([]ErasureBlocker, error)
	// Treated counts the consultations that a user had a part in as patient or
	// doctor, and tells when the latest ended.
	Treated(user rooms.UserID) (n int, latest time.Time, err error)
	// EraseUser takes away who a user is: name, address, what they log in with,
	// devices, notifications, preferences, profiles that no consultation needs.
	EraseUser(user rooms.UserID, at time.Time) error

	// PlaceLegalHold keeps a hold; one that is there is a conflict.
	PlaceLegalHold(LegalHold) error
	// ReleaseLegalHold ends the hold of a user and tells what it was for; not found
	// without one.
	ReleaseLegalHold(user rooms.UserID) (reason string, err error)
	LegalHolds() ([]LegalHold, error)
}

func (s *Service) erasure(tx Tx, user rooms.UserID) (Erasure, error) {
	obstacles, err := tx.Obstacles(user)
	if err != nil {
		return Erasure{}, err
	}
	out := Erasure{Obstacles: orEmpty(obstacles)}
	var latest time.Time
	if out.Consultations, latest, err = tx.Treated(user); err != nil || out.Consultations == 0 {
		return out, err
	}
	messages, records := latest.Add(s.cfg.KeepMessages), latest.Add(s.cfg.KeepRecords)
	out.MessagesUntil, out.RecordsUntil = &messages, &records
	return out, nil
}

func (s *Service) readErasure(ctx context.Context, actor rooms.Actor, _ rooms.Nothing) (Erasure, error) {
	return rooms.InTx(ctx, s.store, func(tx Tx) (Erasure, error) { return s.erasure(tx, actor.UserID) })
}

func (s *Service) erase(ctx context.Context, actor rooms.Actor, _ rooms.Nothing) (Erasure, error) {
	done, err := rooms.InTx(ctx, s.store, func(tx Tx) (erased, error) { return s.eraseIn(tx, actor) })
	if err != nil {
		return Erasure{}, err
	}
	s.forgetAll(done.revoked)
	s.unwindNow(ctx, actor.UserID)
	return done.Erasure, nil
}

// erased is an account that was erased, and the sessions that this ended.
type erased struct {
	Erasure
	revoked []rooms.SessionID
}

// eraseIn is erase within its transaction.
func (s *Service) eraseIn(tx Tx, actor rooms.Actor) (erased, error) {
	now := s.now()
	if err := s.recentlyAuthenticated(tx, actor); err != nil {
		return erased{}, err
	}
	out, err := s.erasure(tx, actor.UserID)
	if err != nil {
		return erased{}, err
	}
	if len(out.Obstacles) > 0 {
		return erased{}, rooms.Conflict(string(out.Obstacles[0]), "the account cannot be erased yet: see GET /me/erasure")
	}
	revoked, err := tx.RevokeSessions(actor.UserID, "", now)
	if err != nil {
		return erased{}, err
	}
	if err := tx.DeleteTickets(actor.UserID); err != nil {
		return erased{}, err
	}
	if err := tx.DeleteTOTP(actor.UserID); err != nil {
		return erased{}, err
	}
	if err := lock(tx, actor.UserID); err != nil {
		return erased{}, err
	}
	if err := tx.EraseUser(actor.UserID, now); err != nil {
		return erased{}, err
	}
	if err := s.plantUnwinding(tx, actor.UserID); err != nil {
		return erased{}, err
	}
	out.Erased = &now
	return erased{out, revoked}, audit.Append(tx, actor, now, Erase.Name, "user:"+string(actor.UserID), nil)
}

func (s *Service) placeLegalHold(ctx context.Context, actor rooms.Actor, in LegalHoldInput) (LegalHold, error) {
	return rooms.InTx(ctx, s.store, func(tx Tx) (LegalHold, error) {
		held, err := tx.User(in.UserID)
		if err != nil {
			return LegalHold{}, err
		}
		by, err := tx.User(actor.UserID)
		if err != nil {
			return LegalHold{}, err
		}
		hold := LegalHold{UserID: held.ID, UserName: held.Name, UserEmail: held.Email, Reason: in.Reason, By: by.ID, ByName: by.Name, At: s.now()}
		if err := tx.PlaceLegalHold(hold); err != nil {
			return LegalHold{}, err
		}
		return hold, audit.Append(tx, actor, hold.At, PlaceLegalHold.Name, "user:"+string(in.UserID), func(e *audit.LogEntry) { e.Reason = in.Reason })
	})
}

func (s *Service) releaseLegalHold(ctx context.Context, actor rooms.Actor, in UserInput) (rooms.Nothing, error) {
	return rooms.Nothing{}, s.store.InTx(ctx, func(tx Tx) error {
		reason, err := tx.ReleaseLegalHold(in.UserID)
		if err != nil {
			return err
		}
		return audit.Append(tx, actor, s.now(), ReleaseLegalHold.Name, "user:"+string(in.UserID), func(e *audit.LogEntry) { e.Reason = reason })
	})
}

func (s *Service) legalHolds(ctx context.Context, _ rooms.Actor, _ rooms.Nothing) (LegalHoldList, error) {
	list, err := rooms.InTx(ctx, s.store, Tx.LegalHolds)
	return LegalHoldList{Items: orEmpty(list)}, err
}
