package consultation

import (
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
	"wenzhen.example/rooms/audit"
)

// Follower is called for every transition, inside its transaction: an
// appointment ends together with its consultation, or neither ends.
type Follower interface {
	Follow(tx Tx, from Status, c Consultation) error
}

// Slot is the time that a consultation was booked for.
type Slot struct {
	Start, End time.Time
	Minutes    int
}

// lateMost is how long after its start a slot still waits for both sides.
const lateMost = 15 * time.Minute

// PatientOf is a profile in user's care: that of the user's own person when id
// is empty. Errors: not_found, also for someone else's.
func PatientOf(tx Tx, user rooms.UserID, id account.PatientID) (account.Patient, error) {
	if id == "" {
		return tx.SelfPatient(user)
	}
	patient, err := tx.Patient(id)
	if err == nil && patient.UserID != user {
		err = rooms.NotFound("patient")
	}
	return patient, err
}

// Pay continues a consultation that waits for its payment, as part of the
// transaction that records the payment. If its hold has expired, it gets its
// slot again, provided that the slot is still free and in the future. Errors:
// conflict (it is over; the caller refunds), invalid (the doctor no longer has
// that slot); the transaction must then be rolled back.
func (s *Service) Pay(tx Tx, c Consultation) (Consultation, error) {
	t := paid
	if c.Status == Expired {
		t = paidLate
	}
	return s.transit(tx, c, t, change{actor: rooms.System})
}

// CheckIn puts a booked consultation into the doctor's queue.
func (s *Service) CheckIn(tx Tx, actor rooms.Actor, c Consultation) (Consultation, error) {
	now := s.now()
	c.QueuedAt, c.UpdatedAt = &now, now
	return c, s.save(tx, c, actor)
}

// Move gives a consultation that waits another slot and, if doctor is not the
// one it has, another doctor, who takes the first one's place in the room.
func (s *Service) Move(tx Tx, actor rooms.Actor, c Consultation, doctor account.Doctor, slot Slot) (Consultation, error) {
	now := s.now()
	if doctor.ID != c.DoctorID {
		if err := s.Remove(tx, actor, c.ID, c.DoctorID, LeftReassigned); err != nil {
			return c, err
		}
		if err := s.enter(tx, actor, c.ID, Participant{UserID: doctor.ID, Name: doctor.Name, Role: PartDoctor, JoinedAt: now}); err != nil {
			return c, err
		}
		if err := s.enterInLog(tx, actor, audit.Reassigned, c.ID, "user:"+string(doctor.ID)); err != nil {
			return c, err
		}
		c.DoctorID, c.DoctorName = doctor.ID, doctor.Name
	}
	c.ScheduledAt, c.QueuedAt, c.UpdatedAt = &slot.Start, nil, now
	if c.Status == Waiting {
		at := slot.Start.Add(lateMost)
		c.DueAt = &at
	}
	return c, s.save(tx, c, actor)
}

// Withdraw ends a consultation that has not begun: for the patient, with what
// the cancellation rules give back; for the doctor or Wenzhen, with everything.
// Errors: conflict.
func (s *Service) Withdraw(tx Tx, actor rooms.Actor, c Consultation, by Part, reason string) (Consultation, error) {
	t := cancel
	if by != PartPatient {
		t = cancelByStaff
	}
	return s.transit(tx, c, t, change{actor: actor, reason: reason})
}
