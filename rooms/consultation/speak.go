package consultation

import (
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
)

// Speaker is a participant, with that of the consultation on which it depends
// what may be said: all that a message needs to know, for messages are what
// there is most of.
type Speaker struct {
	ConsultationID ID
	Medium         account.Medium
	Role           Part
	Status         Status
	Reopened       bool
	TurnsLeft      int
	TurnOpen       bool
	Accepted       bool
	Answered       bool // by the doctor
	// InvitedBy and Since are those of the Participant.
	InvitedBy Part
	Since     rooms.Seq
}

// asks reports whether what the speaker says counts as the patient's question:
// those count whom the patient let in, for they may be the patient's second
// account. A second doctor answers, and so does an interpreter of the doctor's.
func (s Speaker) asks() bool {
	switch s.Role {
	case PartPatient, PartRelative:
		return true
	case PartInterpreter:
		return s.InvitedBy != PartDoctor
	}
	return false
}

// May reports whether something may be said now. Errors: closed, conflict.
func (s Speaker) May() error {
	switch {
	case s.Status.Final():
		return rooms.Closed("the consultation is %s", s.Status)
	case !s.Status.Writable():
		return rooms.Conflict(string(s.Status), "nothing can be said while the consultation is %s", s.Status)
	case s.Reopened && s.asks() && !s.TurnOpen && s.TurnsLeft == 0:
		return rooms.Conflict(string(s.Status), "the free follow-up questions have been used")
	}
	return nil
}

// Spoke writes what follows from having said something: the doctor's first
// answer, a follow-up question used or answered. It is part of the transaction
// that writes the message, after it.
func (s Speaker) Spoke(tx Tx, now time.Time) error {
	answers := s.Role == PartDoctor && !s.Answered && s.Accepted
	closes := s.Role == PartDoctor && s.TurnOpen
	asks := s.asks() && s.Reopened && !s.TurnOpen
	if !answers && !closes && !asks {
		return nil
	}
	c, err := tx.Consultation(s.ConsultationID)
	if err != nil {
		return err
	}
	if answers {
		c.AnsweredAt = &now
	}
	if closes {
		c.TurnOpen = false
	}
	if asks {
		c.TurnOpen = true
		c.TurnsLeft--
	}
	c.UpdatedAt = now
	if err := tx.SaveConsultation(c); err != nil {
		return err
	}
	return announce(tx, c, rooms.System, now)
}
