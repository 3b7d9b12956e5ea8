package call

import (
	"encoding/json"
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
	"wenzhen.example/rooms/consultation"
)

// The commands of calls.
var (
	Invite = rooms.Command[CallInvitation, Invited]{Name: "call:invite", Namespace: rooms.Consultations, For: rooms.Users,
		Access: rooms.Participants,
		Rate:   rooms.Rate{PerSecond: 1, Burst: 20},
		Doc: "Start a call and ring the other participants. Patients and the people whom they have invited start the calls " +
			"that the consultation includes: voice and video in a video consultation, voice in a voice consultation. " +
			"If a call is live already, it is returned, and those named in `to` are rung."}
	Accept = rooms.Command[CallAnswer, Call]{Name: "call:accept", Namespace: rooms.Consultations, For: rooms.Users,
		Access: rooms.Participants,
		Doc:    "Answer, join a running call, or move the caller's call to this device. Refused once the call is over."}
	Decline = rooms.Command[CallRef, Call]{Name: "call:decline", Namespace: rooms.Consultations, For: rooms.Users,
		Access: rooms.Participants,
		Doc:    "Decline; the user's other devices stop ringing."}
	Leave = rooms.Command[CallRef, Call]{Name: "call:leave", Namespace: rooms.Consultations, For: rooms.Users, Access: rooms.Participants,
		Doc: "Leave the call; it ends when one member is left."}
	End = rooms.Command[CallEnding, Call]{Name: "call:end", Namespace: rooms.Consultations, For: rooms.Users, Access: rooms.Participants,
		Doc: "End the call for everyone: caller, patient or doctor."}
	Signal = rooms.Command[SignalInput, rooms.Nothing]{Name: "call:signal", Namespace: rooms.Consultations, For: rooms.Users,
		Access: rooms.Participants,
		Rate:   rooms.Rate{PerSecond: 30, Burst: 300},
		Doc:    "Send a session description or an ICE candidate to another member of the call."}
	State = rooms.Command[StateInput, rooms.Nothing]{Name: "call:state", Namespace: rooms.Consultations, For: rooms.Users,
		Access: rooms.Participants,
		Rate:   rooms.Rate{PerSecond: 5, Burst: 50},
		Doc: "Report the state of the caller's microphone, camera and screen. Repeat it every 10 seconds; a member " +
			"is removed after 45 seconds of silence."}
	List = rooms.Command[CallFilter, CallList]{Name: "call:list", Namespace: rooms.Consultations, For: rooms.Users,
		Access: rooms.Participants,
		Doc:    "List the live calls of the user's consultations, ringing and running, for a device that has just connected."}
	ReadServers = rooms.Command[ServersInput, ICEServers]{Name: "call:servers", Namespace: rooms.Consultations, For: rooms.Users,
		Access: rooms.Participants,
		Doc: "List STUN and TURN servers for a live call that the caller is in or is rung for. The credentials are " +
			"short-lived and end with the call and the session. Without a call, for testing devices, only STUN servers."}
)

// What happens with calls.
var (
	CallUpdated = rooms.EventType[Call]{Name: "call:updated", Doc: "A call began, changed or ended; data is the whole call. " +
		"Sent to the devices of all participants."}

	CallRinging       = rooms.SignalType[Ring]{Name: "call:ringing", Doc: "A call is ringing."}
	AnsweredElsewhere = rooms.SignalType[Answered]{Name: "call:answered-elsewhere", Doc: "Another device of the user has " +
		"answered or declined: the others stop ringing."}
	SignalSent = rooms.SignalType[Signalling]{Name: "call:signal", Doc: "A session description or an ICE candidate " +
		"from another member."}
	StateChanged = rooms.SignalType[MemberState]{Name: "call:state", Doc: "The state of a member's microphone, camera and screen."}
)

// CallRef names a call, and the device that speaks.
type CallRef struct {
	CallID   ID     `json:"callId"`
	DeviceID string `json:"deviceId,omitempty" limit:"id"`
}

// CallInvitation rings. DeviceID names the device that calls (a page, an app);
// the login by default.
type CallInvitation struct {
	ConsultationID consultation.ID `json:"consultationId"`
	Medium         account.Medium  `json:"medium"` // voice or video
	// CallID is made by a client that may resend.
	CallID   ID     `json:"callId,omitempty" limit:"id"`
	DeviceID string `json:"deviceId,omitempty" limit:"id"`
	// To are the participants to ring; all others by default.
	To []rooms.UserID `json:"to,omitempty" limit:"..3"`
}

// Validate implements rooms.Validator.
func (in CallInvitation) Validate() error {
	switch {
	case in.ConsultationID == "":
		return rooms.Invalid("consultationId", "consultationId is missing")
	case in.Medium != account.Voice && in.Medium != account.Video:
		return rooms.Invalid("medium", "medium must be voice or video")
	}
	return nil
}

// Invited is the answer to Invite.
type Invited struct {
	Call       Call        `json:"call"`
	ICEServers []ICEServer `json:"iceServers"`
}

// CallAnswer answers. Move takes over from the user's other device, a page
// that was reloaded for one.
type CallAnswer struct {
	CallID   ID     `json:"callId"`
	DeviceID string `json:"deviceId,omitempty" limit:"id"`
	Move     bool   `json:"move,omitempty"`
}

// CallEnding ends a call. Failed says that media did not come through.
type CallEnding struct {
	CallID ID   `json:"callId"`
	Failed bool `json:"failed,omitempty"`
}

// Bounds of what one signal may carry, in bytes. Browsers' descriptions of a
// call with screen sharing have some 10 KB.
const (
	sdpBytes       = 64 << 10
	candidateBytes = 2 << 10
)

// SignalInput is a step of the negotiation (W3C WebRTC): either a description
// or a candidate, to one member.
type SignalInput struct {
	CallID      ID                  `json:"callId"`
	To          rooms.UserID        `json:"to"`
	DeviceID    string              `json:"deviceId,omitempty" limit:"id"`
	Description *SessionDescription `json:"description,omitempty"`
	Candidate   *ICECandidate       `json:"candidate,omitempty"`
}

// SessionDescription is an RTCSessionDescriptionInit.
type SessionDescription struct {
	Type string `json:"type"` // offer, answer, pranswer or rollback
	SDP  string `json:"sdp"`
}

// ICECandidate is an RTCIceCandidateInit; an empty candidate ends the list.
type ICECandidate struct {
	Candidate        string  `json:"candidate"`
	SDPMid           *string `json:"sdpMid,omitempty"`
	SDPMLineIndex    *int    `json:"sdpMLineIndex,omitempty"`
	UsernameFragment *string `json:"usernameFragment,omitempty"`
}

// Validate implements rooms.Validator.
func (in SignalInput) Validate() error {
	switch {
	case in.To == "":
		return rooms.Invalid("to", "to is missing")
	case (in.Description == nil) == (in.Candidate == nil):
		return rooms.Invalid("description", "give either description or candidate")
	case in.Description != nil:
		return in.Description.validate()
	}
	raw, err := json.Marshal(in.Candidate)
	if err != nil || len(raw) > candidateBytes {
		return rooms.TooLarge("candidate", "a candidate may have at most %d bytes", candidateBytes)
	}
	return nil
}

func (d SessionDescription) validate() error {
	switch d.Type {
	case "offer", "answer", "pranswer":
		if d.SDP == "" {
			return rooms.Invalid("description.sdp", "sdp is missing")
		}
	case "rollback":
	default:
		return rooms.Invalid("description.type", "type must be offer, answer, pranswer or rollback")
	}
	if len(d.SDP) > sdpBytes {
		return rooms.TooLarge("description.sdp", "a description may have at most %d bytes", sdpBytes)
	}
	return nil
}

// StateInput is what the user's device has switched on.
type StateInput struct {
	CallID     ID     `json:"callId"`
	DeviceID   string `json:"deviceId,omitempty" limit:"id"`
	Microphone bool   `json:"microphone"`
	Camera     bool   `json:"camera"`
	Screen     bool   `json:"screen"`
}

// CallFilter asks for live calls, of one consultation or of all consultations of the user.
type CallFilter struct {
	ConsultationID consultation.ID `json:"consultationId,omitempty"`
}

// CallList is the live calls.
type CallList struct {
	Items      []Call `json:"items"`
	NextCursor string `json:"nextCursor"`
}

// ServersInput asks for servers, with credentials for a call.
type ServersInput struct {
	CallID ID `json:"callId,omitempty"`
}

// ICEServers are an RTCConfiguration's iceServers and for how many seconds their
// credentials are good.
type ICEServers struct {
	ICEServers []ICEServer `json:"iceServers"`
	TTL        int         `json:"ttl"`
}

// ICEServer is an RTCIceServer.
type ICEServer struct {
	URLs       []string `json:"urls"`
	Username   string   `json:"username,omitempty"`
	Credential string   `json:"credential,omitempty"`
}

// Ring is a call that comes in.
type Ring struct {
	Call       Call      `json:"call"`
	CallerName string    `json:"callerName"`
	RingUntil  time.Time `json:"ringUntil"`
}

// Answered says which device has answered or declined.
type Answered struct {
	CallID   ID     `json:"callId"`
	DeviceID string `json:"deviceId"`
}

// Signalling is what a member hands to another. ToDevice is the one that is in
// the call; the member's other devices hear it too, and take no notice.
type Signalling struct {
	CallID      ID                  `json:"callId"`
	From        rooms.UserID        `json:"from"`
	FromDevice  string              `json:"fromDevice"`
	ToDevice    string              `json:"toDevice"`
	Description *SessionDescription `json:"description,omitempty"`
	Candidate   *ICECandidate       `json:"candidate,omitempty"`
}

// MemberState is what a member has switched on.
type MemberState struct {
	CallID     ID           `json:"callId"`
	UserID     rooms.UserID `json:"userId"`
	Microphone bool         `json:"microphone"`
	Camera     bool         `json:"camera"`
	Screen     bool         `json:"screen"`
}
