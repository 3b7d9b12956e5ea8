package consultation

import (
	"context"
	"slices"
	"strings"

	"wenzhen/rooms"
	"wenzhen/rooms/account"
	"wenzhen/rooms/audit"
)

// invitedMost is how many may be let into a consultation beside its patient and
// its doctor, unless Invites says otherwise.
const invitedMost = 10

// Invites sets how many may be let in beside patient and doctor. The last
// place is never taken by one side alone, so that relatives do not keep out
// the doctor's colleague, nor colleagues an interpreter of the patient's.
func (s *Service) Invites(most int) { s.invitedMost = most }

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
			return s.here(tx, c, actor, p, all)
		} else if rooms.CodeOf(err) != rooms.CodeNotFound {
			return Admission{}, err
		}
	}
	if err := s.hasPlace(tx, c, me.Role, all); err != nil {
		return Admission{}, err
	}
	if err := s.countInvited(tx, me, inv); err != nil {
		return Admission{}, err
	}
	if err := tx.InsertInvitation(inv); err != nil {
		return Admission{}, err
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
	// Someone may have the address by now. That is told to nobody else.
	if err := s.resolve(tx, c, &inv); err != nil || inv.UserID == "" {
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
func (s *Service) here(tx Tx, c Consultation, actor rooms.Actor, p Participant, all []Invitation) (Admission, error) {
	if p.Expected {
		p.Expected, p.JoinedAt = false, s.now()
		if err := firstError(tx.EnterParticipant(c.ID, p.UserID, p.JoinedAt), s.enters(tx, c.ID, actor, p)); err != nil {
			return Admission{}, err
		}
		for _, inv := range all {
			if inv.UserID == p.UserID && inv.Status == InvitationAccepted {
				inv.UserID = ""
				if err := tx.SaveInvitation(inv); err != nil {
					return Admission{}, err
				}
			}
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
	if total >= s.invitedMost {
		return rooms.TooLarge("", "at most %d invited people; remove someone, or withdraw an invitation", s.invitedMost)
	}
	if own := max(1, s.invitedMost-1); mine >= own {
		return rooms.TooLarge("", "at most %d people invited by the %s: the last place is for the other side", own, by)
	}
	return nil
}

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
	if err != nil || !fits || s.verifiedOnly && !user.EmailVerified {
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
	_, err = InvitationCame.Record(tx, rooms.UserRoom(p.UserID), actor, now, nil, func(rooms.Seq) (Received, error) {
		return Received{InvitationID: inv.ID, ConsultationID: c.ID, Role: inv.Role, ByID: inv.ByID, ByName: inv.ByName}, nil
	})
	return p, err
}

// enters tells the room of a participant.
func (s *Service) enters(tx Tx, id ID, actor rooms.Actor, p Participant) error {
	_, err := Entered.Record(tx, id.Room(), actor, s.now(), []rooms.RoomID{rooms.UserRoom(p.UserID)}, func(rooms.Seq) (Participant, error) { return p, nil })
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

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

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

func (s *Service) remove(ctx context.Context, actor rooms.Actor, in ParticipantRef) (rooms.Nothing, error) {
	return rooms.Nothing{}, s.store.InTx(ctx, func(tx Tx) error {
		if _, _, err := host(tx, actor, in.ConsultationID); err != nil {
			return err
		}
		p, err := tx.Participant(in.ConsultationID, in.UserID)
		switch {
		case rooms.CodeOf(err) == rooms.CodeNotFound, err == nil && p.Expected:
			return rooms.NotFound("participant")
		case err != nil:
			return err
		case !p.Invited():
			return rooms.Forbidden("the patient and the doctor cannot be removed from their consultation")
		}
		return firstError(s.out(tx, in.ConsultationID, actor, p.UserID, LeftRemoved),
			s.enterInLog(tx, actor, RemoveParticipant.Name, in.ConsultationID, "user:"+string(p.UserID)))
	})
}

func (s *Service) quit(ctx context.Context, actor rooms.Actor, in Input) (rooms.Nothing, error) {
	return rooms.Nothing{}, s.store.InTx(ctx, func(tx Tx) error {
		me, err := tx.Participant(in.ConsultationID, actor.UserID)
		if err != nil {
			return err
		}
		if !me.Invited() {
			return rooms.Forbidden("the patient and the doctor cannot leave their consultation; it can be cancelled, declined or ended")
		}
		return firstError(s.out(tx, in.ConsultationID, actor, me.UserID, LeftQuit),
			s.enterInLog(tx, actor, Quit.Name, in.ConsultationID, "user:"+string(me.UserID)))
	})
}

// out ends the part of an invited person.
func (s *Service) out(tx Tx, id ID, actor rooms.Actor, user rooms.UserID, reason LeaveReason) error {
	return firstError(s.Remove(tx, actor, id, user, reason), s.become(tx, actor, id, user, InvitationLeft))
}

// former are those who took part before, as far as me may know.
func (s *Service) former(ctx context.Context, id ID, me Participant) ([]Former, error) {
	list, err := s.store.Former(ctx, id, me.Since)
	if list == nil {
		list = []Former{}
	}
	return list, err
}
