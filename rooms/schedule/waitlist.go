package schedule

import (
	"context"
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/consultation"
)

// Validate implements rooms.Validator.
func (in WaitInput) Validate() error {
	switch {
	case in.From.IsZero():
		return rooms.Invalid("from", "from is missing")
	case !in.From.Before(in.To):
		return rooms.Invalid("to", "to must be after from")
	}
	return BookInput{DoctorID: in.DoctorID, Start: in.From, Medium: in.Medium, Service: in.Service, PatientID: in.PatientID,
		Complaint: in.Complaint, PriorDiagnosis: in.PriorDiagnosis}.Validate()
}

// waitsMost bounds the places that one user keeps.
const waitsMost = 20

func (s *Service) joinWaitlist(ctx context.Context, actor rooms.Actor, in WaitInput) (Wait, error) {
	now := s.now()
	if !in.To.After(now) {
		return Wait{}, rooms.Invalid("to", "this time is past")
	}
	w := Wait{ID: WaitID(rooms.NewID(now)), Status: WaitWaiting, DoctorID: in.DoctorID, UserID: actor.UserID, PatientID: in.PatientID, Service: in.Service,
		Medium: in.Medium, Complaint: in.Complaint, PriorDiagnosis: in.PriorDiagnosis, From: in.From.UTC().Truncate(time.Microsecond), To: in.To.UTC().Truncate(time.Microsecond), CreatedAt: now}
	err := s.store.InTx(ctx, func(tx Tx) error {
		if open, err := tx.OpenWaits(actor.UserID); err != nil {
			return err
		} else if open >= waitsMost {
			return rooms.TooLarge("", "at most %d places on waitlists", waitsMost)
		}
		if _, err := consultation.PatientOf(tx, actor.UserID, in.PatientID); err != nil {
			return err
		}
		if user, err := tx.User(actor.UserID); err != nil {
			return err
		} else if user.Suspended { // since the request came in
			return rooms.Forbidden("this account is suspended")
		}
		if err := takesPatients(tx, in.DoctorID); err != nil {
			return err
		}
		doctor, err := tx.Doctor(in.DoctorID)
		if err != nil {
			return err
		}
		if _, ok := doctor.Offers(in.Service, in.Medium); !ok {
			return rooms.Invalid("service", "this doctor does not offer %s by %s", in.Service, in.Medium)
		}
		if err := tx.InsertWait(w); err != nil {
			return err
		}
		return s.offerAll(tx, w.DoctorID, span{later(w.From, now), w.To})
	})
	if err != nil {
		return Wait{}, err
	}
	return s.wait(ctx, w)
}

// wait reads w again: a slot may have been free at once.
func (s *Service) wait(ctx context.Context, w Wait) (Wait, error) {
	list, err := s.store.Waits(ctx, w.UserID)
	for _, other := range list {
		if other.ID == w.ID {
			return other, err
		}
	}
	return w, err
}

func (s *Service) waitlist(ctx context.Context, actor rooms.Actor, _ rooms.Nothing) (WaitList, error) {
	list, err := s.store.Waits(ctx, actor.UserID)
	if list == nil {
		list = []Wait{}
	}
	return WaitList{Items: list}, err
}

// offerAll offers the free slots that start in a stretch to who waits for them.
func (s *Service) offerAll(tx Tx, doctor rooms.UserID, p span) error {
	v, err := tx.Schedule(doctor, p.start)
	if err != nil {
		return err
	}
	if limit := s.now().Add(bookAhead); p.end.After(limit) {
		p.end = limit
	}
	if !p.start.Before(p.end) {
		return nil
	}
	offers, err := v.slots(p.start, p.end)
	if err != nil {
		return err
	}
	for _, o := range offers {
		if err := s.offerToNext(tx, Seat{DoctorID: doctor, Start: o.start, End: o.end}); err != nil {
			return err
		}
	}
	return nil
}

// offerToNext keeps a seat that became free for the next on the waitlist whom
// it suits, for half an hour.
func (s *Service) offerToNext(tx Tx, seat Seat) error {
	waiting, err := tx.WaitsFor(seat.DoctorID, seat.Start)
	if err != nil {
		return err
	}
	for _, w := range waiting {
		o, _, err := s.seat(tx, seat.DoctorID, seat.Start, w.Medium, waitHolder(w.ID))
		if cannotHave(err) {
			continue
		} else if err != nil {
			return err
		}
		doctor, err := tx.Doctor(seat.DoctorID)
		if err != nil {
			return err
		}
		kept := s.kept(doctor, o, s.now())
		if soon := s.now().Add(offerWithin); soon.Before(kept.ExpiresAt) {
			kept.ExpiresAt = soon
		}
		w.Status, w.Offer = WaitOffered, kept
		if err := tx.SetTimer(rooms.Timer{Kind: waitTimer, Subject: string(w.ID), Due: kept.ExpiresAt}); err != nil {
			return err
		}
		if err := s.saveWait(tx, w); err != nil {
			return err
		}
		return s.tellSlots(tx, seat.DoctorID, o.span)
	}
	return nil
}

func (s *Service) saveWait(tx Tx, w Wait) error {
	if err := tx.SaveWait(w); err != nil {
		return err
	}
	_, err := WaitUpdated.Record(tx, rooms.UserRoom(w.UserID), rooms.System, s.now(), nil, func(rooms.Seq) (Wait, error) { return w, nil })
	return err
}

// ownWait is a place of actor's own.
func ownWait(tx Tx, actor rooms.Actor, id WaitID) (Wait, error) {
	w, err := tx.Wait(id)
	if err == nil && w.UserID != actor.UserID {
		err = rooms.NotFound("place on a waitlist")
	}
	return w, err
}

func (s *Service) leaveWaitlist(ctx context.Context, actor rooms.Actor, in WaitRef) (Wait, error) {
	return rooms.InTx(ctx, s.store, func(tx Tx) (Wait, error) {
		w, err := ownWait(tx, actor, in.WaitID)
		if err != nil || w.Status == WaitLeft {
			return w, err
		}
		if !w.Status.open() {
			return w, rooms.Conflict(string(w.Status), "this place on the waitlist is %s", w.Status)
		}
		return s.letGo(tx, w)
	})
}

// letGo ends a place; what was kept for it goes to the next.
func (s *Service) letGo(tx Tx, w Wait) (Wait, error) { return s.finish(tx, w, WaitLeft) }

func (s *Service) finish(tx Tx, w Wait, as WaitStatus) (Wait, error) {
	w.Status, w.Offer = as, nil
	if err := tx.ClearTimer(waitTimer, string(w.ID)); err != nil {
		return w, err
	}
	if err := s.saveWait(tx, w); err != nil {
		return w, err
	}
	return w, s.free(tx, waitHolder(w.ID))
}

func (s *Service) takeOffer(ctx context.Context, actor rooms.Actor, in WaitRef) (Booking, error) {
	return rooms.InTx(ctx, s.store, func(tx Tx) (Booking, error) {
		w, err := ownWait(tx, actor, in.WaitID)
		if err != nil {
			return Booking{}, err
		}
		if w.Status != WaitOffered || w.Offer == nil {
			return Booking{}, rooms.Conflict(string(w.Status), "nothing is offered")
		}
		start := w.Offer.Start
		if _, err := tx.FreeSeats(waitHolder(w.ID)); err != nil { // the same transaction takes it again
			return Booking{}, err
		}
		b, err := s.take(tx, actor, BookInput{DoctorID: w.DoctorID, Start: start, Medium: w.Medium, Service: w.Service, PatientID: w.PatientID,
			Complaint: w.Complaint, PriorDiagnosis: w.PriorDiagnosis})
		if err != nil {
			return Booking{}, err
		}
		w.Status, w.Offer = WaitTaken, nil
		if err := tx.ClearTimer(waitTimer, string(w.ID)); err != nil {
			return Booking{}, err
		}
		return b, s.saveWait(tx, w)
	})
}

func (s *Service) waitRanOut(ctx context.Context, t rooms.Timer) error {
	return s.store.InTx(ctx, func(tx Tx) error {
		w, err := tx.Wait(WaitID(t.Subject))
		if rooms.CodeOf(err) == rooms.CodeNotFound || (err == nil && (w.Status != WaitOffered || w.Offer == nil)) {
			return tx.ClearTimer(t.Kind, t.Subject)
		} else if err != nil {
			return err
		}
		if w.Offer.ExpiresAt.After(s.now()) {
			return tx.SetTimer(rooms.Timer{Kind: t.Kind, Subject: t.Subject, Due: w.Offer.ExpiresAt})
		}
		_, err = s.letGo(tx, w)
		return err
	})
}
