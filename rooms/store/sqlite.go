package store

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/pressly/goose/v3"
	sqlite "modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"wenzhen/rooms"
)

//go:embed migrations/sqlite/*.sql
var migrations embed.FS

// Options say where the database is and how it syncs.
type Options struct {
	// Path of the SQLite file; it is made when it is not there.
	Path string
	// Synchronous is SQLite's pragma. "FULL", the default, keeps every answered
	// command through a power cut. "NORMAL" keeps them through a crash of the
	// process but may lose the last moments when the power fails. "OFF" is for tests.
	Synchronous string
	// Hub is told of committed events; nil tells nobody (migrations).
	Hub *rooms.Hub
	Now func() time.Time
	Log *slog.Logger
}

// DB is an open database. Its parts carry out the Store interfaces of the features.
type DB struct {
	opts    Options
	readers *reader
	write   *writer
	stop    context.CancelFunc
	tasks   sync.WaitGroup

	search *search
}

// Open opens, creates and migrates the database and starts its writer.
func Open(ctx context.Context, opts Options) (*DB, error) {
	if opts.Synchronous == "" {
		opts.Synchronous = "FULL"
	}
	if opts.Log == nil {
		opts.Log = slog.Default()
	}
	if err := Migrate(ctx, opts.Path); err != nil {
		return nil, err
	}
	wdb, err := connect(opts.Path, "synchronous("+opts.Synchronous+")", "wal_autocheckpoint(0)", "foreign_keys(1)", "cache_size(-65536)")
	if err != nil {
		return nil, err
	}
	rdb, err := connect(opts.Path, "query_only(1)", "cache_size(-16384)", "mmap_size(268435456)")
	if err != nil {
		return nil, fmt.Errorf("%w", firstOf(err, wdb.Close()))
	}
	rdb.SetMaxOpenConns(max(4, 2*runtime.GOMAXPROCS(0)))
	rdb.SetMaxIdleConns(max(4, 2*runtime.GOMAXPROCS(0)))
	db := &DB{opts: opts, readers: newReader(rdb)}
	publish := func([]rooms.Publication, []rooms.Notice) {}
	if opts.Hub != nil {
		publish = opts.Hub.Publish
	}
	if db.write, err = startWriter(ctx, wdb, publish); err != nil {
		return nil, firstOf(err, wdb.Close(), rdb.Close())
	}
	db.search = &search{db: db}
	run, stop := context.WithCancel(context.Background())
	db.stop = stop
	db.tasks.Go(func() { db.checkpoints(run) })
	db.tasks.Go(func() { db.search.follow(run) })
	db.tasks.Go(func() { db.sweep(run) })
	return db, nil
}

// Migrate brings the schema of the database at path up to date.
func Migrate(ctx context.Context, path string) error {
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

// Close finishes what waits to be written and closes the files.
func (db *DB) Close() error {
	db.stop()
	db.tasks.Wait()
	return firstOf(db.write.close(), db.readers.close())
}

// Ready reports whether the database answers.
func (db *DB) Ready(ctx context.Context) error {
	var one int
	return db.readers.row(ctx, `SELECT 1`).Scan(&one)
}

// A checkpoint copies the write-ahead log into the database file. The writer
// does not: it would make one commit in a thousand slow. A log that grows past
// walMost all the same, because readers never leave it, is cut by the writer.
const (
	walWanted = 4 << 20
	walMost   = 256 << 20
)

func (db *DB) checkpoints(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		wal, err := os.Stat(db.opts.Path + "-wal")
		if err != nil || wal.Size() < walWanted {
			continue
		}
		mode, over := "PASSIVE", db.write.side
		if wal.Size() > walMost {
			mode, over = "TRUNCATE", db.write.alone
		}
		if err := over(ctx, `PRAGMA wal_checkpoint(`+mode+`)`); err != nil && ctx.Err() == nil {
			db.opts.Log.Error("checkpoint", "mode", mode, "error", err)
		}
	}
}

// uniqueViolation tells whether err is a constraint that says "there is one already".
func uniqueViolation(err error) bool {
	e, ok := asSQLite(err)
	return ok && (e.Code() == sqlite3.SQLITE_CONSTRAINT_UNIQUE || e.Code() == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY)
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

func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// like escapes what LIKE would take for a pattern.
func like(s string) string {
	return "%" + strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(strings.ToLower(s)) + "%"
}
