package app

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/audit"
	"wenzhen.example/rooms/store"
	auditstore "wenzhen.example/rooms/store/audit"
	"wenzhen.example/rooms/store/engine"
	"wenzhen.example/server/database"
)

// A running server follows the whole audit log again and again: an entry in the
// middle that was changed in the database is marked without a request and
// without another entry.
func TestTheLogIsInspectedWhileTheServerRuns(t *testing.T) {
	t.Parallel()
	path, key, quiet := filepath.Join(t.TempDir(), "wenzhen.db"), []byte("a key of 32 characters for tests"), slog.New(slog.DiscardHandler)
	db, err := store.Open(t.Context(), engine.Options{Path: path, Synchronous: "OFF", Now: time.Now, Log: quiet}, nil)
	must(t, err)
	t.Cleanup(func() { must(t, db.Close()) })
	must(t, auditstore.Store{DB: db}.Begin(t.Context(), key, true, audit.Head{}))
	entries := auditstore.Store{DB: db}
	for _, action := range []string{"first:done", "second:done", "third:done"} {
		must(t, entries.InTx(t.Context(), func(tx audit.Tx) error {
			return audit.Append(tx, rooms.Actor{Role: rooms.RoleAdmin}, time.Now().Truncate(time.Microsecond), action, "users", nil)
		}))
	}
	ctx, cancel := context.WithCancel(t.Context())
	ticks, done := make(chan time.Time), make(chan struct{})
	go func() {
		defer close(done)
		inspectAudit(ctx, db, audit.New(audit.Options{Store: entries, Key: key, Now: time.Now}), ticks, quiet)
	}()
	broken := func() int64 {
		ticks <- time.Now()
		ticks <- time.Now() // is taken when the log has been checked
		head, err := entries.AuditHead(t.Context())
		must(t, err)
		return head.BrokenAt
	}
	if at := broken(); at != 0 {
		t.Errorf("the log is broken at %d before anybody has changed it", at)
	}
	attacker, err := sql.Open("sqlite", path)
	must(t, err)
	defer attacker.Close()
	for _, statement := range []string{`DROP TRIGGER audit_fixed`, `UPDATE audit SET action = 'nothing:done' WHERE action = 'second:done'`} {
		_, err := attacker.Exec(statement)
		must(t, err)
	}
	if at := broken(); at == 0 {
		t.Error("an entry that was changed is not noticed")
	}
	cancel()
	<-done
}

// The end of the log is kept outside the database now and then, not with each
// entry, and not where a power cut may undo what is committed. An end that is
// behind the one before is marked without a request and without another entry.
func TestTheEndOfTheLogIsKeptOutside(t *testing.T) {
	t.Parallel()
	key, quiet := []byte("a key of 32 characters for tests"), slog.New(slog.DiscardHandler)
	for _, synced := range []bool{true, false} {
		dir := t.TempDir()
		path := filepath.Join(dir, "wenzhen.db")
		db, err := store.Open(t.Context(), engine.Options{Path: path, Synchronous: "OFF", Now: time.Now, Log: quiet}, nil)
		must(t, err)
		log := auditstore.Store{DB: db}
		must(t, log.Begin(t.Context(), key, true, audit.Head{}))
		enter := func() {
			must(t, log.InTx(t.Context(), func(tx audit.Tx) error {
				return audit.Append(tx, rooms.Actor{Role: rooms.RoleAdmin}, time.Now().Truncate(time.Microsecond), "some:thing", "users", nil)
			}))
		}
		e := &ends{db: db, dir: dir, key: key, synced: synced, now: time.Now, log: quiet}
		tick := func() {
			ticks, done := make(chan time.Time), make(chan struct{})
			go func() {
				defer close(done)
				e.watch(t.Context(), ticks)
			}()
			ticks <- time.Now()
			close(ticks)
			<-done
		}
		kept := func() int64 {
			head, err := database.KeptHead(dir, key)
			must(t, err)
			return head.Num
		}
		enter()
		atOnce := kept()
		tick()
		then := kept()
		enter()
		if again := kept(); atOnce != 0 || (then == 1) != synced || again != then {
			t.Errorf("synced %v: kept are entry %d at once, %d after a tick, %d after another entry", synced, atOnce, then, again)
		}
		attacker, err := sql.Open("sqlite", path)
		must(t, err)
		head, err := log.AuditHead(t.Context())
		must(t, err)
		enter()
		enter()
		for _, statement := range []string{`DROP TRIGGER audit_kept`, `DELETE FROM audit WHERE num > 2`} {
			_, err := attacker.Exec(statement)
			must(t, err)
		}
		_, err = attacker.Exec(`UPDATE audit_head SET num = $1, sha256 = $2, signature = $3`, head.Num, head.SHA256, head.Signature)
		must(t, errors.Join(err, attacker.Close()))
		tick()
		if head, err := log.AuditHead(t.Context()); err != nil || head.BrokenAt != 3 || head.Num != 3 {
			t.Errorf("synced %v: after an older end was put back: %+v, %v", synced, head, err)
		}
		must(t, e.close(context.Background()))
		if n := kept(); n != 3 {
			t.Errorf("synced %v: kept is entry %d after the end", synced, n)
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
