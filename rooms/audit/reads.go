package audit

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"wenzhen.example/rooms"
)

// Reads adds who read what to the log. Somebody who reads the same thing over
// and over, as every page of a conversation does, is entered once in noteAgain
// for each session; what is read without a session, as calendars are by programs
// that ask every few minutes, once in noteFeedAgain for each address.
//
// What cannot be entered is not to be shown. There is one exception: while the
// database takes no writes, people in a consultation, though no admin, can go on
// reading. These reads are in the server's log at once, and in this one as soon
// as the database takes writes again (Settle).
type Reads struct {
	write func(context.Context, func(Tx) error) error
	now   func() time.Time
	log   *slog.Logger

	turn chan struct{} // has an element while entries are written

	mu      sync.Mutex
	noted   map[read]time.Time
	owed    []owed // the earliest first
	waiting []*waiting
}

// waiting is an entry whose read is answered once it is written.
type waiting struct {
	read
	owed
	written chan error // has room for one
	gone    bool       // nobody waits any more
}

type read struct {
	user            rooms.UserID
	session         rooms.SessionID
	address         string // where there is no session
	action, subject string
}

// again is how long a read is not entered once more.
func (r read) again() time.Duration {
	if r.session == "" {
		return noteFeedAgain
	}
	return noteAgain
}

// owed is an entry that has yet to be written.
type owed struct {
	actor           rooms.Actor
	at              time.Time
	action, subject string
}

const (
	noteAgain     = time.Hour
	noteFeedAgain = 24 * time.Hour
	notedMost     = 100_000 // past it all is forgotten, and entered again
	owedMost      = 10_000  // past it nothing is shown that cannot be entered
	owedBatch     = 200     // entries of one transaction
)

// NewReads makes a Reads. write runs a function in a transaction.
func NewReads(write func(context.Context, func(Tx) error) error, now func() time.Time, log *slog.Logger) *Reads {
	return &Reads{write: write, now: now, log: log, turn: make(chan struct{}, 1), noted: map[read]time.Time{}}
}

// Note enters that the actor read a subject. It returns once the entry is
// stored, or at once if the log has it. Errors: unavailable; then what was read
// must not be shown.
func (r *Reads) Note(ctx context.Context, actor rooms.Actor, action, subject string) error {
	if err := (LogEntry{Subject: subject}).bounded(); err != nil {
		return err
	}
	o, key := owed{actor, r.now(), action, subject}, read{user: actor.UserID, session: actor.SessionID, action: action, subject: subject}
	if key.session == "" {
		key.address = actor.Address
	}
	if r.known(key, o.at) {
		return nil
	}
	err := r.enter(ctx, key, o)
	if errors.Is(err, rooms.ErrNotWritable) && actor.Role != rooms.RoleAdmin && r.owe(o) {
		r.log.ErrorContext(ctx, "a read is not in the audit log yet, because the database takes no writes",
			"user", actor.UserID, "session", actor.SessionID, "action", action, "subject", subject, "at", o.at)
		err = nil
	}
	if err != nil {
		r.log.ErrorContext(ctx, "a read was refused, because it could not be entered in the audit log", "action", action, "error", err)
		return rooms.Unavailable(err, "this cannot be entered in the audit log now, without which it is not shown; try again later")
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.noted) >= notedMost {
		clear(r.noted)
	}
	r.noted[key] = o.at
	return nil
}

// enter writes an entry. Entries that come while others are being written are
// written together: after a restart everyone reads something at once, and each
// transaction has to wait for the end of the log.
func (r *Reads) enter(ctx context.Context, key read, o owed) error {
	w := &waiting{read: key, owed: o, written: make(chan error, 1)}
	r.mu.Lock()
	r.waiting = append(r.waiting, w)
	r.mu.Unlock()
	defer func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		w.gone = true
	}()
	for ctx.Err() == nil && len(w.written) == 0 {
		select {
		case r.turn <- struct{}{}:
			r.writeWaiting(ctx, w)
		case err := <-w.written:
			return err
		case <-ctx.Done():
		}
	}
	select {
	case err := <-w.written:
		return err
	default:
		return ctx.Err()
	}
}

// writeWaiting writes what waits in one transaction, on behalf of one of those
// who wait, and gives the turn back. Where its context ends meanwhile, another of
// them tries again.
func (r *Reads) writeWaiting(ctx context.Context, by *waiting) {
	defer func() { <-r.turn }()
	if len(by.written) > 0 {
		return
	}
	r.mu.Lock()
	r.waiting = slices.DeleteFunc(r.waiting, func(w *waiting) bool { return w.gone })
	batch := slices.Clone(r.waiting[:min(len(r.waiting), owedBatch)])
	r.waiting = r.waiting[len(batch):]
	r.mu.Unlock()
	entries := distinct(batch)
	err := r.write(ctx, func(tx Tx) error {
		for _, o := range entries {
			if err := o.append(tx); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil && ctx.Err() != nil {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.waiting = append(batch, r.waiting...)
		return
	}
	for _, w := range batch {
		w.written <- err
	}
}

// distinct are the entries of those who wait, one for each read.
func distinct(batch []*waiting) []owed {
	var list []owed
	seen := map[read]bool{}
	for _, w := range batch {
		if !seen[w.read] {
			seen[w.read] = true
			list = append(list, w.owed)
		}
	}
	return list
}

// known reports whether the log has a read already.
func (r *Reads) known(key read, now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	at, known := r.noted[key]
	return known && now.Sub(at) < key.again() && !now.Before(at)
}

// owe keeps an entry for Settle; false if there are too many.
func (r *Reads) owe(o owed) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.owed) >= owedMost {
		return false
	}
	r.owed = append(r.owed, o)
	return true
}

func (o owed) append(tx Tx) error { return Append(tx, o.actor, o.at, o.action, o.subject, nil) }

// Owed is how many entries have yet to be written.
func (r *Reads) Owed() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.owed)
}

// Settle writes the entries that could not be written. Only one call at a time
// may run.
func (r *Reads) Settle(ctx context.Context) error {
	for {
		r.mu.Lock()
		batch := r.owed[:min(len(r.owed), owedBatch)]
		r.mu.Unlock()
		if len(batch) == 0 {
			return nil
		}
		err := r.write(ctx, func(tx Tx) error {
			for _, o := range batch {
				if err := o.append(tx); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		r.mu.Lock()
		r.owed = r.owed[len(batch):]
		r.mu.Unlock()
	}
}
