package schedule

import (
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
	"wenzhen.example/rooms/consultation"
)

// AppointmentID names an appointment. A client may make it, so that it can
// resend its booking.
type AppointmentID string

// AppointmentStatus is where an appointment stands.
type AppointmentStatus string

// The states.
const (
	Held            AppointmentStatus = "held" // until it is paid
	Booked          AppointmentStatus = "booked"
	CheckedIn       AppointmentStatus = "checked_in"
	InProgress      AppointmentStatus = "in_progress"
	Fulfilled       AppointmentStatus = "fulfilled"
	HoldExpired     AppointmentStatus = "hold_expired"
	Cancelled       AppointmentStatus = "cancelled"
	NoShow          AppointmentStatus = "no_show"
	ReassignPending AppointmentStatus = "reassign_pending" // the doctor is away; another time is offered
)

// Appointment is a slot that someone has taken, with the consultation that it opens.
type Appointment struct {
	ID             AppointmentID       `json:"id"`
	Status         AppointmentStatus   `json:"status"`
	ConsultationID consultation.ID     `json:"consultationId"`
	DoctorID       rooms.UserID        `json:"doctorId"`
	DoctorName     string              `json:"doctorName"`
	UserID         rooms.UserID        `json:"userId"`
	PatientID      account.PatientID   `json:"patientId"`
	PatientName    string              `json:"patientName"`
	Service        account.ServiceKind `json:"service"`
	Medium         account.Medium      `json:"medium"`
	Complaint      string              `json:"complaint"`
	Start          time.Time           `json:"start"`
	End            time.Time           `json:"end"`
	TimeZone       string              `json:"timeZone"` // of the doctor's schedule
	Price          int64               `json:"price"`
	Currency       string              `json:"currency"`
	CreatedAt      time.Time           `json:"createdAt"`
	UpdatedAt      time.Time           `json:"updatedAt"`
	// Reschedules counts how often the patient has moved it.
	Reschedules int `json:"reschedules"`
	// Sequence counts the changes that calendars must show (RFC 5545, SEQUENCE).
	Sequence int    `json:"sequence"`
	Reason   string `json:"reason,omitempty"`
	// EndedBy says who cancelled, or who did not come.
	EndedBy Party `json:"endedBy,omitempty"`
	// RefundPercent is how much of the price is refunded.
	RefundPercent int `json:"refundPercent"`
	// Offer is another time, while ReassignPending.
	Offer *Offer `json:"offer,omitempty"`
}

// Party is a side of an appointment.
type Party string

// The parties.
const (
	ThePatient Party = "patient"
	TheDoctor  Party = "doctor"
	TheSystem  Party = "system"
)

// Offer is a time that is kept for someone until it expires.
type Offer struct {
	DoctorID   rooms.UserID `json:"doctorId"`
	DoctorName string       `json:"doctorName"`
	Start      time.Time    `json:"start"`
	End        time.Time    `json:"end"`
	ExpiresAt  time.Time    `json:"expiresAt"`
}

// Open reports whether the appointment takes a slot that has not begun.
func (s AppointmentStatus) Open() bool {
	return s == Held || s == Booked || s == CheckedIn || s == ReassignPending
}

// WaitID names a place on a waitlist.
type WaitID string

// WaitStatus is where a place on a waitlist stands.
type WaitStatus string

// The states of a place on a waitlist.
const (
	WaitWaiting WaitStatus = "waiting"
	WaitOffered WaitStatus = "offered"
	WaitTaken   WaitStatus = "taken"
	WaitLeft    WaitStatus = "left"
	WaitClosed  WaitStatus = "closed" // the doctor takes nobody any more
)

func (s WaitStatus) open() bool { return s == WaitWaiting || s == WaitOffered }

// Wait is someone who wants a slot of a doctor, should one become free.
type Wait struct {
	ID        WaitID              `json:"id"`
	Status    WaitStatus          `json:"status"`
	DoctorID  rooms.UserID        `json:"doctorId"`
	UserID    rooms.UserID        `json:"userId"`
	PatientID account.PatientID   `json:"patientId,omitempty"`
	Service   account.ServiceKind `json:"service"`
	Medium    account.Medium      `json:"medium"`
	Complaint string              `json:"complaint"`
	// PriorDiagnosis is what a followup rests on.
	PriorDiagnosis string    `json:"priorDiagnosis,omitempty"`
	From           time.Time `json:"from"`
	To             time.Time `json:"to"`
	CreatedAt      time.Time `json:"createdAt"`
	Offer          *Offer    `json:"offer,omitempty"`
}

// The rules of appointments (domain).
const (
	bookAhead        = 90 * 24 * time.Hour
	reschedulesMost  = 2
	rescheduleBefore = 2 * time.Hour
	checkInBefore    = 15 * time.Minute
	consentWithin    = 24 * time.Hour
	offerWithin      = 30 * time.Minute // for someone on a waitlist
	reassignAhead    = 14 * 24 * time.Hour
)
