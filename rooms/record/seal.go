package record

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
	"wenzhen.example/rooms/consultation"
)

// The forms of the canonical content. What was signed in an older form is
// verified in that form.
const (
	formNames    = 1 // of patient and doctor only the names are signed
	formSignedAs = 2 // who patient and doctor were is signed as well
	formListed   = 3 // the same, and the version is listed in a sealed State
)

// canonical is what a signature is over in the first form, as JSON with the
// fields in this order.
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

// canonicalSignedAs is what a signature is over since the second form:
// everything that is printed, and everything else that must never change.
type canonicalSignedAs struct {
	Form int `json:"form"`
	canonical
	SignedAs string `json:"signedAs"` // to the letter
}

// contentHash is the SHA-256, in hex, of d as signed in a form by someone at a time.
func contentHash(d Document, form int, by rooms.UserID, at time.Time) (string, error) {
	first := canonical{Kind: d.Kind, ID: d.ID, Root: d.Root, Version: d.Version, Supersedes: d.Supersedes,
		ConsultationID: d.ConsultationID, PatientID: d.PatientID, PatientName: d.PatientName, DoctorID: d.DoctorID, DoctorName: d.DoctorName,
		Content: string(d.Content), SignedBy: by, SignedAt: at.UTC()}
	var signed any
	switch form {
	case formNames:
		signed = first
	case formSignedAs, formListed:
		signed = canonicalSignedAs{Form: form, canonical: first, SignedAs: d.SignedAs}
	default:
		return "", fmt.Errorf("%s is signed in form %d, which this version does not know", d.subject(), form)
	}
	raw, err := json.Marshal(signed)
	if err != nil {
		return "", fmt.Errorf("encode %s: %w", d.subject(), err)
	}
	return digest(raw), nil
}

// decisionHash is the SHA-256, in hex, of a decision that follows previous.
func decisionHash(previous string, v Decision) (string, error) {
	v.SHA256, v.Seal, v.KeyID, v.At = "", "", "", v.At.UTC()
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

// sealer signs hashes with a key that is not in the database: an attacker who
// can change the database can compute a hash anew, but not its seal.
type sealer struct {
	key ed25519.PrivateKey
	id  string
}

func newSealer(secret []byte) sealer {
	seed := sha256.Sum256(append([]byte("wenzhen record seal\n"), secret...))
	key := ed25519.NewKeyFromSeed(seed[:])
	return sealer{key, SealKeyID(key.Public().(ed25519.PublicKey))}
}

// SealKeyID names a key that seals are checked with: the first 16 hexadecimal
// digits of the SHA-256 of its 32 bytes.
func SealKeyID(key ed25519.PublicKey) string {
	sum := sha256.Sum256(key)
	return hex.EncodeToString(sum[:8])
}

// SealKey is the public key that documents are sealed with by a server with
// this secret.
func SealKey(secret []byte) ed25519.PublicKey {
	return newSealer(secret).public()
}

func (s sealer) public() ed25519.PublicKey { return s.key.Public().(ed25519.PublicKey) }

func (s sealer) seal(hash string) string {
	return base64.StdEncoding.EncodeToString(ed25519.Sign(s.key, []byte(hash)))
}

// sign fixes d.
func (s sealer) sign(d Document, by rooms.UserID, at time.Time) (*Signature, error) {
	hash, err := contentHash(d, formListed, by, at)
	if err != nil {
		return nil, err
	}
	return &Signature{SignedBy: by, SignedAt: at, SHA256: hash, Seal: s.seal(hash), Form: formListed, KeyID: s.id}, nil
}

// Integrity is what verifying a document has found.
type Integrity string

// The findings. Altered: the content, what was decided about it or a later
// version has been changed or removed. UnknownKey: the content fits its hash, but
// this server does not have the key to check the seal with, so it can neither
// confirm nor deny it. Unconfirmed: everything fits, but the audit log has been
// rewritten or cut since, so it does not show that nothing came later.
const (
	Intact      Integrity = "intact"
	Altered     Integrity = "altered"
	UnknownKey  Integrity = "unknown_key"
	Unconfirmed Integrity = "unconfirmed"
)

// keyring is the public keys that seals are checked with, by id.
type keyring map[string]ed25519.PublicKey

// check verifies one seal. A seal without a key id is one of any known key.
func (k keyring) check(hash, seal, id string) Integrity {
	raw, err := base64.StdEncoding.DecodeString(seal)
	if err != nil || len(raw) != ed25519.SignatureSize {
		return Altered
	}
	if id != "" {
		key, known := k[id]
		switch {
		case !known:
			return UnknownKey
		case ed25519.Verify(key, []byte(hash), raw):
			return Intact
		}
		return Altered
	}
	for _, key := range k {
		if ed25519.Verify(key, []byte(hash), raw) {
			return Intact
		}
	}
	return UnknownKey
}

// of is the key that d was sealed with; nil if it is not known.
func (k keyring) of(d Document) ed25519.PublicKey {
	if key, known := k[d.Signature.KeyID]; known {
		return key
	}
	for _, key := range k {
		if (keyring{"": key}).check(d.Signature.SHA256, d.Signature.Seal, "") == Intact {
			return key
		}
	}
	return nil
}

// checked is d with its status, and with what checking it has found. Every
// document that is verified, shown, printed or decided about passes it.
func (s *Service) checked(d Document) Document {
	if d = d.settled(); d.Signature != nil {
		d.Integrity = s.keyring().judge(d)
	}
	return d
}

// judge compares a signed document with its signature, with the sealed state of
// all its versions, and with the audit log.
func (k keyring) judge(d Document) Integrity {
	content, state, log := k.examine(d), k.stands(d), d.logged()
	switch {
	case content == Altered, state == Altered, log == Altered, content == Intact && state == UnknownKey:
		return Altered
	case content == UnknownKey:
		return UnknownKey
	}
	return log
}

// genuine refuses a document that is not what was signed.
func (d Document) genuine() error {
	if d.Integrity == Altered {
		return rooms.Conflict(string(Altered), "the %s has been altered since it was signed: it is neither printed nor decided about", d.Kind)
	}
	return nil
}

// examine compares a signed document and all that was decided about it with
// what they were when they were signed.
func (k keyring) examine(d Document) Integrity {
	if d.Signature == nil {
		return Altered
	}
	hash, err := contentHash(d, d.Signature.Form, d.Signature.SignedBy, d.Signature.SignedAt)
	if err != nil || hash != d.Signature.SHA256 {
		return Altered
	}
	found := k.check(hash, d.Signature.Seal, d.Signature.KeyID)
	for _, v := range d.Decisions {
		if hash, err = decisionHash(hash, v); err != nil || hash != v.SHA256 {
			return Altered
		}
		if next := k.check(hash, v.Seal, v.KeyID); next != Intact && found != Altered {
			found = next
		}
	}
	return found
}
