package engine

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"syscall"

	"wenzhen.example/rooms/vault"
)

// upgradeSQLite brings the database at opts.Path up to date.
func upgradeSQLite(ctx context.Context, opts Options) error {
	if err := migrateSQLite(ctx, opts.Path); err != nil {
		return err
	}
	return convertSQLite(ctx, opts)
}

// convertSQLite converts the database at opts.Path, if it is one of an older
// version.
func convertSQLite(ctx context.Context, opts Options) error {
	// What is lost in a power cut is done again.
	db, err := connect(opts.Path, "synchronous(NORMAL)", "cache_size(-65536)")
	if err != nil {
		return err
	}
	defer db.Close()
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	v := vault.New(opts.Master)
	s := &sqliteCopier{conn: conn, path: opts.Path}
	defer s.close()
	if err := newConversion(conn, s, &pool{db, v}, v, opts).run(ctx); err != nil {
		return fmt.Errorf("convert %s: %w", opts.Path, err)
	}
	return nil
}

// sqliteCopier implements copier.
type sqliteCopier struct {
	conn *sql.Conn
	path string
	into *sql.Stmt
	free func(folder string) (int64, error) // nil is that of the disk
}

func (s *sqliteCopier) close() {
	if s.into != nil {
		_ = s.into.Close()
	}
}

func (*sqliteCopier) begin() string   { return `BEGIN IMMEDIATE` }
func (*sqliteCopier) oldMore() string { return `'', '', '', ''` }
func (*sqliteCopier) newMore() string { return `'', '', '', ''` }

// numbers implements copier.
func (s *sqliteCopier) numbers(ctx context.Context, table string, ids []string, known map[string]int64) error {
	for _, id := range ids {
		if _, err := s.conn.ExecContext(ctx, `INSERT INTO `+table+` (id) VALUES ($1) ON CONFLICT (id) DO NOTHING`, id); err != nil {
			return err
		}
		var num int64
		if err := s.conn.QueryRowContext(ctx, `SELECT num FROM `+table+` WHERE id = $1`, id).Scan(&num); err != nil {
			return err
		}
		known[id] = num
	}
	return nil
}

// insert implements copier.
func (s *sqliteCopier) insert(ctx context.Context, rows []converted) (err error) {
	if s.into == nil {
		s.into, err = s.conn.PrepareContext(ctx, `INSERT INTO log (pos, room, seq, at, actor, sender, client, recalled_at, message, attachment_id, id, name, data, recalled)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`)
		if err != nil {
			return err
		}
	}
	for i := range rows {
		r := &rows[i]
		if _, err := s.into.ExecContext(ctx, r.pos, r.roomNum, r.seq, r.at, r.actorNum, r.senderNum, r.client, r.recalled, r.message, r.attachment, r.id, r.name, r.data, r.content); err != nil {
			return fmt.Errorf("event %d of %s: %w", r.seq, r.room, err)
		}
	}
	return nil
}

// Room that a row of the log takes beside its data, with its indexes, and that
// the write-ahead log needs meanwhile.
const (
	convertRowBytes = 320
	convertSpare    = 256 << 20
)

// room implements copier. Pages of the file that are free are used first.
func (s *sqliteCopier) room(ctx context.Context, after int64) error {
	var rows, data, pages, size int64
	if err := s.conn.QueryRowContext(ctx, `SELECT count(*), coalesce(sum(length(CAST(data AS BLOB))), 0) FROM events WHERE pos > $1`, after).Scan(&rows, &data); err != nil {
		return err
	}
	if err := FirstOf(s.conn.QueryRowContext(ctx, `PRAGMA freelist_count`).Scan(&pages), s.conn.QueryRowContext(ctx, `PRAGMA page_size`).Scan(&size)); err != nil {
		return err
	}
	needed := data + data/8 + rows*convertRowBytes - pages*size
	if needed <= 0 {
		return nil
	}
	free := s.free
	if free == nil {
		free = freeBytes
	}
	have, err := free(filepath.Dir(s.path))
	if err != nil {
		return err
	}
	if have < needed+convertSpare {
		return fmt.Errorf("the conversion needs %d MB of free disk space in %s, and there are %d MB; make room and start again. Nothing was removed",
			(needed+convertSpare)>>20, filepath.Dir(s.path), have>>20)
	}
	return nil
}

// freeBytes is how much room there is for files in a folder.
func freeBytes(folder string) (int64, error) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(folder, &s); err != nil {
		return 0, fmt.Errorf("free disk space in %s: %w", folder, err)
	}
	return int64(s.Bavail) * int64(s.Bsize), nil
}

// finish implements copier.
func (*sqliteCopier) finish(context.Context) error { return nil }

// finished implements copier.
func (s *sqliteCopier) finished(ctx context.Context) error {
	_, err := s.conn.ExecContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`)
	return err
}
