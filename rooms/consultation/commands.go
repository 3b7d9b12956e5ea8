package consultation

import (
	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
)

// The commands of a consultation.
var (
	Open = rooms.Command[OpenInput, Opened]{Name: "consultation:open", For: rooms.Patients, Access: rooms.OwnerOnly,
		Rate: rooms.Rate{PerSecond: 5, Burst: 100},
		Doc:  "Request a consultation with a doctor. Sending the same id and content again returns the first result."}
	List = rooms.Command[Filter, Page]{Name: "consultation:list", For: rooms.Users, Access: rooms.Own,
		Doc: "List the caller's consultations, latest change first."}
	Read = rooms.Command[Input, Consultation]{Name: "consultation:read", For: rooms.Users, Access: rooms.Participants,
		Doc: "Read a consultation that the caller takes part in."}
	Events = rooms.Command[EventsInput, EventPage]{Name: "event:list", For: rooms.Users, Access: rooms.Participants,
		Doc: "Read the log of a consultation after a seq."}

	Cases = rooms.Command[CaseFilter, CasePage]{Name: "consultation:search", For: rooms.Admins, Access: rooms.All,
		Doc: "Find consultations of all users, latest first: the patient, times and state, without their content."}

	Join = rooms.Command[JoinInput, Joined]{Name: "consultation:join", Namespace: rooms.Consultations, For: rooms.Users,
		Access: rooms.Participants,
		Doc:    "Subscribe to a consultation; the answer has the events missed since the given seq."}
	Leave = rooms.Command[Input, rooms.Nothing]{Name: "consultation:leave", Namespace: rooms.Consultations, For: rooms.Users,
		Access: rooms.Participants,
		Doc:    "Unsubscribe this connection from a consultation."}
	Look = rooms.Command[LookInput, rooms.Nothing]{Name: "consultation:look", Namespace: rooms.Consultations, For: rooms.Users,
		Access: rooms.Participants,
		Doc: "Report whether the page of a joined consultation is visible; it counts as visible at first. Users are " +
			"not notified of what a visible page shows."}

	Accept = rooms.Command[Input, Consultation]{Name: "consultation:accept", Namespace: rooms.Consultations, For: rooms.Users,
		Access: rooms.Participants,
		Doc:    "Accept a consultation; its time starts. For the doctor."}
	Decline = rooms.Command[ReasonInput, Consultation]{Name: "consultation:decline", Namespace: rooms.Consultations, For: rooms.Users,
		Access: rooms.Participants,
		Doc:    "Decline a consultation, with a reason. For the doctor."}
	Cancel = rooms.Command[ReasonInput, Consultation]{Name: "consultation:cancel", Namespace: rooms.Consultations, For: rooms.Users,
		Access: rooms.Participants,
		Doc:    "Withdraw while waiting. For the patient."}
	Hold = rooms.Command[ReasonInput, Consultation]{Name: "consultation:hold", Namespace: rooms.Consultations, For: rooms.Users,
		Access: rooms.Participants,
		Doc:    "Pause a consultation, for at most 7 days, to wait for test results. For the doctor."}
	Resume = rooms.Command[Input, Consultation]{Name: "consultation:resume", Namespace: rooms.Consultations, For: rooms.Users,
		Access: rooms.Participants,
		Doc:    "Resume a paused consultation. For the doctor."}
	End = rooms.Command[EndInput, Consultation]{Name: "consultation:end", Namespace: rooms.Consultations, For: rooms.Users,
		Access: rooms.Participants,
		Doc: "End a consultation. By the doctor: a follow-up requires a signed summary. By the patient: with a full refund if " +
			"the doctor has not answered or is under review, otherwise with none."}
	Terminate = rooms.Command[ReasonInput, Consultation]{Name: "consultation:terminate", Namespace: rooms.Consultations, For: rooms.Users,
		Access: rooms.Participants,
		Doc:    "Refer the patient to a visit in person; the reason is the referral note. For the doctor."}
	Reopen = rooms.Command[Input, Consultation]{Name: "consultation:reopen", Namespace: rooms.Consultations, For: rooms.Users,
		Access: rooms.Participants,
		Doc:    "Start free follow-up questions, once, within 72 hours. For the patient."}
)

// What happens in a consultation.
var (
	ConsultationUpdated = rooms.EventType[Consultation]{Name: "consultation:updated", Doc: "The consultation changed; data is the whole of it, " +
		"without complaint and earlier diagnosis, which consultation:read has, and with reason and summary where they are new. " +
		"The first of a room has the complaint."}
	ParticipantJoined = rooms.EventType[Participant]{Name: "participant:joined", Doc: "A user became a participant of the " +
		"consultation, or has another role in it."}
	ParticipantLeft = rooms.EventType[Departure]{Name: "participant:left", Doc: "A user is no longer a participant. It is the last " +
		"event of the room that the user's devices receive."}

	QueueUpdated    = rooms.SignalType[Queue]{Name: "queue:updated", Doc: "The patient's place in the doctor's queue."}
	PresenceUpdated = rooms.SignalType[PresenceChange]{Name: "presence:updated", Doc: "A participant connected or disconnected."}
)

// Input names a consultation.
type Input struct {
	ConsultationID ID `json:"consultationId"`
}

// ReasonInput names a consultation and says why, in up to 2,000 characters.
type ReasonInput struct {
	ConsultationID ID     `json:"consultationId"`
	Reason         string `json:"reason,omitempty" limit:"..2000"`
}

// EndInput ends a consultation; Summary is signed by the doctor's ending it.
type EndInput struct {
	ConsultationID ID     `json:"consultationId"`
	Reason         string `json:"reason,omitempty" limit:"..2000"`
	Summary        string `json:"summary,omitempty" limit:"..10000"`
}

// OpenInput asks for a consultation.
type OpenInput struct {
	ID             ID                  `json:"id,omitempty" limit:"id"`
	DoctorID       rooms.UserID        `json:"doctorId"`
	Service        account.ServiceKind `json:"service"`
	Medium         account.Medium      `json:"medium"`
	PatientID      account.PatientID   `json:"patientId,omitempty"`      // the user's own by default
	Complaint      string              `json:"complaint" limit:"..2000"` // 1 to 2,000 characters
	PriorDiagnosis string              `json:"priorDiagnosis,omitempty" limit:"..2000"`
}

// Validate implements rooms.Validator.
func (in OpenInput) Validate() error {
	switch {
	case in.DoctorID == "":
		return rooms.Invalid("doctorId", "doctorId is missing")
	case in.Service != account.Advice && in.Service != account.Followup:
		return rooms.Invalid("service", "service must be advice or followup")
	case in.Medium != account.Text && in.Medium != account.Voice && in.Medium != account.Video:
		return rooms.Invalid("medium", "medium must be text, voice or video")
	case in.Complaint == "":
		return rooms.Invalid("complaint", "say what it is about")
	case in.Service == account.Followup && in.PriorDiagnosis == "":
		return rooms.Invalid("priorDiagnosis", "a followup needs the earlier diagnosis")
	}
	return nil
}

// Opened is the answer to Open.
type Opened struct {
	Consultation Consultation `json:"consultation"`
	// Order is what it costs; none where it is free.
	Order *Order `json:"order,omitempty"`
}

// Filter narrows the caller's consultations. Limit is 1 to 100, 20 by default.
type Filter struct {
	Status Status `json:"status,omitempty"` // one state, or several with commas
	Cursor string `json:"cursor,omitempty"`
	Limit  int    `json:"limit,omitempty" limit:"1..100"`
}

// Page is a page of consultations; NextCursor is empty on the last.
type Page struct {
	Items      []Consultation `json:"items"`
	NextCursor string         `json:"nextCursor"`
}

// JoinInput names a consultation and the seq seen last. Without After the
// answer ends with the latest events instead of starting with the first.
type JoinInput struct {
	ConsultationID ID         `json:"consultationId"`
	After          *rooms.Seq `json:"after,omitempty"`
}

// LookInput names a consultation and says whether a page shows it now.
type LookInput struct {
	ConsultationID ID   `json:"consultationId"`
	Looking        bool `json:"looking"`
}

// Joined is what one needs to show the room.
type Joined struct {
	Consultation Consultation  `json:"consultation"`
	Participants []Participant `json:"participants"`
	// Former are those who took part before, so that what they said has a name.
	Former []Former `json:"former"`
	// Since is where the log begins for an invited person: it has nothing up to
	// here for them. 0 for all others.
	Since    rooms.Seq       `json:"since,omitempty"`
	Presence []rooms.Present `json:"presence"`
	Events   []rooms.Event   `json:"events"`
	LastSeq  rooms.Seq       `json:"lastSeq"`
	// HasMore says that events between the last one here and LastSeq are left:
	// ask again with the seq of the last one.
	HasMore  bool      `json:"hasMore"`
	ReadUpTo rooms.Seq `json:"readUpTo"`
}

// EventsInput asks for events after a seq. Limit is 1 to 500, 200 by default.
type EventsInput struct {
	ConsultationID ID        `json:"consultationId"`
	After          rooms.Seq `json:"after,omitempty"`
	Limit          int       `json:"limit,omitempty" limit:"1..500"`
}

// EventPage is a stretch of the log.
type EventPage struct {
	Items   []rooms.Event `json:"items"`
	LastSeq rooms.Seq     `json:"lastSeq"`
	HasMore bool          `json:"hasMore"`
}

// PresenceChange is a participant who came or went.
type PresenceChange struct {
	ConsultationID ID `json:"consultationId"`
	rooms.Present
}
