package record

import (
	"encoding/json"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/consultation"
)

// ClosingSummary is the note that a doctor signed by ending a consultation.
type ClosingSummary struct {
	Head
	SummaryContent
}

// SummaryContent is what is signed of a summary.
type SummaryContent struct {
	Text string `json:"text"`
}

// signedBySummary is the action in the audit log of ending with a summary.
const signedBySummary = "summary:sign"

// Follow implements consultation.Follower: the summary that a consultation
// ended with becomes a document, signed and sealed like the others, in the same
// transaction. One that is ended again with another summary amends it.
func (s *Service) Follow(of consultation.Tx, from consultation.Status, c consultation.Consultation) error {
	if c.Status != consultation.Ended || from == consultation.Ended || c.Summary == nil {
		return nil
	}
	tx := s.store.In(of)
	earlier, err := tx.Documents(DocumentQuery{Consultation: c.ID, Kind: KindSummary})
	if err != nil {
		return err
	}
	content, err := json.Marshal(SummaryContent{Text: c.Summary.Text})
	if err != nil {
		return err
	}
	d := Document{Kind: KindSummary, Content: content}
	d = d.in(c, s.now())
	d.Root, d.Version = d.ID, 1
	if n := len(earlier); n > 0 {
		last := earlier[n-1]
		if last.Signature.SignedAt.Equal(c.Summary.SignedAt) {
			return nil // it ended with this one before, and with none now
		}
		d.Root, d.Version, d.Supersedes = last.Root, last.Version+1, last.ID
	}
	if err := tx.InsertDraft(d); err != nil {
		return err
	}
	if d, err = s.fix(tx, d, c.Summary.SignedBy, c.Summary.SignedAt); err != nil {
		return err
	}
	return s.noteSigned(tx, rooms.Actor{UserID: c.Summary.SignedBy, Role: rooms.RoleDoctor}, signedBySummary, d.settled())
}

func summaryOf(d Document) (ClosingSummary, error) {
	v := ClosingSummary{Head: d.Head}
	err := json.Unmarshal(d.Content, &v.SummaryContent)
	return v, err
}
