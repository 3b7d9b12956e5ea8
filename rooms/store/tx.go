package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"wenzhen/rooms"
)

// Tx is a transaction on the writer's connection; it carries out the Tx
// interfaces of all features.
type Tx struct {
	w       *writer
	pubs    []rooms.Publication
	notices []rooms.Notice
}

func (tx *Tx) exec(query string, args ...any) error { return tx.w.exec(query, args...) }

func (tx *Tx) row(_ context.Context, query string, args ...any) scanner {
	s, err := tx.w.stmt(query)
	if err != nil {
		return failed{err}
	}
	return s.QueryRow(args...)
}

func (tx *Tx) rows(_ context.Context, query string, args ...any) (*sql.Rows, error) {
	s, err := tx.w.stmt(query)
	if err != nil {
		return nil, err
	}
	return s.Query(args...)
}

// Next implements rooms.Tx.
func (tx *Tx) Next(room rooms.RoomID, now time.Time) (rooms.Seq, error) {
	var seq rooms.Seq
	err := tx.row(context.Background(), `INSERT INTO rooms (id, last_seq, last_at) VALUES ($1, 1, $2)
		ON CONFLICT (id) DO UPDATE SET last_seq = rooms.last_seq + 1, last_at = excluded.last_at RETURNING last_seq`, room, micros(now)).Scan(&seq)
	return seq, err
}

// Append implements rooms.Tx.
func (tx *Tx) Append(e rooms.Entry, also ...rooms.RoomID) error {
	err := tx.exec(`INSERT INTO events (room, seq, id, name, at, actor_id, data) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		e.Room, e.Seq, e.ID, e.Name, micros(e.At), e.ActorID, string(e.Data))
	if err == nil {
		tx.pubs = append(tx.pubs, rooms.Publication{Entry: e, Also: also})
	}
	return err
}

// Tell implements rooms.Tx.
func (tx *Tx) Tell(n rooms.Notice) { tx.notices = append(tx.notices, n) }

// LastSeq is the seq of a room's latest event, 0 before the first.
func (tx *Tx) LastSeq(room rooms.RoomID) (rooms.Seq, error) {
	return lastSeq(context.Background(), tx, room)
}

func lastSeq(ctx context.Context, q querier, room rooms.RoomID) (rooms.Seq, error) {
	var seq rooms.Seq
	err := q.row(ctx, `SELECT last_seq FROM rooms WHERE id = $1`, room).Scan(&seq)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return seq, err
}

// SetTimer implements rooms.Tx.
func (tx *Tx) SetTimer(t rooms.Timer) error {
	return tx.exec(`INSERT INTO timers (kind, subject, due_at) VALUES ($1, $2, $3)
		ON CONFLICT (kind, subject) DO UPDATE SET due_at = excluded.due_at, leased_until = 0`, t.Kind, t.Subject, micros(t.Due))
}

// ClearTimer implements rooms.Tx.
func (tx *Tx) ClearTimer(kind, subject string) error {
	return tx.exec(`DELETE FROM timers WHERE kind = $1 AND subject = $2`, kind, subject)
}

// LeaseTimers implements rooms.TimerStore.
func (db *DB) LeaseTimers(ctx context.Context, now time.Time, lease time.Duration, limit int) ([]rooms.Timer, error) {
	const due = `due_at <= $1 AND leased_until <= $1`
	var n int
	if err := db.readers.row(ctx, `SELECT count(*) FROM timers WHERE `+due, micros(now)).Scan(&n); err != nil || n == 0 {
		return nil, err
	}
	var list []rooms.Timer
	err := db.write.do(ctx, func(tx *Tx) (err error) {
		list, err = collect(ctx, tx, func(s scanner) (rooms.Timer, error) {
			var t rooms.Timer
			return t, s.Scan(&t.Kind, &t.Subject, (*at)(&t.Due))
		}, `UPDATE timers SET leased_until = $2 WHERE (kind, subject) IN
			(SELECT kind, subject FROM timers WHERE `+due+` ORDER BY due_at LIMIT $3) RETURNING kind, subject, due_at`,
			micros(now), micros(now.Add(lease)), limit)
		return err
	})
	return list, err
}

// found turns "no row" into the error that features know.
func found(err error, what string) error {
	if errors.Is(err, sql.ErrNoRows) {
		return rooms.NotFound(what)
	}
	return err
}

// micros is how a time is stored.
func micros(t time.Time) int64 { return t.UnixMicro() }

func microsOrNull(t *time.Time) any {
	if t == nil {
		return nil
	}
	return t.UnixMicro()
}

// at scans a stored time.
type at time.Time

// Scan implements sql.Scanner.
func (a *at) Scan(v any) error {
	n, ok := v.(int64)
	if !ok {
		return errors.New("a time is not an integer")
	}
	*a = at(time.UnixMicro(n).UTC())
	return nil
}

// atOrNil scans a stored time that may be missing.
type atOrNil struct{ to **time.Time }

// Scan implements sql.Scanner.
func (a atOrNil) Scan(v any) error {
	if v == nil {
		*a.to = nil
		return nil
	}
	var t at
	if err := t.Scan(v); err != nil {
		return err
	}
	u := time.Time(t)
	*a.to = &u
	return nil
}
