package consultation

import (
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
)

// ID names a consultation. A client may make it (UUIDv7), so that it can
// resend its request.
type ID string

// subject is what the audit log calls a consultation.
func (id ID) subject() string { return "consultation:" + string(id) }

// Room is the durable log of a consultation.
func (id ID) Room() rooms.RoomID { return rooms.RoomID("consultation:" + string(id)) }

// Status is where a consultation stands.
type Status string

// The states.
const (
	PendingPayment Status = "pending_payment"
	Waiting        Status = "waiting"
	Active         Status = "active"
	OnHold         Status = "on_hold"
	Ended          Status = "ended"
	Closed         Status = "closed"
	Cancelled      Status = "cancelled"
	Declined       Status = "declined"
	Expired        Status = "expired"
	Terminated     Status = "terminated"
)

// Consultation is one session between a patient and a doctor.
type Consultation struct {
	ID          ID                  `json:"id"`
	Status      Status              `json:"status"`
	Service     account.ServiceKind `json:"service"`
	Medium      account.Medium      `json:"medium"`
	DoctorID    rooms.UserID        `json:"doctorId"`
	DoctorName  string              `json:"doctorName"`
	UserID      rooms.UserID        `json:"userId"` // the patient's user
	PatientID   account.PatientID   `json:"patientId"`
	PatientName string              `json:"patientName"`
	// Complaint is what it is about, for patient and doctor, second doctors, and
	// invited people with the history; "" for the others, and in every event but
	// the first of the room.
	Complaint string `json:"complaint"`
	// PriorDiagnosis is what a followup rests on. It is never part of an event:
	// invited people hear the room too, and read it only with the history.
	PriorDiagnosis string `json:"priorDiagnosis,omitempty"`
	Price          int64  `json:"price"` // minor units, as offered when it was opened
	Currency       string `json:"currency"`
	Minutes        int    `json:"minutes"` // the length of a voice or video session

	CreatedAt time.Time `json:"createdAt"`
	UpdatedAt time.Time `json:"updatedAt"`
	// ScheduledAt is the start of its appointment, if it has one.
	ScheduledAt *time.Time `json:"scheduledAt,omitempty"`
	// QueuedAt is when it entered the doctor's queue: at once, or with check-in.
	QueuedAt   *time.Time `json:"queuedAt,omitempty"`
	AcceptedAt *time.Time `json:"acceptedAt,omitempty"`
	// AnsweredAt is when the doctor first said something.
	AnsweredAt *time.Time `json:"answeredAt,omitempty"`
	EndedAt    *time.Time `json:"endedAt,omitempty"`
	// DueAt is when the present state runs out by itself.
	DueAt *time.Time `json:"dueAt,omitempty"`
	// ClockLeftMs is what was left of the active clock when it was put on hold.
	ClockLeftMs int64 `json:"clockLeftMs,omitempty"`

	// Reason is the last one given, with a decline, a cancellation, a referral.
	// Of events it is part of the one with which it was given.
	Reason string `json:"reason,omitempty"`
	// EndedBy is EndedByClinic if neither patient nor doctor nor their clock ended
	// it, but an admin, or that one of them is gone.
	EndedBy string `json:"endedBy,omitempty"`
	// Summary is what the doctor signed at the end of a followup. Of events it is
	// part of the one with which it was signed.
	Summary *Summary `json:"summary,omitempty"`
	// Reopened says that the follow-up questions have been used once.
	Reopened bool `json:"reopened"`
	// TurnsLeft counts the free follow-up questions after it was reopened.
	TurnsLeft int `json:"turnsLeft"`
	// TurnOpen says that a follow-up question awaits the doctor's answer; what
	// the patient adds to it until then costs no turn.
	TurnOpen bool `json:"turnOpen,omitempty"`
	// DoctorReview says that an admin has yet to review the doctor's changed data:
	// until then the doctor can sign nothing, and the patient may end it with a full
	// refund, unless it was reopened.
	DoctorReview bool `json:"doctorReview,omitempty"`
	// Refund is the intent written with the last transition.
	Refund Refund `json:"refund,omitempty"`
	// RefundPercent is how much of the price that intent refunds.
	RefundPercent int `json:"refundPercent,omitempty"`

	// Queue is the place in the doctor's queue while waiting. It is filled for
	// answers and never part of an event.
	Queue *Queue `json:"queue,omitempty"`
	// LastSeq, ReadUpTo and Unread are the asker's own; they are filled in
	// lists and never part of an event.
	LastSeq  rooms.Seq `json:"lastSeq,omitempty"`
	ReadUpTo rooms.Seq `json:"readUpTo,omitempty"`
	Unread   int       `json:"unread,omitempty"`

	// ReasonSeq and SummarySeq are where in the log Reason was given and Summary
	// was signed; 0 for those from before this was kept.
	ReasonSeq  rooms.Seq `json:"-"`
	SummarySeq rooms.Seq `json:"-"`
}

// ShownTo is the consultation as p may see it: without what was written before
// p's history begins. A second doctor sees the complaint nevertheless, which is
// what a doctor is asked about.
func (c Consultation) ShownTo(p Participant) Consultation {
	if p.Since == 0 {
		return c
	}
	c.PriorDiagnosis = ""
	if p.Role != PartColleague {
		c.Complaint = ""
	}
	if !p.Sees(c.ReasonSeq) {
		c.Reason = ""
	}
	if !p.Sees(c.SummarySeq) {
		c.Summary = nil
	}
	return c
}

// logged is the consultation as the event at seq has it, for everyone who receives
// the room.
func (c Consultation) logged(seq rooms.Seq) Consultation {
	c.PriorDiagnosis = ""
	if seq > 1 { // nobody is invited before the first
		c.Complaint = ""
	}
	if c.ReasonSeq != seq {
		c.Reason = ""
	}
	if c.SummarySeq != seq {
		c.Summary = nil
	}
	return c
}

// EndedByClinic marks what the clinic has ended.
const EndedByClinic = "clinic"

// Summary is the doctor's signed closing note.
type Summary struct {
	Text     string       `json:"text"`
	SignedBy rooms.UserID `json:"signedBy"`
	SignedAt time.Time    `json:"signedAt"`
	// SHA256 is over consultation id, text, signer and time, one a line.
	SHA256 string `json:"sha256"`
}

// Queue is a place in a doctor's queue. Position 1 is next.
type Queue struct {
	ConsultationID  ID  `json:"consultationId"`
	Position        int `json:"position"`
	EstimateMinutes int `json:"estimateMinutes"`
}

// Participant may enter a consultation.
type Participant struct {
	UserID   rooms.UserID `json:"userId"`
	Name     string       `json:"name"`
	Role     Part         `json:"role"`
	JoinedAt time.Time    `json:"joinedAt"`
	// DeliveredUpTo and ReadUpTo are receipts: watermarks that only grow.
	DeliveredUpTo rooms.Seq `json:"deliveredUpTo"`
	ReadUpTo      rooms.Seq `json:"readUpTo"`
	// InvitedBy is the part of who let an invited person in: patient or doctor.
	InvitedBy Part `json:"invitedBy,omitempty"`
	// Since is where the history begins that an invited person may see: what
	// came after it. 0 for all of it.
	Since rooms.Seq `json:"since,omitempty"`
	// Expected is who was invited by address and has not entered yet: nobody
	// else learns of them before they do.
	Expected bool `json:"-"`
}

// Invited reports whether the participant was let in by an invitation.
func (p Participant) Invited() bool { return p.Role != PartPatient && p.Role != PartDoctor }

// Sees reports whether the participant may see what has a seq in the log.
func (p Participant) Sees(seq rooms.Seq) bool { return seq > p.Since }

// Former took part in a consultation before.
type Former struct {
	UserID   rooms.UserID `json:"userId"`
	Name     string       `json:"name"`
	Role     Part         `json:"role"`
	JoinedAt time.Time    `json:"joinedAt"`
	LeftAt   time.Time    `json:"leftAt"`
	// LeftSeq is that of the participant:left.
	LeftSeq rooms.Seq `json:"-"`
}

// Part is the role of a participant in this consultation.
type Part string

// The parts.
const (
	PartPatient     Part = "patient"
	PartDoctor      Part = "doctor"
	PartColleague   Part = "second_doctor"
	PartRelative    Part = "relative"
	PartInterpreter Part = "interpreter"
)

// Refund is how much of the price is refunded.
type Refund string

// The refunds of transitions; partial ones belong to appointments.
const (
	NoRefund      Refund = ""
	FullRefund    Refund = "full"
	PartialRefund Refund = "partial"
)

// Writable reports whether messages may be said in this state.
func (s Status) Writable() bool { return s == Waiting || s == Active || s == OnHold }

// open reports whether it waits, or goes on.
func (s Status) open() bool { return s == PendingPayment || s.Writable() }

// Final reports whether the state is left by no transition.
func (s Status) Final() bool {
	switch s {
	case Closed, Cancelled, Declined, Expired, Terminated:
		return true
	}
	return false
}
