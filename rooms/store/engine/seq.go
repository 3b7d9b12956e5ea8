package engine

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"wenzhen.example/rooms"
)

// With SQLite the next seq of a room is known to the one writer: it is one more
// than that of the room's latest event, and no row is updated for it. The table
// log_rooms has a seq only where the log does not show it: in rooms in which
// seqs were taken without an event (the lobby). With PostgreSQL, where several
// nodes write, it has that of every room, and the nodes take turns at its row.

// seqs are the numbers and the latest seqs of rooms as the writer's transaction
// has them.
type seqs map[rooms.RoomID]place

// place is the number of a room, and the latest seq that was taken there.
type place struct {
	num int64
	seq rooms.Seq
}

// mostSeqs bounds how many rooms, and how many people, are remembered.
const mostSeqs = 1 << 16

// bound forgets all of m when it has more than so many. It is called between
// transactions.
func bound[K comparable, V any](m map[K]V, most int) {
	if len(m) > most {
		clear(m)
	}
}

// undo forgets what was remembered of keys by a function that has failed.
func undo[K comparable, V any](m map[K]V, keys []K) {
	for _, k := range keys {
		delete(m, k)
	}
}

// lastSeqSQLite is the seq of the latest event of a room, or the latest that was
// taken there without an event. %s is the room's id.
const lastSeqSQLite = `coalesce((SELECT max(taken, coalesce((SELECT max(seq) FROM log WHERE room = num), 0)) FROM log_rooms WHERE id = %s), 0)`

// lastSeqPostgres is the same where every room has its seq.
const lastSeqPostgres = `coalesce((SELECT taken FROM log_rooms WHERE id = %s), 0)`

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
	p, err := w.place(room)
	if err != nil {
		return 0, err
	}
	p.seq++
	w.seqs[room] = p
	return p.seq, nil
}

// place is the place of a room, which has one from now on.
func (w *writer) place(room rooms.RoomID) (place, error) {
	if p, known := w.seqs[room]; known {
		return p, nil
	}
	var p place
	err := w.Row(context.Background(), `SELECT num, max(taken, coalesce((SELECT max(seq) FROM log WHERE room = num), 0)) FROM log_rooms WHERE id = $1`, room).
		Scan(&p.num, &p.seq)
	if errors.Is(err, sql.ErrNoRows) {
		err = w.Row(context.Background(), `INSERT INTO log_rooms (id) VALUES ($1) RETURNING num`, room).Scan(&p.num)
	}
	return p, err
}

// lastSeq implements session.
func (w *writer) lastSeq(room rooms.RoomID) (rooms.Seq, error) {
	if p, known := w.seqs[room]; known {
		return p.seq, nil
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
		p := w.seqs[room]
		if err := w.Exec(`UPDATE log_rooms SET taken = $2 WHERE num = $1`, p.num, p.seq); err != nil {
			return err
		}
	}
	return nil
}

// person is the number of a user, who has one from now on.
func (w *writer) person(user rooms.UserID) (int64, error) {
	if num, known := w.people[user]; known {
		return num, nil
	}
	var num int64
	err := w.Row(context.Background(), `SELECT num FROM log_people WHERE id = $1`, user).Scan(&num)
	if errors.Is(err, sql.ErrNoRows) {
		if err = w.Row(context.Background(), `INSERT INTO log_people (id) VALUES ($1) RETURNING num`, user).Scan(&num); err == nil {
			w.added = append(w.added, user)
		}
	}
	if err == nil {
		w.people[user] = num
	}
	return num, err
}

// next implements session. Until the transaction ends nobody else can take one.
func (s *postgresTx) next(room rooms.RoomID, _ time.Time) (rooms.Seq, error) {
	var p place
	err := s.Row(s.ctx, `INSERT INTO log_rooms (id, taken) VALUES ($1, 1)
		ON CONFLICT (id) DO UPDATE SET taken = log_rooms.taken + 1 RETURNING num, taken`, room).Scan(&p.num, &p.seq)
	if s.places == nil {
		s.places = seqs{}
	}
	s.places[room] = p
	return p.seq, err
}

// LastSeq implements session.
func (s *postgresTx) lastSeq(room rooms.RoomID) (rooms.Seq, error) { return LastSeq(s.ctx, s, room) }

// person is the number of a user, who has one from now on. Of two transactions
// that give one to the same user, one is tried again.
func (s *postgresTx) person(user rooms.UserID) (int64, error) {
	if num, known := s.people.number(user, s.began); known {
		return num, nil
	}
	if num, added := s.added[user]; added {
		return num, nil
	}
	var num int64
	err := s.Row(s.ctx, `SELECT num FROM log_people WHERE id = $1`, user).Scan(&num)
	if !errors.Is(err, sql.ErrNoRows) {
		if err == nil {
			s.people.add(map[rooms.UserID]int64{user: num})
		}
		return num, err
	}
	// Where another has given it one meanwhile, this is a serialization failure and
	// no violation of the key, because it was looked for before.
	if err = s.Row(s.ctx, `INSERT INTO log_people (id) VALUES ($1) RETURNING num`, user).Scan(&num); err != nil {
		return 0, err
	}
	if s.added == nil {
		s.added = map[rooms.UserID]int64{}
	}
	s.added[user] = num
	return num, nil
}

// people are the numbers of users that are committed in PostgreSQL. A transaction
// uses those that were known when it began: only these it surely sees in the
// database too.
type people struct {
	mu      sync.Mutex
	numbers map[rooms.UserID]known
	latest  int64
}

// known is a number, and how many were known before it.
type known struct{ num, before int64 }

// now is what number is asked for by transactions that begin now.
func (p *people) now() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.latest
}

// number is that of a user, if it was known at a time.
func (p *people) number(user rooms.UserID, at int64) (int64, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	k, is := p.numbers[user]
	return k.num, is && k.before < at
}

// add adds numbers that are committed.
func (p *people) add(numbers map[rooms.UserID]int64) {
	if len(numbers) == 0 {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	bound(p.numbers, mostSeqs)
	for user, num := range numbers {
		if _, is := p.numbers[user]; !is {
			p.numbers[user] = known{num, p.latest}
			p.latest++
		}
	}
}
