package account

import (
	"context"
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/audit"
)

// Store is what accounts need remembered. A thing that is not there is an
// *rooms.Error of code not_found.
type Store interface {
	rooms.Transactions[Tx]

	Credentials(ctx context.Context, email string) (Credentials, error)
	User(ctx context.Context, id rooms.UserID) (User, error)
	Users(ctx context.Context, q UserQuery) ([]User, error)
	// CalendarToken returns the id of a user's calendar feed, "" if there is none yet.
	CalendarToken(ctx context.Context, user rooms.UserID) (string, error)
	// CalendarOwner returns the user whose calendar feed has an id. Errors:
	// not_found, also where the user is suspended.
	CalendarOwner(ctx context.Context, id string) (User, error)
	// Standing finds a session that can be used: not revoked, not expired, its
	// user not suspended.
	Standing(ctx context.Context, id rooms.SessionID, now time.Time) (Standing, error)
	Sessions(ctx context.Context, user rooms.UserID, now time.Time) ([]Session, error)
	Doctor(ctx context.Context, id rooms.UserID) (Doctor, error)
	Doctors(ctx context.Context, q DoctorQuery) ([]Doctor, error)
	// Applicants are all doctors that are not suspended, by rank and name.
	Applicants(ctx context.Context, q ApplicantQuery) ([]Applicant, error)
	Patients(ctx context.Context, user rooms.UserID) ([]Patient, error)

	keyStore
	securityStore
}

// keyStore is what the signing of tokens and the ending of sessions need.
type keyStore interface {
	SigningKeys(ctx context.Context) ([]SigningKey, error)
	// Session finds a session, whether or not it lives.
	Session(ctx context.Context, id rooms.SessionID) (Session, error)
	// RevokedSince are the sessions that were ended at or after a time.
	RevokedSince(ctx context.Context, at time.Time) ([]rooms.SessionID, error)
	ProviderSession(ctx context.Context, id rooms.SessionID) (ProviderSession, error)
}

// securityStore is what the account centre reads.
type securityStore interface {
	Ticket(ctx context.Context, id string) (Ticket, error)
	TOTP(ctx context.Context, user rooms.UserID) (TOTP, error)
	RecoveryCodesLeft(ctx context.Context, user rooms.UserID) (int, error)
	Passkeys(ctx context.Context, user rooms.UserID) ([]Passkey, error)
	Identities(ctx context.Context, user rooms.UserID) ([]LinkedIdentity, error)
}

// Tx is a transaction over accounts.
type Tx interface {
	rooms.Tx
	audit.Tx
	// InsertUser adds an account; an e-mail that is taken is a conflict.
	InsertUser(Credentials) error
	// SaveUser saves what can change of a user but the role.
	SaveUser(User) error
	// SetRole changes a user's role and ends, by RevokeSessions, all of the user's
	// sessions: what they have opened was for the old role.
	SetRole(user rooms.UserID, role rooms.Role, at time.Time) ([]rooms.SessionID, error)
	User(id rooms.UserID) (User, error)
	// LastAdmin reports whether user is an admin, and the only one who is not
	// suspended.
	LastAdmin(user rooms.UserID) (bool, error)
	UserByEmail(email string) (User, error)

	// SetCalendarToken changes the id of a calendar feed, and so its address;
	// with "" there is none until its owner asks for one.
	SetCalendarToken(user rooms.UserID, token string) error

	InsertSession(Session) error
	TouchSession(id rooms.SessionID, at, expires time.Time) error
	// RevokeSessions ends one session of a user, or all when id is "", and returns
	// those that were alive. Their sockets receive SessionRevoked.
	RevokeSessions(user rooms.UserID, id rooms.SessionID, at time.Time) ([]rooms.SessionID, error)
	SessionOwner(id rooms.SessionID) (rooms.UserID, error)

	InsertRefreshToken(RefreshToken) error
	RefreshToken(hash [32]byte) (RefreshToken, error)
	// UseRefreshToken marks a token used, unless it was, and returns it as it was before.
	UseRefreshToken(hash [32]byte, at time.Time) (RefreshToken, error)

	// CountAttempts counts attempts on a subject since a time.
	CountAttempts(subject string, since time.Time) (int, error)
	AddAttempt(subject string, at time.Time) error
	// ForgetAttempts removes attempts on a subject at or after a time.
	ForgetAttempts(subject string, since time.Time) error

	InsertDoctor(Doctor) error
	// Doctor is the profile of a doctor who is not suspended; AnyDoctor, of any.
	Doctor(id rooms.UserID) (Doctor, error)
	AnyDoctor(id rooms.UserID) (Doctor, error)
	// SaveDoctor saves all but the name. It can take the verification away;
	// CheckDoctor gives it, to the credentials as they are.
	SaveDoctor(Doctor) error
	CheckDoctor(Doctor) error
	InsertPatient(Patient) error
	Patient(id PatientID) (Patient, error)
	SavePatient(Patient) error

	sessionTx
	ticketTx
	factorTx
	identityTx
	eraseTx
}

// sessionTx is what sessions need beside their beginning and end.
type sessionTx interface {
	// PastSessions are a user's latest sessions, living or not.
	PastSessions(user rooms.UserID, limit int) ([]Session, error)
	// RevokeOtherSessions ends all sessions of a user but one, and returns them.
	RevokeOtherSessions(user rooms.UserID, but rooms.SessionID, at time.Time) ([]rooms.SessionID, error)
	// SessionUsedAt is when a living session was last asked for something, as far
	// as that has been written down with UseSession.
	SessionUsedAt(id rooms.SessionID) (time.Time, error)
	UseSession(id rooms.SessionID, at time.Time) error
	// SessionExpiresAt is when a session that has not ended expires.
	SessionExpiresAt(id rooms.SessionID) (time.Time, error)
	SessionProvedAt(id rooms.SessionID) (time.Time, error)
	ProveSession(id rooms.SessionID, at time.Time) error
	InsertProviderSession(ProviderSession) error
	// ProviderSessions are the sessions of a subject, or of one sid, or of both
	// together where both are given.
	ProviderSessions(issuer, subject, sid string) ([]rooms.SessionID, error)

	InsertSigningKey(SigningKey) error
	// EndSigningKeys gives the keys that have no end one, and removes those
	// whose end is past.
	EndSigningKeys(end, now time.Time) error
}

// ticketTx is what can be done once.
type ticketTx interface {
	// InsertTicket keeps a ticket; an id that is there is a conflict.
	InsertTicket(Ticket) error
	// TakeTicket removes and returns a ticket.
	TakeTicket(id string) (Ticket, error)
	DeleteTickets(user rooms.UserID) error
}

// factorTx is passwords, second factors and passkeys.
type factorTx interface {
	SetPasswordHash(user rooms.UserID, hash string) error
	TOTP(user rooms.UserID) (TOTP, error)
	SaveTOTP(TOTP) error
	// DeleteTOTP removes the second factor with its recovery codes.
	DeleteTOTP(user rooms.UserID) error
	SetRecoveryCodes(user rooms.UserID, hashes [][]byte) error
	// UseRecoveryCode removes a code; false if there is none.
	UseRecoveryCode(user rooms.UserID, hash []byte) (bool, error)

	// InsertPasskey keeps a passkey; an id that is there is a conflict.
	InsertPasskey(Passkey) error
	// UsePasskey keeps what a use has changed: Credential and LastUsedAt.
	UsePasskey(Passkey) error
	DeletePasskey(user rooms.UserID, id string) error
	DeletePasskeys(user rooms.UserID) error
}

// identityTx is who people are at providers.
type identityTx interface {
	Identity(issuer, subject string) (LinkedIdentity, error)
	InsertIdentity(LinkedIdentity) error
	DeleteIdentity(user rooms.UserID, id string) error
	DeleteIdentities(user rooms.UserID) error
	// CountWaysIn counts password, passkeys and identities of a user.
	CountWaysIn(user rooms.UserID) (int, error)
}

// DoctorQuery is a filtered page of verified doctors by name, after a cursor.
type DoctorQuery struct {
	Filter DoctorFilter
	After  *rooms.Cursor
	Limit  int
}

// UserQuery is a filtered page of users, newest first, after a cursor.
type UserQuery struct {
	Filter UserFilter
	After  *rooms.Cursor
	Limit  int
}
