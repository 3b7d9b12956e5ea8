package record

import (
	"context"
	"strings"
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/audit"
	"wenzhen.example/rooms/consultation"
)

// viewEvents is the most entries of a log in one answer. breakGlassFor is how
// long an admin may continue to read until the access is announced in the room
// again.
const (
	viewEvents    = 200
	breakGlassFor = 15 * time.Minute
)

// breakGlassMark begins the clientId of the message that announces break-glass
// access in the room.
const breakGlassMark = "break-glass:"

// IsBreakGlassMessage reports whether a message announces break-glass access.
func IsBreakGlassMessage(clientID string) bool { return strings.HasPrefix(clientID, breakGlassMark) }

// enterConsultation shows an admin a consultation, and announces the access with
// its reason in the room. Later pages within the same access are recorded in the
// audit log only.
func (s *Service) enterConsultation(ctx context.Context, actor rooms.Actor, in EnterInput) (BreakGlassView, error) {
	return rooms.InTx(ctx, s.store, func(tx Tx) (g BreakGlassView, err error) {
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
		if g.Until, err = s.breakGlass(tx, actor, in); err != nil {
			return g, err
		}
		events, last, err := tx.LogAfter(in.ConsultationID.Room(), in.After, viewEvents)
		g.Events = events
		g.HasMore = len(events) > 0 && events[len(events)-1].Seq < last
		return g, err
	})
}

// breakGlass starts an access and announces it in the room, or continues one
// that has not ended. It returns the end of the access.
func (s *Service) breakGlass(tx Tx, actor rooms.Actor, in EnterInput) (time.Time, error) {
	now := s.now()
	until, err := tx.BreakGlassUntil(actor.UserID, in.ConsultationID)
	if err != nil || (in.After > 0 && until.After(now)) {
		return until, err
	}
	until = now.Add(breakGlassFor)
	if err := tx.SaveBreakGlass(actor.UserID, in.ConsultationID, until); err != nil {
		return until, err
	}
	return until, s.announceAccess(tx, actor, in.ConsultationID, in.Reason)
}

// enterRecord shows an admin a patient's record, once.
func (s *Service) enterRecord(ctx context.Context, actor rooms.Actor, in EnterRecordInput) (BreakGlassRecord, error) {
	return rooms.InTx(ctx, s.store, func(tx Tx) (BreakGlassRecord, error) {
		p, err := tx.Patient(in.PatientID)
		if err != nil {
			return BreakGlassRecord{}, err
		}
		latest, err := tx.ConsultationsOf(p.ID, 1)
		if err != nil {
			return BreakGlassRecord{}, err
		}
		if len(latest) > 0 {
			err = s.announceAccess(tx, actor, latest[0].ID, in.Reason)
		} else {
			_, err = RecordEntered.Record(tx, rooms.UserRoom(p.UserID), actor, s.now(), nil, func(rooms.Seq) (RecordEntry, error) {
				return RecordEntry{PatientID: p.ID, PatientName: p.Name, ByID: actor.UserID, Reason: in.Reason}, nil
			})
		}
		if err != nil {
			return BreakGlassRecord{}, err
		}
		seen, err := s.recordOf(tx, actor, p, EnterRecord.Name, in.Reason)
		return BreakGlassRecord{PatientRecord: seen, Until: s.now().Add(breakGlassFor)}, err
	})
}

// announceAccess writes a message into the room that an admin has used
// break-glass access, with the reason.
func (s *Service) announceAccess(tx Tx, actor rooms.Actor, id consultation.ID, reason string) error {
	return s.say(tx, actor, id, "system", breakGlassMark+rooms.NewID(s.now()), reason)
}
