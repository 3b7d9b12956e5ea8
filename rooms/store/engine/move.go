package engine

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"wenzhen.example/rooms/vault"
)

// Moved is how many rows of each table are in the new database.
type Moved map[string]int64

// Move copies the SQLite database at path into the empty PostgreSQL database
// at url, all of it or nothing, and compares both row by row before it commits.
// Nothing is written to the SQLite database meanwhile, by anybody; afterwards
// it is as it was. Positions in the log are translated, so that what had not
// been read of it (notifications) is still to be read.
//
// U+0000 and bytes that are not UTF-8, which PostgreSQL cannot store in a text,
// become U+FFFD.
//
// A database of an older version is brought up to date first, for which an
// encrypted one needs its master key.
//
// Errors: there is no database at path; url has accounts or events; a
// difference between the two.
func Move(ctx context.Context, path, url string, master vault.Master) (Moved, error) {
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("move: there is no database at %s", path)
	}
	for _, database := range []Options{{Path: path, Master: master}, {URL: url}} {
		if err := Migrate(ctx, database); err != nil {
			return nil, err
		}
	}
	from, err := connect(path)
	if err != nil {
		return nil, err
	}
	defer from.Close()
	source, err := from.BeginTx(ctx, nil) // immediate: it holds off every writer
	if err != nil {
		return nil, fmt.Errorf("move: %w", err)
	}
	defer func() { _ = source.Rollback() }() // nothing was written
	to, err := postgresConfig(url)
	if err != nil {
		return nil, err
	}
	conn, err := pgx.ConnectConfig(ctx, to)
	if err != nil {
		return nil, fmt.Errorf("move: %w", err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	target, err := conn.Begin(ctx)
	if err != nil {
		return nil, fmt.Errorf("move: %w", err)
	}
	defer func() { _ = target.Rollback(context.WithoutCancel(ctx)) }() // after a commit it does nothing
	m := &move{source: source, target: target}
	moved, err := m.run(ctx)
	if err != nil {
		return nil, fmt.Errorf("move: %w", err)
	}
	return moved, target.Commit(ctx)
}

type move struct {
	source *sql.Tx
	target pgx.Tx
	tables []table
}

// table is one that both databases have, with the columns of the SQLite one.
type table struct {
	name    string
	columns []string
	needs   []string // tables that its foreign keys point to
}

func (t table) selection() string { return t.from(t.name) }

// source is the selection in the SQLite database, where the seqs of most rooms
// are not stored but follow from the log (seq.go).
func (t table) source() string {
	if t.name != "log_rooms" {
		return t.selection()
	}
	return t.from(`(SELECT num, id, max(taken, coalesce((SELECT max(seq) FROM log WHERE room = num), 0)) AS taken FROM log_rooms)`)
}

func (t table) from(what string) string {
	return `SELECT ` + strings.Join(t.columns, ", ") + ` FROM ` + what
}

func (m *move) run(ctx context.Context) (Moved, error) {
	var there bool
	if err := m.target.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM users) OR EXISTS (SELECT 1 FROM log)`).Scan(&there); err != nil {
		return nil, err
	}
	if there {
		return nil, errors.New("the PostgreSQL database is not empty")
	}
	var err error
	if m.tables, err = m.list(ctx); err != nil {
		return nil, err
	}
	for _, t := range slices.Backward(m.tables) { // migrations may have left rows
		if _, err := m.target.Exec(ctx, `DELETE FROM `+t.name); err != nil {
			return nil, err
		}
	}
	for _, t := range m.tables {
		if err := m.fill(ctx, t); err != nil {
			return nil, fmt.Errorf("table %s: %w", t.name, err)
		}
	}
	if err := FirstOf(m.numberOn(ctx), m.index(ctx)); err != nil {
		return nil, err
	}
	return m.verify(ctx)
}

// list lists the tables, each after those that it refers to.
func (m *move) list(ctx context.Context) ([]table, error) {
	names, err := strs(ctx, m.source, `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT LIKE 'goose_%'
		AND name NOT LIKE 'message_words%' AND name <> 'unpublished' ORDER BY name`)
	if err != nil {
		return nil, err
	}
	var waiting []table
	for _, name := range names {
		t := table{name: name}
		if t.columns, err = strs(ctx, m.source, `SELECT name FROM pragma_table_info('`+name+`') ORDER BY cid`); err != nil {
			return nil, err
		}
		if t.needs, err = strs(ctx, m.source, `SELECT DISTINCT "table" FROM pragma_foreign_key_list('`+name+`') WHERE "table" <> '`+name+`'`); err != nil {
			return nil, err
		}
		waiting = append(waiting, t)
	}
	var sorted []table
	for len(waiting) > 0 {
		before := len(waiting)
		waiting = slices.DeleteFunc(waiting, func(t table) bool {
			for _, need := range t.needs {
				if !slices.ContainsFunc(sorted, func(done table) bool { return done.name == need }) {
					return false
				}
			}
			sorted = append(sorted, t)
			return true
		})
		if len(waiting) == before {
			return nil, fmt.Errorf("tables refer to each other in a circle, %s among them", waiting[0].name)
		}
	}
	return sorted, nil
}

func strs(ctx context.Context, tx *sql.Tx, query string) ([]string, error) {
	rows, err := tx.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []string
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			return nil, err
		}
		list = append(list, s)
	}
	return list, rows.Err()
}

// fill copies one table. Of the log, what every reader has read is put into
// the past (transaction 0), and the rest into this transaction.
func (m *move) fill(ctx context.Context, t table) error {
	switch t.name {
	case "cursors":
		return m.cursors(ctx, t)
	case "log":
		const read = `(SELECT coalesce(max(pos), 0) FROM cursors WHERE name = '` + NotificationCursor + `')`
		if _, err := m.target.Exec(ctx, `ALTER TABLE log ALTER COLUMN xid SET DEFAULT '0'`); err != nil {
			return err
		}
		if err := m.copy(ctx, t, ` WHERE pos <= `+read); err != nil {
			return err
		}
		if _, err := m.target.Exec(ctx, `ALTER TABLE log ALTER COLUMN xid SET DEFAULT pg_current_xact_id()`); err != nil {
			return err
		}
		return m.copy(ctx, t, ` WHERE pos > `+read)
	default:
		return m.copy(ctx, t, "")
	}
}

// cursors are copied, but for that of SQLite's index of words, and that of the
// log, which begins anew: what has been read lies in transaction 0.
func (m *move) cursors(ctx context.Context, t table) error {
	if err := m.copy(ctx, t, ` WHERE name NOT IN ('search', '`+NotificationCursor+`')`); err != nil {
		return err
	}
	_, err := m.target.Exec(ctx, `INSERT INTO cursors (name, pos) VALUES ($1, 0)`, NotificationCursor)
	return err
}

func (m *move) copy(ctx context.Context, t table, where string) error {
	rows, err := m.source.QueryContext(ctx, t.source()+where)
	if err != nil {
		return err
	}
	defer rows.Close()
	_, err = m.target.CopyFrom(ctx, pgx.Identifier{t.name}, t.columns, &copied{Rows: rows, values: make([]any, len(t.columns))})
	return err
}

// copied reads rows of one database for the other. It implements pgx.CopyFromSource.
type copied struct {
	Rows   *sql.Rows
	values []any
	err    error
}

// Next implements pgx.CopyFromSource.
func (c *copied) Next() bool { return c.err == nil && c.Rows.Next() }

// Values implements pgx.CopyFromSource.
func (c *copied) Values() ([]any, error) {
	to := make([]any, len(c.values))
	for i := range c.values {
		to[i] = &c.values[i]
	}
	if c.err = c.Rows.Scan(to...); c.err == nil {
		for i, v := range c.values {
			if text, ok := v.(string); ok {
				c.values[i] = storable(text)
			}
		}
		_, c.err = postgresArgs(c.values)
	}
	return c.values, c.err
}

// storable replaces by U+FFFD what PostgreSQL cannot store in a text: U+0000 and
// bytes that are not UTF-8. Earlier versions accepted both on SQLite; as part of
// JSON U+0000 is written \u0000, which both can store in a text column.
func storable(text string) string {
	return strings.ToValidUTF8(strings.ReplaceAll(text, "\x00", "\uFFFD"), "\uFFFD")
}

// Err implements pgx.CopyFromSource.
func (c *copied) Err() error { return FirstOf(c.err, c.Rows.Err()) }

// numberOn makes generated numbers go on after those that were copied.
func (m *move) numberOn(ctx context.Context) error {
	_, err := m.target.Exec(ctx, `DO $$ DECLARE c record; BEGIN
		FOR c IN SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = current_schema() AND is_identity = 'YES' LOOP
			EXECUTE format('SELECT setval(pg_get_serial_sequence(%L, %L), (SELECT coalesce(max(%I), 0) + 1 FROM %I), false)', c.table_name, c.column_name, c.column_name, c.table_name);
		END LOOP; END $$`)
	return err
}

// index makes the messages findable.
func (m *move) index(ctx context.Context) error {
	rows, err := m.source.QueryContext(ctx, `SELECT pos, data FROM log WHERE message IS NOT NULL AND data NOT LIKE '`+vault.EncryptedText+`' ORDER BY pos`)
	if err != nil {
		return err
	}
	defer rows.Close()
	const batch = 500
	var nums []int64
	var vectors []string
	flush := func() error {
		_, err := m.target.Exec(ctx, `INSERT INTO message_words (num, words) SELECT num, words::tsvector FROM unnest($1::bigint[], $2::text[]) AS t (num, words)`, nums, vectors)
		nums, vectors = nums[:0], vectors[:0]
		return err
	}
	for rows.Next() {
		l, err := scanLine(rows)
		if err != nil {
			return err
		}
		if v := tsvector(storable(l.text)); v != "" {
			nums, vectors = append(nums, l.num), append(vectors, v)
		}
		if len(nums) == batch {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	return FirstOf(rows.Err(), flush())
}

// verify compares every table: the number of its rows, and what is in them.
func (m *move) verify(ctx context.Context) (Moved, error) {
	moved := Moved{}
	for _, t := range m.tables {
		if t.name == "cursors" {
			continue
		}
		var here, there digest
		rows, err := m.source.QueryContext(ctx, t.source())
		if err != nil {
			return nil, err
		}
		source := &copied{Rows: rows, values: make([]any, len(t.columns))}
		for source.Next() {
			if values, err := source.Values(); err == nil {
				here.add(values)
			}
		}
		if err := FirstOf(source.Err(), rows.Close()); err != nil {
			return nil, err
		}
		copies, err := m.target.Query(ctx, t.selection())
		if err != nil {
			return nil, err
		}
		for copies.Next() {
			values, err := copies.Values()
			if err != nil {
				return nil, err
			}
			there.add(values)
		}
		if err := copies.Err(); err != nil {
			return nil, err
		}
		if here != there {
			return nil, fmt.Errorf("table %s is not the same in both databases (%d and %d rows)", t.name, here.Rows, there.Rows)
		}
		moved[t.name] = here.Rows
	}
	return moved, nil
}

// digest is what rows amount to, in whatever order they come.
type digest struct {
	Rows int64
	sum  [sha256.Size]byte
}

func (d *digest) add(values []any) {
	d.Rows++
	row := sha256.New()
	for _, v := range values {
		if b, ok := v.([]byte); ok {
			v = string(b)
		}
		text := fmt.Sprint(v)
		fmt.Fprintf(row, "%t%d:%s", v == nil, len(text), text)
	}
	var carry uint
	for i, b := range row.Sum(nil) { // a sum, so that two equal rows do not cancel out
		n := uint(d.sum[i]) + uint(b) + carry
		d.sum[i], carry = byte(n), n>>8
	}
}
