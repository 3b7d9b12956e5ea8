package schedule

import (
	"context"
	"errors"
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
	"wenzhen.example/rooms/consultation"
)

// Validate implements rooms.Validator.
func (in ExceptionInput) Validate() error {
	switch {
	case in.Start.IsZero():
		return rooms.Invalid("start", "start is missing")
	case !in.Start.Before(in.End):
		return rooms.Invalid("end", "end must be after start")
	case in.End.Sub(in.Start) > 366*24*time.Hour:
		return rooms.TooLarge("end", "an exception lasts a year at most")
	}
	switch in.Kind {
	case TimeOff:
		return nil
	case Extra:
		if in.End.Sub(in.Start) > 24*time.Hour {
			return rooms.TooLarge("end", "extra hours last a day at most")
		}
		return validOffer(func(field string) string { return field }, in.SlotMinutes, in.Capacity, in.Media)
	}
	return rooms.Invalid("kind", "kind must be time_off or extra")
}

func (in ExceptionInput) exception(id ExceptionID) Exception {
	e := Exception{ID: id, Kind: in.Kind, Start: in.Start.UTC().Truncate(time.Microsecond), End: in.End.UTC().Truncate(time.Microsecond), Note: in.Note, Media: []account.Medium{}}
	if in.Kind == Extra {
		e.SlotMinutes, e.Capacity, e.Media = in.SlotMinutes, in.Capacity, in.Media
	}
	return e
}

func (s *Service) addException(ctx context.Context, actor rooms.Actor, in ExceptionInput) (ExceptionAdded, error) {
	return rooms.InTx(ctx, s.store, func(tx Tx) (ExceptionAdded, error) { return s.except(tx, actor, in) })
}

// undone is the error that undoes a preview; what would have been is in it.
type undone struct{ Preview }

// Error implements error.
func (undone) Error() string { return "only a preview" }

// previewException adds the exception and undoes it, to show what it would change.
func (s *Service) previewException(ctx context.Context, actor rooms.Actor, in ExceptionInput) (Preview, error) {
	err := s.store.InTx(ctx, func(tx Tx) error {
		added, err := s.except(tx, actor, in)
		if err != nil {
			return err
		}
		return undone{Preview{Affected: added.Affected}}
	})
	if preview, ok := errors.AsType[undone](err); ok {
		return preview.Preview, nil
	}
	return Preview{}, err
}

func (s *Service) except(tx Tx, actor rooms.Actor, in ExceptionInput) (ExceptionAdded, error) {
	now := s.now()
	if !in.End.After(now) {
		return ExceptionAdded{}, rooms.Invalid("end", "this time is past")
	}
	v, err := tx.Schedule(actor.UserID, now)
	if err != nil {
		return ExceptionAdded{}, err
	}
	if len(v.Exceptions) >= exceptionsMost {
		return ExceptionAdded{}, rooms.TooLarge("", "at most %d exceptions", exceptionsMost)
	}
	added := ExceptionAdded{Exception: in.exception(ExceptionID(rooms.NewID(now))), Affected: []Appointment{}}
	e := added.Exception
	if err := tx.InsertException(actor.UserID, e); err != nil {
		return added, err
	}
	ScheduleUpdated.After(tx, Room(actor.UserID), DoctorRef{DoctorID: actor.UserID})
	if e.Kind == Extra {
		return added, nil
	}
	affected, err := tx.OpenAppointments(actor.UserID, e.Start, e.End)
	if err != nil {
		return added, err
	}
	for _, a := range affected {
		if a, err = s.upset(tx, actor, a, e, in.SubstituteID); err != nil {
			return added, err
		}
		added.Affected = append(added.Affected, a)
	}
	return added, nil
}

// upset offers another time for an appointment that its doctor cannot keep, or
// cancels it where there is none, and where it was not paid yet.
func (s *Service) upset(tx Tx, actor rooms.Actor, a Appointment, away Exception, substitute rooms.UserID) (Appointment, error) {
	if a.Status == Held {
		return s.withdraw(tx, actor, a, TheDoctor, away.Note)
	}
	if a.Status == ReassignPending { // a second leave: what was offered before is void
		if _, err := tx.FreeSeats(offerHolder(a.ID)); err != nil {
			return a, err
		}
	}
	found, err := s.elsewhere(tx, a, away, substitute)
	if err != nil {
		return a, err
	}
	if found == nil {
		return s.withdraw(tx, actor, a, TheDoctor, away.Note)
	}
	if _, err := tx.FreeSeats(holder(a.ID)); err != nil { // nobody is offered it: the doctor is away
		return a, err
	}
	a.Status, a.Offer, a.Reason = ReassignPending, found, away.Note
	if err := tx.SetTimer(rooms.Timer{Kind: offerTimer, Subject: string(a.ID), Due: found.ExpiresAt}); err != nil {
		return a, err
	}
	// Until the patient answers the consultation waits for the later time.
	c, err := tx.Consultation(a.ConsultationID)
	if err != nil {
		return a, err
	}
	doctor, err := tx.Doctor(a.DoctorID)
	if err != nil {
		return a, err
	}
	if _, err := s.consultations.Move(tx, actor, c, doctor, consultation.Slot{Start: found.Start, End: found.End}); err != nil {
		return a, err
	}
	return s.change(tx, actor, a)
}

// elsewhere finds and keeps another time: with the substitute at the same
// time, or else the doctor's next free slot within two weeks.
func (s *Service) elsewhere(tx Tx, a Appointment, away Exception, substitute rooms.UserID) (*Offer, error) {
	now := s.now()
	if substitute != "" && substitute != a.DoctorID {
		other, err := tx.Doctor(substitute)
		if err != nil || !other.Verified {
			return nil, rooms.Invalid("substituteId", "there is no such doctor")
		}
		price, ok := other.Offers(a.Service, a.Medium)
		if ok && price.Price == a.Price && price.Currency == a.Currency {
			if o, _, err := s.seat(tx, substitute, a.Start, a.Medium, offerHolder(a.ID)); err == nil {
				return s.kept(other, o, now), s.tellSlots(tx, substitute, o.span)
			} else if !cannotHave(err) {
				return nil, err
			}
		}
	}
	v, err := tx.Schedule(a.DoctorID, now)
	if err != nil {
		return nil, err
	}
	from := later(away.End, now.Add(consentWithin)) // enough time to answer
	offers, err := v.slots(from, from.Add(reassignAhead))
	if err != nil {
		return nil, err
	}
	doctor, err := tx.Doctor(a.DoctorID)
	if err != nil {
		return nil, err
	}
	for _, o := range offers {
		if err := alone(tx, a.PatientID, o.start, o.end, a.ID); rooms.CodeOf(err) == rooms.CodeConflict {
			continue
		} else if err != nil {
			return nil, err
		}
		switch _, _, err := s.seat(tx, a.DoctorID, o.start, a.Medium, offerHolder(a.ID)); {
		case err == nil:
			return s.kept(doctor, o, now), s.tellSlots(tx, a.DoctorID, o.span)
		case !cannotHave(err):
			return nil, err
		}
	}
	return nil, nil
}

// cannotHave reports whether a seat was refused: it is not in this medium, it
// is taken, or the doctor takes nobody. Anything else is a failure.
func cannotHave(err error) bool {
	switch rooms.CodeOf(err) {
	case rooms.CodeInvalid, rooms.CodeConflict, rooms.CodeNotFound:
		return true
	}
	return false
}

func (s *Service) kept(doctor account.Doctor, o offer, now time.Time) *Offer {
	expires := now.Add(consentWithin)
	if o.start.Before(expires) {
		expires = o.start
	}
	return &Offer{DoctorID: doctor.ID, DoctorName: doctor.Name, Start: o.start, End: o.end, ExpiresAt: expires}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func (s *Service) acceptOffer(ctx context.Context, actor rooms.Actor, in AppointmentRef) (Appointment, error) {
	return s.move(ctx, actor, in.AppointmentID, func(tx Tx, a Appointment) (Appointment, error) {
		if a.Status != ReassignPending || a.Offer == nil {
			return a, conflict(a, "nothing is offered")
		}
		o, before := *a.Offer, a.DoctorID
		if err := takesPatients(tx, o.DoctorID); rooms.CodeOf(err) == rooms.CodeNotFound {
			return a, conflict(a, "this doctor takes no appointments now")
		} else if err != nil {
			return a, err
		}
		if err := alone(tx, a.PatientID, o.Start, o.End, a.ID); err != nil {
			return a, err
		}
		if err := tx.HandOverSeats(offerHolder(a.ID), holder(a.ID)); err != nil {
			return a, err
		}
		if err := tx.ClearTimer(offerTimer, string(a.ID)); err != nil {
			return a, err
		}
		c, err := tx.Consultation(a.ConsultationID)
		if err != nil {
			return a, err
		}
		doctor, err := tx.Doctor(o.DoctorID)
		if err != nil {
			return a, err
		}
		if _, err := s.consultations.Move(tx, actor, c, doctor, consultation.Slot{Start: o.Start, End: o.End}); err != nil {
			return a, err
		}
		a.Status, a.DoctorID, a.DoctorName, a.Start, a.End, a.Offer = Booked, o.DoctorID, o.DoctorName, o.Start, o.End, nil
		return s.change(tx, actor, a, before)
	})
}

func (s *Service) declineOffer(ctx context.Context, actor rooms.Actor, in AppointmentRef) (Appointment, error) {
	return s.move(ctx, actor, in.AppointmentID, func(tx Tx, a Appointment) (Appointment, error) {
		if a.Status != ReassignPending {
			return a, conflict(a, "nothing is offered")
		}
		return s.withdraw(tx, actor, a, TheDoctor, a.Reason)
	})
}

func (s *Service) offerRanOut(ctx context.Context, t rooms.Timer) error {
	return s.store.InTx(ctx, func(tx Tx) error {
		a, err := tx.Appointment(AppointmentID(t.Subject))
		if rooms.CodeOf(err) == rooms.CodeNotFound || (err == nil && (a.Status != ReassignPending || a.Offer == nil)) {
			return tx.ClearTimer(t.Kind, t.Subject)
		} else if err != nil {
			return err
		}
		if a.Offer.ExpiresAt.After(s.now()) {
			return tx.SetTimer(rooms.Timer{Kind: t.Kind, Subject: t.Subject, Due: a.Offer.ExpiresAt})
		}
		_, err = s.withdraw(tx, rooms.System, a, TheDoctor, a.Reason)
		return err
	})
}

func (s *Service) removeException(ctx context.Context, actor rooms.Actor, in ExceptionRef) (rooms.Nothing, error) {
	return rooms.Nothing{}, s.store.InTx(ctx, func(tx Tx) error {
		e, err := tx.DeleteException(actor.UserID, in.ExceptionID)
		if err != nil {
			return err
		}
		ScheduleUpdated.After(tx, Room(actor.UserID), DoctorRef{DoctorID: actor.UserID})
		if e.Kind != TimeOff {
			return nil
		}
		return s.offerAll(tx, actor.UserID, span{later(e.Start, s.now()), e.End})
	})
}
