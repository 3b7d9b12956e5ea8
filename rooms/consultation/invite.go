package consultation

import (
	"context"
	"slices"
	"strings"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/audit"
)

// host is a participant who may let people in and out: the patient or the doctor.
func host(tx Tx, actor rooms.Actor, id ID) (Participant, Consultation, error) {
	me, err := tx.Participant(id, actor.UserID)
	if err == nil && me.Invited() {
		err = rooms.Forbidden("only the patient and the doctor of a consultation can do this")
	}
	if err != nil {
		return me, Consultation{}, err
	}
	c, err := tx.Consultation(id)
	return me, c, err
}

func (s *Service) invite(ctx context.Context, actor rooms.Actor, in InviteInput) (Admission, error) {
	if err := s.countInvitation(ctx, actor); err != nil {
		return Admission{}, err
	}
	return rooms.InTx(ctx, s.store, func(tx Tx) (Admission, error) {
		out, err := s.inviteIn(tx, actor, in)
		if err != nil {
			return Admission{}, err
		}
		return out, s.enterInLog(tx, actor, Invite.Name, in.ConsultationID, out.Invitation.whom())
	})
}

// inviteIn is invite in its transaction.
func (s *Service) inviteIn(tx Tx, actor rooms.Actor, in InviteInput) (Admission, error) {
	me, c, err := host(tx, actor, in.ConsultationID)
	if err != nil {
		return Admission{}, err
	}
	if c.Status.Final() {
		return Admission{}, rooms.Closed("the consultation is %s", c.Status)
	}
	if in.History && me.Role != PartPatient {
		return Admission{}, rooms.Invalid("history", "only the patient can share what was said before")
	}
	inv, err := s.drawUp(tx, me, c, in)
	if err != nil {
		return Admission{}, err
	}
	all, err := tx.Invitations(c.ID)
	if err != nil {
		return Admission{}, err
	}
	if i := slices.IndexFunc(all, inv.repeats); i >= 0 {
		return s.repeated(tx, me, c, actor, all[i], in)
	}
	if !inv.ByAddress {
		p, err := tx.Participant(c.ID, inv.UserID)
		if err == nil {
			return s.here(tx, c, actor, p)
		} else if rooms.CodeOf(err) != rooms.CodeNotFound {
			return Admission{}, err
		}
	}
	if err := s.hasPlace(tx, c, me.Role, all); err != nil {
		return Admission{}, err
	}
	awaiting, err := s.countInvited(tx, c, inv)
	if err != nil {
		return Admission{}, err
	}
	if awaiting {
		inv = inv.awaitAcceptance()
	}
	if err := tx.InsertInvitation(inv); err != nil {
		return Admission{}, err
	}
	if awaiting {
		return Admission{Invitation: inv}, s.tell(tx, c, actor, inv)
	}
	if me.Role == PartPatient {
		return s.takesEffect(tx, c, actor, inv)
	}
	return Admission{Invitation: inv}, s.tell(tx, c, actor, inv)
}

// whom names an invitation in the audit log; somebody who is here without one,
// themselves.
func (inv Invitation) whom() string {
	if inv.ID == "" {
		return "user:" + string(inv.UserID)
	}
	return "invitation:" + string(inv.ID)
}

// enterInLog enters in the audit log, as part of tx, who did what to whom in a
// consultation.
func (s *Service) enterInLog(tx Tx, actor rooms.Actor, action string, id ID, whom string) error {
	return audit.Append(tx, actor, s.now(), action, id.subject(), func(e *audit.LogEntry) { e.Detail = whom })
}

// drawUp is the invitation that is asked for.
func (s *Service) drawUp(tx Tx, me Participant, c Consultation, in InviteInput) (Invitation, error) {
	now := s.now()
	inv := Invitation{ID: InvitationID(rooms.NewID(now)), ConsultationID: c.ID, Status: InvitationProposed, Role: in.Role, Invitee: address(in.Email),
		History: in.History, ByID: me.UserID, ByName: me.Name, ByRole: me.Role, CreatedAt: now, ByAddress: in.Email != ""}
	if inv.ByAddress {
		return inv, s.resolve(tx, c, &inv)
	}
	user, err := tx.User(in.UserID)
	if err == nil && user.Suspended {
		err = rooms.NotFound("user")
	}
	if err != nil {
		return inv, err
	}
	fits, err := s.fits(tx, user, in.Role)
	if err == nil && !fits {
		err = rooms.Invalid("role", "a second doctor must be a verified doctor")
	}
	inv.Invitee, inv.UserID = user.Name, user.ID
	return inv, err
}

// repeated is the answer to an invitation that there is already.
func (s *Service) repeated(tx Tx, me Participant, c Consultation, actor rooms.Actor, inv Invitation, in InviteInput) (Admission, error) {
	if inv.Status == InvitationProposed && me.Role == PartPatient { // inviting whom the doctor proposes is consent
		inv.History = in.History
		return s.takesEffect(tx, c, actor, inv)
	}
	out := Admission{Invitation: inv}
	if inv.Status != InvitationAccepted || inv.UserID != "" {
		return out, nil
	}
	// A user may have the address by now. The answer must not reveal it.
	if err := s.resolve(tx, c, &inv); err != nil || inv.UserID == "" {
		return out, err
	}
	if awaiting, err := s.countShared(tx, c, inv); err != nil || awaiting {
		return out, err
	}
	if _, err := s.letIn(tx, c, actor, inv); err != nil {
		return out, err
	}
	return out, tx.SaveInvitation(inv)
}

// here is the answer for someone who takes part already. Who is expected by
// address is so no longer, and the invitation of that address stays as it is:
// it must not show whose it was.
func (s *Service) here(tx Tx, c Consultation, actor rooms.Actor, p Participant) (Admission, error) {
	if p.Expected {
		p.Expected, p.JoinedAt = false, s.now()
		if err := firstError(tx.EnterParticipant(c.ID, p.UserID, p.JoinedAt), s.enters(tx, c.ID, actor, p)); err != nil {
			return Admission{}, err
		}
		if err := s.forget(tx, c.ID, p.UserID); err != nil {
			return Admission{}, err
		}
	}
	return Admission{Invitation: p.invitation(c), Participant: &p}, nil
}

// repeats reports whether other, which still holds, is for the same invitee.
func (inv Invitation) repeats(other Invitation) bool {
	if !other.Status.Open() && other.Status != InvitationEntered || inv.ByAddress != other.ByAddress {
		return false
	}
	if inv.ByAddress {
		return inv.Invitee == other.Invitee
	}
	return inv.UserID == other.UserID
}

// invitation is that of someone who is here without one, or since before they
// were kept.
func (p Participant) invitation(c Consultation) Invitation {
	return Invitation{ConsultationID: c.ID, Status: InvitationEntered, Role: p.Role, Invitee: p.Name, History: p.Since == 0,
		ByID: c.UserID, ByName: c.PatientName, ByRole: PartPatient, CreatedAt: p.JoinedAt, UserID: p.UserID}
}

func address(typed string) string { return strings.ToLower(strings.TrimSpace(typed)) }

// hasPlace refuses one more invitation where there are too many, in all or of
// one side.
func (s *Service) hasPlace(tx Tx, c Consultation, by Part, all []Invitation) error {
	people, err := tx.Participants(c.ID)
	if err != nil {
		return err
	}
	total, mine := 0, 0
	count := func(side Part) {
		total++
		if side == by {
			mine++
		}
	}
	for _, p := range people {
		if p.Invited() {
			count(p.InvitedBy)
		}
	}
	for _, inv := range all {
		if inv.Status.Open() {
			count(inv.ByRole)
		}
	}
	if total >= s.options.InvitedMost {
		return rooms.TooLarge("", "at most %d invited people; remove someone, or withdraw an invitation", s.options.InvitedMost)
	}
	if own := max(1, s.options.InvitedMost-1); mine >= own {
		return rooms.TooLarge("", "at most %d people invited by the %s: the last place is for the other side", own, by)
	}
	return nil
}
