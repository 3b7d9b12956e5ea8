package record

import (
	"encoding/json"
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
	"wenzhen.example/rooms/consultation"
)

// DocumentID names a diagnosis, a prescription or a summary. A client may make
// it (UUIDv7), so that it can resend its draft.
type DocumentID string

// DocumentKind is what a document is.
type DocumentKind string

// The kinds.
const (
	KindDiagnosis    DocumentKind = "diagnosis"
	KindPrescription DocumentKind = "prescription"
	KindSummary      DocumentKind = "summary"
)

// DocumentStatus is where a document stands.
type DocumentStatus string

// The states. A prescription that is signed waits for a pharmacist; amended is
// what a later version has superseded.
const (
	Draft    DocumentStatus = "draft"
	Signed   DocumentStatus = "signed"
	Approved DocumentStatus = "approved"
	Rejected DocumentStatus = "rejected"
	Void     DocumentStatus = "void"
	Amended  DocumentStatus = "amended"
)

// Head is what every document has beside its content.
type Head struct {
	ID             DocumentID        `json:"id"`
	ConsultationID consultation.ID   `json:"consultationId"`
	PatientID      account.PatientID `json:"patientId"`
	PatientName    string            `json:"patientName"`
	// UserID is the user in whose care the patient is.
	UserID     rooms.UserID   `json:"userId"`
	DoctorID   rooms.UserID   `json:"doctorId"`
	DoctorName string         `json:"doctorName"`
	Status     DocumentStatus `json:"status"`
	// Version counts 1, 2, 3 … along the amendments.
	Version int `json:"version"`
	// Supersedes is the version before, SupersededBy the signed one after.
	Supersedes   DocumentID `json:"supersedes,omitempty"`
	SupersededBy DocumentID `json:"supersededBy,omitempty"`
	CreatedAt    time.Time  `json:"createdAt"`
	UpdatedAt    time.Time  `json:"updatedAt"`
	Signature    *Signature `json:"signature,omitempty"`
	// Integrity is what checking the signature has found when it was read; empty
	// for drafts, and in events. What is altered must not be shown as signed.
	Integrity Integrity `json:"integrity,omitempty"`
}

// Signature fixes a document.
type Signature struct {
	SignedBy rooms.UserID `json:"signedBy"`
	SignedAt time.Time    `json:"signedAt"`
	// SHA256 is over the canonical content, in hex (seal.go).
	SHA256 string `json:"sha256"`
	// Seal is the server's Ed25519 signature of SHA256, in base64.
	Seal string `json:"seal"`
	// Form is the version of the canonical content.
	Form int `json:"form"`
	// KeyID names the key of the seal; empty for those made before keys had names.
	KeyID string `json:"keyId,omitempty"`
}

// SignedAs is who patient and doctor were when a document was signed.
type SignedAs struct {
	Patient SignedPatient `json:"patient"`
	Doctor  SignedDoctor  `json:"doctor"`
}

// SignedPatient is the patient as of signing.
type SignedPatient struct {
	Name      string `json:"name"`
	BirthDate string `json:"birthDate,omitempty"` // YYYY-MM-DD
	Sex       string `json:"sex,omitempty"`
}

// SignedDoctor is the doctor as of signing.
type SignedDoctor struct {
	Name       string `json:"name"`
	Title      string `json:"title,omitempty"`
	Department string `json:"department,omitempty"`
}

// Decision is what was decided about a signed prescription. Decisions are a
// chain: each is hashed over the one before.
type Decision struct {
	Status DocumentStatus `json:"status"` // approved, rejected or void
	By     rooms.UserID   `json:"by"`
	ByName string         `json:"byName"`
	At     time.Time      `json:"at"`
	Reason string         `json:"reason,omitempty"`
	SHA256 string         `json:"sha256"`
	Seal   string         `json:"seal"`
	// KeyID names the key of the seal, as in a Signature.
	KeyID string `json:"keyId,omitempty"`
}

// Document is a document as it is stored: its content is the very text that
// was signed.
type Document struct {
	Head
	Kind DocumentKind
	// Root is the first version.
	Root    DocumentID
	Content json.RawMessage
	// SignedAs is a SignedAs in JSON, to the letter as it was signed; empty for
	// drafts, and for what was signed in the first form.
	SignedAs  string
	Decisions []Decision
	// Versions are the number and the hash of each signed version, "1 3f…".
	Versions []string
	State    State
	Logged   Logged
	// SignedSeq is the last seq of the consultation's room before it was signed.
	SignedSeq rooms.Seq
}

// settled is d with the status that follows from its signature, its decisions
// and its successor.
func (d Document) settled() Document {
	switch {
	case d.Signature == nil:
		d.Status = Draft
	case d.SupersededBy != "":
		d.Status = Amended
	case len(d.Decisions) > 0:
		d.Status = d.Decisions[len(d.Decisions)-1].Status
	default:
		d.Status = Signed
	}
	return d
}

// subject names d in the audit log.
func (d Document) subject() string { return string(d.Kind) + ":" + string(d.ID) }

// lastHash is the hash that d stands at: of its latest decision, or its signature.
func (d Document) lastHash() string {
	switch n := len(d.Decisions); {
	case n > 0:
		return d.Decisions[n-1].SHA256
	case d.Signature != nil:
		return d.Signature.SHA256
	}
	return ""
}
