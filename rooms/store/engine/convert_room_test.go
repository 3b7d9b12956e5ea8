package engine

import (
	"bytes"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"wenzhen.example/rooms/vault"
)

// A conversion begins only where there is room for it.
func TestConversionNeedsRoom(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "wenzhen.db")
	earlier(t, path, 95, `DROP TRIGGER events_copied_insert`, `INSERT INTO events (pos, room, seq, id, name, at, actor_id, data) VALUES (1, 'room:x', 1, 'a', 'test:said', 1, '', '`+strings.Repeat("x", 3<<20)+`')`)
	db, err := connect(path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	v := vault.New(nil)
	convert := func(free int64) error {
		s := &sqliteCopier{conn: conn, path: path, free: func(string) (int64, error) { return free, nil }}
		defer s.close()
		return newConversion(conn, s, &pool{db, v}, v, Options{Log: quiet}).run(t.Context())
	}
	if err := convert(convertSpare); err == nil || !strings.Contains(err.Error(), "259 MB of free disk space") || !strings.Contains(err.Error(), "there are 256 MB") {
		t.Errorf("converted: %v", err)
	}
	var n int
	if err := conn.QueryRowContext(t.Context(), `SELECT count(*) FROM log`).Scan(&n); err != nil || n != 0 {
		t.Errorf("%d events are copied, %v", n, err)
	}
	if err := convert(convertSpare + 4<<20); err != nil {
		t.Error(err)
	}
	if err := conn.QueryRowContext(t.Context(), `SELECT count(*) FROM log`).Scan(&n); err != nil || n != 1 {
		t.Errorf("%d events are copied, %v", n, err)
	}
}

// A line of progress has what is done, how fast, and how long the rest takes.
func TestConversionLogsItsProgress(t *testing.T) {
	t.Parallel()
	var said bytes.Buffer
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	p := progress{now: func() time.Time { return now }}
	p.step(slog.New(slog.NewTextHandler(&said, nil)), "copying", 1000, 100)
	now = now.Add(convertEvery - time.Millisecond)
	p.at(200)
	if said.Len() > 0 {
		t.Errorf("said too early: %s", said.String())
	}
	now = now.Add(time.Millisecond)
	p.at(600)
	for _, want := range []string{`step=copying`, `done="60 %"`, `rate="100 events/s"`, `left=4s`} {
		if !strings.Contains(said.String(), want) {
			t.Errorf("no %s in %s", want, said.String())
		}
	}
}

// A process that reads the old tables when another one drops them is done too.
func TestConversionThatAnotherProcessEnds(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "wenzhen.db")
	earlier(t, path, 95, `DROP TRIGGER events_copied_insert`, `INSERT INTO events (pos, room, seq, id, name, at, actor_id, data) VALUES (1, 'room:x', 1, 'a', 'test:said', 1, '', '{}')`)
	db, err := connect(path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	v := vault.New(nil)
	s := &sqliteCopier{conn: conn, path: path}
	defer s.close()
	c := newConversion(conn, s, &pool{db, v}, v, Options{Log: quiet})
	c.now = func() time.Time { // it has counted the events
		if err := Migrate(t.Context(), Options{Path: path, Log: quiet}); err != nil {
			t.Error(err)
		}
		return time.Now()
	}
	if err := c.run(t.Context()); err != nil {
		t.Error(err)
	}
}
