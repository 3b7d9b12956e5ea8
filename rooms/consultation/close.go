package consultation

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
	"wenzhen.example/rooms/audit"
)

// Close is how an admin ends what nobody else ends.
var Close = rooms.Command[CloseInput, Case]{Name: "consultation:close", For: rooms.Admins, Access: rooms.All,
	Doc: "End a consultation that is stuck, with a reason that patient and doctor can read. The refund is full before " +
		"it begins, or if the doctor never answered; an ended one becomes read-only. Entered in the audit log."}

// CloseInput names a consultation and says why, in 1 to 2,000 characters.
type CloseInput struct {
	ConsultationID ID     `json:"consultationId"`
	Reason         string `json:"reason" limit:"1..2000"`
}

func (s *Service) close(ctx context.Context, actor rooms.Actor, in CloseInput) (Case, error) {
	reason := strings.TrimSpace(in.Reason)
	if reason == "" {
		return Case{}, rooms.Invalid("reason", "give a reason")
	}
	c, err := rooms.InTx(ctx, s.store, func(tx Tx) (Consultation, error) {
		c, err := tx.Consultation(in.ConsultationID)
		if err != nil {
			return c, err
		}
		who, err := present(tx, c)
		if err != nil {
			return c, err
		}
		t, err := byClinic(c, who.withoutDoctor())
		if err != nil {
			return c, err
		}
		if c, err = s.transit(tx, c, t, change{actor: actor, reason: reason}); err != nil {
			return c, err
		}
		return c, audit.Append(tx, actor, s.now(), Close.Name, c.ID.subject(), func(e *audit.LogEntry) { e.Reason = reason })
	})
	if err != nil {
		return Case{}, err
	}
	s.AnnounceQueue(ctx, c.DoctorID)
	return c.asCase(), nil
}

// asCase is what an admin sees of c.
func (c Consultation) asCase() Case {
	return Case{ID: c.ID, Status: c.Status, Service: c.Service, Medium: c.Medium,
		UserID: c.UserID, PatientID: c.PatientID, PatientName: c.PatientName, CreatedAt: c.CreatedAt, UpdatedAt: c.UpdatedAt, ScheduledAt: c.ScheduledAt}
}

// attendance is who of the two sides of a consultation is still there.
type attendance struct {
	patientGone, doctorGone bool // suspended, or erased
	// unverified doctors go on with what they have begun, and can sign nothing.
	// Rejected ones, whom an admin has not verified since, go on with nothing.
	unverified, rejected bool
}

// withoutDoctor reports whether the consultation cannot go on with its doctor.
func (a attendance) withoutDoctor() bool { return a.doctorGone || a.rejected }

// excuse reports whether t takes nothing from the patient, whatever the terms
// are: the doctor could not have admitted anyone, or cannot sign now. What had
// ended before and was reopened was delivered.
func (a attendance) excuse(c Consultation, t transition) bool {
	waits := c.Status == Waiting && (t.to == Cancelled || t.to == Expired)
	leaves := t.by == PartPatient && t.to == Ended && !c.Reopened
	return a.unverified && (waits || leaves)
}

func present(tx Tx, c Consultation) (attendance, error) {
	var a attendance
	patient, err := tx.User(c.UserID)
	if err != nil {
		return a, err
	}
	a.patientGone = patient.Suspended
	doctor, err := tx.Doctor(c.DoctorID)
	if rooms.CodeOf(err) == rooms.CodeNotFound {
		a.doctorGone, a.unverified = true, true
		return a, nil
	}
	a.unverified, a.rejected = !doctor.Verified, doctor.Withdrawn
	return a, err
}

// Unwind implements account.Unwinder: with a patient or a doctor who is gone,
// and with a doctor who was rejected, ends what they have open. Patients learn
// that their doctor is under review, and that the review is over.
func (s *Service) Unwind(ctx context.Context, user rooms.UserID) error {
	open, err := s.store.OpenOf(ctx, user)
	if err != nil {
		return err
	}
	var failed []error
	for _, id := range open {
		if err := s.unwind(ctx, id); err != nil {
			failed = append(failed, fmt.Errorf("consultation %s: %w", id, err))
		}
	}
	return errors.Join(failed...)
}

func (s *Service) unwind(ctx context.Context, id ID) error {
	c, err := rooms.InTx(ctx, s.store, func(tx Tx) (Consultation, error) {
		c, err := tx.Consultation(id)
		if err != nil {
			return c, err
		}
		who, err := present(tx, c)
		if err != nil {
			return c, err
		}
		switch {
		case !c.Status.open(), !who.patientGone && !who.withoutDoctor() && c.DoctorReview == who.unverified:
			return c, nil // it was ended meanwhile, or both are there again
		case !who.patientGone && !who.withoutDoctor():
			c.DoctorReview, c.UpdatedAt = who.unverified, s.now()
			return c, s.save(tx, c, rooms.System)
		}
		t, err := byClinic(c, who.withoutDoctor())
		if err != nil {
			return c, err
		}
		return s.transit(tx, c, t, change{actor: rooms.System})
	})
	if err == nil {
		s.AnnounceQueue(ctx, c.DoctorID)
	}
	return err
}

// permits judges what depends on more than the state.
func (s *Service) permits(tx Tx, c Consultation, t transition, in change) error {
	admits, signs, reopens := t.to == Active && c.Status == Waiting, in.summary != "", t.reopened && t.leaves(c.Status)
	if !admits && !signs && !reopens {
		return nil
	}
	who, err := present(tx, c)
	switch {
	case err != nil:
		return err
	case reopens && who.withoutDoctor():
		return rooms.Conflict(string(c.Status), "the doctor no longer consults here")
	case (admits || signs) && who.unverified:
		return account.NotReviewed()
	case admits:
		return s.shown(tx, c)
	}
	return nil
}
