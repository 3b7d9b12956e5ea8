package consultation

import (
	"context"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
	"wenzhen.example/rooms/audit"
)

// resolve finds whom an invitation by address lets in. An address that finds
// nobody is no error, nor is one of somebody who is here already: nobody learns
// by an invitation who has an account, or is a doctor.
func (s *Service) resolve(tx Tx, c Consultation, inv *Invitation) error {
	if !inv.ByAddress || inv.UserID != "" {
		return nil
	}
	user, err := tx.UserByEmail(inv.Invitee)
	if rooms.CodeOf(err) == rooms.CodeNotFound {
		return nil
	} else if err != nil {
		return err
	}
	// A user who signed up with an address that is not theirs is not who was meant.
	fits, err := s.fits(tx, user, inv.Role)
	if err != nil || !fits || s.options.RequireVerifiedEmail && !user.EmailVerified {
		return err
	}
	if _, err := tx.Participant(c.ID, user.ID); rooms.CodeOf(err) != rooms.CodeNotFound {
		return err
	}
	inv.UserID = user.ID
	return nil
}

// fits reports whether a user may take part in a role.
func (s *Service) fits(tx Tx, user account.User, role Part) (bool, error) {
	if user.Suspended {
		return false, nil
	}
	if role != PartColleague {
		return true, nil
	}
	d, err := tx.Doctor(user.ID)
	if rooms.CodeOf(err) == rooms.CodeNotFound {
		return false, nil
	}
	return d.Verified, err
}

// takesEffect lets the invited person in from now on. By user id they are here
// at once; by address nobody learns who it is before they enter.
func (s *Service) takesEffect(tx Tx, c Consultation, actor rooms.Actor, inv Invitation) (Admission, error) {
	now := s.now()
	if inv.AnsweredAt = &now; inv.ByRole == PartPatient {
		inv.AnsweredAt = nil
	}
	inv.Status = InvitationAccepted
	if err := s.resolve(tx, c, &inv); err != nil {
		return Admission{}, err
	}
	if err := s.stillFits(tx, &inv); err != nil {
		return Admission{}, err
	}
	var entered *Participant
	if inv.UserID != "" {
		p, err := s.letIn(tx, c, actor, inv)
		if err != nil {
			return Admission{}, err
		}
		if !inv.ByAddress {
			inv.Status = InvitationEntered
			entered = &p
		}
	}
	return Admission{Invitation: inv, Participant: entered}, firstError(tx.SaveInvitation(inv), s.tell(tx, c, actor, inv))
}

// awaitAcceptance is an invitation that lets nobody in before the doctor accepts: that of an
// address looks as if nobody had the address.
func (inv Invitation) awaitAcceptance() Invitation {
	if inv.Status = InvitationAccepted; inv.ByAddress {
		inv.UserID = ""
	}
	return inv
}

// letInAccepted lets in whose invitations were held until the doctor accepted, and
// who has an address by now that was invited.
func (s *Service) letInAccepted(tx Tx, c Consultation) error {
	all, err := tx.Invitations(c.ID)
	if err != nil {
		return err
	}
	for _, inv := range all {
		if inv.Status != InvitationAccepted || inv.ByAddress && inv.UserID != "" {
			continue
		}
		if err := s.resolve(tx, c, &inv); err != nil {
			return err
		}
		if err := s.stillFits(tx, &inv); rooms.CodeOf(err) == rooms.CodeConflict {
			continue
		} else if err != nil {
			return err
		}
		if inv.UserID == "" {
			continue
		}
		by := rooms.Actor{UserID: inv.ByID, Role: rooms.RolePatient}
		if _, err := s.letIn(tx, c, by, inv); err != nil {
			return err
		}
		if !inv.ByAddress {
			inv.Status = InvitationEntered
		}
		if err := firstError(tx.SaveInvitation(inv), s.tell(tx, c, by, inv)); err != nil {
			return err
		}
	}
	return nil
}

// stillFits checks that a user who was invited may still take part: a doctor can
// have lost the verification since. An invitation by address then lets nobody in,
// which is no error, so that it does not show whose address it is.
func (s *Service) stillFits(tx Tx, inv *Invitation) error {
	if inv.UserID == "" {
		return nil
	}
	user, err := tx.User(inv.UserID)
	if err != nil {
		return err
	}
	fits, err := s.fits(tx, user, inv.Role)
	switch {
	case err != nil || fits:
		return err
	case inv.ByAddress:
		inv.UserID = ""
		return nil
	}
	return rooms.Conflict(string(InvitationProposed), "the invited person can no longer take part in this role")
}

func (s *Service) letIn(tx Tx, c Consultation, actor rooms.Actor, inv Invitation) (Participant, error) {
	p, err := tx.Participant(c.ID, inv.UserID)
	if err == nil || rooms.CodeOf(err) != rooms.CodeNotFound {
		return p, err // came in another way meanwhile
	}
	user, err := tx.User(inv.UserID)
	if err != nil {
		return p, err
	}
	now := s.now()
	p = Participant{UserID: user.ID, Name: user.Name, Role: inv.Role, JoinedAt: now, InvitedBy: inv.ByRole, Expected: inv.ByAddress}
	if !inv.History {
		if p.Since, err = tx.LastSeq(c.ID.Room()); err != nil {
			return p, err
		}
	}
	if err := tx.InsertParticipant(c.ID, p); err != nil {
		return p, err
	}
	if !p.Expected {
		return p, s.enters(tx, c.ID, actor, p)
	}
	_, err = InvitationReceived.Record(tx, rooms.UserRoom(p.UserID), actor, now, nil, func(rooms.Seq) (Received, error) {
		return Received{InvitationID: inv.ID, ConsultationID: c.ID, Role: inv.Role, ByID: inv.ByID, ByName: inv.ByName}, nil
	})
	return p, err
}

// enters tells the room of a participant.
func (s *Service) enters(tx Tx, id ID, actor rooms.Actor, p Participant) error {
	_, err := ParticipantJoined.Record(tx, id.Room(), actor, s.now(), []rooms.RoomID{rooms.UserRoom(p.UserID)}, func(rooms.Seq) (Participant, error) { return p, nil })
	return err
}

// arrive makes who was expected a participant like the others, as soon as they
// look at the consultation.
func (s *Service) arrive(ctx context.Context, id ID, actor rooms.Actor) (Participant, error) {
	user := actor.UserID
	return rooms.InTx(ctx, s.store, func(tx Tx) (Participant, error) {
		me, err := tx.Participant(id, user)
		if err != nil || !me.Expected {
			return me, err
		}
		if me.Role == PartColleague {
			if d, err := tx.Doctor(user); err != nil || !d.Verified {
				return me, firstError(err, account.NotReviewed())
			}
		}
		me.Expected, me.JoinedAt = false, s.now()
		if err := tx.EnterParticipant(id, user, me.JoinedAt); err != nil {
			return me, err
		}
		if err := s.enters(tx, id, actor, me); err != nil {
			return me, err
		}
		return me, firstError(s.become(tx, actor, id, user, InvitationEntered), s.enterInLog(tx, actor, audit.Entered, id, "user:"+string(user)))
	})
}

// become moves the invitation by which user takes part on.
func (s *Service) become(tx Tx, actor rooms.Actor, id ID, user rooms.UserID, status InvitationStatus) error {
	all, err := tx.Invitations(id)
	if err != nil {
		return err
	}
	c, err := tx.Consultation(id)
	if err != nil {
		return err
	}
	for _, inv := range all {
		if inv.UserID != user || inv.Status != InvitationAccepted && inv.Status != InvitationEntered {
			continue
		}
		inv.Status = status
		if err := firstError(tx.SaveInvitation(inv), s.tell(tx, c, actor, inv)); err != nil {
			return err
		}
	}
	return nil
}
