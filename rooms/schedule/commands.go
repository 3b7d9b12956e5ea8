package schedule

import (
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
	"wenzhen.example/rooms/consultation"
)

// The commands of schedules and appointments.
var (
	ReadSchedule = rooms.Command[rooms.Nothing, Schedule]{Name: "schedule:read", For: rooms.Doctors, Access: rooms.Own,
		Doc: "Read the caller's schedule, with the exceptions that are not over."}
	SaveSchedule = rooms.Command[ScheduleInput, Schedule]{Name: "schedule:save", For: rooms.Doctors, Access: rooms.Own,
		Doc: "Replace the caller's weekly rules. Existing appointments stay. Refused if the rules have changed since " +
			"the version in If-Match."}
	AddException = rooms.Command[ExceptionInput, ExceptionAdded]{Name: "exception:add", For: rooms.Doctors, Access: rooms.Own,
		Doc: "Add time off or extra hours. Patients whose appointment falls into time off are offered another time."}
	RemoveException = rooms.Command[ExceptionRef, rooms.Nothing]{Name: "exception:remove", For: rooms.Doctors, Access: rooms.OwnerOnly,
		Doc: "Remove an exception."}
	PreviewException = rooms.Command[ExceptionInput, Preview]{Name: "exception:preview", For: rooms.Doctors, Access: rooms.Own,
		Doc: "Preview which appointments time off would affect, and what their patients would be offered."}

	Slots = rooms.Command[SlotsInput, SlotList]{Name: "slot:list", For: rooms.Anyone, Access: rooms.Own,
		Rate: rooms.Rate{PerSecond: 20, Burst: 100},
		Doc:  "List a doctor's slots in a range of at most 62 days."}
	Watch = rooms.Command[SlotsInput, SlotList]{Name: "schedule:watch", Namespace: rooms.Schedules, For: rooms.Anyone, Access: rooms.Own,
		Doc: "Subscribe to a doctor's schedule; the answer is its current state."}
	Unwatch = rooms.Command[DoctorRef, rooms.Nothing]{Name: "schedule:unwatch", Namespace: rooms.Schedules, For: rooms.Anyone,
		Access: rooms.Own,
		Doc:    "Unsubscribe from a doctor's schedule."}

	Book = rooms.Command[BookInput, Booking]{Name: "appointment:book", Namespace: rooms.Schedules, For: rooms.Patients,
		Access: rooms.OwnerOnly,
		Rate:   rooms.Rate{PerSecond: 5, Burst: 100},
		Doc:    "Book a slot. Sending the same id and content again returns the first result."}
	Appointments = rooms.Command[AppointmentFilter, AppointmentPage]{Name: "appointment:list", For: rooms.Patients | rooms.Doctors,
		Access: rooms.Own,
		Doc:    "List the caller's appointments by their start."}
	ReadAppointment = rooms.Command[AppointmentRef, Appointment]{Name: "appointment:read", For: rooms.Patients | rooms.Doctors,
		Access: rooms.OwnerOnly,
		Doc:    "Read one of the caller's appointments."}
	Reschedule = rooms.Command[RescheduleInput, Appointment]{Name: "appointment:reschedule", For: rooms.Patients, Access: rooms.OwnerOnly,
		Doc: "Move an appointment to another slot of the doctor: at most twice, until 2 hours before its start. On " +
			"failure the old slot is kept."}
	Cancel = rooms.Command[CancelInput, Appointment]{Name: "appointment:cancel", For: rooms.Patients | rooms.Doctors,
		Access: rooms.OwnerOnly,
		Doc: "Cancel an appointment. The refund is 100 % until 24 hours before the start and 50 % until 2 hours " +
			"before; 100 % if the doctor cancels."}
	CheckIn = rooms.Command[AppointmentRef, Appointment]{Name: "appointment:check-in", For: rooms.Patients, Access: rooms.OwnerOnly,
		Doc: "Check in, from 15 minutes before the start. The patient enters the doctor's queue."}
	AcceptOffer = rooms.Command[AppointmentRef, Appointment]{Name: "appointment:accept", For: rooms.Patients, Access: rooms.OwnerOnly,
		Doc: "Accept the other time that is offered."}
	DeclineOffer = rooms.Command[AppointmentRef, Appointment]{Name: "appointment:decline", For: rooms.Patients, Access: rooms.OwnerOnly,
		Doc: "Decline the other time; the appointment is cancelled with a full refund."}

	JoinWaitlist = rooms.Command[WaitInput, Wait]{Name: "waitlist:join", For: rooms.Patients, Access: rooms.OwnerOnly,
		Doc: "Join a doctor's waitlist for a range of time."}
	Waitlist = rooms.Command[rooms.Nothing, WaitList]{Name: "waitlist:list", For: rooms.Patients, Access: rooms.Own,
		Doc: "List the caller's places on waitlists."}
	LeaveWaitlist = rooms.Command[WaitRef, Wait]{Name: "waitlist:leave", For: rooms.Patients, Access: rooms.OwnerOnly,
		Doc: "Leave a waitlist, or decline the slot that is offered."}
	TakeOffer = rooms.Command[WaitRef, Booking]{Name: "waitlist:accept", For: rooms.Patients, Access: rooms.OwnerOnly,
		Doc: "Accept the slot that is offered."}

	Calendar = rooms.Command[CalendarInput, string]{Name: "calendar:read", For: rooms.Anyone, Access: rooms.Bearer,
		Doc: "Read the appointments of a user as iCalendar (RFC 5545); the address contains the secret."}
)

// What happens.
var (
	AppointmentUpdated = rooms.EventType[Appointment]{Namespace: rooms.Schedules, Name: "appointment:updated", Doc: "The appointment changed; data " +
		"is the whole appointment."}
	WaitUpdated = rooms.EventType[Wait]{Namespace: rooms.Schedules, Name: "waitlist:updated", Doc: "The user's place on a waitlist " +
		"changed: a slot may be offered."}

	SlotUpdated     = rooms.SignalType[SlotChange]{Namespace: rooms.Schedules, Name: "slot:updated", Doc: "A slot was taken or became free."}
	ScheduleUpdated = rooms.SignalType[DoctorRef]{Namespace: rooms.Schedules, Name: "schedule:updated", Doc: "A doctor's rules or exceptions " +
		"changed: fetch the slots again."}
)

// ScheduleInput replaces weekly rules. Version, if given, is the one that was read.
type ScheduleInput struct {
	TimeZone string `json:"timeZone"`
	Rules    []Rule `json:"rules" limit:"..100"`
	Version  *int64 `json:"version,omitempty"` // over REST: If-Match
}

// ExceptionInput takes time off or adds hours.
type ExceptionInput struct {
	Kind        ExceptionKind    `json:"kind"`
	Start       time.Time        `json:"start"`
	End         time.Time        `json:"end"`
	Note        string           `json:"note,omitempty" limit:"..500"`
	SlotMinutes int              `json:"slotMinutes,omitempty" limit:"5..720"`
	Capacity    int              `json:"capacity,omitempty" limit:"1..100"`
	Media       []account.Medium `json:"media,omitempty"`
	// SubstituteID is a doctor to offer at the same time, where there is a slot.
	SubstituteID rooms.UserID `json:"substituteId,omitempty"`
}

// ExceptionAdded is the exception and what became of the appointments in it.
type ExceptionAdded struct {
	Exception Exception     `json:"exception"`
	Affected  []Appointment `json:"affected"`
}

// ExceptionRef names an exception.
type ExceptionRef struct {
	ExceptionID ExceptionID `json:"exceptionId"`
}

// Preview is whose appointments an exception would touch; Offer is what they
// would be offered, none means they would be cancelled.
type Preview struct {
	Affected []Appointment `json:"affected"`
}

// SlotsInput names a doctor and a stretch of time: from now on for 14 days by
// default, at most 62 days.
type SlotsInput struct {
	DoctorID rooms.UserID `json:"doctorId"`
	From     *time.Time   `json:"from,omitempty"`
	To       *time.Time   `json:"to,omitempty"`
}

// SlotList is slots in order, with the zone that the doctor's rules are in.
type SlotList struct {
	Items      []Slot `json:"items"`
	NextCursor string `json:"nextCursor"`
	TimeZone   string `json:"timeZone"`
}

// DoctorRef names a doctor.
type DoctorRef struct {
	DoctorID rooms.UserID `json:"doctorId"`
}

// SlotChange is how many seats of a slot are free now.
type SlotChange struct {
	DoctorID  rooms.UserID `json:"doctorId"`
	Start     time.Time    `json:"start"`
	Available int          `json:"available"`
}

// BookInput takes a slot.
type BookInput struct {
	ID             AppointmentID       `json:"id,omitempty" limit:"id"`
	DoctorID       rooms.UserID        `json:"doctorId"`
	Start          time.Time           `json:"start"`
	Medium         account.Medium      `json:"medium"`
	Service        account.ServiceKind `json:"service"`
	PatientID      account.PatientID   `json:"patientId,omitempty"`
	Complaint      string              `json:"complaint" limit:"..2000"`
	PriorDiagnosis string              `json:"priorDiagnosis,omitempty" limit:"..2000"`
}

// Booking is an appointment with its consultation.
type Booking struct {
	Appointment  Appointment               `json:"appointment"`
	Consultation consultation.Consultation `json:"consultation"`
	// Order is what it costs; none where it is free.
	Order *consultation.Order `json:"order,omitempty"`
}

// AppointmentFilter narrows the caller's appointments to those that end after
// From and start before To. Limit is 1 to 100, 50 by default.
type AppointmentFilter struct {
	From   *time.Time `json:"from,omitempty"`
	To     *time.Time `json:"to,omitempty"`
	Cursor string     `json:"cursor,omitempty"`
	Limit  int        `json:"limit,omitempty" limit:"1..100"`
}

// AppointmentPage is a page of appointments.
type AppointmentPage struct {
	Items      []Appointment `json:"items"`
	NextCursor string        `json:"nextCursor"`
}

// AppointmentRef names an appointment.
type AppointmentRef struct {
	AppointmentID AppointmentID `json:"appointmentId"`
}

// RescheduleInput names another start.
type RescheduleInput struct {
	AppointmentID AppointmentID `json:"appointmentId"`
	Start         time.Time     `json:"start"`
}

// CancelInput says why.
type CancelInput struct {
	AppointmentID AppointmentID `json:"appointmentId"`
	Reason        string        `json:"reason,omitempty" limit:"..2000"`
}

// WaitInput is a booking without a start.
type WaitInput struct {
	DoctorID       rooms.UserID        `json:"doctorId"`
	From           time.Time           `json:"from"`
	To             time.Time           `json:"to"`
	Medium         account.Medium      `json:"medium"`
	Service        account.ServiceKind `json:"service"`
	PatientID      account.PatientID   `json:"patientId,omitempty"`
	Complaint      string              `json:"complaint" limit:"..2000"`
	PriorDiagnosis string              `json:"priorDiagnosis,omitempty" limit:"..2000"`
}

// WaitRef names a place on a waitlist.
type WaitRef struct {
	WaitID WaitID `json:"waitId"`
}

// WaitList is the caller's places, latest first.
type WaitList struct {
	Items      []Wait `json:"items"`
	NextCursor string `json:"nextCursor"`
}

// CalendarInput is the secret part of a calendar's address.
type CalendarInput struct {
	Token string `json:"token"`
}
