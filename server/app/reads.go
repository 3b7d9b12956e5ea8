package app

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"time"

	"wenzhen/rooms"
	"wenzhen/rooms/account"
	"wenzhen/rooms/audit"
	"wenzhen/rooms/billing"
	"wenzhen/rooms/board"
	"wenzhen/rooms/chat"
	"wenzhen/rooms/consultation"
	"wenzhen/rooms/operations"
	"wenzhen/rooms/record"
	"wenzhen/rooms/store"
)

// entry is how a command is entered in the audit log.
type entry struct {
	action  string
	subject string // of which kind, or all of it where there is no field
	field   string // of the command's input, that has the subject's id
}

// entries are the commands that only read, and are entered before their answer
// leaves. What changes something, and what reads a record, is entered by its own
// feature, in the transaction that does it; joining a consultation before the
// connection hears anything.
var entries = map[string]entry{
	consultation.Events.Name: {audit.MessageRead, "consultation", "consultationId"},
	consultation.Cases.Name:  {consultation.Cases.Name, "consultations", ""},
	chat.History.Name:        {audit.MessageRead, "consultation", "consultationId"},
	chat.Search.Name:         {audit.MessageRead, "search", ""},
	board.Read.Name:          {audit.MessageRead, "consultation", "consultationId"},
	account.Users.Name:       {account.Users.Name, "users", ""},
	account.Applicants.Name:  {account.Applicants.Name, "doctors", ""},
	account.Holds.Name:       {account.Holds.Name, "holds", ""},
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
	log *slog.Logger
}

func newReads(db *store.DB, now func() time.Time, log *slog.Logger) *reads {
	return &reads{audit.NewReads(store.Audits{DB: db}.Write, now, log), log}
}

// settleEvery is how often it is tried to write entries that could not be written.
const settleEvery = 5 * time.Second

// run writes the entries that could not be written, until ctx ends, and then
// once more.
func (r *reads) run(ctx context.Context) {
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
	if e.field != "" {
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
