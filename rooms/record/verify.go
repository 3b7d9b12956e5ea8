package record

import (
	"context"
	"crypto/subtle"
	"encoding/base64"
	"strings"
	"time"

	"wenzhen.example/rooms"
)

// VerifyInput is what is printed on a document.
type VerifyInput struct {
	Kind   DocumentKind `json:"kind"`
	ID     DocumentID   `json:"id"`
	SHA256 string       `json:"sha256"`
}

// Validate implements rooms.Validator.
func (in VerifyInput) Validate() error {
	if len(in.SHA256) != 64 || strings.Trim(strings.ToLower(in.SHA256), "0123456789abcdef") != "" {
		return rooms.Invalid("sha256", "sha256 must be 64 hexadecimal digits")
	}
	return nil
}

// Verification compares a printed hash with what was signed. It names nobody
// but the doctor, and the patient by the first character of the name, and only
// to who holds the right hash.
type Verification struct {
	// Matches: the hash is that of a document with this id.
	Matches bool `json:"matches"`
	// Intact: its content is still what was signed, and so is all that was
	// decided about it; no later version has been removed. It is Integrity "intact".
	Intact bool `json:"intact"`
	// Integrity is empty if the hash does not match.
	Integrity Integrity `json:"integrity,omitempty"`
	// Current: it is in force: not void, not rejected, no later version.
	Current     bool           `json:"current"`
	Status      DocumentStatus `json:"status,omitempty"`
	Version     int            `json:"version,omitempty"`
	DoctorName  string         `json:"doctorName,omitempty"`
	PatientName string         `json:"patientName,omitempty"` // "张**"
	SignedAt    *time.Time     `json:"signedAt,omitempty"`
	// PublicKey is what the seal can be checked with (Ed25519, base64); empty if
	// this server does not know the key.
	PublicKey string `json:"publicKey,omitempty"`
	KeyID     string `json:"keyId,omitempty"`
	Seal      string `json:"seal,omitempty"`
	// LogBrokenAt is when the audit log was last found to have been rewritten or
	// cut; only with Integrity "unconfirmed".
	LogBrokenAt *time.Time `json:"logBrokenAt,omitempty"`
}

func (s *Service) verify(ctx context.Context, _ rooms.Actor, in VerifyInput) (Verification, error) {
	in.SHA256 = strings.ToLower(in.SHA256)
	d, err := s.store.Document(ctx, in.ID)
	if err != nil && rooms.CodeOf(err) != rooms.CodeNotFound {
		return Verification{}, err
	}
	there := err == nil && d.Kind == in.Kind && d.Signature != nil
	if !there || subtle.ConstantTimeCompare([]byte(in.SHA256), []byte(d.Signature.SHA256)) != 1 {
		return s.verifyLost(ctx, in, there)
	}
	d = s.checked(d)
	found := d.Integrity
	v := Verification{Matches: true, Intact: found == Intact, Integrity: found, Current: found == Intact && d.inForce(), Status: d.Status, Version: d.Version,
		DoctorName: d.DoctorName, PatientName: masked(d.PatientName), SignedAt: &d.Signature.SignedAt, KeyID: d.Signature.KeyID, Seal: d.Signature.Seal}
	if key := s.keyring().of(d); key != nil {
		v.PublicKey, v.KeyID = base64.StdEncoding.EncodeToString(key), SealKeyID(key)
	}
	if found == Unconfirmed {
		at, err := s.store.LogBroken(ctx)
		if err != nil {
			return Verification{}, err
		}
		v.LogBrokenAt = &at
	}
	return v, nil
}

// verifyLost answers for a hash that no document has. If the audit log has it,
// the document was signed here, and has been removed or replaced since.
func (s *Service) verifyLost(ctx context.Context, in VerifyInput, there bool) (Verification, error) {
	signed, err := s.store.SignedAs(ctx, Document{Kind: in.Kind, Head: Head{ID: in.ID}}.subject(), in.SHA256)
	switch {
	case err != nil:
		return Verification{}, err
	case signed:
		return Verification{Matches: true, Integrity: Altered}, nil
	case !there:
		return Verification{}, rooms.NotFound("document")
	}
	return Verification{}, nil // another document, or a forged one
}

// inForce reports whether d is valid: a prescription once it is approved.
func (d Document) inForce() bool {
	if d.Kind == KindPrescription {
		return d.Status == Approved
	}
	return d.Status == Signed
}

// keyring is the keys that this server checks seals with.
func (s *Service) keyring() keyring {
	keys := keyring{s.seals.id: s.seals.public()}
	for _, key := range s.cfg.PublicKeys {
		keys[SealKeyID(key)] = key
	}
	return keys
}

func masked(name string) string {
	runes := []rune(strings.TrimSpace(name))
	if len(runes) == 0 {
		return ""
	}
	return string(runes[0]) + "**"
}
