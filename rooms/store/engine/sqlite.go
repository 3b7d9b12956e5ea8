package engine

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"runtime"
	"time"

	"github.com/pressly/goose/v3"
	sqlite "modernc.org/sqlite"

	"wenzhen.example/rooms"
)

//go:embed migrations
var migrations embed.FS

// openSQLite migrates the database at opts.Path and starts its writer.
func openSQLite(ctx context.Context, opts Options) (*DB, error) {
	if opts.Synchronous == "" {
		opts.Synchronous = "FULL"
	}
	if err := upgradeSQLite(ctx, opts); err != nil {
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
		return nil, fmt.Errorf("%w", FirstOf(err, wdb.Close()))
	}
	rdb.SetMaxOpenConns(max(4, 2*runtime.GOMAXPROCS(0)))
	rdb.SetMaxIdleConns(max(4, 2*runtime.GOMAXPROCS(0)))
	publish := func([]rooms.Publication, []rooms.Signal) {}
	if opts.Hub != nil {
		publish = opts.Hub.Publish
	}
	readers := newReader(rdb, opts.vault)
	w, err := startWriter(ctx, wdb, opts, publish)
	if err != nil {
		return nil, FirstOf(err, wdb.Close(), rdb.Close())
	}
	db := &DB{opts: opts, readers: opts.traced(readers), write: sqliteWrite{w, readers}}
	if err := loadKeys(ctx, opts, readers, w); err != nil {
		return nil, FirstOf(err, db.write.close())
	}
	search := &search{db: db, busy: make(chan struct{}, 1)}
	db.words, db.settled = search, sqliteSettled
	db.lock = func(ctx context.Context, _ string, work func(context.Context) error) error { return work(ctx) }
	db.announced = func(context.Context) error { return nil }
	db.waiting = func() int { return len(w.jobs) }
	tasks := []func(context.Context){func(ctx context.Context) { checkpoints(ctx, opts, w) }, search.run}
	if opts.Hub != nil {
		tasks = append(tasks, func(ctx context.Context) { takeIdle(ctx, rdb, w) })
	}
	db.start(tasks...)
	return db, nil
}

// sqliteWrite is the writer together with the readers that close with it.
type sqliteWrite struct {
	*writer
	readers *reader
}

// close ends the readers before the last connection that writes, so that this
// one can copy the whole write-ahead log into the database file: after a clean
// stop that file alone is complete.
func (w sqliteWrite) close() error {
	w.writer.end()
	return FirstOf(w.readers.close(), w.writer.close())
}

// sqliteSettled lists the log: with one writer its order is that of commits.
const sqliteSettled = `SELECT l.pos, ` + EventColumns + EventsFrom + `WHERE l.pos > $1 ORDER BY l.pos LIMIT $2`

func migrateSQLite(ctx context.Context, path string) error {
	if err := whole(path); err != nil {
		return err
	}
	if err := private(path); err != nil {
		return err
	}
	db, err := connect(path)
	if err != nil {
		return err
	}
	defer db.Close()
	if err := notNewer(ctx, db, "sqlite"); err != nil {
		return err
	}
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

// private makes the files of the database readable by their owner alone. SQLite
// gives its other files the mode of the first.
func private(path string) error {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err == nil {
		return file.Close()
	}
	if !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("database: %w", err)
	}
	for _, name := range []string{path, path + "-wal", path + "-shm"} {
		info, err := os.Stat(name)
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			err = os.Chmod(name, 0o600)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("database: %w", err)
		}
	}
	return nil
}

// notNewer refuses a database that a newer version of Wenzhen has migrated: this
// one would write into a schema that it does not know.
func notNewer(ctx context.Context, db *sql.DB, dialect string) error {
	files, err := fs.Glob(migrations, "migrations/"+dialect+"/*.sql")
	if err != nil {
		return err
	}
	known, err := goose.NumericComponent(files[len(files)-1])
	if err != nil {
		return err
	}
	var have sql.NullInt64
	if err := db.QueryRowContext(ctx, `SELECT max(version_id) FROM goose_db_version`).Scan(&have); err != nil {
		return nil // no table: a new database; what else is wrong is reported by the migrations
	}
	if have.Int64 > known {
		return fmt.Errorf("database: it was made by a newer Wenzhen (schema %d, this version knows %d); run that version, or restore a backup from before the upgrade", have.Int64, known)
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
		return nil, fmt.Errorf("open %s: %w", path, FirstOf(err, db.Close()))
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
		mode, over := "PASSIVE", w.execConcurrently
		if wal.Size() > walMost {
			mode, over = "TRUNCATE", w.execBetweenBatches
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
