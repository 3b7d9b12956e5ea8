package engine

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/pressly/goose/v3"

	"wenzhen.example/rooms"
)

// takeSeq takes a seq that no event has, as the lobby does.
func takeSeq(t *testing.T, db *DB, room rooms.RoomID) rooms.Seq {
	t.Helper()
	seq, err := rooms.InTx(t.Context(), db.write, func(tx *Tx) (rooms.Seq, error) { return tx.Next(room, time.Now()) })
	if err != nil {
		t.Fatal(err)
	}
	return seq
}

// Seqs that are taken without an event are not taken again after a restart, and
// are no gap in a backup.
func TestSeqWithoutEvent(t *testing.T) { both(t, testSeqWithoutEvent) }

func testSeqWithoutEvent(t *testing.T, opts Options) {
	db := opened(t, opts)
	for want := rooms.Seq(1); want <= 3; want++ {
		if seq := takeSeq(t, db, "lobby"); seq != want {
			t.Errorf("seq %d, want %d", seq, want)
		}
	}
	if opts.Path != "" {
		copied := filepath.Join(t.TempDir(), "copy.db")
		if err := Snapshot(t.Context(), opts.Path, copied); err != nil {
			t.Fatal(err)
		}
		if _, err := Inspect(t.Context(), copied); err != nil {
			t.Errorf("a backup: %v", err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	db = opened(t, opts)
	defer db.Close()
	if seq := takeSeq(t, db, "lobby"); seq != 4 {
		t.Errorf("seq %d after a restart, want 4", seq)
	}
}

// Where each seq has its event, none is written beside it, whatever else the
// transaction writes.
func TestEventsNeedNoSeqOfTheirRoom(t *testing.T) {
	t.Parallel()
	db := opened(t, Options{Path: filepath.Join(t.TempDir(), "wenzhen.db")})
	defer db.Close()
	err := db.write.InTx(t.Context(), func(tx *Tx) error {
		return errors.Join(tx.QueueForAudit(), // a turn is no room
			say(tx, "room:x", "hello"), say(tx, "room:y", "hello"))
	})
	if err != nil {
		t.Fatal(err)
	}
	var rows int
	if err := db.readers.Row(t.Context(), `SELECT count(*) FROM log_rooms WHERE taken <> 0`).Scan(&rows); err != nil || rows != 0 {
		t.Errorf("%d rooms have a seq (%v), want none", rows, err)
	}
}

// A function that fails releases the seqs that it has taken, whether it is the
// first of its commit, a later one, or fails in a commit with others.
func TestFailedFunctionGivesSeqsBack(t *testing.T) { both(t, testFailedFunctionGivesSeqsBack) }

func testFailedFunctionGivesSeqsBack(t *testing.T, opts Options) {
	db, _, _ := open(t, opts)
	failure := errors.New("failure")
	const room rooms.RoomID = "room:x"
	for range 3 {
		var group sync.WaitGroup
		for i := range 20 {
			group.Go(func() {
				err := db.write.InTx(t.Context(), func(tx *Tx) error {
					err := say(tx, room, "hello")
					if err == nil && i%2 == 0 {
						err = failure
					}
					return err
				})
				if (err != nil) != (i%2 == 0) || err != nil && !errors.Is(err, failure) {
					t.Error(err)
				}
			})
		}
		group.Wait()
		if err := db.write.InTx(t.Context(), func(tx *Tx) error { return errors.Join(say(tx, room, "no"), failure) }); !errors.Is(err, failure) {
			t.Error(err)
		}
	}
	log, last, err := EventsAfter(t.Context(), db.readers, room, 0, 100)
	if err != nil || len(log) != 30 || last != 30 {
		t.Fatalf("%d events up to %d, %v", len(log), last, err)
	}
	for i, e := range log {
		if e.Seq != rooms.Seq(i+1) {
			t.Errorf("event %d has seq %d", i, e.Seq)
		}
	}
	seq, err := rooms.InTx(t.Context(), db.write, func(tx *Tx) (rooms.Seq, error) { return tx.LastSeq(room) })
	if err != nil || seq != 30 {
		t.Errorf("a transaction is at %d, %v", seq, err)
	}
}

// A commit that fails releases the seqs of its functions.
func TestFailedCommitGivesSeqsBack(t *testing.T) {
	t.Parallel()
	db, _, _ := open(t, Options{Path: filepath.Join(t.TempDir(), "x.db"), Synchronous: "OFF"})
	const room rooms.RoomID = "room:x"
	for range 2 {
		if err := db.write.InTx(t.Context(), func(tx *Tx) error { return say(tx, room, "hello") }); err != nil {
			t.Fatal(err)
		}
		err := db.write.InTx(t.Context(), func(tx *Tx) error {
			return errors.Join(say(tx, room, "no"), tx.Exec(`PRAGMA defer_foreign_keys = 1`),
				tx.Exec(`INSERT INTO quick_replies (user_id, replies) VALUES ('nobody', '')`))
		})
		if err == nil {
			t.Fatal("a reference to nobody was committed")
		}
	}
	log, last, err := EventsAfter(t.Context(), db.readers, room, 0, 10)
	if err != nil || len(log) != 2 || last != 2 {
		t.Errorf("%d events up to %d, %v", len(log), last, err)
	}
}

// More rooms than the writer remembers go on where they were.
func TestMoreRoomsThanRemembered(t *testing.T) {
	t.Parallel()
	db := opened(t, Options{Path: filepath.Join(t.TempDir(), "x.db"), Synchronous: "OFF"})
	defer db.Close()
	const most = 10
	w := db.write.(sqliteWrite)
	w.most = most // the writer reads it when a function has come in
	for range 2 {
		for i := range 3 * most {
			err := db.write.InTx(t.Context(), func(tx *Tx) error { return say(tx, rooms.RoomID(fmt.Sprint("room:", i)), "x") })
			if err != nil {
				t.Fatal(err)
			}
			if n := len(w.seqs); n > most+1 {
				t.Fatalf("%d rooms are remembered", n)
			}
		}
	}
	var seqs, rows int
	err := db.readers.Row(t.Context(), `SELECT max(seq), count(*) FROM log`).Scan(&seqs, &rows)
	if err != nil || seqs != 2 || rows != 6*most {
		t.Errorf("seqs up to %d in %d events, %v", seqs, rows, err)
	}
}

// A database of an earlier version, in which every room has a row, goes on where
// it was, and its rooms are the same in PostgreSQL after a move.
func TestSeqsOfAnEarlierVersion(t *testing.T) {
	t.Parallel()
	path, url := filepath.Join(t.TempDir(), "x.db"), postgresURL(t)
	earlier(t, path, 76, `INSERT INTO events (room, seq, id, name, at, actor_id, data) VALUES
			('room:x', 1, 'a', 'thing:said', 10, '', '"a"'), ('room:x', 2, 'b', 'thing:said', 20, '', '"b"'),
			('room:y', 1, 'c', 'thing:said', 30, '', '"c"')`,
		`INSERT INTO rooms (id, last_seq, last_at) VALUES ('room:x', 2, 20), ('room:y', 1, 30), ('lobby', 7, 40)`)
	if err := Migrate(t.Context(), Options{Path: path}); err != nil {
		t.Fatal(err)
	}
	if c, err := Inspect(t.Context(), path); err != nil || c.Events != 3 {
		t.Errorf("%d events, %v", c.Events, err)
	}
	if _, err := Move(t.Context(), path, url, nil); err != nil {
		t.Fatal(err)
	}
	for _, opts := range []Options{{Path: path}, {URL: url}} {
		db := opened(t, opts)
		for room, want := range map[rooms.RoomID]rooms.Seq{"room:x": 3, "room:y": 2, "lobby": 8, "room:new": 1} {
			if seq := takeSeq(t, db, room); seq != want {
				t.Errorf("%s goes on at %d, want %d", room, seq, want)
			}
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}
}

// earlier makes the SQLite database of an earlier version, with what statements write.
func earlier(t *testing.T, path string, version int64, statements ...string) {
	t.Helper()
	db, err := connect(path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	dir, err := fs.Sub(migrations, "migrations/sqlite")
	if err != nil {
		t.Fatal(err)
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, db, dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.UpTo(t.Context(), version); err != nil {
		t.Fatal(err)
	}
	for _, statement := range statements {
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
}
