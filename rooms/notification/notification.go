package notification

import (
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
	"wenzhen.example/rooms/consultation"
)

// ID names a notification.
type ID string

// Kind is what a notification is about; preferences are per kind.
type Kind string

// The kinds.
const (
	Messages      Kind = "message"
	Consultations Kind = "consultation"
	Appointments  Kind = "appointment"
	Calls         Kind = "call"
	Diagnoses     Kind = "diagnosis"
	Prescriptions Kind = "prescription"
	Payments      Kind = "payment"
	Accounts      Kind = "account"
)

// Kinds are all kinds, in the order in which they are shown.
func Kinds() []Kind {
	return []Kind{Messages, Calls, Consultations, Appointments, Diagnoses, Prescriptions, Payments, Accounts}
}

// Topic is what exactly has happened; it decides the words.
type Topic string

// The topics, by kind.
const (
	MessageCame Topic = "message"
	VoiceCame   Topic = "message_voice"

	ConsultationRequested  Topic = "consultation_requested"
	ConsultationAccepted   Topic = "consultation_accepted"
	ConsultationDeclined   Topic = "consultation_declined"
	ConsultationCancelled  Topic = "consultation_cancelled"
	ConsultationOnHold     Topic = "consultation_on_hold"
	ConsultationResumed    Topic = "consultation_resumed"
	ConsultationEnded      Topic = "consultation_ended"
	ConsultationTerminated Topic = "consultation_terminated"
	ConsultationExpired    Topic = "consultation_expired"
	ConsultationReopened   Topic = "consultation_reopened"
	ConsultationInvited    Topic = "consultation_invited"
	ConsultationProposed   Topic = "consultation_proposed"
	ConsultationEntered    Topic = "consultation_entered"
	ConsultationClosed     Topic = "consultation_closed"   // by the clinic
	ConsultationFinished   Topic = "consultation_finished" // by the patient
	ConsultationReview     Topic = "consultation_review"   // of the doctor is due
	ConsultationLeft       Topic = "consultation_left"     // by a second doctor who is no longer verified

	AppointmentBooked    Topic = "appointment_booked"
	AppointmentMoved     Topic = "appointment_moved"
	AppointmentCancelled Topic = "appointment_cancelled"
	AppointmentMissed    Topic = "appointment_missed"
	AppointmentUnpaid    Topic = "appointment_unpaid"
	AppointmentCheckedIn Topic = "appointment_checked_in"
	AppointmentOffered   Topic = "appointment_offered"
	WaitlistOffered      Topic = "waitlist_offered"
	WaitlistClosed       Topic = "waitlist_closed"

	CallMissed Topic = "call_missed"

	DiagnosisSigned  Topic = "diagnosis_signed"
	DiagnosisAmended Topic = "diagnosis_amended"
	RecordChanged    Topic = "record_changed"
	RecordEntered    Topic = "record_entered"

	PrescriptionSigned   Topic = "prescription_signed"
	PrescriptionApproved Topic = "prescription_approved"
	PrescriptionRejected Topic = "prescription_rejected"
	PrescriptionVoid     Topic = "prescription_void"

	PaymentReceived     Topic = "payment_received"
	PaymentExpired      Topic = "payment_expired"
	PaymentLate         Topic = "payment_late"
	PaymentTwice        Topic = "payment_twice"
	PaymentRefunded     Topic = "payment_refunded"
	PaymentRefundFailed Topic = "payment_refund_failed"
	PatientRefunded     Topic = "payment_given_back"

	DoctorReviewDue  Topic = "doctor_review_due" // for admins
	DoctorVerified   Topic = "doctor_verified"
	DoctorUnverified Topic = "doctor_unverified"
)

// Notification is an entry of a user's inbox. It names people and times and never
// repeats what was said or found: it may light up on a locked screen.
type Notification struct {
	ID     ID           `json:"id"`
	UserID rooms.UserID `json:"-"`
	Kind   Kind         `json:"kind"`
	Topic  Topic        `json:"topic"`
	// Title and Text are in the recipient's language, times in their zone.
	Title string `json:"title"`
	Text  string `json:"text"`
	// Subject is the title as the subject of a mail: it names nobody, as a name
	// is what its owner likes it to be.
	Subject string `json:"-"`
	// Path is the page of the frontend that it leads to.
	Path           string          `json:"path"`
	ConsultationID consultation.ID `json:"consultationId,omitempty"`
	// Seq is that of the notification:created in the user's own room.
	Seq       rooms.Seq `json:"seq"`
	CreatedAt time.Time `json:"createdAt"`
	// DeliveredAt is when the first device, push service or mail server took it.
	DeliveredAt *time.Time `json:"deliveredAt,omitempty"`
	// SeenAt is when a page that was being looked at showed it.
	SeenAt *time.Time `json:"seenAt,omitempty"`
	// ReadAt is when it was opened, or what it is about was.
	ReadAt *time.Time `json:"readAt,omitempty"`

	// Facts are what the words are made of.
	Facts Facts `json:"-"`
	// Cause is the event that it tells of.
	Cause Cause `json:"-"`
}

// Facts are what the words of a notification are made of.
type Facts struct {
	// Name is the other person's.
	Name string `json:"name,omitempty"`
	// Reason is why an admin looked at a record.
	Reason string `json:"reason,omitempty"`
	// Start is that of an appointment or of an offer.
	Start *time.Time `json:"start,omitempty"`
	// Order and Amount, in minor units of Currency, are those of money.
	Order    consultation.OrderID `json:"order,omitempty"`
	Amount   int64                `json:"amount,omitempty"`
	Currency string               `json:"currency,omitempty"`
	// Consultation and Patient are what it is about, where its event is in no
	// consultation's room.
	Consultation consultation.ID   `json:"consultation,omitempty"`
	Patient      account.PatientID `json:"patient,omitempty"`
}

// Cause is the event that a notification tells of: its id, and its place.
type Cause struct {
	EventID string
	Room    rooms.RoomID
	Seq     rooms.Seq
	// Subject identifies the part of the event that the notification is about, if
	// later events repeat it: a user gets a topic of a subject once. It is empty if
	// the event is about one thing.
	Subject string
}

// Arrived is a notification with how many are unread, this one included.
type Arrived struct {
	Notification
	Unread int `json:"unread"`
}

// Marked says which notifications have been read, and how many are left unread.
// Of two of these or of Arrived, the count of the one with the higher Seq holds.
type Marked struct {
	Seq    rooms.Seq `json:"seq"`
	Unread int       `json:"unread"`
	// IDs are those that have been read just now.
	IDs []ID `json:"ids"`
}
