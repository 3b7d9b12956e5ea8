// Package services makes the services of the features and connects them: for a
// server (server/app), and for the tests of features (rooms/roomstest).
package services

import (
	"slices"
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
	"wenzhen.example/rooms/audit"
	"wenzhen.example/rooms/billing"
	"wenzhen.example/rooms/board"
	"wenzhen.example/rooms/call"
	"wenzhen.example/rooms/chat"
	"wenzhen.example/rooms/consultation"
	"wenzhen.example/rooms/lobby"
	"wenzhen.example/rooms/notification"
	"wenzhen.example/rooms/record"
	"wenzhen.example/rooms/schedule"
	"wenzhen.example/server/payment/sandbox"
)

// Stores are where each feature keeps its data.
type Stores struct {
	Accounts      account.Store
	Audits        audit.Store
	Consultations consultation.Store
	Chats         chat.Store
	Notifications notification.Store
	Schedules     schedule.Store
	Records       record.Store
	Calls         call.Store
	Boards        board.Store
	Billing       billing.Store
	Lobby         lobby.Store
}

// Options are the stores, the rules of each feature, and what is outside. New
// fills in what connects the services: the stores, hub, presence and clock in the
// options of each, and the services that they call.
type Options struct {
	Stores   Stores
	Hub      *rooms.Hub
	Presence *rooms.Presence
	Now      func() time.Time

	Account account.Options
	Audit   audit.Options
	// Calendars wraps what finds the owner of a calendar feed; nil leaves it as it is.
	Calendars    func(schedule.Calendars) schedule.Calendars
	Consultation consultation.Options
	Chat         chat.Options
	Notification notification.Options
	Record       record.Options
	Call         call.Options
	Billing      billing.Options
	Sandbox      *sandbox.Gateway // nil where there is no play money
	Lobby        lobby.Options
}

// Services are the services of all features.
type Services struct {
	Accounts      *account.Service
	Audits        *audit.Service
	Consultations *consultation.Service
	Chats         *chat.Service
	Notifications *notification.Service
	Schedules     *schedule.Service
	Records       *record.Service
	Calls         *call.Service
	Boards        *board.Service
	Billing       *billing.Service
	Lobby         *lobby.Service

	sandbox   *sandbox.Gateway
	followers []consultation.Follower
	unwinders []account.Unwinder
}

// New makes the services, each after those that it is given. Accounts and
// consultations call services that need them: those are in followers and
// unwinders, which are complete when New returns. It fails for a public URL that
// is none.
func New(o Options) (*Services, error) {
	s := &Services{sandbox: o.Sandbox}
	var err error
	o.Account.Store, o.Account.Hub, o.Account.Now = o.Stores.Accounts, o.Hub, o.Now
	o.Account.Unwinders = func() []account.Unwinder { return s.unwinders }
	o.Account.VerificationObserver = func() account.VerificationObserver { return s.Consultations }
	if s.Accounts, err = account.New(o.Account); err != nil {
		return nil, err
	}
	o.Audit.Store, o.Audit.Now = o.Stores.Audits, o.Now
	s.Audits = audit.New(o.Audit)
	o.Consultation.Store, o.Consultation.Hub = o.Stores.Consultations, o.Hub
	o.Consultation.Presence, o.Consultation.Now = o.Presence, o.Now
	o.Consultation.Followers = func() []consultation.Follower { return s.followers }
	o.Consultation.Biller = func() consultation.Biller { return s.Billing }
	s.Consultations = consultation.New(o.Consultation)
	o.Chat.Store, o.Chat.Hub, o.Chat.Now = o.Stores.Chats, o.Hub, o.Now
	s.Chats = chat.New(o.Chat)
	o.Notification.Store, o.Notification.Presence, o.Notification.Now = o.Stores.Notifications, o.Presence, o.Now
	s.Notifications = notification.New(o.Notification)
	var calendars schedule.Calendars = s.Accounts
	if o.Calendars != nil {
		calendars = o.Calendars(calendars)
	}
	s.Schedules = schedule.New(schedule.Options{Store: o.Stores.Schedules, Consultations: s.Consultations, Calendars: calendars, Now: o.Now})
	o.Record.Store, o.Record.Notes, o.Record.Now = o.Stores.Records, s.Chats, o.Now
	s.Records = record.New(o.Record)
	o.Call.Store, o.Call.Notes, o.Call.Hub, o.Call.Now = o.Stores.Calls, s.Chats, o.Hub, o.Now
	s.Calls = call.New(o.Call)
	s.Boards = board.New(board.Options{Store: o.Stores.Boards, Hub: o.Hub, Now: o.Now})
	o.Billing.Store, o.Billing.Consultations, o.Billing.Now = o.Stores.Billing, s.Consultations, o.Now
	s.Billing = billing.New(o.Billing)
	o.Lobby.Store, o.Lobby.Presence, o.Lobby.Hub, o.Lobby.Now = o.Stores.Lobby, o.Presence, o.Hub, o.Now
	s.Lobby = lobby.New(o.Lobby)
	s.connect()
	return s, nil
}

// connect lists the services that others call.
func (s *Services) connect() {
	// The order in which a transition of a consultation reaches them, in its
	// transaction.
	s.followers = []consultation.Follower{
		s.Schedules, // first: the appointment is booked or ends, and its slot is offered to others
		s.Records,   // a summary becomes a document
		s.Calls,     // a call ends with its consultation
		// Last: the events of an order come after those of the appointment. A
		// payment makes a transition itself, within which billing is called again;
		// that call does nothing, for a paid consultation owes no refund.
		s.Billing,
	}
	// The order in which what a suspended or erased user has open is ended.
	s.unwinders = []account.Unwinder{
		s.Schedules,     // first: appointments to come, which cancel their consultations
		s.Consultations, // what is left
	}
}

// signatures are the commands that count as one.
var signatures = []string{record.SignDiagnosis.Name, record.SignPrescription.Name, record.ApprovePrescription.Name,
	record.RejectPrescription.Name, record.VoidPrescription.Name, consultation.End.Name}

// Guards judge each command, in this order. limit bounds how many commands are
// sent; nil leaves it out. signConfirm is how old the last login or confirmation
// may be for a signature; 0 is any age.
func (s *Services) Guards(limit rooms.Guard, signConfirm time.Duration) []rooms.Guard {
	guards := []rooms.Guard{
		s.Accounts.Alive, // a session that has ended is nothing to confirm
		s.Accounts.ConfirmedWithin(signConfirm, signatures...),
	}
	if limit == nil {
		return guards
	}
	return slices.Insert(guards, 0, limit) // first: it costs nothing, and the others may ask the database
}

// Commands are the commands of all features.
func (s *Services) Commands() []rooms.Handler {
	var all []rooms.Handler
	for _, of := range [][]rooms.Handler{
		s.Accounts.Commands(), s.Consultations.Commands(), s.Chats.Commands(), s.Schedules.Commands(), s.Calls.Commands(), s.Boards.Commands(),
		s.Billing.Commands(), s.sandbox.Commands(), s.Notifications.Commands(), s.Records.Commands(), s.Audits.Commands(), s.Lobby.Commands(),
	} {
		all = append(all, of...)
	}
	return all
}

// Timers are the timers of all features but billing, whose workers are traced
// themselves.
func (s *Services) Timers() map[string]rooms.TimerFunc {
	return rooms.MergeTimers(s.Accounts.Timers(), s.Chats.Timers(), s.Consultations.Timers(), s.Schedules.Timers(), s.Calls.Timers(),
		s.sandbox.Timers())
}
