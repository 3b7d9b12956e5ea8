// Package services makes the services of the features and connects them: for a
// server (server/app), and for the tests of features (rooms/roomstest).
package services

import (
	"log/slog"
	"time"

	"wenzhen/rooms"
	"wenzhen/rooms/account"
	"wenzhen/rooms/audit"
	"wenzhen/rooms/billing"
	"wenzhen/rooms/board"
	"wenzhen/rooms/call"
	"wenzhen/rooms/chat"
	"wenzhen/rooms/consultation"
	"wenzhen/rooms/lobby"
	"wenzhen/rooms/notification"
	"wenzhen/rooms/record"
	"wenzhen/rooms/schedule"
	"wenzhen/server/payment/sandbox"
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

// Options are the stores, the rules of each feature, and what is outside. What
// connects services with each other is filled in by New.
type Options struct {
	Stores   Stores
	Hub      *rooms.Hub
	Presence *rooms.Presence
	Now      func() time.Time
	Log      *slog.Logger // of billing

	Account  account.Config
	AuditKey []byte
	// Calendars wraps what finds the owner of a calendar feed; nil leaves it as it is.
	Calendars    func(schedule.Calendars) schedule.Calendars
	Consultation consultation.Options
	Chat         chat.Config
	Blobs        chat.Blobs
	Notification notification.Config
	Record       record.Config
	Call         call.Config
	Relay        call.Relay
	Billing      billing.Config
	Sandbox      *sandbox.Gateway // nil where there is no play money
	Lobby        lobby.Config
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
	o.Account.Unwinders = func() []account.Unwinder { return s.unwinders }
	if s.Accounts, err = account.New(o.Account, o.Stores.Accounts, o.Hub, o.Now); err != nil {
		return nil, err
	}
	s.Audits = audit.New(o.Stores.Audits, o.AuditKey, o.Now)
	o.Consultation.Store, o.Consultation.Hub = o.Stores.Consultations, o.Hub
	o.Consultation.Presence, o.Consultation.Now = o.Presence, o.Now
	o.Consultation.Followers = func() []consultation.Follower { return s.followers }
	o.Consultation.Biller = func() consultation.Biller { return s.Billing }
	s.Consultations = consultation.New(o.Consultation)
	s.Chats = chat.New(o.Chat, o.Stores.Chats, o.Blobs, o.Hub, o.Now)
	s.Notifications = notification.New(o.Notification, o.Stores.Notifications, o.Presence, o.Now)
	var calendars schedule.Calendars = s.Accounts
	if o.Calendars != nil {
		calendars = o.Calendars(calendars)
	}
	s.Schedules = schedule.New(o.Stores.Schedules, s.Consultations, calendars, o.Now)
	s.Records = record.New(o.Record, o.Stores.Records, s.Chats, o.Now)
	s.Calls = call.New(o.Call, o.Stores.Calls, s.Chats, o.Relay, o.Hub, o.Now)
	s.Boards = board.New(o.Stores.Boards, o.Hub, o.Now)
	s.Billing = billing.New(o.Billing, o.Stores.Billing, s.Consultations, o.Now, o.Log)
	s.Lobby = lobby.New(o.Lobby, o.Stores.Lobby, o.Presence, o.Hub, o.Now)

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
	return s, nil
}

// Commands are the commands of all features.
func (s *Services) Commands() []rooms.Bound {
	var all []rooms.Bound
	for _, of := range [][]rooms.Bound{
		s.Accounts.Commands(), s.Consultations.Commands(), s.Chats.Commands(), s.Schedules.Commands(), s.Calls.Commands(), s.Boards.Commands(),
		s.Billing.Commands(), s.sandbox.Commands(), s.Notifications.Commands(), s.Records.Commands(), s.Audits.Commands(), s.Lobby.Commands(),
	} {
		all = append(all, of...)
	}
	return all
}

// Timers are the timers of all features but billing, whose timers hand what is due
// to workers of its own.
func (s *Services) Timers() map[string]rooms.Fire {
	return rooms.MergeTimers(s.Accounts.Timers(), s.Chats.Timers(), s.Consultations.Timers(), s.Schedules.Timers(), s.Calls.Timers(),
		s.sandbox.Timers())
}
