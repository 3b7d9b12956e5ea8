package call

import (
	"context"

	"wenzhen.example/rooms"
)

// signal hands a step of the negotiation from one member to another. It is
// kept nowhere: what is lost is negotiated anew by an ICE restart.
func (s *Service) signal(ctx context.Context, actor rooms.Actor, in SignalInput) (rooms.Nothing, error) {
	c, me, err := s.speaks(ctx, actor, in.CallID, in.DeviceID)
	if err != nil {
		return rooms.Nothing{}, err
	}
	to := c.member(in.To)
	if to == nil || to.Status != MemberJoined || to.UserID == actor.UserID {
		return rooms.Nothing{}, rooms.Invalid("to", "the addressee is not in this call")
	}
	SignalSent.Send(s.hub, rooms.UserRoom(to.UserID), Signalling{CallID: c.ID, From: actor.UserID, FromDevice: me.DeviceID,
		ToDevice: to.DeviceID, Description: in.Description, Candidate: in.Candidate})
	return rooms.Nothing{}, nil
}

// speaks is a live call and the member of it who speaks, on this device.
func (s *Service) speaks(ctx context.Context, actor rooms.Actor, id ID, deviceID string) (Call, Member, error) {
	c, err := s.visible(ctx, actor, id)
	if err != nil {
		return c, Member{}, err
	}
	if !c.Status.Live() {
		return c, Member{}, rooms.Conflict(string(c.Status), "the call is over: %s", c.Status)
	}
	m, err := c.in(actor.UserID, deviceID)
	if err != nil {
		return c, Member{}, err
	}
	return c, *m, nil
}

// state tells the other members, and notes that this one is there.
func (s *Service) state(ctx context.Context, actor rooms.Actor, in StateInput) (rooms.Nothing, error) {
	c, me, err := s.speaks(ctx, actor, in.CallID, in.DeviceID)
	if err != nil {
		return rooms.Nothing{}, err
	}
	now := s.now()
	if me.SeenAt == nil || now.Sub(*me.SeenAt) >= s.cfg.seenEvery() {
		if err := s.store.InTx(ctx, func(tx Tx) error { return tx.SawMember(c.ID, actor.UserID, now) }); err != nil {
			return rooms.Nothing{}, err
		}
	}
	for _, m := range c.Members {
		if m.Status == MemberJoined && m.UserID != actor.UserID {
			StateChanged.Send(s.hub, rooms.UserRoom(m.UserID), MemberState{CallID: c.ID, UserID: actor.UserID,
				Microphone: in.Microphone, Camera: in.Camera, Screen: in.Screen})
		}
	}
	return rooms.Nothing{}, nil
}
