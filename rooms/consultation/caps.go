package consultation

import (
	"context"
	"time"

	"wenzhen.example/rooms"
)

// Caps bound what one person may have open, so that nobody keeps the others
// from a doctor. 0 is no bound.
type Caps struct {
	// Unpaid is how many consultations may wait for their payment, UnpaidADay
	// how many may come to nothing in 24 hours: not paid, or cancelled.
	Unpaid, UnpaidADay int
	// Free is how many consultations without a price may be open, booked ones
	// included, FreeADay how many may be opened in 24 hours.
	Free, FreeADay int
	// Invitations is how many others a person may invite in 24 hours. Invited is
	// how many may be sent to one person from consultations that no doctor has
	// accepted; a quarter of it is how many one sender may send to one person.
	Invitations, Invited int
}

// UsualCaps are those of the domain.
var UsualCaps = Caps{Unpaid: 5, UnpaidADay: 20, Free: 10, FreeADay: 40, Invitations: 50, Invited: 20}

// Load is what one person has, for the caps.
type Load struct {
	Unpaid      int // wait for their payment
	UnpaidToday int // wait for it, or came to nothing, and are younger than a day
	Free        int // without a price, and open
	FreeToday   int // without a price, and younger than a day
}

// aDay is what the caps of a day count.
const aDay = 24 * time.Hour

// The states of what a cap has refused, for clients to put into words.
const (
	tooManyUnpaid = "too_many_unpaid"
	tooManyFree   = "too_many_free"
	tooManyToday  = "too_many_today"
)

// judge refuses one more consultation to a person who has enough. It is part of
// the transaction that opens it, so that many at once are counted right.
func (c Caps) judge(tx Tx, user rooms.UserID, free bool, now time.Time) error {
	have, err := tx.Load(user, now.Add(-aDay))
	switch {
	case err != nil:
		return err
	case free && c.Free > 0 && have.Free >= c.Free:
		return rooms.Conflict(tooManyFree, "you have %d free consultations open, which is the most at a time; let one end, or cancel one, first", have.Free)
	case free && c.FreeADay > 0 && have.FreeToday >= c.FreeADay:
		return tomorrow("you have opened %d free consultations within 24 hours, which is the most; come back later", have.FreeToday)
	case !free && c.Unpaid > 0 && have.Unpaid >= c.Unpaid:
		return rooms.Conflict(tooManyUnpaid, "%d of your consultations wait for their payment, which is the most at a time; pay or cancel one first", have.Unpaid)
	case !free && c.UnpaidADay > 0 && have.UnpaidToday >= c.UnpaidADay:
		return tomorrow("%d consultations of yours were not paid or were cancelled within 24 hours, which is the most; come back later", have.UnpaidToday)
	}
	return nil
}

func tomorrow(format string, args ...any) error {
	e := rooms.RateLimited(time.Hour, format, args...)
	e.Status = tooManyToday
	return e
}

// countInvitation counts an invitation of its sender before anyone is looked
// for, so that addresses are not tried out by it either.
func (s *Service) countInvitation(ctx context.Context, actor rooms.Actor) error {
	return s.store.InTx(ctx, func(tx Tx) error {
		return s.countToday(tx, "invites:"+string(actor.UserID), s.options.Caps.Invitations)
	})
}

// countInvited counts a new invitation by a patient against what one sender may
// send the same person, and as countShared does. Invitations that are refused or
// repeated are not counted.
func (s *Service) countInvited(tx Tx, c Consultation, inv Invitation) (held bool, err error) {
	if inv.ByRole == PartDoctor || s.options.Caps.Invited == 0 {
		return false, nil
	}
	if err := s.countToday(tx, "invited:"+string(inv.ByID)+" "+inv.to(), max(1, s.options.Caps.Invited/4)); err != nil {
		return false, err
	}
	return s.countShared(tx, c, inv)
}

// countShared counts an invitation by a patient whose consultation no doctor has
// accepted against what its invitee may be sent by all such patients together:
// anybody can open such a consultation. Past that number an invitation is held
// until the doctor accepts, not refused, so that strangers cannot use up what a
// patient needs.
func (s *Service) countShared(tx Tx, c Consultation, inv Invitation) (held bool, err error) {
	if inv.ByRole == PartDoctor || s.options.Caps.Invited == 0 || c.AcceptedAt != nil {
		return false, nil
	}
	err = s.countToday(tx, "invited:"+inv.to(), s.options.Caps.Invited)
	if rooms.CodeOf(err) == rooms.CodeRateLimited {
		return true, nil
	}
	return false, err
}

// to is whom an invitation counts against: an address or a user.
func (inv Invitation) to() string {
	if inv.ByAddress {
		return inv.Invitee
	}
	return string(inv.UserID)
}

// countToday counts an invitation, of which there may be most in a day; 0 is no
// bound.
func (s *Service) countToday(tx Tx, subject string, most int) error {
	now := s.now()
	n, err := tx.CountAttempts(subject, now.Add(-aDay))
	if err != nil {
		return err
	}
	if most > 0 && n >= most {
		return tomorrow("%d invitations within 24 hours are the most; come back later", most)
	}
	return tx.AddAttempt(subject, now)
}
