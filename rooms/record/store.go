package record

import (
	"context"
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
	"wenzhen.example/rooms/audit"
	"wenzhen.example/rooms/consultation"
	"wenzhen.example/rooms/record/drug"
	"wenzhen.example/rooms/record/icd10"
)

// Store is what records need remembered. A thing that is not there is an
// *rooms.Error of code not_found. Most reads are audited and so happen in a
// transaction.
type Store interface {
	rooms.Transactions[Tx]
	// In is the transaction of another feature as one of this.
	In(tx rooms.Tx) Tx
	// Document is a document for anyone's verification.
	Document(ctx context.Context, id DocumentID) (Document, error)
	// SignedAs reports whether the audit log says that a document had a hash.
	SignedAs(ctx context.Context, subject, hash string) (bool, error)
	// LogBroken is when the audit log was last found to have been rewritten or cut.
	LogBroken(ctx context.Context) (time.Time, error)
	Pharmacist(ctx context.Context, user rooms.UserID) (bool, error)
	Pharmacists(ctx context.Context) ([]account.User, error)
	Templates(ctx context.Context, doctor rooms.UserID) ([]Template, error)
	// CodesVersion counts the loads of a table of codes; 0 before the first.
	CodesVersion(ctx context.Context) (int64, error)
	Codes(ctx context.Context) ([]icd10.Coding, error)
	// DrugsVersion counts the loads of a table of drugs; 0 before the first.
	DrugsVersion(ctx context.Context) (int64, error)
	Drugs(ctx context.Context) ([]drug.Drug, error)
}

// Tx is a transaction over records and the consultations they belong to.
type Tx interface {
	consultation.Tx
	audit.Tx

	Document(id DocumentID) (Document, error)
	// Documents are those that match, by creation.
	Documents(q DocumentQuery) ([]Document, error)
	// InsertDraft adds a draft; an id or a version that is taken is a conflict.
	InsertDraft(Document) error
	SaveDraft(Document) error
	DeleteDraft(id DocumentID) error
	// Practitioner is a doctor's profile, also that of a suspended one.
	Practitioner(id rooms.UserID) (account.Doctor, error)
	// SignDocument fixes a draft; it cannot be changed or removed afterwards.
	SignDocument(d Document) error
	AddDecision(id DocumentID, num int, d Decision) error
	// SaveState replaces the state of the document whose first version is root.
	SaveState(root DocumentID, v State) error

	// Background is the latest version, or one of version 0 before the first.
	Background(patient account.PatientID) (BackgroundVersion, error)
	InsertBackground(BackgroundVersion) error
	// Treats reports whether user may read patient's record as a doctor: treats
	// the patient in a consultation that was accepted and is not closed, or was
	// let into one as a second doctor with all that was before.
	Treats(user rooms.UserID, patient account.PatientID) (bool, error)
	// HiddenFromSome reports whether somebody takes part in a consultation, or may
	// enter it, whose history begins at a seq of its log or after it.
	HiddenFromSome(id consultation.ID, seq rooms.Seq) (bool, error)
	// Attends reports whether user is the doctor of an active consultation of
	// patient, and so may write the record.
	Attends(user rooms.UserID, patient account.PatientID) (bool, error)
	// ReadablePatients are those that user cares for or treats now.
	ReadablePatients(user rooms.UserID) ([]account.Patient, error)
	// ConsultationsOf are a patient's, the latest first.
	ConsultationsOf(patient account.PatientID, limit int) ([]consultation.Consultation, error)
	// LogAfter is a stretch of a room's log.
	LogAfter(room rooms.RoomID, after rooms.Seq, limit int) ([]rooms.Event, rooms.Seq, error)

	// BreakGlassUntil is the end of an admin's access to a consultation; the zero
	// time before the first.
	BreakGlassUntil(admin rooms.UserID, id consultation.ID) (time.Time, error)
	SaveBreakGlass(admin rooms.UserID, id consultation.ID, until time.Time) error

	Pharmacist(user rooms.UserID) (bool, error)
	SetPharmacist(user rooms.UserID, is bool) error
	SaveTemplates(doctor rooms.UserID, list []Template) error
}

// DocumentQuery narrows documents; what is empty does not.
type DocumentQuery struct {
	Consultation consultation.ID
	Patient      account.PatientID
	Kind         DocumentKind
	Root         DocumentID
	// Undecided asks for signed documents about which nobody has decided and
	// that no later version supersedes.
	Undecided bool
	After     *rooms.Cursor
	Limit     int // 0 for all
}
