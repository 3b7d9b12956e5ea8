package consultation

import (
	"strings"
	"time"

	"wenzhen.example/rooms"
)

// Letting people in, and out.
var (
	Invite = rooms.Command[InviteInput, Admission]{Name: "consultation:invite", Namespace: rooms.Consultations, For: rooms.Users,
		Access: rooms.Participants,
		Rate:   rooms.Rate{PerSecond: 1, Burst: 20},
		Doc: "Invite another person: a second doctor, a relative, an interpreter. The patient's invitation takes effect " +
			"immediately; the doctor's is a proposal " +
			"that the patient answers. By address the answer is the same whether or not anyone has that address."}
	AnswerInvitation = rooms.Command[InvitationAnswer, Invitation]{Name: "invitation:answer", Namespace: rooms.Consultations, For: rooms.Users,
		Access: rooms.Participants,
		Doc:    "Accept or decline a person whom the doctor proposes to invite; may share the earlier history. For the patient."}
	WithdrawInvitation = rooms.Command[InvitationRef, Invitation]{Name: "invitation:withdraw", Namespace: rooms.Consultations, For: rooms.Users,
		Access: rooms.Participants,
		Doc:    "Revoke an invitation of a person who has not entered yet. For patient and doctor."}
	ListInvitations = rooms.Command[Input, InvitationList]{Name: "invitation:list", Namespace: rooms.Consultations, For: rooms.Users,
		Access: rooms.Participants,
		Doc:    "List the invitations of a consultation, oldest first. For patient and doctor."}
	RemoveParticipant = rooms.Command[ParticipantRef, rooms.Nothing]{Name: "participant:remove", Namespace: rooms.Consultations, For: rooms.Users,
		Access: rooms.Participants,
		Doc:    "Remove an invited person, who receives and reads nothing of the consultation from then on. For patient and doctor."}
	Quit = rooms.Command[Input, rooms.Nothing]{Name: "consultation:quit", Namespace: rooms.Consultations, For: rooms.Users,
		Access: rooms.Participants,
		Doc:    "Leave a consultation that the caller was invited to. (consultation:leave only unsubscribes one connection.)"}
)

// Events of invitations go to the users whom they concern and not to the room,
// because others must not see the addresses.
var (
	InvitationUpdated = rooms.EventType[Invitation]{Name: "invitation:updated", Doc: "An invitation was created, answered, " +
		"used or revoked. Sent to the patient and the doctor of the consultation."}
	InvitationReceived = rooms.EventType[Received]{Name: "invitation:received", Doc: "The user was invited by address into a " +
		"consultation and may enter it."}
)

// InvitationID names an invitation.
type InvitationID string

// InvitationStatus is where an invitation stands.
type InvitationStatus string

// The states of an invitation.
const (
	InvitationProposed  InvitationStatus = "proposed" // by the doctor; the patient has not answered yet
	InvitationAccepted  InvitationStatus = "accepted" // whom it is for may enter, and has not yet
	InvitationEntered   InvitationStatus = "entered"
	InvitationDeclined  InvitationStatus = "declined"
	InvitationWithdrawn InvitationStatus = "withdrawn"
	InvitationLeft      InvitationStatus = "left" // who entered by it was removed or left
)

// Open reports whether the invitation still waits for someone.
func (s InvitationStatus) Open() bool { return s == InvitationProposed || s == InvitationAccepted }

// Invitation lets someone into a consultation who is neither its patient nor
// its doctor.
type Invitation struct {
	ID             InvitationID     `json:"id"`
	ConsultationID ID               `json:"consultationId"`
	Status         InvitationStatus `json:"status"`
	Role           Part             `json:"role"`
	// Invitee is whom it is for: the address as it was typed, whether or not
	// anyone has it, or the name of who was invited by user id.
	Invitee string `json:"invitee"`
	// History says that who enters may also see what was said before.
	History    bool         `json:"history"`
	ByID       rooms.UserID `json:"byId"`
	ByName     string       `json:"byName"`
	ByRole     Part         `json:"byRole"` // patient or doctor
	CreatedAt  time.Time    `json:"createdAt"`
	AnsweredAt *time.Time   `json:"answeredAt,omitempty"`

	// UserID is whom it lets in; empty if nobody has the address. It is shown
	// to nobody, nor is anything that depends on it until they enter.
	UserID rooms.UserID `json:"-"`
	// ByAddress says that Invitee is an address.
	ByAddress bool `json:"-"`
}

// Admission is the answer to Invite.
type Admission struct {
	Invitation Invitation `json:"invitation"`
	// Participant is who was let in; none while the patient has not answered,
	// and none for an address, whose owner has yet to enter.
	Participant *Participant `json:"participant,omitempty"`
}

// Received is an invitation as the invited person gets it.
type Received struct {
	InvitationID   InvitationID `json:"invitationId"`
	ConsultationID ID           `json:"consultationId"`
	Role           Part         `json:"role"`
	ByID           rooms.UserID `json:"byId"`
	ByName         string       `json:"byName"`
}

// InvitationList are the invitations of a consultation.
type InvitationList struct {
	Items []Invitation `json:"items"`
}

// InviteInput lets someone in, by e-mail or user id. History, which only the
// patient can grant, shows them what was said before too.
type InviteInput struct {
	ConsultationID ID           `json:"consultationId"`
	Email          string       `json:"email,omitempty" limit:"..320"`
	UserID         rooms.UserID `json:"userId,omitempty"`
	Role           Part         `json:"role"`
	History        bool         `json:"history,omitempty"`
}

// Validate implements rooms.Validator.
func (in InviteInput) Validate() error {
	switch {
	case (in.Email == "") == (in.UserID == ""):
		return rooms.Invalid("email", "give either email or userId")
	case in.Email != "" && !strings.Contains(in.Email, "@"):
		return rooms.Invalid("email", "%q is not an e-mail address", in.Email)
	case in.Role != PartColleague && in.Role != PartRelative && in.Role != PartInterpreter:
		return rooms.Invalid("role", "role must be second_doctor, relative or interpreter")
	}
	return nil
}

// InvitationRef names an invitation of a consultation.
type InvitationRef struct {
	ConsultationID ID           `json:"consultationId"`
	InvitationID   InvitationID `json:"invitationId"`
}

// InvitationAnswer is what the patient says to a proposal. History shows the
// invited person what was said before too.
type InvitationAnswer struct {
	ConsultationID ID           `json:"consultationId"`
	InvitationID   InvitationID `json:"invitationId"`
	Accept         bool         `json:"accept"`
	History        bool         `json:"history,omitempty"`
}

// ParticipantRef names a participant of a consultation.
type ParticipantRef struct {
	ConsultationID ID           `json:"consultationId"`
	UserID         rooms.UserID `json:"userId"`
}
