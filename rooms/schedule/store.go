package schedule

import (
	"context"
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
	"wenzhen.example/rooms/consultation"
)

// Store is what schedules need remembered. A thing that is not there is an
// *rooms.Error of code not_found.
type Store interface {
	rooms.Transactions[Tx]
	// In is the transaction of another feature as one of this.
	In(tx rooms.Tx) Tx

	Doctor(ctx context.Context, id rooms.UserID) (account.Doctor, error)
	// Schedule is a doctor's, with the exceptions that end after a time; an
	// empty one of version 0 if none was saved.
	Schedule(ctx context.Context, doctor rooms.UserID, since time.Time) (Schedule, error)
	// Taken are the seats of a doctor that overlap [from, to), by start.
	Taken(ctx context.Context, doctor rooms.UserID, from, to time.Time) ([]Seat, error)
	Appointment(ctx context.Context, id AppointmentID) (Appointment, error)
	Appointments(ctx context.Context, q AppointmentQuery) ([]Appointment, error)
	Waits(ctx context.Context, user rooms.UserID) ([]Wait, error)
	// WaitsWith are the open places on waitlists of user, as patient or as doctor.
	WaitsWith(ctx context.Context, user rooms.UserID) ([]WaitID, error)
	// OffersOf are the appointments for which a time of doctor is offered.
	OffersOf(ctx context.Context, doctor rooms.UserID) ([]AppointmentID, error)
}

// Tx is a transaction over schedules and the consultations that they open.
type Tx interface {
	consultation.Tx
	Schedule(doctor rooms.UserID, since time.Time) (Schedule, error)
	SaveSchedule(Schedule) error
	InsertException(doctor rooms.UserID, e Exception) error
	DeleteException(doctor rooms.UserID, id ExceptionID) (Exception, error)

	Taken(doctor rooms.UserID, from, to time.Time) ([]Seat, error)
	// TakeSeat takes a seat; a conflict if someone has it.
	TakeSeat(Seat) error
	// FreeSeats releases and returns all seats of a holder.
	FreeSeats(holder string) ([]Seat, error)
	HandOverSeats(from, to string) error

	Appointment(id AppointmentID) (Appointment, error)
	AppointmentOf(id consultation.ID) (Appointment, error)
	// OpenAppointments of a doctor that overlap [from, to), by start.
	OpenAppointments(doctor rooms.UserID, from, to time.Time) ([]Appointment, error)
	// PatientsAppointments are those of one patient profile that overlap
	// [from, to) and take that time, by start.
	PatientsAppointments(patient account.PatientID, from, to time.Time) ([]Appointment, error)
	InsertAppointment(Appointment) error
	SaveAppointment(Appointment) error

	Wait(id WaitID) (Wait, error)
	// WaitsFor are who would take a slot of doctor at start, in their order.
	WaitsFor(doctor rooms.UserID, start time.Time) ([]Wait, error)
	// OpenWaits counts the places that a user has on waitlists.
	OpenWaits(user rooms.UserID) (int, error)
	InsertWait(Wait) error
	SaveWait(Wait) error
}

// Seat is a place in a slot that is taken.
type Seat struct {
	DoctorID   rooms.UserID
	Start, End time.Time
	Number     int
	Holder     string
}

// AppointmentQuery is a page of one side's appointments by start.
type AppointmentQuery struct {
	User     rooms.UserID
	AsDoctor bool
	From, To *time.Time
	After    *rooms.Cursor
	Limit    int
}
