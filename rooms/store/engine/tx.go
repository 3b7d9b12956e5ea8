package engine

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"wenzhen.example/rooms"
)

// txConn is the connection that a transaction runs on. It belongs to the
// transaction, and so does its context.
type txConn interface {
	Querier
	Exec(query string, args ...any) error
	// next takes the next seq of a room.
	next(room rooms.RoomID, now time.Time) (rooms.Seq, error)
	// lastSeq is the latest seq that was taken in a room, 0 before the first.
	lastSeq(room rooms.RoomID) (rooms.Seq, error)
	// claim ends this try if another transaction, which lost too often at what, has
	// it for itself. Otherwise none gets it for itself before this one ends.
	claim(what rooms.RoomID) error
	// TryExec is exec for a statement that may violate a constraint: the
	// transaction goes on after it has failed.
	TryExec(query string, args ...any) error
	// eventInsert is the statement, with its arguments, that writes an event with
	// what this database's way of announcing it needs. m is the message that it is;
	// nil if it is none.
	eventInsert(p rooms.Publication, m *Message) (statement string, args []any, err error)
	// DropWords makes the messages of a consultation found no more.
	DropWords(consultation string) error
}

// Tx is a transaction. Features put their own methods around it.
type Tx struct {
	txConn
	signs   *signs
	hooks   *hooks
	rooms   []rooms.RoomID // in which it has taken a seq
	pubs    []rooms.Publication
	signals []rooms.Signal
	lost    map[rooms.RoomID][]rooms.UserID // and not yet in an event
	ends    auditEnd                        // of the audit log, once it is committed
	message *Message                        // and not yet in an event
}

// Message is what the log keeps of a message beside its event.
type Message struct {
	Seq        rooms.Seq // of the event
	Room       rooms.RoomID
	ID         string
	Sender     rooms.UserID
	ClientID   string
	Attachment string // its id, or empty
	Text       string // by which it is found
}

// AsMessage makes the next event, which is appended to m.Room with m.Seq, a
// message. A transaction that appends none fails.
func (tx *Tx) AsMessage(m Message) error {
	if tx.message != nil {
		return fmt.Errorf("message %s has no event", tx.message.ID)
	}
	tx.message = &m
	return nil
}

// Of is the transaction that a feature's Tx is around.
func Of(tx rooms.Tx) *Tx { return tx.(interface{ engine() *Tx }).engine() }

func (tx *Tx) engine() *Tx { return tx }

// Next implements rooms.Tx.
func (tx *Tx) Next(room rooms.RoomID, now time.Time) (rooms.Seq, error) {
	tx.rooms = append(tx.rooms, room)
	return tx.next(room, now)
}

// Append implements rooms.Tx.
func (tx *Tx) Append(e rooms.Event, also ...rooms.RoomID) error {
	p := rooms.Publication{Event: e, Also: also, Lost: tx.lost[e.Room]}
	var m *Message
	if tx.message != nil && tx.message.Room == e.Room && tx.message.Seq == e.Seq {
		m = tx.message
	}
	statement, args, err := tx.eventInsert(p, m)
	if err == nil {
		err = tx.Exec(statement, args...)
	}
	if err == nil {
		delete(tx.lost, e.Room)
		if m != nil {
			tx.message = nil
		}
		tx.pubs = append(tx.pubs, p)
	}
	return err
}

// Lost implements rooms.Tx.
func (tx *Tx) Lost(room rooms.RoomID, user rooms.UserID) {
	if tx.lost == nil {
		tx.lost = map[rooms.RoomID][]rooms.UserID{}
	}
	tx.lost[room] = append(tx.lost[room], user)
}

// Tell implements rooms.Tx.
func (tx *Tx) Signal(n rooms.Signal) { tx.signals = append(tx.signals, n) }

// SessionEnded is called with each login that the transaction ends.
func (tx *Tx) SessionEnded(id rooms.SessionID) error {
	if tx.hooks.sessionEnded == nil {
		return nil
	}
	return tx.hooks.sessionEnded(tx, id)
}

// LastSeq is the seq of a room's latest event, 0 before the first.
func (tx *Tx) LastSeq(room rooms.RoomID) (rooms.Seq, error) {
	return tx.lastSeq(room)
}

// SetTimer implements rooms.Tx.
func (tx *Tx) SetTimer(t rooms.Timer) error {
	return tx.Exec(`INSERT INTO timers (kind, subject, due_at) VALUES ($1, $2, $3)
		ON CONFLICT (kind, subject) DO UPDATE SET due_at = excluded.due_at, leased_until = 0`, t.Kind, t.Subject, Micros(t.Due))
}

// ClearTimer implements rooms.Tx.
func (tx *Tx) ClearTimer(kind, subject string) error {
	return tx.Exec(`DELETE FROM timers WHERE kind = $1 AND subject = $2`, kind, subject)
}

// LeaseTimers implements rooms.TimerStore.
func (db *DB) LeaseTimers(ctx context.Context, now time.Time, lease time.Duration, limit int) ([]rooms.Timer, error) {
	// A lease that ends later than any may, by clocks that differ a little, was
	// given before the clock was set back.
	const due = `due_at <= $1 AND (leased_until <= $1 OR leased_until > $2)`
	void := Micros(now.Add(2 * lease))
	var n int
	if err := db.readers.Row(ctx, `SELECT count(*) FROM timers WHERE `+due, Micros(now), void).Scan(&n); err != nil || n == 0 {
		return nil, err
	}
	list, err := rooms.InTx(ctx, db.write, func(tx *Tx) ([]rooms.Timer, error) {
		return Collect(context.Background(), tx, func(s Scanner) (rooms.Timer, error) {
			var t rooms.Timer
			return t, s.Scan(&t.Kind, &t.Subject, (*At)(&t.Due))
		}, `UPDATE timers SET leased_until = $4 WHERE (kind, subject) IN
			(SELECT kind, subject FROM timers WHERE `+due+` ORDER BY due_at, kind, subject LIMIT $3) RETURNING kind, subject, due_at`,
			Micros(now), void, limit, Micros(now.Add(lease)))
	})
	slices.SortFunc(list, func(a, b rooms.Timer) int { // RETURNING has no order
		return cmp.Or(a.Due.Compare(b.Due), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Subject, b.Subject))
	})
	return list, err
}

// Found turns "no row" into the error that features know.
func Found(err error, what string) error {
	if errors.Is(err, sql.ErrNoRows) {
		return rooms.NotFound(what)
	}
	return err
}

// Micros is how a time is stored.
func Micros(t time.Time) int64 { return t.UnixMicro() }

func MicrosOrNull(t *time.Time) any {
	if t == nil {
		return nil
	}
	return t.UnixMicro()
}

// At scans a stored time.
type At time.Time

// Scan implements sql.Scanner.
func (a *At) Scan(v any) error {
	n, ok := v.(int64)
	if !ok {
		return errors.New("a time is not an integer")
	}
	*a = At(time.UnixMicro(n).UTC())
	return nil
}

// AtOrNil scans a stored time that may be missing.
func AtOrNil(to **time.Time) sql.Scanner { return atOrNil{to} }

type atOrNil struct{ to **time.Time }

// Scan implements sql.Scanner.
func (a atOrNil) Scan(v any) error {
	if v == nil {
		*a.to = nil
		return nil
	}
	var t At
	if err := t.Scan(v); err != nil {
		return err
	}
	u := time.Time(t)
	*a.to = &u
	return nil
}

// AtOrZero scans a stored time that is 0 where there is none.
type AtOrZero time.Time

// Scan implements sql.Scanner.
func (a *AtOrZero) Scan(v any) error {
	if v == int64(0) {
		*a = AtOrZero{}
		return nil
	}
	return (*At)(a).Scan(v)
}

func MicrosOrZero(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}
