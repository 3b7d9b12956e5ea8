package schedule

import (
	"context"
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
	"wenzhen.example/rooms/consultation"
)

// Validate implements rooms.Validator.
func (in BookInput) Validate() error {
	if in.Start.IsZero() {
		return rooms.Invalid("start", "start is missing")
	}
	return in.consultation().Validate()
}

func (in BookInput) consultation() consultation.OpenInput {
	return consultation.OpenInput{DoctorID: in.DoctorID, Service: in.Service, Medium: in.Medium, PatientID: in.PatientID,
		Complaint: in.Complaint, PriorDiagnosis: in.PriorDiagnosis}
}

func (s *Service) book(ctx context.Context, actor rooms.Actor, in BookInput) (Booking, error) {
	return rooms.InTx(ctx, s.store, func(tx Tx) (Booking, error) {
		if in.ID != "" {
			first, err := tx.Appointment(in.ID)
			if err == nil {
				return s.sameBooking(tx, actor, first, in)
			} else if rooms.CodeOf(err) != rooms.CodeNotFound {
				return Booking{}, err
			}
		}
		return s.take(tx, actor, in)
	})
}

// sameBooking tells a resend from an id that is used for something else.
func (s *Service) sameBooking(tx Tx, actor rooms.Actor, first Appointment, in BookInput) (Booking, error) {
	if first.UserID != actor.UserID || first.DoctorID != in.DoctorID || first.Medium != in.Medium || first.Service != in.Service ||
		first.Complaint != in.Complaint || (first.Reschedules == 0 && !first.Start.Equal(in.Start)) {
		e := rooms.Conflict("", "this id has been used for something else")
		e.Field = "id"
		return Booking{}, e
	}
	c, err := tx.Consultation(first.ConsultationID)
	if err != nil {
		return Booking{}, err
	}
	order, err := s.consultations.Order(tx, c)
	return Booking{Appointment: first, Consultation: c, Order: order}, err
}

// take takes a seat and opens the consultation for it.
func (s *Service) take(tx Tx, actor rooms.Actor, in BookInput) (Booking, error) {
	patient, err := consultation.PatientOf(tx, actor.UserID, in.PatientID)
	if err != nil {
		return Booking{}, err
	}
	now := s.now()
	id := in.ID
	if id == "" {
		id = AppointmentID(rooms.NewID(now))
	}
	o, zone, err := s.seat(tx, in.DoctorID, in.Start, in.Medium, holder(id))
	if err != nil {
		return Booking{}, err
	}
	mine, err := tx.OpenAppointments(in.DoctorID, o.start, o.end)
	if err != nil {
		return Booking{}, err
	}
	for _, a := range mine {
		if a.UserID == actor.UserID {
			return Booking{}, rooms.Conflict(string(a.Status), "you have an appointment with this doctor at that time")
		}
	}
	if err := alone(tx, patient.ID, o.start, o.end, id); err != nil {
		return Booking{}, err
	}
	opening := in.consultation()
	if err := opening.Validate(); err != nil {
		return Booking{}, err
	}
	slot := consultation.Slot{Start: o.start, End: o.end, Minutes: int(o.end.Sub(o.start).Minutes())}
	c, err := s.consultations.Begin(tx, actor, patient, opening, &slot)
	if err != nil {
		return Booking{}, err
	}
	a := Appointment{ID: id, Status: Held, ConsultationID: c.ID, DoctorID: c.DoctorID, DoctorName: c.DoctorName, UserID: c.UserID,
		PatientID: c.PatientID, PatientName: c.PatientName, Service: c.Service, Medium: c.Medium, Complaint: c.Complaint, Start: o.start, End: o.end, TimeZone: zone,
		Price: c.Price, Currency: c.Currency, CreatedAt: now, UpdatedAt: now}
	if c.Status == consultation.Waiting {
		a.Status = Booked
	}
	if err := tx.InsertAppointment(a); err != nil {
		return Booking{}, err
	}
	if err := s.announce(tx, actor, a); err != nil {
		return Booking{}, err
	}
	order, err := s.consultations.Order(tx, c)
	if err != nil {
		return Booking{}, err
	}
	return Booking{Appointment: a, Consultation: c, Order: order}, s.tellSlots(tx, a.DoctorID, o.span)
}

func holder(id AppointmentID) string      { return "appointment:" + string(id) }
func offerHolder(id AppointmentID) string { return "offer:" + string(id) }
func waitHolder(id WaitID) string         { return "wait:" + string(id) }

// seat takes a seat of the slot that starts at start, for holder. Errors:
// not_found (the doctor is suspended or not verified), invalid (no such slot,
// not in this medium), conflict (all taken).
func (s *Service) seat(tx Tx, doctor rooms.UserID, start time.Time, medium account.Medium, holder string) (offer, string, error) {
	if err := takesPatients(tx, doctor); err != nil {
		return offer{}, "", err
	}
	now := s.now()
	switch {
	case !start.After(now):
		return offer{}, "", rooms.Invalid("start", "this time is past")
	case start.Sub(now) > bookAhead:
		return offer{}, "", rooms.Invalid("start", "this is more than 90 days ahead")
	}
	v, err := tx.Schedule(doctor, now)
	if err != nil {
		return offer{}, "", err
	}
	offers, err := v.slots(start, start.Add(time.Microsecond))
	if err != nil {
		return offer{}, "", err
	}
	if len(offers) == 0 {
		return offer{}, "", rooms.Invalid("start", "the doctor has no slot at that time")
	}
	o := offers[0]
	if !(Slot{Media: o.media}).offers(medium) {
		return offer{}, "", rooms.Invalid("medium", "this slot is not for %s", medium)
	}
	taken, err := tx.Taken(doctor, o.start, o.end)
	if err != nil {
		return offer{}, "", err
	}
	if len(taken) >= o.capacity {
		return offer{}, "", rooms.Conflict("taken", "this slot has just been taken")
	}
	used := map[int]bool{}
	for _, t := range taken {
		if t.Start.Equal(o.start) {
			used[t.Number] = true
		}
	}
	number := 1
	for used[number] {
		number++
	}
	return o, v.TimeZone, tx.TakeSeat(Seat{DoctorID: doctor, Start: o.start, End: o.end, Number: number, Holder: holder})
}

// takesPatients refuses a doctor who is not there for new patients: not_found.
func takesPatients(tx Tx, id rooms.UserID) error {
	doctor, err := tx.Doctor(id)
	if err == nil && !doctor.Verified {
		err = rooms.NotFound("doctor")
	}
	return err
}

// announce records the appointment as it is now, in its consultation's room and
// for the devices of both sides.
func (s *Service) announce(tx Tx, actor rooms.Actor, a Appointment, also ...rooms.UserID) error {
	to := []rooms.RoomID{rooms.UserRoom(a.UserID), rooms.UserRoom(a.DoctorID)}
	for _, user := range also {
		to = append(to, rooms.UserRoom(user))
	}
	_, err := AppointmentUpdated.Record(tx, a.ConsultationID.Room(), actor, s.now(), to, func(rooms.Seq) (Appointment, error) { return a, nil })
	return err
}

// change saves an appointment and announces it, with a new Sequence for
// calendars.
func (s *Service) change(tx Tx, actor rooms.Actor, a Appointment, also ...rooms.UserID) (Appointment, error) {
	a.UpdatedAt = s.now()
	a.Sequence++
	if err := tx.SaveAppointment(a); err != nil {
		return a, err
	}
	return a, s.announce(tx, actor, a, also...)
}

// free releases all seats of the holders, notifies clients that watch the
// slots, and offers future seats to waiting patients.
func (s *Service) free(tx Tx, holders ...string) error {
	for _, h := range holders {
		seats, err := tx.FreeSeats(h)
		if err != nil {
			return err
		}
		for _, seat := range seats {
			if seat.Start.After(s.now()) {
				if err := s.offerToNext(tx, seat); err != nil {
					return err
				}
			}
			if err := s.tellSlots(tx, seat.DoctorID, span{seat.Start, seat.End}); err != nil {
				return err
			}
		}
	}
	return nil
}

// Follow implements consultation.Follower: what happens to a consultation
// happens to its appointment.
func (s *Service) Follow(of consultation.Tx, from consultation.Status, c consultation.Consultation) error {
	if c.ScheduledAt == nil {
		return nil
	}
	tx := s.store.In(of)
	a, err := tx.AppointmentOf(c.ID)
	if err != nil {
		return err
	}
	over := false // the seat is free again
	switch c.Status {
	case consultation.Waiting:
		if from == consultation.Expired { // paid after the hold had run out
			if err := s.seatAgain(tx, &a); err != nil {
				return err
			}
		}
		a.Status = Booked
	case consultation.Active:
		if from != consultation.Waiting {
			return nil
		}
		a.Status = InProgress
	case consultation.Ended, consultation.Terminated:
		if a.Status != InProgress {
			return nil
		}
		a.Status = Fulfilled
		if c.EndedBy == consultation.EndedByClinic && c.Status == consultation.Terminated {
			a.Status, a.EndedBy, over = Cancelled, TheSystem, true
		}
	case consultation.Cancelled, consultation.Declined:
		a.Status, over = Cancelled, true
		if c.EndedBy == consultation.EndedByClinic {
			a.EndedBy = TheSystem
		} else if a.EndedBy == "" {
			a.EndedBy = map[consultation.Status]Party{consultation.Cancelled: ThePatient, consultation.Declined: TheDoctor}[c.Status]
		}
	case consultation.Expired:
		a.Status, a.EndedBy, over = HoldExpired, TheSystem, true
		if from == consultation.Waiting {
			// Who checked in was there; the doctor who then did not admit was not.
			a.Status, a.EndedBy = NoShow, ThePatient
			if c.QueuedAt != nil {
				a.EndedBy = TheDoctor
			}
			if c.EndedBy == consultation.EndedByClinic { // nobody could have been admitted
				a.Status, a.EndedBy = Cancelled, TheSystem
			}
		}
	default:
		return nil
	}
	a.Reason, a.RefundPercent = c.Reason, c.RefundPercent
	if over {
		a.Offer = nil
		if err := tx.ClearTimer(offerTimer, string(a.ID)); err != nil {
			return err
		}
	}
	if _, err := s.change(tx, rooms.System, a); err != nil || !over {
		return err
	}
	return s.free(tx, holder(a.ID), offerHolder(a.ID))
}

// tellSlots announces how many seats are free now in the slots that a stretch touches.
func (s *Service) tellSlots(tx Tx, doctor rooms.UserID, p span) error {
	v, err := tx.Schedule(doctor, p.start)
	if err != nil {
		return err
	}
	offers, err := v.slots(p.start.Add(-longestSlot), p.end)
	if err != nil {
		return err
	}
	taken, err := tx.Taken(doctor, p.start.Add(-longestSlot), p.end.Add(longestSlot))
	if err != nil {
		return err
	}
	for _, slot := range available(offers, taken) {
		if (span{slot.Start, slot.End}).overlaps(p) {
			SlotUpdated.After(tx, Room(doctor), SlotChange{DoctorID: doctor, Start: slot.Start, Available: slot.Available})
		}
	}
	return nil
}
