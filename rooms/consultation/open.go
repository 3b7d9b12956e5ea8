package consultation

import (
	"context"
	"strings"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
)

func (s *Service) open(ctx context.Context, actor rooms.Actor, in OpenInput) (Opened, error) {
	opened, err := rooms.InTx(ctx, s.store, func(tx Tx) (Opened, error) {
		c, err := s.openOrFind(tx, actor, in)
		if err != nil {
			return Opened{}, err
		}
		order, err := s.Order(tx, c)
		return Opened{Consultation: c, Order: order}, err
	})
	if err != nil {
		return Opened{}, err
	}
	c := &opened.Consultation
	s.AnnounceQueue(ctx, c.DoctorID)
	if c.Status == Waiting {
		c.Queue, err = s.queueOf(ctx, *c)
	}
	return opened, err
}

// openOrFind begins a consultation, or finds the one that the same request has
// begun before.
func (s *Service) openOrFind(tx Tx, actor rooms.Actor, in OpenInput) (Consultation, error) {
	patient, err := PatientOf(tx, actor.UserID, in.PatientID)
	if err != nil {
		return Consultation{}, err
	}
	if in.ID != "" {
		first, err := tx.Consultation(in.ID)
		if err == nil {
			return first, sameRequest(first, actor, patient.ID, in)
		} else if rooms.CodeOf(err) != rooms.CodeNotFound {
			return Consultation{}, err
		}
	}
	return s.Begin(tx, actor, patient, in, nil)
}

func sameRequest(first Consultation, actor rooms.Actor, patient account.PatientID, in OpenInput) error {
	if first.UserID == actor.UserID && first.DoctorID == in.DoctorID && first.Service == in.Service && first.Medium == in.Medium &&
		first.PatientID == patient && first.Complaint == in.Complaint && first.PriorDiagnosis == in.PriorDiagnosis {
		return nil
	}
	e := rooms.Conflict("", "this id has been used for something else")
	e.Field = "id"
	return e
}

// offDuty is the status of what is refused because its doctor is off duty.
const offDuty = "off_duty"

// Begin writes the first state of a consultation for patient, who is in the
// actor's care. With a slot it is part of a booking, and waits out of the doctor's
// queue until the patient checks in. Errors: not_found (doctor), invalid (service),
// conflict (off duty, caps).
func (s *Service) Begin(tx Tx, actor rooms.Actor, patient account.Patient, in OpenInput, slot *Slot) (Consultation, error) {
	doctor, err := tx.Doctor(in.DoctorID)
	if err == nil && !doctor.Verified {
		err = rooms.NotFound("doctor")
	}
	if err != nil {
		return Consultation{}, err
	}
	offer, ok := doctor.Offers(in.Service, in.Medium)
	if !ok {
		return Consultation{}, rooms.Invalid("service", "this doctor does not offer %s by %s", in.Service, in.Medium)
	}
	if slot == nil && !doctor.OnDuty {
		return Consultation{}, rooms.Conflict(offDuty, "this doctor is off duty; book an appointment, or ask another doctor")
	}
	user, err := tx.User(actor.UserID)
	if err != nil {
		return Consultation{}, err
	}
	if user.Suspended { // since the request came in
		return Consultation{}, rooms.Forbidden("this account is suspended")
	}
	now := s.now()
	if err := s.options.Caps.judge(tx, actor.UserID, offer.Price == 0, now); err != nil {
		return Consultation{}, err
	}
	id := in.ID
	if id == "" {
		id = ID(rooms.NewID(now))
	}
	c := Consultation{
		ID: id, Status: PendingPayment, Service: in.Service, Medium: in.Medium,
		DoctorID: doctor.ID, DoctorName: doctor.Name, UserID: actor.UserID, PatientID: patient.ID, PatientName: patient.Name,
		Complaint: in.Complaint, PriorDiagnosis: strings.TrimSpace(in.PriorDiagnosis),
		Price: offer.Price, Currency: offer.Currency, Minutes: offer.Minutes, CreatedAt: now, UpdatedAt: now,
	}
	if slot != nil {
		c.ScheduledAt, c.Minutes = &slot.Start, slot.Minutes
	}
	if c.Price == 0 {
		if c, err = paid.apply(c, change{actor: actor}, now); err != nil {
			return c, err
		}
	} else {
		payBy := now.Add(s.options.PayWithin)
		c.DueAt = &payBy
	}
	if err := tx.InsertConsultation(c); err != nil {
		return c, err
	}
	for _, p := range []Participant{
		{UserID: actor.UserID, Name: user.Name, Role: PartPatient, JoinedAt: now},
		{UserID: doctor.ID, Name: doctor.Name, Role: PartDoctor, JoinedAt: now},
	} {
		if err := tx.InsertParticipant(c.ID, p); err != nil {
			return c, err
		}
	}
	return c, announce(tx, c, actor, now)
}
