package engine

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"wenzhen.example/rooms"
)

// second opens the same database again, as another node does.
func second(t *testing.T, opts Options) (*DB, *published, *rooms.Hub) {
	t.Helper()
	return open(t, Options{URL: opts.URL})
}

func (p *published) in(room rooms.RoomID) []rooms.Publication {
	p.mu.Lock()
	defer p.mu.Unlock()
	var list []rooms.Publication
	for _, e := range p.list {
		if e.Room == room {
			list = append(list, e)
		}
	}
	return list
}

// Two nodes write to the same rooms; each of them publishes every event once
// and in order, with the further rooms that receive it.
func TestEveryNodeAnnouncesEverything(t *testing.T) {
	t.Parallel()
	opts := Options{URL: postgresURL(t)}
	a, receivedA, hubA := open(t, opts)
	b, receivedB, hubB := second(t, opts)
	const each = 60
	var group sync.WaitGroup
	for _, db := range []*DB{a, b} {
		for range 4 {
			group.Go(func() {
				for i := range each {
					room := rooms.RoomID(fmt.Sprint("room:", i%2))
					err := db.write.InTx(t.Context(), func(tx *Tx) error {
						_, err := said.Record(tx, room, rooms.System, time.Now(), []rooms.RoomID{"user:1"}, func(rooms.Seq) (string, error) { return "x", nil })
						return err
					})
					if err != nil {
						t.Error(err)
					}
				}
			})
		}
	}
	group.Wait()
	told(t, a, hubA)
	told(t, b, hubB)
	for node, received := range map[string]*published{"a": receivedA, "b": receivedB} {
		for _, room := range []rooms.RoomID{"room:0", "room:1"} {
			list := received.in(room)
			if len(list) != 4*each {
				t.Errorf("node %s announced %d events of %s, want %d", node, len(list), room, 4*each)
			}
			for i, e := range list {
				if e.Seq != rooms.Seq(i+1) || len(e.Also) != 1 || e.Also[0] != "user:1" {
					t.Fatalf("node %s: event %d of %s is %+v", node, i, room, e)
				}
			}
		}
	}
}

// A transaction that commits after others that began later is announced, and
// found by who reads the log from a position; and nobody waits for it.
func TestLateCommitIsNotSkipped(t *testing.T) {
	t.Parallel()
	opts := Options{URL: postgresURL(t)}
	db, received, hub := open(t, opts)
	began, free := make(chan struct{}), make(chan struct{})
	late := make(chan error, 1)
	go func() {
		late <- db.write.InTx(context.Background(), func(tx *Tx) error {
			err := say(tx, "room:late", "late")
			close(began)
			<-free
			return err
		})
	}()
	<-began
	for range 3 {
		if err := db.write.InTx(t.Context(), func(tx *Tx) error { return say(tx, "room:early", "early") }); err != nil {
			t.Fatal(err)
		}
	}
	told(t, db, hub)
	if n := len(received.in("room:early")); n != 3 {
		t.Errorf("%d events announced while another transaction runs, want 3", n)
	}
	log, err := db.LogAfter(t.Context(), 0, 10)
	if err != nil {
		t.Fatal(err)
	}
	if len(log) != 0 {
		t.Errorf("the log shows %d events past one that may still come in before them", len(log))
	}
	close(free)
	if err := <-late; err != nil {
		t.Fatal(err)
	}
	told(t, db, hub)
	if n, m := len(received.in("room:late")), len(received.in("room:early")); n != 1 || m != 3 {
		t.Errorf("announced %d late and %d early events, want 1 and 3", n, m)
	}
	var seen []rooms.RoomID
	// Transactions of other tests, in other databases of the server, hold the
	// position back too while they run.
	pos, end := int64(0), time.Now().Add(time.Minute)
	for len(seen) < 4 && time.Now().Before(end) {
		page, err := db.LogAfter(t.Context(), pos, 1)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			time.Sleep(time.Millisecond)
			continue
		}
		for _, e := range page {
			seen = append(seen, e.Room)
		}
		pos = page[len(page)-1].Pos
	}
	slices.Sort(seen)
	if want := []rooms.RoomID{"room:early", "room:early", "room:early", "room:late"}; !slices.Equal(seen, want) {
		t.Errorf("read from the log: %v, want %v", seen, want)
	}
	if page, err := db.LogAfter(t.Context(), pos, 1); err != nil || len(page) > 0 {
		t.Errorf("the log goes on with %v, %v", page, err)
	}
}

// Functions that read what others write at the same time are run again until
// it is as if they had run one after the other.
func TestConcurrentFunctionsAreAsIfAlone(t *testing.T) { both(t, testConcurrentFunctions) }

func testConcurrentFunctions(t *testing.T, opts Options) {
	db, _, _ := open(t, opts)
	const most, tries = 10, 40
	var taken, refused atomic.Int64
	var group sync.WaitGroup
	full := errors.New("full")
	for range tries {
		group.Go(func() {
			err := db.write.InTx(t.Context(), func(tx *Tx) error {
				var n int
				err := tx.Row(context.Background(), `SELECT count(*) FROM attempts WHERE subject = 'seat' AND at > 0`).Scan(&n)
				if err != nil {
					return err
				}
				if n >= most {
					return full
				}
				return addAttempt(tx, "seat")
			})
			switch {
			case err == nil:
				taken.Add(1)
			case errors.Is(err, full):
				refused.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	group.Wait()
	if taken.Load() != most || refused.Load() != tries-most {
		t.Errorf("%d taken and %d refused, want %d and %d", taken.Load(), refused.Load(), most, tries-most)
	}
}

// A statement that a constraint refuses leaves the transaction usable.
func TestRefusedStatementLeavesTheTransaction(t *testing.T) { both(t, testRefusedStatement) }

func testRefusedStatement(t *testing.T, opts Options) {
	db, _, _ := open(t, opts)
	err := db.write.InTx(t.Context(), func(tx *Tx) error {
		const insert = `INSERT INTO cursors (name, pos) VALUES ('x', 1)`
		if err := tx.TryExec(insert); err != nil {
			return err
		}
		if err := tx.TryExec(insert); !UniqueViolation(err) {
			return fmt.Errorf("the second time: %w", err)
		}
		return tx.Exec(`UPDATE cursors SET pos = 2 WHERE name = 'x'`)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Of two nodes one does what only one may do; when it has ended, or its
// connection has, the other may.
func TestLockIsHeldByOneNode(t *testing.T) {
	t.Parallel()
	opts := Options{URL: postgresURL(t)}
	a, _, _ := open(t, opts)
	b, _, _ := second(t, opts)
	begun, lost := make(chan struct{}), make(chan error, 1)
	go func() {
		lost <- a.Alone(t.Context(), "work", func(ctx context.Context) error {
			close(begun)
			<-ctx.Done()
			return ctx.Err()
		})
	}()
	<-begun
	err := b.Alone(t.Context(), "work", func(context.Context) error { return errors.New("both work") })
	if err != nil {
		t.Fatal(err)
	}
	// The connection of the holder ends, as if its node had.
	var ended bool
	err = b.write.(*postgres).writers.QueryRow(`SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted
		AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) LIMIT 1`).Scan(&ended)
	if err != nil || !ended {
		t.Fatal(ended, err)
	}
	if err := <-lost; !errors.Is(err, context.Canceled) {
		t.Errorf("the holder ended with %v", err)
	}
	worked := false
	for !worked {
		if err := b.Alone(t.Context(), "work", func(context.Context) error { worked = true; return nil }); err != nil {
			t.Fatal(err)
		}
	}
}

// What PostgreSQL cannot keep is refused by name rather than failing inside.
func TestTextWithNUL(t *testing.T) {
	t.Parallel()
	db, _, _ := open(t, Options{URL: postgresURL(t)})
	err := db.write.InTx(t.Context(), func(tx *Tx) error { return addAttempt(tx, "a\x00b") })
	if rooms.CodeOf(err) != rooms.CodeInvalid {
		t.Errorf("a NUL: %v", err)
	}
}

// A connection that ends costs a command at most, and the node goes on.
func TestStoreOutlivesItsConnections(t *testing.T) {
	t.Parallel()
	opts := Options{URL: postgresURL(t)}
	a, received, hub := open(t, opts)
	b, _, _ := second(t, opts)
	if err := a.write.InTx(t.Context(), func(tx *Tx) error { return say(tx, "room:1", "before") }); err != nil {
		t.Fatal(err)
	}
	if _, err := b.write.(*postgres).writers.Exec(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
		WHERE datname = current_database() AND pid <> pg_backend_pid()`); err != nil {
		t.Fatal(err)
	}
	for said := false; !said; {
		err := a.write.InTx(t.Context(), func(tx *Tx) error { return say(tx, "room:1", "after") })
		if err != nil && rooms.CodeOf(err) != rooms.CodeUnavailable {
			t.Fatal(err)
		}
		said = err == nil
	}
	told(t, a, hub)
	list := received.in("room:1")
	for i, e := range list {
		if e.Seq != rooms.Seq(i+1) {
			t.Errorf("announced %d as number %d", e.Seq, i+1)
		}
	}
	if len(list) != 2 {
		t.Errorf("%d events announced, want 2", len(list))
	}
}

// What is typed becomes the same words as what was said.
func TestWordsOfPostgres(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"": "", "?!": "", "头痛，Café it's": `'头':1 '痛':2 'cafe':3 'it':4 's':5`,
		"at 95mmHg": `'at':1 '95mmhg':2 '95':2 'mmhg':2`,
	} {
		if got := tsvector(text); got != want {
			t.Errorf("%q becomes %s, want %s", text, got, want)
		}
	}
	for typed, want := range map[string]string{
		"": "", "' & |": "", "头痛": `'头' & '痛'`, "head ache": `'head' & 'ache':*`, strings.Repeat("汉", 200): `'汉'`,
	} {
		if got := tsquery(typed); got != want {
			t.Errorf("%q asks for %s, want %s", typed, got, want)
		}
	}
}

// Both folders have the same migrations.
func TestMigrationsOfBoth(t *testing.T) {
	t.Parallel()
	names := map[string][]string{}
	for _, dialect := range []string{"sqlite", "postgres"} {
		list, err := migrations.ReadDir("migrations/" + dialect)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range list {
			names[dialect] = append(names[dialect], filepath.Base(f.Name()))
		}
	}
	if !slices.Equal(names["sqlite"], names["postgres"]) {
		t.Errorf("the migrations differ:\nsqlite   %v\npostgres %v", names["sqlite"], names["postgres"])
	}
}

// A statement that finds no index has no price that means anything, and would
// be compiled for half a second each time.
func TestNoStatementIsCompiled(t *testing.T) {
	t.Parallel()
	db, _, _ := open(t, Options{URL: postgresURL(t)})
	var setting string
	if err := db.write.InTx(t.Context(), func(tx *Tx) error { return tx.Row(t.Context(), `SHOW jit`).Scan(&setting) }); err != nil || setting != "off" {
		t.Errorf("writers have jit %q, %v", setting, err)
	}
	if err := db.readers.Row(t.Context(), `SHOW jit`).Scan(&setting); err != nil || setting != "off" {
		t.Errorf("readers have jit %q, %v", setting, err)
	}
}

// addAttempt writes a row that refers to nothing.
func addAttempt(tx *Tx, subject string) error {
	return tx.Exec(`INSERT INTO attempts (subject, at) VALUES ($1, $2)`, subject, Micros(time.Now()))
}
