package record

import (
	"context"

	"wenzhen/rooms"
	"wenzhen/rooms/audit"
	"wenzhen/rooms/consultation"
)

// glimpseEvents is how much of a log one look shows.
const glimpseEvents = 200

// enterConsultation shows an admin a consultation, once, and everyone in it
// that the admin looked, and why. Later pages of the same look are noted in the
// audit log alone.
func (s *Service) enterConsultation(ctx context.Context, actor rooms.Actor, in EnterInput) (g Glimpse, err error) {
	err = s.store.InTx(ctx, func(tx Tx) error {
		if g.Consultation, err = tx.Consultation(in.ConsultationID); err != nil {
			return err
		}
		if g.Participants, err = tx.Participants(in.ConsultationID); err != nil {
			return err
		}
		if err := s.breakGlass(tx, actor, in.ConsultationID, EnterConsultation.Name, "consultation:"+string(in.ConsultationID), in.Reason, in.After == 0); err != nil {
			return err
		}
		events, last, err := tx.LogAfter(in.ConsultationID.Room(), in.After, glimpseEvents)
		g.Events = events
		g.HasMore = len(events) > 0 && events[len(events)-1].Seq < last
		return err
	})
	return g, err
}

// enterRecord shows an admin a patient's record, once.
func (s *Service) enterRecord(ctx context.Context, actor rooms.Actor, in EnterRecordInput) (v PatientRecord, err error) {
	err = s.store.InTx(ctx, func(tx Tx) error {
		p, err := tx.Patient(in.PatientID)
		if err != nil {
			return err
		}
		latest, err := tx.ConsultationsOf(p.ID, 1)
		if err != nil {
			return err
		}
		if len(latest) > 0 {
			if err := s.tell(tx, actor, latest[0].ID, in.Reason); err != nil {
				return err
			}
		}
		v, err = s.recordOf(tx, actor, p, EnterRecord.Name, in.Reason)
		return err
	})
	return v, err
}

func (s *Service) breakGlass(tx Tx, actor rooms.Actor, id consultation.ID, action, subject, reason string, tell bool) error {
	if err := audit.Append(tx, actor, s.now(), action, subject, func(e *audit.LogEntry) { e.Reason = reason }); err != nil {
		return err
	}
	if !tell {
		return nil
	}
	return s.tell(tx, actor, id, reason)
}

// tell says in the room that an admin looked, and why.
func (s *Service) tell(tx Tx, actor rooms.Actor, id consultation.ID, reason string) error {
	return s.say(tx, actor, id, "system", "break-glass:"+rooms.NewID(s.now()), reason)
}
