package app

import (
	"context"
	"database/sql"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"wenzhen/rooms"
	"wenzhen/rooms/audit"
	"wenzhen/rooms/store"
	auditstore "wenzhen/rooms/store/audit"
	"wenzhen/rooms/store/engine"
)

// A running server follows the whole audit log again and again: an entry in the
// middle that was changed in the database is marked without a request and
// without another entry.
func TestTheLogIsFollowedWhileTheServerRuns(t *testing.T) {
	t.Parallel()
	path, key, quiet := filepath.Join(t.TempDir(), "wenzhen.db"), []byte("a key of 32 characters for tests"), slog.New(slog.DiscardHandler)
	db, err := store.Open(t.Context(), engine.Options{Path: path, Synchronous: "OFF", Now: time.Now, Log: quiet}, nil)
	must(t, err)
	t.Cleanup(func() { must(t, db.Close()) })
	must(t, auditstore.Store{DB: db}.Begin(t.Context(), key, true))
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
		followAudit(ctx, db, audit.New(audit.Options{Store: entries, Key: key, Now: time.Now}), ticks, quiet)
	}()
	broken := func() int64 {
		ticks <- time.Now()
		ticks <- time.Now() // is taken when the log has been followed
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

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
