package app

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
	"wenzhen.example/rooms/audit"
	"wenzhen.example/rooms/billing"
	"wenzhen.example/rooms/board"
	"wenzhen.example/rooms/call"
	"wenzhen.example/rooms/chat"
	"wenzhen.example/rooms/consultation"
	"wenzhen.example/rooms/operations"
	"wenzhen.example/rooms/record"
	"wenzhen.example/rooms/schedule"
	auditstore "wenzhen.example/rooms/store/audit"
	"wenzhen.example/rooms/store/engine"
	"wenzhen.example/server/database"
)

// entry is how a command is entered in the audit log.
type entry struct {
	action  string
	subject string // of which kind, or all of it where there is no field
	field   string // of the command's input, that has the subject's id
}

// own is the entry of a command that reads what somebody has themselves: a list
// of their consultations, orders, patients.
func own(command string) entry { return entry{action: command, subject: "user"} }

// entries are the commands that only read, and are entered before their answer
// leaves. What changes something, and what reads a record, is entered by its own
// feature, in the transaction that does it; joining a consultation before the
// connection receives anything.
var entries = map[string]entry{
	consultation.List.Name:            own(consultation.List.Name),
	consultation.Read.Name:            {consultation.Read.Name, "consultation", "consultationId"},
	consultation.ListInvitations.Name: {consultation.ListInvitations.Name, "consultation", "consultationId"},
	call.List.Name:                    own(call.List.Name),
	schedule.Appointments.Name:        own(schedule.Appointments.Name),
	schedule.ReadAppointment.Name:     {schedule.ReadAppointment.Name, "appointment", "appointmentId"},
	schedule.PreviewException.Name:    own(schedule.PreviewException.Name),
	schedule.Waitlist.Name:            own(schedule.Waitlist.Name),
	account.Patients.Name:             own(account.Patients.Name),
	billing.Orders.Name:               own(billing.Orders.Name),
	billing.ReadOrder.Name:            {billing.ReadOrder.Name, "order", "orderId"},
	billing.Income.Name:               own(billing.Income.Name),
	billing.ExportIncome.Name:         own(billing.ExportIncome.Name),
	billing.Reconciliations.Name:      {billing.Reconciliations.Name, "reconciliations", ""},
	billing.Reconcile.Name:            {billing.Reconcile.Name, "reconciliations", ""},
	record.TreatedPatients.Name:       own(record.TreatedPatients.Name),

	consultation.Events.Name: {audit.MessageRead, "consultation", "consultationId"},
	consultation.Cases.Name:  {consultation.Cases.Name, "consultations", ""},
	chat.History.Name:        {audit.MessageRead, "consultation", "consultationId"},
	chat.Search.Name:         {audit.MessageRead, "search", ""},
	board.Read.Name:          {audit.MessageRead, "consultation", "consultationId"},
	account.Users.Name:       {account.Users.Name, "users", ""},
	account.Applicants.Name:  {account.Applicants.Name, "doctors", ""},
	account.LegalHolds.Name:  {account.LegalHolds.Name, "holds", ""},
	audit.List.Name:          {audit.List.Name, "audit", ""},
	record.Pharmacists.Name:  {record.Pharmacists.Name, "pharmacists", ""},
	billing.AllOrders.Name:   {billing.AllOrders.Name, "orders", ""},
	billing.OrderFile.Name:   {billing.OrderFile.Name, "order", "orderId"},
	operations.Rooms.Name:    {operations.Rooms.Name, "rooms", ""},
	operations.Sockets.Name:  {operations.Sockets.Name, "sockets", ""},
}

// reads enters who read what in the audit log.
type reads struct {
	*audit.Reads
	db  *engine.DB
	dir string // the data folder
	log *slog.Logger
}

func newReads(db *engine.DB, dir string, now func() time.Time, log *slog.Logger) *reads {
	return &reads{audit.NewReads(auditstore.Store{DB: db}.InTx, now, log), db, dir, log}
}

// settleEvery is how often it is tried to write entries that could not be written.
const settleEvery = 5 * time.Second

// run writes the entries that could not be written, and those that commands have
// left in the data folder, until ctx ends, and then once more.
func (r *reads) run(ctx context.Context) {
	r.settle(ctx)
	tick := time.NewTicker(settleEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			r.settle(ctx)
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleEvery)
			defer cancel()
			r.settle(last)
			if n := r.Owed(); n > 0 {
				r.log.Error("reads are in this log alone, and not in the audit log", "reads", n)
			}
			return
		}
	}
}

func (r *reads) settle(ctx context.Context) {
	if err := database.EnterPending(ctx, r.db, r.dir); err != nil && ctx.Err() == nil {
		r.log.Error("what a command has done could not be entered in the audit log", "error", err)
	}
	n := r.Owed()
	if n == 0 {
		return
	}
	if err := r.Settle(ctx); err == nil {
		r.log.Info("reads were entered in the audit log that could not be entered before", "reads", n)
	} // it has been logged that the database takes no writes
}

// command implements rooms.Answered.
func (r *reads) command(ctx context.Context, actor rooms.Actor, command string, input json.RawMessage) error {
	e, ok := entries[command]
	if !ok || actor.UserID == "" { // the server itself
		return nil
	}
	subject := e.subject
	if subject == "user" {
		subject += ":" + string(actor.UserID)
	} else if e.field != "" {
		var in map[string]json.RawMessage
		var id string
		if err := json.Unmarshal(input, &in); err != nil {
			return err
		}
		if err := json.Unmarshal(in[e.field], &id); err != nil {
			return err
		}
		subject += ":" + id
	}
	return r.Note(ctx, actor, e.action, subject)
}

// feeds are the calendar feeds, whose readers are entered in the audit log.
type feeds struct {
	schedule.Calendars
	reads *reads
}

// CalendarOwner implements schedule.Calendars.
func (f feeds) CalendarOwner(ctx context.Context, from rooms.Actor, secret string) (account.User, error) {
	user, err := f.Calendars.CalendarOwner(ctx, from, secret)
	if err != nil {
		return user, err
	}
	return user, f.reads.Note(ctx, rooms.Actor{UserID: user.ID, Role: user.Role, Address: from.Address}, schedule.Calendar.Name, "user:"+string(user.ID))
}

// downloads are the attachments, whose readers are entered in the audit log.
type downloads struct {
	*chat.Service
	reads *reads
}

// Open implements rest.Attachments.
func (d downloads) Open(ctx context.Context, actor rooms.Actor, id chat.AttachmentID, thumbnail bool) (chat.Attachment, io.ReadSeekCloser, error) {
	a, content, err := d.Service.Open(ctx, actor, id, thumbnail)
	if err != nil {
		return a, content, err
	}
	if err := d.reads.Note(ctx, actor, audit.AttachmentRead, "attachment:"+string(id)); err != nil {
		_ = content.Close()
		return chat.Attachment{}, nil, err
	}
	return a, content, nil
}
