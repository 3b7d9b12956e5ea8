package account

import (
	"context"
	"time"

	"wenzhen/rooms"
)

// Store is what accounts need remembered. A thing that is not there is an
// *rooms.Error of code not_found.
type Store interface {
	// InTx runs f in one transaction, which commits if f returns nil.
	InTx(ctx context.Context, f func(Tx) error) error

	Credentials(ctx context.Context, email string) (Credentials, error)
	User(ctx context.Context, id rooms.UserID) (User, error)
	Users(ctx context.Context, q UserQuery) ([]User, error)
	// CalendarToken is the secret of a user's calendar feed, "" if there is none yet.
	CalendarToken(ctx context.Context, user rooms.UserID) (string, error)
	// SessionAlive reports whether a session can be used: not revoked, not
	// expired, its user not suspended.
	SessionAlive(ctx context.Context, id rooms.SessionID, now time.Time) (bool, error)
	Sessions(ctx context.Context, user rooms.UserID, now time.Time) ([]Session, error)
	Doctor(ctx context.Context, id rooms.UserID) (Doctor, error)
	Doctors(ctx context.Context, q DoctorQuery) ([]Doctor, error)
	Patients(ctx context.Context, user rooms.UserID) ([]Patient, error)
}

// Tx is a transaction over accounts.
type Tx interface {
	rooms.Tx
	// InsertUser adds an account; an e-mail that is taken is a conflict.
	InsertUser(Credentials) error
	SaveUser(User) error
	User(id rooms.UserID) (User, error)

	SetCalendarToken(user rooms.UserID, token string) error

	InsertSession(Session) error
	TouchSession(id rooms.SessionID, at, expires time.Time) error
	// RevokeSessions ends one session of a user, or all when id is "", and
	// returns those that were alive.
	RevokeSessions(user rooms.UserID, id rooms.SessionID, at time.Time) ([]rooms.SessionID, error)
	SessionOwner(id rooms.SessionID) (rooms.UserID, error)

	InsertRefreshToken(RefreshToken) error
	// UseRefreshToken marks a token used and returns it as it was before.
	UseRefreshToken(hash [32]byte) (RefreshToken, error)

	// CountAttempts counts attempts on a subject since a time.
	CountAttempts(subject string, since time.Time) (int, error)
	AddAttempt(subject string, at time.Time) error
	// ForgetAttempts removes attempts on a subject at or after a time.
	ForgetAttempts(subject string, since time.Time) error

	InsertDoctor(Doctor) error
	Doctor(id rooms.UserID) (Doctor, error)
	SaveDoctor(Doctor) error
	InsertPatient(Patient) error
	Patient(id PatientID) (Patient, error)
	SavePatient(Patient) error
}

// DoctorQuery is a filtered page of doctors by name, after a cursor.
type DoctorQuery struct {
	Filter     DoctorFilter
	Unverified bool // list all, unverified first
	After      *rooms.Cursor
	Limit      int
}

// UserQuery is a filtered page of users, newest first, after a cursor.
type UserQuery struct {
	Filter UserFilter
	After  *rooms.Cursor
	Limit  int
}
