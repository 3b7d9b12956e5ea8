package engine

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"time"

	"wenzhen.example/rooms/vault"
)

// Snapshot writes what the SQLite database at path holds at one moment to a
// new file, while others write on. The snapshot has everything that was
// committed before the call, and every transaction whole or not at all. It
// fails if there is anything at to. A database that is not there is made, empty.
func Snapshot(ctx context.Context, path, to string) error {
	db, err := connect(path)
	if err != nil {
		return err
	}
	defer db.Close()
	if err := notNewer(ctx, db, "sqlite"); err != nil {
		return err
	}
	if _, err := db.ExecContext(ctx, `VACUUM INTO $1`, to); err != nil {
		return fmt.Errorf("snapshot of %s: %w", path, err)
	}
	return nil
}

// Contents is what a database holds, counted.
type Contents struct {
	Users, Events int64
	// Attachments are the SHA-256 of all files that it names, thumbnails included.
	Attachments []string
	// Encrypted reports whether it has data keys: what people say in it is encrypted.
	Encrypted bool
}

// Inspect examines a SQLite database that nobody writes: its pages and
// indexes (integrity_check), its references (foreign_key_check), and that the
// log of each room has no gap. The error says what is wrong. The file is not
// changed.
func Inspect(ctx context.Context, path string) (Contents, error) {
	var c Contents
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: "mode=ro"}).String())
	if err != nil {
		return c, fmt.Errorf("open %s: %w", path, err)
	}
	defer db.Close()
	r := newReader(db, vault.New(nil)) // what it looks at is not encrypted
	if err := ordinary(ctx, r); err != nil {
		return c, err
	}
	var verdict string
	if err := r.Row(ctx, `PRAGMA integrity_check(1)`).Scan(&verdict); err != nil || verdict != "ok" {
		return c, fmt.Errorf("the database is damaged: %w", orFound(err, verdict))
	}
	var table string
	err = r.Row(ctx, `SELECT "table" FROM pragma_foreign_key_check LIMIT 1`).Scan(&table)
	if !errors.Is(err, sql.ErrNoRows) {
		return c, fmt.Errorf("the database is damaged: %w", orFound(err, "table "+table+" refers to what is not there"))
	}
	logged, err := logIn(ctx, r)
	if err != nil {
		return c, err
	}
	var room string
	err = r.Row(ctx, logged.gap).Scan(&room)
	if !errors.Is(err, sql.ErrNoRows) {
		return c, fmt.Errorf("the database is damaged: %w", orFound(err, "the log of "+room+" has a gap"))
	}
	if err := r.Row(ctx, `SELECT (SELECT count(*) FROM users), (SELECT count(*) FROM `+logged.table+`)`).Scan(&c.Users, &c.Events); err != nil {
		return c, err
	}
	if c.Encrypted, err = hasDataKeys(ctx, r); err != nil {
		return c, err
	}
	c.Attachments, err = Collect(ctx, r, func(s Scanner) (sum string, err error) { return sum, s.Scan(&sum) }, fileSums)
	return c, err
}

// ordinary refuses a schema that makes what reads the tables here, or ends the
// sessions, run for as long as its author likes: a view in the place of a table
// can have rows without end.
func ordinary(ctx context.Context, q Querier) error {
	var kind, name string
	err := q.Row(ctx, `SELECT type, name FROM sqlite_master WHERE type = 'view' OR (type = 'trigger' AND tbl_name = 'sessions')
			OR (type = 'table' AND sql LIKE 'CREATE VIRTUAL%' AND name <> 'message_words') LIMIT 1`).Scan(&kind, &name)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	return fmt.Errorf("the database is damaged: %w", orFound(err, fmt.Sprintf("Wenzhen makes no %s %.100q", kind, name)))
}

// whereLogIs is the table of the log, and the query for a room whose log has a gap.
type whereLogIs struct{ table, gap string }

// logIn is where the log is in a database, which may be from before it was log.
func logIn(ctx context.Context, q Querier) (whereLogIs, error) {
	var earlier int
	err := q.Row(ctx, `SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'events'`).Scan(&earlier)
	if earlier > 0 {
		return whereLogIs{"events", `SELECT room FROM events GROUP BY room HAVING min(seq) <> 1 OR max(seq) <> count(*)
			OR max(seq) < (SELECT last_seq FROM rooms WHERE id = room) LIMIT 1`}, err
	}
	return whereLogIs{"log", `SELECT coalesce(r.id, 'room ' || l.room) FROM log l LEFT JOIN log_rooms r ON r.num = l.room
		GROUP BY l.room HAVING r.id IS NULL OR min(l.seq) <> 1 OR max(l.seq) <> count(*) OR max(l.seq) < r.taken LIMIT 1`}, err
}

// hasDataKeys also looks at databases from before there were any.
func hasDataKeys(ctx context.Context, q Querier) (bool, error) {
	var n int
	if err := q.Row(ctx, `SELECT count(*) FROM sqlite_master WHERE name = 'data_keys'`).Scan(&n); err != nil || n == 0 {
		return false, err
	}
	err := q.Row(ctx, `SELECT count(*) FROM data_keys`).Scan(&n)
	return n > 0, err
}

// EndSessions ends all logins in the SQLite database at path, which nobody has
// open, as of now.
func EndSessions(ctx context.Context, path string, now time.Time) error {
	db, err := connect(path)
	if err != nil {
		return err
	}
	if _, err := db.ExecContext(ctx, `UPDATE sessions SET revoked_at = $1 WHERE revoked_at = 0`, Micros(now)); err != nil {
		return errors.Join(fmt.Errorf("end the logins: %w", err), db.Close())
	}
	_, err = db.ExecContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`)
	return errors.Join(err, db.Close())
}

const fileSums = `SELECT sha256 FROM attachments UNION SELECT thumbnail_sha256 FROM attachments WHERE thumbnail_sha256 <> '' ORDER BY 1`

// Files lists the SHA-256 of the content of all attachments and their thumbnails.
func (db *DB) Files(ctx context.Context) ([]string, error) {
	return Collect(ctx, db.readers, func(s Scanner) (sum string, err error) { return sum, s.Scan(&sum) }, fileSums)
}

// FilesOf lists those of Files whose SHA-256 begins with a prefix.
func (db *DB) FilesOf(ctx context.Context, prefix string) ([]string, error) {
	return Collect(ctx, db.readers, func(s Scanner) (sum string, err error) { return sum, s.Scan(&sum) },
		`SELECT sha256 FROM attachments WHERE sha256 >= $1 AND sha256 < $2
			UNION SELECT thumbnail_sha256 FROM attachments WHERE thumbnail_sha256 >= $1 AND thumbnail_sha256 < $2`,
		prefix, prefix+"g") // which is behind all hexadecimal digits
}

// orFound is err, or what was found instead.
func orFound(err error, found string) error {
	if err != nil {
		return err
	}
	return errors.New(found)
}
