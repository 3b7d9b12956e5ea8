package chat

import (
	"wenzhen.example/rooms"
	"wenzhen.example/rooms/consultation"
)

// Note implements consultation.Notes.
func (s *Service) Note(of consultation.Tx, actor rooms.Actor, n consultation.Note) error {
	tx := s.store.In(of)
	m := Message{ID: MessageID(rooms.NewID(n.At)), ClientID: n.ClientID, ConsultationID: n.ConsultationID, SenderID: n.SenderID,
		Kind: Kind(n.Kind), Text: n.Text, Detail: n.Detail, CreatedAt: n.At}
	_, err := MessageCreated.Record(tx, n.ConsultationID.Room(), actor, n.At, nil, func(seq rooms.Seq) (Message, error) {
		m.Seq = seq
		return m, tx.InsertMessage(m)
	})
	return err
}
