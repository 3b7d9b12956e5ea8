package consultation

import (
	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
)

// EvidencePolicy says what becomes of a followup whose patient shows nothing of the
// earlier diagnosis beyond the words: neither a document, which is a file sent
// into the consultation, nor an earlier record, which is a diagnosis signed here.
type Evidence string

// The policies.
const (
	EvidenceAsked    Evidence = "asked"    // the patient is asked for it; the doctor judges
	EvidenceRequired Evidence = "required" // no doctor can accept before
)

// shown refuses to let a followup begin whose patient has shown nothing, where
// that is required.
func (s *Service) shown(tx Tx, c Consultation) error {
	if c.Service != account.Followup || s.options.EvidencePolicy != EvidenceRequired {
		return nil
	}
	is, err := tx.ShowsEarlierDiagnosis(c)
	if err == nil && !is {
		err = rooms.Invalid("documents", "a followup needs a document of the earlier diagnosis, or an earlier record; the patient can send one now")
	}
	return err
}
