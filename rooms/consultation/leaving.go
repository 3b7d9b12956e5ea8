package consultation

import (
	"context"

	"wenzhen.example/rooms"
)

// LeaveReason says why someone takes part no more.
type LeaveReason string

// The reasons.
const (
	LeftReassigned LeaveReason = "reassigned" // another doctor has their place
	LeftRemoved    LeaveReason = "removed"
	LeftQuit       LeaveReason = "quit"       // by themselves
	LeftUnverified LeaveReason = "unverified" // a second doctor who is no longer verified
)

// Departure is who takes part no more, and why.
type Departure struct {
	UserID rooms.UserID `json:"userId"`
	Reason LeaveReason  `json:"reason"`
}

// Leaver is a Follower that is also told who is about to leave, inside the
// transaction and while they still take part: a call goes on without them.
type Leaver interface {
	Leaves(tx Tx, id ID, user rooms.UserID) error
}

// Remove ends the part of user in a consultation. It is the only way out: with
// it end, on every node and before the next event of the room is delivered,
// the subscriptions of the user's connections, their presence, their part in a
// call, and what they are downloading from the room. participant:left tells
// the room, and the user's devices. Errors: not_found (user takes no part).
func (s *Service) Remove(tx Tx, actor rooms.Actor, id ID, user rooms.UserID, reason LeaveReason) error {
	p, err := tx.Participant(id, user)
	if err != nil {
		return err
	}
	for _, f := range s.options.Followers() {
		if l, ok := f.(Leaver); ok {
			if err := l.Leaves(tx, id, user); err != nil {
				return err
			}
		}
	}
	if err := tx.RemoveParticipant(id, user); err != nil {
		return err
	}
	people, err := tx.Participants(id)
	if err != nil {
		return err
	}
	also, now := append(devicesOf(people), rooms.UserRoom(user)), s.now()
	_, err = ParticipantLeft.Record(tx, id.Room(), actor, now, also, func(seq rooms.Seq) (Departure, error) {
		f := Former{UserID: user, Name: p.Name, Role: p.Role, JoinedAt: p.JoinedAt, LeftAt: now, LeftSeq: seq}
		return Departure{UserID: user, Reason: reason}, tx.InsertFormer(id, f)
	})
	return err
}

// enter lets p take part. Who does already, in another part, gets that of p.
func (s *Service) enter(tx Tx, actor rooms.Actor, id ID, p Participant) error {
	there, err := tx.Participant(id, p.UserID)
	switch {
	case err == nil:
		there.Role, there.InvitedBy, there.Since, there.Expected = p.Role, "", 0, false
		p, err = there, tx.SetPart(id, p.UserID, p.Role)
	case rooms.CodeOf(err) == rooms.CodeNotFound:
		err = tx.InsertParticipant(id, p)
	}
	if err != nil {
		return err
	}
	_, err = ParticipantJoined.Record(tx, id.Room(), actor, s.now(), []rooms.RoomID{rooms.UserRoom(p.UserID)},
		func(rooms.Seq) (Participant, error) { return p, nil })
	return err
}

// devicesOf are the rooms of the devices of people.
func devicesOf(people []Participant) []rooms.RoomID {
	list := make([]rooms.RoomID, len(people), len(people)+1)
	for i, p := range people {
		list[i] = rooms.UserRoom(p.UserID)
	}
	return list
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

// VerificationEnded implements account.VerificationObserver: a second doctor takes
// part as long as an admin's verification lasts.
func (s *Service) VerificationEnded(of rooms.Tx, actor rooms.Actor, doctor rooms.UserID) error {
	tx := s.store.In(of)
	all, err := tx.SecondDoctorIn(doctor)
	if err != nil {
		return err
	}
	for _, id := range all {
		if err := s.removeSecondDoctor(tx, actor, id, doctor); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) removeSecondDoctor(tx Tx, actor rooms.Actor, id ID, doctor rooms.UserID) error {
	p, err := tx.Participant(id, doctor)
	if err != nil {
		return err
	}
	if p.Expected {
		return firstError(tx.RemoveExpected(id, doctor), s.forget(tx, id, doctor))
	}
	return firstError(s.out(tx, id, rooms.System, doctor, LeftUnverified), // not by the admin, whom the others do not know
		s.enterInLog(tx, actor, RemoveParticipant.Name, id, "user:"+string(doctor)))
}

// forget makes the invitations of an address look as if nobody had it: they must
// not show whose it was.
func (s *Service) forget(tx Tx, id ID, user rooms.UserID) error {
	all, err := tx.Invitations(id)
	if err != nil {
		return err
	}
	for _, inv := range all {
		if inv.UserID == user && inv.Status == InvitationAccepted {
			inv.UserID = ""
			if err := tx.SaveInvitation(inv); err != nil {
				return err
			}
		}
	}
	return nil
}

// former are those who took part before, as far as me may know.
func (s *Service) former(ctx context.Context, id ID, me Participant) ([]Former, error) {
	list, err := s.store.Former(ctx, id, me.Since)
	if list == nil {
		list = []Former{}
	}
	return list, err
}
