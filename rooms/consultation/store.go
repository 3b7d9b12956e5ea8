package consultation

import (
	"context"
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
	"wenzhen.example/rooms/audit"
)

// Store is what consultations need remembered. A thing that is not there is
// an *rooms.Error of code not_found.
type Store interface {
	rooms.Transactions[Tx]
	// In is the transaction of another feature as one of this.
	In(tx rooms.Tx) Tx

	Consultation(ctx context.Context, id ID) (Consultation, error)
	Consultations(ctx context.Context, q Query) ([]Consultation, error)
	Cases(ctx context.Context, q CaseQuery) ([]Case, error)
	// Participant is what user is in a consultation, also if still expected;
	// not_found for a stranger.
	Participant(ctx context.Context, id ID, user rooms.UserID) (Participant, error)
	// Participants are all who have entered.
	Participants(ctx context.Context, id ID) ([]Participant, error)
	// Former are those who took part before and left after a seq.
	Former(ctx context.Context, id ID, after rooms.Seq) ([]Former, error)
	Invitations(ctx context.Context, id ID) ([]Invitation, error)
	// Events are the events of a room after a seq, and the room's last seq.
	Events(ctx context.Context, room rooms.RoomID, after rooms.Seq, limit int) ([]rooms.Event, rooms.Seq, error)
	// Queue lists who waits for a doctor, the longest wait first.
	Queue(ctx context.Context, doctor rooms.UserID) ([]ID, error)
	// LastAccepts are the times of a doctor's latest n admissions, latest first.
	LastAccepts(ctx context.Context, doctor rooms.UserID, n int) ([]time.Time, error)
	// OpenOf are the consultations that have not ended in which user is the
	// patient or the doctor.
	OpenOf(ctx context.Context, user rooms.UserID) ([]ID, error)
	// CountByStatus counts all consultations; a state that none is in is left out.
	CountByStatus(ctx context.Context) ([]StatusCount, error)
}

// Tx is a transaction over consultations.
type Tx interface {
	rooms.Tx
	audit.Tx
	Consultation(id ID) (Consultation, error)
	InsertConsultation(Consultation) error
	SaveConsultation(Consultation) error
	// Load is what user has open, and has opened since a time.
	Load(user rooms.UserID, since time.Time) (Load, error)
	// CountAttempts and AddAttempt count what may be done so often only.
	CountAttempts(subject string, since time.Time) (int, error)
	AddAttempt(subject string, at time.Time) error
	// ShowsEarlierDiagnosis reports whether the patient has sent a file into c that
	// was not recalled, or has a diagnosis that was signed here.
	ShowsEarlierDiagnosis(c Consultation) (bool, error)

	// Participant is what user is in a consultation; not_found for a stranger.
	Participant(id ID, user rooms.UserID) (Participant, error)
	Participants(id ID) ([]Participant, error)
	InsertParticipant(id ID, p Participant) error
	// RemoveParticipant ends the part of user, and reports that access is lost
	// (rooms.Tx.Lost): an event in the room must follow in the transaction.
	RemoveParticipant(id ID, user rooms.UserID) error
	// SetPart makes an invited participant the doctor.
	SetPart(id ID, user rooms.UserID, part Part) error
	// EnterParticipant makes an expected participant one who has entered at a time.
	EnterParticipant(id ID, user rooms.UserID, at time.Time) error
	// SecondDoctorIn are the consultations that user takes part in as a second
	// doctor, or is expected in.
	SecondDoctorIn(user rooms.UserID) ([]ID, error)
	// RemoveExpected ends the part of user, if they have not entered yet.
	RemoveExpected(id ID, user rooms.UserID) error
	// InsertFormer keeps who took part.
	InsertFormer(id ID, f Former) error

	Invitation(id InvitationID) (Invitation, error)
	// Invitations are those of a consultation, the first first.
	Invitations(id ID) ([]Invitation, error)
	InsertInvitation(Invitation) error
	SaveInvitation(Invitation) error

	// LastSeq is the seq of a room's latest event, 0 before the first.
	LastSeq(room rooms.RoomID) (rooms.Seq, error)

	User(id rooms.UserID) (account.User, error)
	UserByEmail(email string) (account.User, error)
	Doctor(id rooms.UserID) (account.Doctor, error)
	Patient(id account.PatientID) (account.Patient, error)
	// SelfPatient is the profile of the user's own person.
	SelfPatient(user rooms.UserID) (account.Patient, error)
}

// Query is a page of one participant's consultations, latest change first.
type Query struct {
	User     rooms.UserID
	Statuses []Status // empty for all
	After    *rooms.Cursor
	Limit    int
}
