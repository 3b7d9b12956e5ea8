package consultation

import (
	"context"

	"wenzhen.example/rooms"
)

// tell tells patient and doctor of an invitation, and nobody else.
func (s *Service) tell(tx Tx, c Consultation, actor rooms.Actor, inv Invitation) error {
	_, err := InvitationUpdated.Record(tx, rooms.UserRoom(c.UserID), actor, s.now(), []rooms.RoomID{rooms.UserRoom(c.DoctorID)},
		func(rooms.Seq) (Invitation, error) { return inv, nil })
	return err
}

func invitationOf(tx Tx, c Consultation, id InvitationID) (Invitation, error) {
	inv, err := tx.Invitation(id)
	if err == nil && inv.ConsultationID != c.ID {
		err = rooms.NotFound("invitation")
	}
	return inv, err
}

func (s *Service) answer(ctx context.Context, actor rooms.Actor, in InvitationAnswer) (Invitation, error) {
	return rooms.InTx(ctx, s.store, func(tx Tx) (Invitation, error) {
		me, c, err := host(tx, actor, in.ConsultationID)
		if err != nil {
			return Invitation{}, err
		}
		if me.Role != PartPatient {
			return Invitation{}, rooms.Forbidden("only the patient can answer whom the doctor proposes to let in")
		}
		inv, err := invitationOf(tx, c, in.InvitationID)
		if err != nil {
			return Invitation{}, err
		}
		switch {
		case in.Accept && (inv.Status == InvitationAccepted || inv.Status == InvitationEntered), !in.Accept && inv.Status == InvitationDeclined:
			return inv, nil // said before
		case inv.Status != InvitationProposed:
			return Invitation{}, rooms.Conflict(string(inv.Status), "the invitation is %s", inv.Status)
		case in.Accept && c.Status.Final():
			return Invitation{}, rooms.Closed("the consultation is %s", c.Status)
		}
		if err := s.enterInLog(tx, actor, AnswerInvitation.Name, c.ID, inv.whom()); err != nil {
			return Invitation{}, err
		}
		if in.Accept {
			inv.History = in.History
			admission, err := s.takesEffect(tx, c, actor, inv)
			return admission.Invitation, err
		}
		now := s.now()
		inv.Status, inv.AnsweredAt = InvitationDeclined, &now
		return inv, firstError(tx.SaveInvitation(inv), s.tell(tx, c, actor, inv))
	})
}

func (s *Service) withdraw(ctx context.Context, actor rooms.Actor, in InvitationRef) (Invitation, error) {
	return rooms.InTx(ctx, s.store, func(tx Tx) (Invitation, error) {
		_, c, err := host(tx, actor, in.ConsultationID)
		if err != nil {
			return Invitation{}, err
		}
		inv, err := invitationOf(tx, c, in.InvitationID)
		if err != nil {
			return Invitation{}, err
		}
		switch {
		case inv.Status == InvitationWithdrawn:
			return inv, nil
		case inv.Status == InvitationEntered:
			return inv, rooms.Conflict(string(inv.Status), "they have entered; remove the participant")
		case !inv.Status.Open():
			return inv, rooms.Conflict(string(inv.Status), "the invitation is %s", inv.Status)
		}
		if inv.Status == InvitationAccepted && inv.UserID != "" {
			if err := tx.RemoveExpected(c.ID, inv.UserID); err != nil {
				return inv, err
			}
		}
		inv.Status = InvitationWithdrawn
		return inv, firstError(tx.SaveInvitation(inv), s.tell(tx, c, actor, inv), s.enterInLog(tx, actor, WithdrawInvitation.Name, c.ID, inv.whom()))
	})
}

func (s *Service) invitations(ctx context.Context, actor rooms.Actor, in Input) (InvitationList, error) {
	_, _, me, err := s.admit(ctx, in.ConsultationID, actor)
	if err == nil && me.Invited() {
		err = rooms.Forbidden("only the patient and the doctor of a consultation see its invitations")
	}
	if err != nil {
		return InvitationList{}, err
	}
	items, err := s.store.Invitations(ctx, in.ConsultationID)
	if items == nil {
		items = []Invitation{}
	}
	return InvitationList{Items: items}, err
}
