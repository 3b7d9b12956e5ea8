package engine

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"wenzhen.example/rooms"
)

// opened is a database that the test closes itself.
func opened(t *testing.T, opts Options) *DB {
	t.Helper()
	opts.Now, opts.Log = time.Now, quiet
	db, err := Open(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	return db
}

// write commits an event, so that there is something to lose.
func write(t *testing.T, db *DB) {
	t.Helper()
	err := db.write.InTx(t.Context(), func(tx *Tx) error {
		seq, err := tx.Next("lobby", time.Now())
		if err != nil {
			return err
		}
		return tx.Append(rooms.Event{Room: "lobby", Seq: seq, ID: rooms.NewID(time.Now()), Name: "test:written", At: time.Now(), Data: []byte(`{}`)})
	})
	if err != nil {
		t.Fatal(err)
	}
}

// After a clean stop the database file alone is complete (OPS-1, LAN-5).
func TestCleanStopLeavesOneFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "wenzhen.db")
	db := opened(t, Options{Path: path, Synchronous: "FULL"})
	write(t, db)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	for _, beside := range []string{"-wal", "-shm"} {
		if info, err := os.Stat(path + beside); err == nil && info.Size() > 0 {
			t.Errorf("%s has %d bytes", beside, info.Size())
		}
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	alone := filepath.Join(t.TempDir(), "copy.db")
	if err := os.WriteFile(alone, content, 0o600); err != nil {
		t.Fatal(err)
	}
	if c, err := Inspect(t.Context(), alone); err != nil || c.Events != 1 {
		t.Errorf("the copy has %d events, %v", c.Events, err)
	}
}

// The database is for its owner's eyes, whatever the folder's mode (SEC-31).
func TestDatabaseFilesArePrivate(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "wenzhen.db")
	modes := func() {
		t.Helper()
		for _, beside := range []string{"", "-wal", "-shm"} {
			info, err := os.Stat(path + beside)
			if err != nil {
				t.Fatal(err)
			}
			if mode := info.Mode().Perm(); mode != 0o600 {
				t.Errorf("%s has mode %o", filepath.Base(path)+beside, mode)
			}
		}
	}
	db := opened(t, Options{Path: path})
	write(t, db)
	modes()
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o644); err != nil { // as earlier versions left it
		t.Fatal(err)
	}
	db = opened(t, Options{Path: path})
	write(t, db)
	modes()
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

// An older binary refuses a newer database (OPS-4).
func TestNewerDatabaseIsRefused(t *testing.T) {
	both(t, func(t *testing.T, opts Options) {
		db := opened(t, opts)
		if err := db.write.InTx(t.Context(), func(tx *Tx) error {
			return tx.Exec(`INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, TRUE)`)
		}); err != nil {
			t.Fatal(err)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		refused := func(what string, err error) {
			t.Helper()
			if err == nil || !strings.Contains(err.Error(), "newer Wenzhen") {
				t.Errorf("%s: %v", what, err)
			}
		}
		refused("migrate", Migrate(t.Context(), opts))
		again, err := Open(t.Context(), opts)
		if err == nil {
			_ = again.Close()
		}
		refused("open", err)
		if opts.URL == "" {
			refused("snapshot", Snapshot(t.Context(), opts.Path, filepath.Join(t.TempDir(), "copy.db")))
		}
	})
}
