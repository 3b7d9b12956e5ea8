package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
	"wenzhen.example/rooms/roomstest/sidecar"
)

type published struct {
	mu   sync.Mutex
	list []rooms.Publication
	ends []int // how many publications there were when sessions ended
}

func (p *published) Published(e rooms.Publication) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.list = append(p.list, e)
}
func (p *published) Signalled(n rooms.Signal) {
	if n.EndsSession() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.ends = append(p.ends, len(p.list))
	}
}

// both runs a test on either database.
func both(t *testing.T, test func(t *testing.T, opts Options)) {
	t.Parallel()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		test(t, Options{Path: filepath.Join(t.TempDir(), "it's a test?.db"), Synchronous: "OFF"})
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		test(t, Options{URL: postgresURL(t)})
	})
}

// postgresURL is a database of the test's own.
func postgresURL(t testing.TB) string {
	t.Helper()
	return sidecar.Postgres(t).Database(t, migratePostgres)
}

func open(t *testing.T, opts Options) (*DB, *published, *rooms.Hub) {
	t.Helper()
	hub, received := rooms.NewHub(rooms.HubOptions{Depth: 16}), &published{}
	hub.Listen(received)
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		hub.Run(ctx)
	}()
	opts.Hub, opts.Now, opts.Log = hub, time.Now, quiet
	opts.Revoked = func(tx rooms.Tx, id rooms.SessionID) {
		account.SessionRevoked.After(tx, rooms.SessionRoom(id), account.SessionInput{SessionID: id})
	}
	db, err := Open(ctx, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
		stop()
		<-done
	})
	return db, received, hub
}

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

// told waits until the listeners have received what was committed.
func told(t *testing.T, db *DB, hub *rooms.Hub) {
	t.Helper()
	if err := FirstOf(db.Announced(t.Context()), hub.Flush(t.Context())); err != nil {
		t.Fatal(err)
	}
}

var said = rooms.EventType[string]{Name: "thing:said"}

func say(tx *Tx, room rooms.RoomID, what string) error {
	_, err := said.Record(tx, room, rooms.System, time.Now(), nil, func(rooms.Seq) (string, error) { return what, nil })
	return err
}

// Many writers at once, some of which fail halfway: every room's log is 1..n
// without a gap, holds what was answered and nothing else, and was published
// in that order.
func TestLogHasNoGap(t *testing.T) { both(t, testLogHasNoGap) }

func testLogHasNoGap(t *testing.T, opts Options) {
	db, received, hub := open(t, opts)
	const writers, each = 20, 50
	kept := make([]map[string]bool, 3)
	var mu sync.Mutex
	for i := range kept {
		kept[i] = map[string]bool{}
	}
	var group sync.WaitGroup
	for i := range writers {
		group.Go(func() {
			for j := range each {
				n := (i + j) % len(kept)
				what := fmt.Sprintf("%d-%d", i, j)
				err := db.write.InTx(context.Background(), func(tx *Tx) error {
					if err := say(tx, rooms.RoomID(fmt.Sprint("room:", n)), what); err != nil {
						return err
					}
					if j%7 == 0 {
						return errors.New("changed my mind")
					}
					if j%11 == 0 {
						panic("a mistake")
					}
					return nil
				})
				if err == nil {
					mu.Lock()
					kept[n][`"`+what+`"`] = true
					mu.Unlock()
				}
			}
		})
	}
	group.Wait()
	told(t, db, hub)
	for n := range kept {
		room := rooms.RoomID(fmt.Sprint("room:", n))
		log, last, err := EventsAfter(t.Context(), db.readers, room, 0, 10_000)
		if err != nil {
			t.Fatal(err)
		}
		if len(log) != len(kept[n]) || last != rooms.Seq(len(log)) {
			t.Errorf("%s has %d events up to %d, %d were answered", room, len(log), last, len(kept[n]))
		}
		var told []rooms.Publication
		for _, p := range received.list {
			if p.Room == room {
				told = append(told, p)
			}
		}
		for i, e := range log {
			if e.Seq != rooms.Seq(i+1) || !kept[n][string(e.Data)] {
				t.Fatalf("%s: event %d has seq %d and says %s", room, i, e.Seq, e.Data)
			}
			if told[i].Seq != e.Seq {
				t.Fatalf("%s: published %d as number %d", room, told[i].Seq, i)
			}
		}
	}
}

// A caller whose time is up before its turn is not written behind its back.
func TestNotWrittenAfterGivingUp(t *testing.T) {
	t.Parallel()
	db, _, _ := open(t, Options{Path: filepath.Join(t.TempDir(), "x.db"), Synchronous: "OFF"})
	started, free := make(chan struct{}), make(chan struct{})
	first := make(chan error, 1)
	go func() {
		first <- db.write.InTx(context.Background(), func(*Tx) error {
			close(started)
			<-free
			return nil
		})
	}()
	<-started
	ctx, cancel := context.WithCancel(context.Background())
	second := make(chan error, 1)
	ran := false
	go func() {
		second <- db.write.InTx(ctx, func(*Tx) error {
			ran = true
			return nil
		})
	}()
	cancel()
	if err := <-second; rooms.CodeOf(err) != rooms.CodeUnavailable {
		t.Errorf("gave up with %v", err)
	}
	close(free)
	if err := <-first; err != nil {
		t.Fatal(err)
	}
	if err := db.write.InTx(context.Background(), func(*Tx) error { return nil }); err != nil {
		t.Fatal(err)
	}
	if ran {
		t.Error("the function ran although its caller had given up")
	}
}

func TestClosedStoreRefuses(t *testing.T) { both(t, testClosedStoreRefuses) }

func testClosedStoreRefuses(t *testing.T, opts Options) {
	opts.Now = time.Now
	db, err := Open(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if err := db.write.InTx(t.Context(), func(*Tx) error { return nil }); rooms.CodeOf(err) != rooms.CodeUnavailable {
		t.Errorf("writing to a closed store: %v", err)
	}
}

func TestTimersAreLeasedOnce(t *testing.T) { both(t, testTimersAreLentOnce) }

func testTimersAreLentOnce(t *testing.T, opts Options) {
	db, _, _ := open(t, opts)
	now := time.Now().Truncate(time.Microsecond).UTC()
	err := db.write.InTx(t.Context(), func(tx *Tx) error {
		return FirstOf(tx.SetTimer(rooms.Timer{Kind: "a", Subject: "1", Due: now}),
			tx.SetTimer(rooms.Timer{Kind: "a", Subject: "2", Due: now.Add(time.Second)}),
			tx.SetTimer(rooms.Timer{Kind: "a", Subject: "1", Due: now.Add(-time.Second)}))
	})
	if err != nil {
		t.Fatal(err)
	}
	lease := func(at time.Time) []rooms.Timer {
		list, err := db.LeaseTimers(t.Context(), at, time.Minute, 10)
		if err != nil {
			t.Fatal(err)
		}
		return list
	}
	if got := lease(now); len(got) != 1 || got[0].Subject != "1" || !got[0].Due.Equal(now.Add(-time.Second)) {
		t.Errorf("due now: %+v", got)
	}
	if got := lease(now); len(got) != 0 {
		t.Errorf("lent twice: %+v", got)
	}
	if got := lease(now.Add(time.Minute)); len(got) != 2 {
		t.Errorf("after the lease, %+v; want both", got)
	}
	// A clock that went wrong and was set back leaves no lease for an hour.
	if got := lease(now.Add(time.Hour)); len(got) != 2 {
		t.Errorf("an hour later, %+v; want both", got)
	}
	if got := lease(now.Add(2 * time.Second)); len(got) != 2 {
		t.Errorf("with the clock set back, %+v; want both", got)
	}
	if got := lease(now.Add(2 * time.Second)); len(got) != 0 {
		t.Errorf("lent twice: %+v", got)
	}
}

// What a search index is made of.
func TestTerms(t *testing.T) {
	t.Parallel()
	for typed, want := range map[string]string{
		"": "", "  ": "", "?!": "", "头痛": `"头" "痛"`, `a "b`: `"a" "b"*`, "x头y": `"x" "头" "y"*`, "it's Café": `"it" "s" "Café"*`,
		"head head": `"head"`, strings.Repeat("汉", 200): `"汉"`, strings.Repeat("汉字 ", 60): `"汉" "字"`,
		"0 1 2 3 4 5 6 7 8 9 a b c d e f g": `"0" "1" "2" "3" "4" "5" "6" "7" "8" "9" "a" "b" "c" "d" "e" "f"`,
	} {
		if got := ftsQuery(typed); got != want {
			t.Errorf("%q becomes %q, want %q", typed, got, want)
		}
	}
}
