package call

import (
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
	"wenzhen.example/rooms/consultation"
)

// ID names a call. A client may make it (UUIDv7), so that it can resend its
// invitation.
type ID string

// CallStatus is where a call stands.
type CallStatus string

// The states. Declined, missed and busy are calls that nobody answered: those
// who were rung said no, did not answer in time, or were in another call.
const (
	Ringing  CallStatus = "ringing"
	Active   CallStatus = "active"
	Ended    CallStatus = "ended"
	Declined CallStatus = "declined"
	Missed   CallStatus = "missed"
	Busy     CallStatus = "busy"
	Failed   CallStatus = "failed" // it was answered, and media did not come through
)

// Live reports whether the call goes on.
func (s CallStatus) Live() bool { return s == Ringing || s == Active }

// MemberStatus is where one participant stands in a call.
type MemberStatus string

// The states of a member. A vanished member was in the call and has not
// been seen for too long.
const (
	MemberRinging  MemberStatus = "ringing"
	MemberJoined   MemberStatus = "joined"
	MemberDeclined MemberStatus = "declined"
	MemberMissed   MemberStatus = "missed"
	MemberBusy     MemberStatus = "busy"
	MemberLeft     MemberStatus = "left"
	MemberVanished MemberStatus = "vanished"
)

// Call is one call in a consultation; there is at most one live at a time.
type Call struct {
	ID             ID              `json:"id"`
	ConsultationID consultation.ID `json:"consultationId"`
	CallerID       rooms.UserID    `json:"callerId"`
	Medium         account.Medium  `json:"medium"` // voice or video
	Status         CallStatus      `json:"status"`
	Members        []Member        `json:"members"`
	CreatedAt      time.Time       `json:"createdAt"`
	// AnsweredAt is when the first one answered.
	AnsweredAt *time.Time `json:"answeredAt,omitempty"`
	EndedAt    *time.Time `json:"endedAt,omitempty"`
	// EndedBy is empty when Wenzhen ended it: nobody answered, someone vanished.
	EndedBy rooms.UserID `json:"endedBy,omitempty"`
}

// Member is a participant of the consultation in a call of it.
type Member struct {
	UserID rooms.UserID      `json:"userId"`
	Name   string            `json:"name"`
	Role   consultation.Part `json:"role"`
	Status MemberStatus      `json:"status"`
	// RingUntil is when an unanswered ring counts as missed.
	RingUntil *time.Time `json:"ringUntil,omitempty"`
	// DeviceID is the device that is in the call; the member's others are not.
	DeviceID string     `json:"deviceId,omitempty"`
	JoinedAt *time.Time `json:"joinedAt,omitempty"`
	LeftAt   *time.Time `json:"leftAt,omitempty"`
	// SessionID is the login that the member is in the call with.
	SessionID rooms.SessionID `json:"-"`
	// SeenAt is when the device was last seen, within a few seconds.
	SeenAt *time.Time `json:"-"`
}

// Seconds is how long people could talk: from the first answer to the end.
func (c Call) Seconds() int {
	if c.AnsweredAt == nil || c.EndedAt == nil {
		return 0
	}
	return int(c.EndedAt.Sub(*c.AnsweredAt).Seconds())
}

// member is a pointer into Members, or nil.
func (c *Call) member(user rooms.UserID) *Member {
	for i := range c.Members {
		if c.Members[i].UserID == user {
			return &c.Members[i]
		}
	}
	return nil
}

// Concerns reports whether user is in the live call, or rung by it.
func (c *Call) Concerns(user rooms.UserID) bool {
	m := c.member(user)
	return c.Status.Live() && m != nil && (m.Status == MemberJoined || m.Status == MemberRinging)
}

func (c *Call) count(status MemberStatus) int {
	n := 0
	for _, m := range c.Members {
		if m.Status == status {
			n++
		}
	}
	return n
}

// clone is a copy that shares no member with c.
func (c Call) clone() Call {
	c.Members = append([]Member(nil), c.Members...)
	return c
}

// in is the member if it is in the call on this device. An empty device is
// whichever it is in with.
func (c *Call) in(user rooms.UserID, device string) (*Member, error) {
	m := c.member(user)
	switch {
	case m == nil || m.Status != MemberJoined:
		return nil, rooms.Conflict(string(c.Status), "you are not in this call")
	case device != "" && device != m.DeviceID:
		return nil, rooms.Conflict(string(c.Status), "you are in this call on another device")
	}
	return m, nil
}

// settle is what the members make of the call: it becomes active with the
// first answer, and is over when there is nobody left to talk to.
func (c *Call) settle(by rooms.UserID, now time.Time) {
	joined, ringing := c.count(MemberJoined), c.count(MemberRinging)
	switch {
	case !c.Status.Live():
	case c.Status == Ringing && joined >= 2:
		c.Status, c.AnsweredAt = Active, &now
	case c.Status == Ringing && (ringing == 0 || joined == 0):
		c.close(c.unanswered(), by, now)
	case c.Status == Active && joined == 0, c.Status == Active && joined == 1 && ringing == 0:
		c.close(Ended, by, now)
	}
}

// unanswered says why nobody answered: the best that one of them did.
func (c *Call) unanswered() CallStatus {
	switch {
	case c.count(MemberDeclined) > 0:
		return Declined
	case c.count(MemberMissed)+c.count(MemberRinging) == 0 && c.count(MemberBusy) > 0:
		return Busy
	}
	return Missed
}

// close ends the call for everyone who is in it or still rung.
func (c *Call) close(status CallStatus, by rooms.UserID, now time.Time) {
	c.Status, c.EndedAt, c.EndedBy = status, &now, by
	for i := range c.Members {
		switch m := &c.Members[i]; m.Status {
		case MemberRinging:
			m.Status, m.RingUntil = MemberMissed, nil
		case MemberJoined:
			m.Status, m.LeftAt = MemberLeft, &now
		}
	}
}

// drop takes a user out of the call, who is in it or rung by it.
func (c *Call) drop(user rooms.UserID, now time.Time) {
	switch m := c.member(user); {
	case m == nil:
	case m.Status == MemberRinging:
		m.Status, m.RingUntil = MemberMissed, nil
	case m.Status == MemberJoined:
		m.Status, m.LeftAt = MemberLeft, &now
	}
	c.settle(user, now)
}

// due is when something is to be done about the call next: a ring that is
// missed, a member that has not been seen for too long; zero for never.
func (c *Call) due(vanishAfter time.Duration) time.Time {
	var next time.Time
	sooner := func(t time.Time) {
		if next.IsZero() || t.Before(next) {
			next = t
		}
	}
	if !c.Status.Live() {
		return next
	}
	for _, m := range c.Members {
		switch {
		case m.Status == MemberRinging && m.RingUntil != nil:
			sooner(*m.RingUntil)
		case m.Status == MemberJoined && m.SeenAt != nil:
			sooner(m.SeenAt.Add(vanishAfter))
		}
	}
	return next
}
