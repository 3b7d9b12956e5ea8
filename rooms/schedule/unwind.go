package schedule

import (
	"context"
	"errors"
	"fmt"

	"wenzhen.example/rooms"
)

// Unwind implements account.Unwinder: nobody waits for a doctor who takes no
// patients, and nothing is kept for someone who is gone. Appointments end with
// their consultations.
func (s *Service) Unwind(ctx context.Context, user rooms.UserID) error {
	waits, err := s.store.WaitsWith(ctx, user)
	if err != nil {
		return err
	}
	offers, err := s.store.OffersOf(ctx, user)
	if err != nil {
		return err
	}
	var failed []error
	for _, id := range waits {
		if err := s.store.InTx(ctx, func(tx Tx) error { return s.unwindWait(tx, id) }); err != nil {
			failed = append(failed, fmt.Errorf("place on a waitlist %s: %w", id, err))
		}
	}
	for _, id := range offers {
		if err := s.store.InTx(ctx, func(tx Tx) error { return s.unwindOffer(tx, id) }); err != nil {
			failed = append(failed, fmt.Errorf("offer to %s: %w", id, err))
		}
	}
	failed = append(failed, s.store.InTx(ctx, func(tx Tx) error { // clients that show the slots read them again
		if doctor, err := tx.Doctor(user); err == nil && doctor.Verified {
			return nil // whose review is over: nobody could show them before
		} else if err != nil && rooms.CodeOf(err) != rooms.CodeNotFound {
			return err
		}
		ScheduleUpdated.After(tx, Room(user), DoctorRef{DoctorID: user})
		return nil
	}))
	return errors.Join(failed...)
}

func (s *Service) unwindWait(tx Tx, id WaitID) error {
	w, err := tx.Wait(id)
	if err != nil || !w.Status.open() {
		return err
	}
	patient, err := tx.User(w.UserID)
	if err != nil {
		return err
	}
	gone, err := s.takesNobody(tx, w.DoctorID)
	switch {
	case err != nil:
		return err
	case gone:
		_, err = s.finish(tx, w, WaitClosed)
	case patient.Suspended:
		_, err = s.letGo(tx, w)
	}
	return err
}

// unwindOffer cancels an appointment for which a doctor was offered instead of
// another, and is gone now.
func (s *Service) unwindOffer(tx Tx, id AppointmentID) error {
	a, err := tx.Appointment(id)
	if err != nil || a.Status != ReassignPending || a.Offer == nil {
		return err
	}
	if gone, err := s.takesNobody(tx, a.Offer.DoctorID); err != nil || !gone {
		return err
	}
	_, err = s.withdraw(tx, rooms.System, a, TheDoctor, a.Reason)
	return err
}

// takesNobody reports whether a doctor is gone, or was rejected by an admin and
// not verified since. One who only waits for a review keeps what is there.
func (s *Service) takesNobody(tx Tx, id rooms.UserID) (bool, error) {
	doctor, err := tx.Doctor(id)
	if rooms.CodeOf(err) == rooms.CodeNotFound {
		return true, nil
	}
	return err == nil && doctor.Withdrawn, err
}
