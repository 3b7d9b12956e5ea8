package audit

import (
	"context"
	"sync"
	"time"

	"wenzhen/rooms"
)

// Actions that are not the names of commands.
const (
	LoggedIn       = "auth:login"
	LoginFailed    = "auth:failed"
	MessageRead    = "message:read"
	AttachmentRead = "attachment:read"
	OrderRefunded  = "order:refund"
)

// Reads adds who read what to the log. Somebody who reads the same thing over
// and over, as every page of a conversation does, is entered once in noteAgain
// for each session.
type Reads struct {
	write func(context.Context, func(Tx) error) error
	now   func() time.Time

	mu    sync.Mutex
	noted map[read]time.Time
}

type read struct {
	user            rooms.UserID
	session         rooms.SessionID
	action, subject string
}

const (
	noteAgain = time.Hour
	notedMost = 100_000 // past it all is forgotten, and entered again
)

// NewReads makes a Reads. write runs a function in a transaction.
func NewReads(write func(context.Context, func(Tx) error) error, now func() time.Time) *Reads {
	return &Reads{write: write, now: now, noted: map[read]time.Time{}}
}

// Note enters that the actor did something to a subject. It returns once the
// entry is stored, or at once if the log has it.
func (r *Reads) Note(ctx context.Context, actor rooms.Actor, action, subject string) error {
	now, key := r.now(), read{actor.UserID, actor.SessionID, action, subject}
	r.mu.Lock()
	at, known := r.noted[key]
	r.mu.Unlock()
	if known && now.Sub(at) < noteAgain && !now.Before(at) {
		return nil
	}
	if err := r.write(ctx, func(tx Tx) error { return Append(tx, actor, now, action, subject, nil) }); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.noted) >= notedMost {
		clear(r.noted)
	}
	r.noted[key] = now
	return nil
}
