package server

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
	"wenzhen/rooms/store"
)

// entry is how a command is entered in the audit log.
type entry struct {
	action  string
	subject string // of which kind, or all of it where there is no field
	field   string // of the command's input, that has the subject's id
}

// entries are the commands that are entered after they were carried out. What
// changes something, and what reads a record, is entered by its own feature, in
// the transaction that does it.
var entries = map[string]entry{
	consultation.Join.Name:   {audit.MessageRead, "consultation", "consultationId"},
	consultation.Events.Name: {audit.MessageRead, "consultation", "consultationId"},
	chat.History.Name:        {audit.MessageRead, "consultation", "consultationId"},
	chat.Search.Name:         {audit.MessageRead, "search", ""},
	board.Read.Name:          {audit.MessageRead, "consultation", "consultationId"},
	consultation.Invite.Name: {consultation.Invite.Name, "consultation", "consultationId"},
	account.Users.Name:       {account.Users.Name, "users", ""},
	billing.AllOrders.Name:   {billing.AllOrders.Name, "orders", ""},
	billing.OrderFile.Name:   {billing.OrderFile.Name, "order", "orderId"},
	operations.Rooms.Name:    {operations.Rooms.Name, "rooms", ""},
	operations.Sockets.Name:  {operations.Sockets.Name, "sockets", ""},
}

// reads enters who read what in the audit log.
type reads struct {
	log  *slog.Logger
	note func(ctx context.Context, actor rooms.Actor, action, subject string) error
}

func newReads(db *store.DB, now func() time.Time, log *slog.Logger) *reads {
	return &reads{log, audit.NewReads(store.Audits{DB: db}.Write, now).Note}
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
	return r.enter(ctx, actor, e.action, subject)
}

// enter enters something. People in a consultation can read it while nothing can
// be written, as on a full disk; that it could not be entered is logged then. An
// admin cannot.
func (r *reads) enter(ctx context.Context, actor rooms.Actor, action, subject string) error {
	err := r.note(ctx, actor, action, subject)
	if err == nil || actor.Role == rooms.RoleAdmin {
		return err
	}
	r.log.ErrorContext(ctx, "what was read could not be entered in the audit log", "action", action, "error", err)
	return nil
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
	if err := d.reads.enter(ctx, actor, audit.AttachmentRead, "attachment:"+string(id)); err != nil {
		_ = content.Close()
		return chat.Attachment{}, nil, err
	}
	return a, content, nil
}
