package schedule

import (
	"context"
	"strings"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/consultation"
)

func (s *Service) appointments(ctx context.Context, actor rooms.Actor, in AppointmentFilter) (AppointmentPage, error) {
	limit, err := rooms.PageSize(in.Limit, 50, 100)
	if err != nil {
		return AppointmentPage{}, err
	}
	after, err := rooms.ParseCursor(in.Cursor)
	if err != nil {
		return AppointmentPage{}, err
	}
	list, err := s.store.Appointments(ctx, AppointmentQuery{User: actor.UserID, AsDoctor: actor.Role == rooms.RoleDoctor, From: in.From, To: in.To, After: after, Limit: limit + 1})
	if err != nil {
		return AppointmentPage{}, err
	}
	items, next := rooms.CutPage(list, limit, func(a Appointment) rooms.Cursor {
		return rooms.Cursor{Num: a.Start.UnixMicro(), ID: string(a.ID)}
	})
	return AppointmentPage{Items: items, NextCursor: next}, nil
}

func (s *Service) appointment(ctx context.Context, actor rooms.Actor, in AppointmentRef) (Appointment, error) {
	a, err := s.store.Appointment(ctx, in.AppointmentID)
	if err == nil && !a.concerns(actor.UserID) {
		return Appointment{}, rooms.NotFound("appointment")
	}
	return a, err
}

func (a Appointment) concerns(user rooms.UserID) bool { return a.UserID == user || a.DoctorID == user }

// move changes one of actor's own appointments in a transaction.
func (s *Service) move(ctx context.Context, actor rooms.Actor, id AppointmentID, change func(tx Tx, a Appointment) (Appointment, error)) (Appointment, error) {
	return rooms.InTx(ctx, s.store, func(tx Tx) (Appointment, error) {
		a, err := tx.Appointment(id)
		if err != nil {
			return Appointment{}, err
		}
		if !a.concerns(actor.UserID) {
			return Appointment{}, rooms.NotFound("appointment")
		}
		return change(tx, a)
	})
}

func conflict(a Appointment, format string, args ...any) error {
	return rooms.Conflict(string(a.Status), format, args...)
}

// reschedule keeps the id and, if anything fails, the old slot.
func (s *Service) reschedule(ctx context.Context, actor rooms.Actor, in RescheduleInput) (Appointment, error) {
	return s.move(ctx, actor, in.AppointmentID, func(tx Tx, a Appointment) (Appointment, error) {
		now := s.now()
		switch {
		case a.Status != Booked:
			return a, conflict(a, "an appointment that is %s cannot be moved", a.Status)
		case a.Reschedules >= reschedulesMost:
			return a, conflict(a, "it has been moved %d times", a.Reschedules)
		case a.Start.Sub(now) < rescheduleBefore:
			return a, conflict(a, "it can be moved until 2 hours before it starts")
		case in.Start.Equal(a.Start):
			return a, rooms.Invalid("start", "this is the time that it has")
		}
		// The old seat is given back first, as the new slot may overlap it, and
		// offered to others only when the new one is ours.
		freed, err := tx.FreeSeats(holder(a.ID))
		if err != nil {
			return a, err
		}
		o, zone, err := s.seat(tx, a.DoctorID, in.Start, a.Medium, holder(a.ID))
		if err != nil {
			return a, err
		}
		if err := alone(tx, a.PatientID, o.start, o.end, a.ID); err != nil {
			return a, err
		}
		a.Start, a.End, a.TimeZone = o.start, o.end, zone
		a.Reschedules++
		c, err := tx.Consultation(a.ConsultationID)
		if err != nil {
			return a, err
		}
		doctor, err := tx.Doctor(a.DoctorID)
		if err != nil {
			return a, err
		}
		if _, err := s.consultations.Move(tx, actor, c, doctor, consultation.Slot{Start: a.Start, End: a.End}); err != nil {
			return a, err
		}
		if a, err = s.change(tx, actor, a); err != nil {
			return a, err
		}
		for _, seat := range freed {
			if err := s.offerToNext(tx, seat); err != nil {
				return a, err
			}
			if err := s.tellSlots(tx, seat.DoctorID, span{seat.Start, seat.End}); err != nil {
				return a, err
			}
		}
		return a, s.tellSlots(tx, a.DoctorID, o.span)
	})
}

func (s *Service) cancel(ctx context.Context, actor rooms.Actor, in CancelInput) (Appointment, error) {
	return s.move(ctx, actor, in.AppointmentID, func(tx Tx, a Appointment) (Appointment, error) {
		if !a.Status.Open() {
			return a, conflict(a, "an appointment that is %s cannot be cancelled", a.Status)
		}
		by := ThePatient
		if actor.UserID == a.DoctorID {
			by = TheDoctor
		}
		return s.withdraw(tx, actor, a, by, strings.TrimSpace(in.Reason))
	})
}

// withdraw ends the appointment together with its consultation: the latter is
// ended here, and Follow ends the former.
func (s *Service) withdraw(tx Tx, actor rooms.Actor, a Appointment, by Party, reason string) (Appointment, error) {
	c, err := tx.Consultation(a.ConsultationID)
	if err != nil {
		return a, err
	}
	part := consultation.PartDoctor
	if by == ThePatient && a.Status != ReassignPending { // what the doctor upset costs the patient nothing
		part = consultation.PartPatient
	}
	a.EndedBy = by
	if err := tx.SaveAppointment(a); err != nil {
		return a, err
	}
	if _, err := s.consultations.Withdraw(tx, actor, c, part, reason); err != nil {
		return a, err
	}
	return tx.Appointment(a.ID)
}

func (s *Service) checkIn(ctx context.Context, actor rooms.Actor, in AppointmentRef) (Appointment, error) {
	a, err := s.move(ctx, actor, in.AppointmentID, func(tx Tx, a Appointment) (Appointment, error) {
		now := s.now()
		switch {
		case a.Status == CheckedIn:
			return a, nil
		case a.Status != Booked:
			return a, conflict(a, "an appointment that is %s cannot be checked in", a.Status)
		case now.Before(a.Start.Add(-checkInBefore)):
			return a, conflict(a, "check-in opens 15 minutes before the start")
		}
		c, err := tx.Consultation(a.ConsultationID)
		if err != nil {
			return a, err
		}
		if _, err := s.consultations.CheckIn(tx, actor, c); err != nil {
			return a, err
		}
		a.Status = CheckedIn
		return s.change(tx, actor, a)
	})
	if err == nil {
		s.consultations.AnnounceQueue(ctx, a.DoctorID)
	}
	return a, err
}

// seatAgain takes the seat of an appointment whose hold had run out once more.
func (s *Service) seatAgain(tx Tx, a *Appointment) error {
	o, _, err := s.seat(tx, a.DoctorID, a.Start, a.Medium, holder(a.ID))
	if rooms.CodeOf(err) == rooms.CodeNotFound {
		return conflict(*a, "the doctor takes no appointments any more")
	}
	if err != nil {
		return err
	}
	if !o.end.Equal(a.End) {
		return conflict(*a, "the doctor has other slots now")
	}
	if err := alone(tx, a.PatientID, a.Start, a.End, a.ID); err != nil {
		return err
	}
	a.EndedBy = ""
	return s.tellSlots(tx, a.DoctorID, o.span)
}
