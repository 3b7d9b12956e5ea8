package store

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"runtime"
	"time"

	"github.com/pressly/goose/v3"
	sqlite "modernc.org/sqlite"

	"wenzhen/rooms"
)

//go:embed migrations
var migrations embed.FS

// openSQLite migrates the database at opts.Path and starts its writer.
func openSQLite(ctx context.Context, opts Options) (*DB, error) {
	if opts.Synchronous == "" {
		opts.Synchronous = "FULL"
	}
	if err := migrateSQLite(ctx, opts.Path); err != nil {
		return nil, err
	}
	pragmas := []string{"synchronous(" + opts.Synchronous + ")", "wal_autocheckpoint(0)", "foreign_keys(1)", "cache_size(-65536)"}
	if opts.Master != nil {
		pragmas = append(pragmas, "secure_delete(1)") // what was there before it was sealed
	}
	wdb, err := connect(opts.Path, pragmas...)
	if err != nil {
		return nil, err
	}
	rdb, err := connect(opts.Path, "query_only(1)", "cache_size(-16384)", "mmap_size(268435456)")
	if err != nil {
		return nil, fmt.Errorf("%w", firstOf(err, wdb.Close()))
	}
	rdb.SetMaxOpenConns(max(4, 2*runtime.GOMAXPROCS(0)))
	rdb.SetMaxIdleConns(max(4, 2*runtime.GOMAXPROCS(0)))
	publish := func([]rooms.Publication, []rooms.Notice) {}
	if opts.Hub != nil {
		publish = opts.Hub.Publish
	}
	readers := newReader(rdb, opts.vault)
	w, err := startWriter(ctx, wdb, opts, publish)
	if err != nil {
		return nil, firstOf(err, wdb.Close(), rdb.Close())
	}
	db := &DB{opts: opts, readers: opts.traced(readers), write: sqliteWrite{w, readers}}
	if err := loadKeys(ctx, opts, readers, w); err != nil {
		return nil, firstOf(err, db.write.close())
	}
	search := &search{db: db}
	db.words, db.settled = search, sqliteSettled
	db.lock = func(ctx context.Context, _ string, work func(context.Context) error) error { return work(ctx) }
	db.announced = func(context.Context) error { return nil }
	db.waiting = func() int { return len(w.jobs) }
	db.follow(func(ctx context.Context) { checkpoints(ctx, opts, w) }, search.follow)
	return db, nil
}

// sqliteWrite is the writer together with the readers that close with it.
type sqliteWrite struct {
	*writer
	readers *reader
}

func (w sqliteWrite) close() error { return firstOf(w.writer.close(), w.readers.close()) }

// sqliteSettled lists the log: with one writer its order is that of commits.
const sqliteSettled = `SELECT pos, room, seq, id, name, at, actor_id, data FROM events WHERE pos > $1 ORDER BY pos LIMIT $2`

func migrateSQLite(ctx context.Context, path string) error {
	if err := whole(path); err != nil {
		return err
	}
	db, err := connect(path)
	if err != nil {
		return err
	}
	defer db.Close()
	dir, err := fs.Sub(migrations, "migrations/sqlite")
	if err != nil {
		return err
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, db, dir)
	if err != nil {
		return fmt.Errorf("migrations: %w", err)
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("migrate %s: %w", path, err)
	}
	return nil
}

// connect opens a pool whose every connection has the pragmas.
func connect(path string, pragmas ...string) (*sql.DB, error) {
	q := url.Values{"_txlock": {"immediate"}, "_pragma": append([]string{"busy_timeout(10000)", "journal_mode(WAL)"}, pragmas...)}
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: q.Encode()}).String())
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	if err := db.Ping(); err != nil {
		return nil, fmt.Errorf("open %s: %w", path, firstOf(err, db.Close()))
	}
	return db, nil
}

// A checkpoint copies the write-ahead log into the database file. The writer
// does not: it would make one commit in a thousand slow. A log that grows past
// walMost all the same, because readers never leave it, is cut by the writer.
const (
	walWanted = 4 << 20
	walMost   = 256 << 20
)

func checkpoints(ctx context.Context, opts Options, w *writer) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		wal, err := os.Stat(opts.Path + "-wal")
		if err != nil || wal.Size() < walWanted {
			continue
		}
		mode, over := "PASSIVE", w.side
		if wal.Size() > walMost {
			mode, over = "TRUNCATE", w.alone
		}
		if err := over(ctx, `PRAGMA wal_checkpoint(`+mode+`)`); err != nil && ctx.Err() == nil {
			opts.Log.Error("checkpoint", "mode", mode, "error", err)
		}
	}
}

func asSQLite(err error) (*sqlite.Error, bool) {
	for err != nil {
		if e, ok := err.(*sqlite.Error); ok {
			return e, true
		}
		u, ok := err.(interface{ Unwrap() error })
		if !ok {
			return nil, false
		}
		err = u.Unwrap()
	}
	return nil, false
}
