package record

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"wenzhen/rooms"
	"wenzhen/rooms/account"
	"wenzhen/rooms/consultation"
)

// canonical is what a signature is over: everything about a document that must
// never change, as JSON with the fields in this order.
type canonical struct {
	Kind           DocumentKind      `json:"kind"`
	ID             DocumentID        `json:"id"`
	Root           DocumentID        `json:"root"`
	Version        int               `json:"version"`
	Supersedes     DocumentID        `json:"supersedes"`
	ConsultationID consultation.ID   `json:"consultationId"`
	PatientID      account.PatientID `json:"patientId"`
	PatientName    string            `json:"patientName"`
	DoctorID       rooms.UserID      `json:"doctorId"`
	DoctorName     string            `json:"doctorName"`
	Content        string            `json:"content"` // to the letter
	SignedBy       rooms.UserID      `json:"signedBy"`
	SignedAt       time.Time         `json:"signedAt"`
}

// contentHash is the SHA-256, in hex, of d as signed by someone at a time.
func contentHash(d Document, by rooms.UserID, at time.Time) (string, error) {
	raw, err := json.Marshal(canonical{Kind: d.Kind, ID: d.ID, Root: d.Root, Version: d.Version, Supersedes: d.Supersedes,
		ConsultationID: d.ConsultationID, PatientID: d.PatientID, PatientName: d.PatientName, DoctorID: d.DoctorID, DoctorName: d.DoctorName,
		Content: string(d.Content), SignedBy: by, SignedAt: at.UTC()})
	if err != nil {
		return "", fmt.Errorf("encode %s: %w", d.subject(), err)
	}
	return digest(raw), nil
}

// decisionHash is the SHA-256, in hex, of a decision that follows previous.
func decisionHash(previous string, v Decision) (string, error) {
	v.SHA256, v.Seal, v.At = "", "", v.At.UTC()
	raw, err := json.Marshal(struct {
		Previous string `json:"previous"`
		Decision
	}{previous, v})
	if err != nil {
		return "", fmt.Errorf("encode a decision: %w", err)
	}
	return digest(raw), nil
}

func digest(raw []byte) string {
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:])
}

// sealer signs hashes with a key that is not in the database: who can change
// the database can compute a hash anew, but not its seal.
type sealer struct{ key ed25519.PrivateKey }

func newSealer(secret []byte) sealer {
	seed := sha256.Sum256(append([]byte("wenzhen record seal\n"), secret...))
	return sealer{ed25519.NewKeyFromSeed(seed[:])}
}

func (s sealer) seal(hash string) string {
	return base64.StdEncoding.EncodeToString(ed25519.Sign(s.key, []byte(hash)))
}

func (s sealer) holds(hash, seal string) bool {
	raw, err := base64.StdEncoding.DecodeString(seal)
	return err == nil && ed25519.Verify(s.key.Public().(ed25519.PublicKey), []byte(hash), raw)
}

// publicKey is the key that anyone can check a seal with, in base64.
func (s sealer) publicKey() string {
	return base64.StdEncoding.EncodeToString(s.key.Public().(ed25519.PublicKey))
}

// sign fixes d.
func (s sealer) sign(d Document, by rooms.UserID, at time.Time) (*Signature, error) {
	hash, err := contentHash(d, by, at)
	if err != nil {
		return nil, err
	}
	return &Signature{SignedBy: by, SignedAt: at, SHA256: hash, Seal: s.seal(hash)}, nil
}

// intact tells whether a signed document and all that was decided about it are
// what they were when they were signed.
func (s sealer) intact(d Document) bool {
	if d.Signature == nil {
		return false
	}
	hash, err := contentHash(d, d.Signature.SignedBy, d.Signature.SignedAt)
	if err != nil || hash != d.Signature.SHA256 || !s.holds(hash, d.Signature.Seal) {
		return false
	}
	for _, v := range d.Decisions {
		if hash, err = decisionHash(hash, v); err != nil || hash != v.SHA256 || !s.holds(hash, v.Seal) {
			return false
		}
	}
	return true
}
