package engine

import (
	"context"
	"fmt"
	"slices"
	"time"

	"wenzhen/rooms"
)

// With SQLite the next seq of a room is known to the one writer: it is one more
// than that of the room's latest event, and no row is updated for it. The table
// rooms has only what the log does not show: rooms in which seqs were taken
// without an event (the lobby). With PostgreSQL, where several nodes write, the
// table rooms has a row for every room, and the nodes take turns at it.

// seqs are the latest seqs of rooms as the writer's transaction has them.
type seqs map[rooms.RoomID]rooms.Seq

// mostSeqs bounds how many rooms the writer remembers.
const mostSeqs = 1 << 16

// bound forgets all when there are more than so many. It is called between
// transactions.
func (s seqs) bound(most int) {
	if len(s) > most {
		clear(s)
	}
}

// undo forgets the rooms of a function that has failed.
func (s seqs) undo(taken []rooms.RoomID) {
	for _, room := range taken {
		delete(s, room)
	}
}

// lastSeqSQLite is the seq of the latest event of a room, or the latest that was
// taken there without an event. %[1]s is the room's id.
const lastSeqSQLite = `max(coalesce((SELECT max(seq) FROM events WHERE room = %[1]s), 0),
	coalesce((SELECT last_seq FROM rooms WHERE id = %[1]s), 0))`

// lastSeqPostgres is the same where every room has its row.
const lastSeqPostgres = `coalesce((SELECT last_seq FROM rooms WHERE id = %s), 0)`

// LastSeq is the seq of a room's latest event, 0 before the first.
func LastSeq(ctx context.Context, q Querier, room rooms.RoomID) (rooms.Seq, error) {
	var seq rooms.Seq
	err := q.Row(ctx, `SELECT `+q.LastSeqOf("$1"), room).Scan(&seq)
	return seq, err
}

// LastSeqOf implements Querier.
func (*reader) LastSeqOf(room string) string { return fmt.Sprintf(lastSeqSQLite, room) }

// LastSeqOf implements Querier.
func (*writer) LastSeqOf(room string) string { return fmt.Sprintf(lastSeqSQLite, room) }

// LastSeqOf implements Querier.
func (*pool) LastSeqOf(room string) string { return fmt.Sprintf(lastSeqPostgres, room) }

// LastSeqOf implements Querier.
func (*postgresTx) LastSeqOf(room string) string { return fmt.Sprintf(lastSeqPostgres, room) }

// next implements session.
func (w *writer) next(room rooms.RoomID, _ time.Time) (rooms.Seq, error) {
	last, err := w.lastSeq(room)
	if err != nil {
		return 0, err
	}
	w.seqs[room] = last + 1
	return last + 1, nil
}

// lastSeq implements session.
func (w *writer) lastSeq(room rooms.RoomID) (rooms.Seq, error) {
	if last, known := w.seqs[room]; known {
		return last, nil
	}
	return LastSeq(context.Background(), w, room)
}

// keepSeqs writes down, at the end of a function, the seqs that it has taken
// without an event: the log does not show them.
func (w *writer) keepSeqs(tx *Tx) error {
	if len(tx.rooms) == len(tx.pubs) { // each has its event
		return nil
	}
	left := slices.Clone(tx.rooms)
	for _, p := range tx.pubs {
		if i := slices.Index(left, p.Room); i >= 0 {
			left = slices.Delete(left, i, i+1)
		}
	}
	for _, room := range left {
		if room == auditTurn { // a turn, not a room
			continue
		}
		err := w.Exec(`INSERT INTO rooms (id, last_seq, last_at) VALUES ($1, $2, $3)
			ON CONFLICT (id) DO UPDATE SET last_seq = excluded.last_seq, last_at = excluded.last_at`,
			room, w.seqs[room], Micros(w.opts.Now()))
		if err != nil {
			return err
		}
	}
	return nil
}

// next implements session. Until the transaction ends nobody else can take one.
func (s *postgresTx) next(room rooms.RoomID, now time.Time) (rooms.Seq, error) {
	var seq rooms.Seq
	err := s.Row(s.ctx, `INSERT INTO rooms (id, last_seq, last_at) VALUES ($1, 1, $2)
		ON CONFLICT (id) DO UPDATE SET last_seq = rooms.last_seq + 1, last_at = excluded.last_at RETURNING last_seq`,
		room, Micros(now)).Scan(&seq)
	return seq, err
}

// LastSeq implements session.
func (s *postgresTx) lastSeq(room rooms.RoomID) (rooms.Seq, error) { return LastSeq(s.ctx, s, room) }
