package engine

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"wenzhen.example/rooms"
)

// A database that takes no writes, as after a failover to a standby, is
// unavailable: what was asked may be asked again, the node is not ready, and
// both end with it.
func TestReadOnlyPostgres(t *testing.T) {
	t.Parallel()
	url := postgresURL(t)
	db, _, _ := open(t, Options{URL: url})
	write := func() error {
		return db.write.InTx(t.Context(), func(tx *Tx) error { return addAttempt(tx, "seat") })
	}
	p := db.write.(*postgres)
	set := func(value string) {
		t.Helper()
		// On the database, for connections that are made from now on; those that are there end.
		for _, statement := range []string{`SET default_transaction_read_only = off`,
			`DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_read_only = ` + value + `', current_database()); END $$`,
			`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`,
			`SELECT pg_terminate_backend(pg_backend_pid())`} {
			_, err := p.writers.ExecContext(t.Context(), statement)
			if err != nil && !strings.HasPrefix(statement, "SELECT") {
				t.Fatal(err)
			}
		}
	}
	becomes := func(what string, holds func() bool) {
		t.Helper()
		for end := time.Now().Add(30 * time.Second); !holds(); time.Sleep(10 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("no result: %s", what)
			}
		}
	}
	if err := db.Ready(t.Context()); err != nil || write() != nil {
		t.Fatalf("it is not ready: %v", err)
	}
	set("on")
	becomes("it is not ready", func() bool {
		err := write()
		if rooms.CodeOf(err) != rooms.CodeUnavailable {
			t.Fatalf("a write: %v", err)
		}
		return rooms.CodeOf(db.Ready(t.Context())) == rooms.CodeUnavailable && p.refuses.Load()
	})
	set("off")
	becomes("it is ready again", func() bool { return db.Ready(t.Context()) == nil })
	if err := write(); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

// What says that the database cannot do it now, rather than that the statement
// is wrong.
func TestUnavailableStates(t *testing.T) {
	t.Parallel()
	for state, want := range map[string]bool{"25006": true, "57P01": true, "57P02": true, "57P03": true, "53100": true, "53200": true, "53300": true,
		"08000": true, "08003": true, "08006": true, "58030": true, "23505": false, "42601": false, "40001": false, "": false} {
		if got := brokenConnection(&pgconn.PgError{Code: state}); got != want {
			t.Errorf("%s is unavailable: %v", state, got)
		}
	}
}

// A read whose deadline passes says so, and does not claim that the database
// cannot be reached.
func TestALateReadIsLate(t *testing.T) {
	t.Parallel()
	db, _, _ := open(t, Options{URL: postgresURL(t)})
	ctx, cancel := context.WithTimeout(t.Context(), 0)
	defer cancel()
	var one int
	err := db.readers.Row(ctx, `SELECT 1`).Scan(&one)
	var said *rooms.Error
	if !errors.As(err, &said) || said.Code != rooms.CodeUnavailable || !said.Retryable || !strings.HasPrefix(said.Message, "the database did not answer in time") {
		t.Errorf("a late read: %v", err)
	}
	if _, err := db.readers.Rows(ctx, `SELECT 1`); !errors.As(err, &said) || !strings.HasPrefix(said.Message, "the database did not answer in time") {
		t.Errorf("a late list: %v", err)
	}
}
