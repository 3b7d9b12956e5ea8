package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	sqlite3 "modernc.org/sqlite/lib"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/vault"
)

// Options say where the database is and how it syncs.
type Options struct {
	// URL of a PostgreSQL database, postgres://…; empty means SQLite at Path.
	URL string
	// Path of the SQLite file; it is made when it is not there.
	Path string
	// Synchronous is SQLite's pragma. "FULL", the default, keeps every answered
	// command through a power cut. "NORMAL" keeps them through a crash of the
	// process but may lose the last moments when the power fails. "OFF" is for tests.
	// PostgreSQL decides for itself (synchronous_commit).
	Synchronous string
	// Hub receives committed events; it may be nil (migrations).
	Hub *rooms.Hub
	// Master is the master key of encryption at rest; nil is none (package vault).
	Master vault.Master
	// Encrypted are the tables of features with columns that are encrypted at rest.
	Encrypted []EncryptedTable
	// Revoked signals to the sockets of a session that it has ended, where another
	// process has ended it (unpublished.go).
	Revoked func(tx rooms.Tx, id rooms.SessionID)
	// SessionEnded is called with each login that a transaction ends, as part of
	// it; nil is not called.
	SessionEnded func(tx *Tx, id rooms.SessionID) error
	Now          func() time.Time
	Log          *slog.Logger
	// Committed is called after every commit, with the number of functions that
	// ran in the transaction and the time that the commit took by Now. It must not
	// block. It may be nil.
	Committed func(functions int, took time.Duration)
	// Trace records transactions, their waits and their statements where they
	// are part of a trace; nil records nothing.
	Trace rooms.Tracer

	vault   *vault.Vault
	signs   *signs
	damaged *damaged
	hooks   *hooks
}

// hooks are what features do as part of others' transactions.
type hooks struct {
	// sessionEnded is called with each login that a transaction ends.
	sessionEnded func(tx *Tx, id rooms.SessionID) error
}

// DB is an open database. Its parts implement the Store interfaces of the
// features.
type DB struct {
	opts    Options
	readers Querier
	ready   func(context.Context) error // nil where a SELECT shows it
	write   committer
	words   wordIndex
	// settled lists the log past a position, at most so many (see Log).
	settled   string
	lock      func(ctx context.Context, name string, work func(context.Context) error) error
	announced func(context.Context) error
	waiting   func() int

	stop  context.CancelFunc
	tasks sync.WaitGroup
}

// committer runs functions in transactions.
type committer interface {
	// InTx runs f in a transaction and returns once it is committed, or not done
	// at all. If ctx ends first, or the connection breaks, the outcome is
	// unknown, and the error is unavailable. f may run several times.
	InTx(ctx context.Context, f func(*Tx) error) error
	close() error
}

// wordIndex finds messages by their words.
type wordIndex interface {
	// catchUp makes what was said before it findable.
	catchUp(ctx context.Context) error
	// match is the condition, with its argument, under which message_words
	// holds what a person typed, and the column that is the message's position in
	// the log. An empty argument means that nothing was asked for.
	match(typed string) (condition, argument, num string)
	// forget empties the index.
	forget(tx *Tx) error
}

// Open opens, creates and migrates the database and starts what runs beside it.
func Open(ctx context.Context, opts Options) (*DB, error) {
	if opts.Log == nil {
		opts.Log = slog.Default()
	}
	opts.vault, opts.signs, opts.damaged, opts.hooks = vault.New(opts.Master), &signs{log: opts.Log}, &damaged{log: opts.Log}, &hooks{opts.SessionEnded}
	if opts.Committed == nil {
		opts.Committed = func(int, time.Duration) {}
	}
	open := openSQLite
	if opts.URL != "" {
		open = openPostgres
	}
	return open(ctx, opts)
}

// InTx runs f in a transaction and returns once it is committed, or not done at
// all. If ctx ends first, or the connection breaks, the outcome is unknown, and
// the error is unavailable. f may run several times.
func (db *DB) InTx(ctx context.Context, f func(*Tx) error) error { return db.write.InTx(ctx, f) }

// Reads runs queries outside transactions.
func (db *DB) Reads() Querier { return db.readers }

// Now is the time by the database's clock.
func (db *DB) Now() time.Time { return db.opts.Now() }

// Migrate brings the database up to date; only URL or Path, Master and Log of the
// options are looked at. The key is needed where what is encrypted is converted.
func Migrate(ctx context.Context, opts Options) error {
	if opts.URL != "" {
		return upgradePostgres(ctx, opts)
	}
	return upgradeSQLite(ctx, opts)
}

// start runs tasks until Close, with the sweep and the reload of keys.
func (db *DB) start(tasks ...func(context.Context)) {
	run, stop := context.WithCancel(context.Background())
	db.stop = stop
	for _, task := range append(tasks, db.sweep, db.reloadKeys) {
		db.tasks.Go(func() { task(run) })
	}
}

// Close finishes what waits to be written and closes the files.
func (db *DB) Close() error {
	db.stop()
	db.tasks.Wait()
	return db.write.close()
}

// Waiting is how many functions wait for SQLite's writer; 0 with PostgreSQL,
// where none waits for another.
func (db *DB) Waiting() int { return db.waiting() }

// Ready reports whether the database answers, and takes writes.
func (db *DB) Ready(ctx context.Context) error {
	if db.ready != nil {
		return db.ready(ctx)
	}
	var one int
	return db.readers.Row(ctx, `SELECT 1`).Scan(&one)
}

// Alone runs work unless another node runs work under the same name, in which
// case it returns nil at once. The context of work ends when this node can no
// longer be sure to be the only one: what work writes must be harmless twice.
// With SQLite there is one node.
func (db *DB) Alone(ctx context.Context, name string, work func(context.Context) error) error {
	return db.lock(ctx, name, work)
}

// Announced waits until the hub has received everything that was committed
// before the call, by this node or another.
func (db *DB) Announced(ctx context.Context) error { return db.announced(ctx) }

// Logged is an event at its position in the log of all rooms.
type Logged struct {
	Pos int64
	rooms.Event
}

// LogAfter lists events past a position, in an order into which nothing is
// inserted later: reading on from the last position misses no event, even one
// of a transaction that commits late. It may return more than limit, so that a
// transaction is whole. Positions are for reading on; they have gaps, and
// several events may share one. An event that cannot be read has its position,
// and no name.
func (db *DB) LogAfter(ctx context.Context, pos int64, limit int) ([]Logged, error) {
	return Collect(ctx, db.readers, func(s Scanner) (Logged, error) {
		var l Logged
		err := ScanEvent(s, &l.Event, &l.Pos)
		if err == nil && !json.Valid(l.Data) {
			err = fmt.Errorf("%w: it is no JSON", rooms.ErrDamaged)
		}
		if errors.Is(err, rooms.ErrDamaged) {
			db.PassOver(eventPlace(l.Room, l.Seq), err)
			return Logged{Pos: l.Pos}, nil
		}
		return l, err
	}, db.settled, pos, limit)
}

// UniqueViolation reports whether err is a violation of a unique constraint. A
// statement whose transaction goes on after it must run with TryExec.
func UniqueViolation(err error) bool {
	if e, ok := asSQLite(err); ok {
		return e.Code() == sqlite3.SQLITE_CONSTRAINT_UNIQUE || e.Code() == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY
	}
	var e *pgconn.PgError
	return errors.As(err, &e) && e.Code == "23505"
}

func FirstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// Like escapes what LIKE would take for a pattern.
func Like(s string) string {
	return "%" + strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(strings.ToLower(s)) + "%"
}
