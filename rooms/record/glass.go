package record

import (
	"context"
	"strings"
	"time"

	"wenzhen/rooms"
	"wenzhen/rooms/audit"
	"wenzhen/rooms/consultation"
)

// glimpseEvents is the most entries of a log in one answer. lookFor is how long
// an admin may continue to read until the look is announced in the room again.
const (
	glimpseEvents = 200
	lookFor       = 15 * time.Minute
)

// glassMark begins the clientId of the message that says that an admin looked.
const glassMark = "break-glass:"

// TellsOfGlass reports whether a message announces the look of an admin.
func TellsOfGlass(clientID string) bool { return strings.HasPrefix(clientID, glassMark) }

// enterConsultation shows an admin a consultation, and tells everyone in it that
// the admin looked, and why. Later pages of the same look are noted in the
// audit log alone, until it is over.
func (s *Service) enterConsultation(ctx context.Context, actor rooms.Actor, in EnterInput) (Glimpse, error) {
	return rooms.InTx(ctx, s.store, func(tx Tx) (g Glimpse, err error) {
		if g.Consultation, err = tx.Consultation(in.ConsultationID); err != nil {
			return g, err
		}
		if g.Participants, err = tx.Participants(in.ConsultationID); err != nil {
			return g, err
		}
		err = audit.Append(tx, actor, s.now(), EnterConsultation.Name, "consultation:"+string(in.ConsultationID), func(e *audit.LogEntry) { e.Reason = in.Reason })
		if err != nil {
			return g, err
		}
		if g.Until, err = s.look(tx, actor, in); err != nil {
			return g, err
		}
		events, last, err := tx.LogAfter(in.ConsultationID.Room(), in.After, glimpseEvents)
		g.Events = events
		g.HasMore = len(events) > 0 && events[len(events)-1].Seq < last
		return g, err
	})
}

// look starts a look and announces it in the room, or continues one that is not
// over. It returns the end of the look.
func (s *Service) look(tx Tx, actor rooms.Actor, in EnterInput) (time.Time, error) {
	now := s.now()
	until, err := tx.LookUntil(actor.UserID, in.ConsultationID)
	if err != nil || (in.After > 0 && until.After(now)) {
		return until, err
	}
	until = now.Add(lookFor)
	if err := tx.SaveLook(actor.UserID, in.ConsultationID, until); err != nil {
		return until, err
	}
	return until, s.tellOfGlass(tx, actor, in.ConsultationID, in.Reason)
}

// enterRecord shows an admin a patient's record, once.
func (s *Service) enterRecord(ctx context.Context, actor rooms.Actor, in EnterRecordInput) (RecordGlimpse, error) {
	return rooms.InTx(ctx, s.store, func(tx Tx) (RecordGlimpse, error) {
		p, err := tx.Patient(in.PatientID)
		if err != nil {
			return RecordGlimpse{}, err
		}
		latest, err := tx.ConsultationsOf(p.ID, 1)
		if err != nil {
			return RecordGlimpse{}, err
		}
		if len(latest) > 0 {
			err = s.tellOfGlass(tx, actor, latest[0].ID, in.Reason)
		} else {
			_, err = RecordEntered.Record(tx, rooms.UserRoom(p.UserID), actor, s.now(), nil, func(rooms.Seq) (RecordEntry, error) {
				return RecordEntry{PatientID: p.ID, PatientName: p.Name, ByID: actor.UserID, Reason: in.Reason}, nil
			})
		}
		if err != nil {
			return RecordGlimpse{}, err
		}
		seen, err := s.recordOf(tx, actor, p, EnterRecord.Name, in.Reason)
		return RecordGlimpse{PatientRecord: seen, Until: s.now().Add(lookFor)}, err
	})
}

// tellOfGlass says in the room that an admin looked, and why.
func (s *Service) tellOfGlass(tx Tx, actor rooms.Actor, id consultation.ID, reason string) error {
	return s.say(tx, actor, id, "system", glassMark+rooms.NewID(s.now()), reason)
}
