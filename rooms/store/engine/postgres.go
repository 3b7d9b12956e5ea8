package engine

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"net"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/vault"
)

// Bounds of the connections to PostgreSQL: how many a node uses for writing at
// once, how long a connection may take to be made, and how long a transaction
// may be left open by a process that hangs.
const (
	postgresWriters  = 8
	postgresDial     = 5 * time.Second
	postgresIdleInTx = "15s"
)

// openPostgres migrates the database at url and connects to it.
func openPostgres(ctx context.Context, opts Options) (*DB, error) {
	if err := upgradePostgres(ctx, opts); err != nil {
		return nil, err
	}
	p := &postgres{opts: opts, people: &people{numbers: map[rooms.UserID]known{}}}
	var err error
	if p.writers, err = connectPostgres(opts.URL, postgresWriters,
		// A scan of a whole table would make every writer of that table conflict.
		// Where there is no index it is made all the same, at a price that says
		// nothing: it must not have the statement compiled, which takes long.
		`SET enable_seqscan = off`, `SET jit = off`, `SET idle_in_transaction_session_timeout = '`+postgresIdleInTx+`'`); err != nil {
		return nil, err
	}
	readers, err := connectPostgres(opts.URL, max(8, 4*runtime.GOMAXPROCS(0)), `SET default_transaction_read_only = on`, `SET jit = off`)
	if err != nil {
		return nil, FirstOf(err, p.writers.Close())
	}
	p.readers = &pool{readers, opts.vault}
	if err := loadKeys(ctx, opts, p.readers, p); err != nil {
		return nil, FirstOf(err, p.close())
	}
	db := &DB{opts: opts, readers: opts.traced(p.readers), write: p, words: postgresWords{}, settled: postgresSettled, lock: p.lock, ready: p.ready}
	db.announced = func(context.Context) error { return nil }
	db.waiting = func() int { return 0 }
	if opts.Hub != nil {
		if p.logReader, err = p.startLogReader(ctx); err != nil {
			return nil, FirstOf(err, p.close())
		}
		db.announced = p.logReader.announced
	}
	db.start(p.sweep)
	return db, nil
}

// postgres writes to PostgreSQL: each function in a serializable transaction
// of its own, again if the database could not make it look as if it had run alone.
type postgres struct {
	opts      Options
	writers   *sql.DB
	readers   *pool
	people    *people
	refuses   atomic.Bool // writes, as far as is known
	logReader *logReader
}

func connectPostgres(url string, most int, settings ...string) (*sql.DB, error) {
	cfg, err := postgresConfig(url)
	if err != nil {
		return nil, err
	}
	db := stdlib.OpenDB(*cfg, stdlib.OptionAfterConnect(func(ctx context.Context, c *pgx.Conn) error {
		_, err := c.Exec(ctx, strings.Join(settings, ";"))
		return err
	}))
	db.SetMaxOpenConns(most)
	db.SetMaxIdleConns(most)
	db.SetConnMaxIdleTime(5 * time.Minute)
	return db, nil
}

// postgresConfig reads a URL, as far as pgx understands it.
func postgresConfig(url string) (*pgx.ConnConfig, error) {
	cfg, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("database: %w", err)
	}
	if cfg.ConnectTimeout == 0 {
		cfg.ConnectTimeout = postgresDial
	}
	return cfg, nil
}

func migratePostgres(ctx context.Context, url string) error {
	db, err := connectPostgres(url, 2)
	if err != nil {
		return err
	}
	defer db.Close()
	if err := notNewer(ctx, db, "postgres"); err != nil {
		return err
	}
	dir, err := fs.Sub(migrations, "migrations/postgres")
	if err != nil {
		return err
	}
	// Nodes that start together must not migrate at once.
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 60))
	if err != nil {
		return fmt.Errorf("migrations: %w", err)
	}
	p, err := goose.NewProvider(goose.DialectPostgres, db, dir, goose.WithSessionLocker(locker))
	if err != nil {
		return fmt.Errorf("migrations: %w", err)
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	return nil
}

func (p *postgres) close() error {
	if p.logReader != nil {
		p.logReader.close()
	}
	return FirstOf(p.writers.Close(), p.readers.db.Close())
}

// A transaction that lost against another is tried again, the first times at
// once. Of two that want the same rows one wins every time, so this ends.
const (
	postgresTries   = 50
	postgresCrowd   = 3 // lost so often, it waits for its turn among all who lost
	postgresBackoff = 2 * time.Millisecond
	postgresSlowest = 100 * time.Millisecond
)

// InTx runs f in a transaction and returns once it is committed. If ctx ends, or
// the connection breaks, while it is being committed the outcome is unknown to
// the caller. f may run several times; only the last time counts.
func (p *postgres) InTx(ctx context.Context, f func(*Tx) error) error {
	ctx, end := p.opts.Trace.Begin(ctx, transaction)
	err := p.persist(ctx, f)
	end.With(err)
	return err
}

// persist tries until f is committed, or cannot be.
func (p *postgres) persist(ctx context.Context, f func(*Tx) error) error {
	var queued []rooms.RoomID
	for try := 1; ; try++ {
		tx, err := p.try(ctx, f, queued)
		switch {
		case err == nil:
			if p.logReader != nil && len(tx.pubs)+len(tx.signals) > 0 {
				p.logReader.committed()
			}
			return nil
		case ctx.Err() != nil:
			return rooms.Unknown(ctx.Err())
		case readOnly(err), diskFull(err):
			return rooms.Unavailable(errors.Join(rooms.ErrNotWritable, err), "the database takes no writes now; nothing was done, and it is safe to send it again later")
		case brokenConnection(err):
			return rooms.Unavailable(err, "the database cannot be reached; it is safe to send it again")
		case !lostToAnother(err):
			return err
		case try == postgresTries:
			return rooms.Unavailable(err, "too many want the same thing; it is safe to send it again")
		}
		queued = tx.rooms // from now on it waits for its turn there
		if try >= postgresCrowd {
			if slices.Contains(queued, auditTurn) {
				queued = append(queued, auditAlone)
			}
			queued = append(queued, everywhere)
		}
		pause := time.NewTimer(rand.N(min(postgresSlowest, postgresBackoff<<min(try, 10))))
		select {
		case <-ctx.Done():
			pause.Stop()
		case <-pause.C:
		}
	}
}

func (p *postgres) try(ctx context.Context, f func(*Tx) error, queued []rooms.RoomID) (tx *Tx, err error) {
	s := &postgresTx{ctx: ctx, vault: p.opts.vault, people: p.people, began: p.people.now()}
	tx = &Tx{txConn: s, signs: p.opts.signs, hooks: p.opts.hooks}
	_, waited := p.opts.Trace.Begin(ctx, rooms.Span{Name: "wait for a connection"})
	conn, err := p.writers.Conn(ctx)
	waited.With(err)
	if err != nil {
		return tx, connectionError{err}
	}
	defer conn.Close()
	if waited != nil {
		tx.txConn = tracedConn{s, ctx, p.opts}
	}
	unqueue, err := queueFor(ctx, conn, queued)
	if err != nil {
		return tx, err
	}
	defer unqueue()
	if s.tx, err = conn.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelSerializable}); err != nil {
		return tx, err
	}
	if err = guarded(f, tx); err == nil {
		err = s.insertSignals(tx.signals)
	}
	if s.lost != nil { // whatever f made of it
		err = s.lost
	}
	if err != nil {
		_ = s.tx.Rollback() // the error is that of f; a connection that fails here is not used again
		if readOnly(err) {
			p.refuses.Store(true)
			_ = conn.Raw(func(any) error { return driver.ErrBadConn }) // the next one may lead to another server
		}
		return tx, err
	}
	_, end := p.opts.statement(ctx, "COMMIT")
	began := p.opts.Now()
	err = s.tx.Commit()
	end.With(err)
	if err == nil {
		p.opts.signs.sees(tx.ends)
		p.people.add(s.added)
		p.opts.Committed(1, p.opts.Now().Sub(began))
	}
	return tx, err
}

// connectionError is a connection that was not made.
type connectionError struct{ error }

func (e connectionError) Unwrap() error { return e.error }

// readOnly reports whether the database takes no writes: after a failover to a
// standby, or to protect its disk.
func readOnly(err error) bool {
	var e *pgconn.PgError
	return errors.As(err, &e) && e.Code == "25006"
}

// diskFull reports whether the database's disk is full.
func diskFull(err error) bool {
	var e *pgconn.PgError
	return errors.As(err, &e) && e.Code == "53100"
}

// ready reports whether the database answers and takes writes. What writers
// have met counts until one of them can write again.
func (p *postgres) ready(ctx context.Context) error {
	var standby bool
	err := p.readers.Row(ctx, `SELECT pg_is_in_recovery() OR reset_val = 'on' FROM pg_settings WHERE name = 'default_transaction_read_only'`).Scan(&standby)
	if err != nil {
		return err
	}
	if !standby && p.refuses.Load() {
		setting := ""
		if err := p.writers.QueryRowContext(ctx, `SHOW transaction_read_only`).Scan(&setting); err != nil {
			return unreachable(ctx, err)
		}
		standby = setting == "on"
		p.refuses.Store(standby)
	}
	if standby {
		return rooms.Unavailable(nil, "the database takes no writes")
	}
	return nil
}

// brokenConnection reports whether the database, rather than the statement,
// caused err.
func brokenConnection(err error) bool {
	var failed connectionError
	var answered *pgconn.PgError
	if errors.As(err, &failed) {
		return true
	}
	if errors.As(err, &answered) {
		// Connection exceptions, resources, operator intervention, starting up, its disk (PostgreSQL manual, appendix A).
		class := answered.Code[:min(2, len(answered.Code))]
		return slices.Contains([]string{"08", "53", "57", "58"}, class) || readOnly(err)
	}
	var ours *rooms.Error
	var network net.Error
	if errors.As(err, &ours) {
		return false
	}
	return pgconn.SafeToRetry(err) || pgconn.Timeout(err) || errors.Is(err, driver.ErrBadConn) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) || errors.As(err, &network)
}

// lostToAnother reports whether the same function may succeed when it is run again.
func lostToAnother(err error) bool {
	var e *pgconn.PgError
	return errors.Is(err, errTurn) || errors.As(err, &e) && (e.Code == "40001" || e.Code == "40P01")
}

// postgresTx is a transaction on one of the writers' connections.
type postgresTx struct {
	ctx    context.Context
	tx     *sql.Tx
	vault  *vault.Vault
	people *people
	began  int64                  // people.now
	added  map[rooms.UserID]int64 // people to whom it has given numbers
	places seqs                   // of the rooms in which it has taken a seq
	lost   error                  // the first failure that asks for another try
}

func (s *postgresTx) Keys() *vault.Vault { return s.vault }

func (s *postgresTx) keepLoss(err error) error {
	if s.lost == nil && (lostToAnother(err) || brokenConnection(err)) {
		s.lost = err
	}
	return err
}

func (s *postgresTx) Exec(query string, args ...any) error {
	args, err := postgresArgs(args)
	if err != nil {
		return err
	}
	_, err = s.tx.ExecContext(s.ctx, query, args...)
	return s.keepLoss(err)
}

func (s *postgresTx) Row(_ context.Context, query string, args ...any) Scanner {
	args, err := postgresArgs(args)
	if err != nil {
		return failed{err}
	}
	return noticing{decrypting{s.tx.QueryRowContext(s.ctx, query, args...), s.vault}, s}
}

func (s *postgresTx) Rows(_ context.Context, query string, args ...any) (Results, error) {
	args, err := postgresArgs(args)
	if err != nil {
		return nil, err
	}
	rows, err := s.tx.QueryContext(s.ctx, query, args...)
	return rows, s.keepLoss(err)
}

// TryExec runs a statement that may violate a constraint without ending the
// transaction.
func (s *postgresTx) TryExec(query string, args ...any) error {
	if err := s.Exec(`SAVEPOINT attempt`); err != nil {
		return err
	}
	err := s.Exec(query, args...)
	if err == nil {
		return s.Exec(`RELEASE attempt`)
	}
	return FirstOf(s.Exec(`ROLLBACK TO attempt`), err)
}

// eventInsert implements session: every node reads from the log whom to tell.
func (s *postgresTx) eventInsert(p rooms.Publication, m *Message) (statement string, args []any, err error) {
	e := p.Event
	also, err := jsonList(p.Also)
	if err != nil {
		return "", nil, err
	}
	lost, err := jsonList(p.Lost)
	if err != nil {
		return "", nil, err
	}
	at, taken := s.places[e.Room]
	if !taken {
		return "", nil, fmt.Errorf("no seq of %s was taken for %s", e.Room, e.Name)
	}
	actor, err := s.person(e.ActorID)
	if err != nil {
		return "", nil, err
	}
	args = []any{at.num, e.Seq, Micros(e.At), actor, e.ID, e.Name, EncryptEvent(s.vault, e.Room, e.Seq, string(e.Data)), e.Namespace, also, lost}
	if m == nil {
		return `INSERT INTO log (room, seq, at, actor, id, name, data, namespace, also, lost) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`, args, nil
	}
	sender, err := s.person(m.Sender)
	args = append(args, sender, ClientHash(m.Sender, m.ClientID), m.ID, textOrNull(m.Attachment))
	const insert = `INSERT INTO log (room, seq, at, actor, id, name, data, namespace, also, lost, sender, client, message, attachment_id)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`
	if vector := s.words(m.Text); vector != "" {
		return `WITH said AS (` + insert + ` RETURNING pos) INSERT INTO message_words (num, words) SELECT pos, $15::tsvector FROM said`, append(args, vector), err
	}
	return insert, args, err
}

// jsonList is a list as a JSON array, [] for none.
func jsonList[T any](list []T) (string, error) {
	if list == nil {
		list = []T{}
	}
	b, err := json.Marshal(list)
	return string(b), err
}

// insertSignals stores the signals of the transaction, which every node sends.
func (s *postgresTx) insertSignals(list []rooms.Signal) error {
	for _, n := range list {
		if err := s.Exec(`INSERT INTO notices (room, name, namespace, data, into_room, at) VALUES ($1, $2, $3, $4, $5, $6)`,
			n.Room, n.Name, n.Namespace, s.vault.Encrypt(signalPlace(string(n.Room), n.Name), string(n.Data)), n.Into, Micros(time.Now())); err != nil {
			return err
		}
	}
	return nil
}

// noticing is a row whose failure is remembered.
type noticing struct {
	Scanner
	of *postgresTx
}

// Scan implements Scanner.
func (n noticing) Scan(dest ...any) error { return n.of.keepLoss(n.Scanner.Scan(dest...)) }

// pool is a number of connections, each statement on whichever is free.
type pool struct {
	db    *sql.DB
	vault *vault.Vault
}

func (p *pool) Keys() *vault.Vault { return p.vault }

func (p *pool) Row(ctx context.Context, query string, args ...any) Scanner {
	args, err := postgresArgs(args)
	if err != nil {
		return failed{err}
	}
	return reading{decrypting{p.db.QueryRowContext(ctx, query, args...), p.vault}, ctx}
}

func (p *pool) Rows(ctx context.Context, query string, args ...any) (Results, error) {
	args, err := postgresArgs(args)
	if err != nil {
		return nil, err
	}
	rows, err := p.db.QueryContext(ctx, query, args...)
	return rows, unreachable(ctx, err)
}

// reading is a row that tells when it was the database that failed.
type reading struct {
	Scanner
	ctx context.Context
}

// Scan implements Scanner.
func (r reading) Scan(dest ...any) error { return unreachable(r.ctx, r.Scanner.Scan(dest...)) }

func unreachable(ctx context.Context, err error) error {
	switch {
	case err == nil, errors.Is(err, sql.ErrNoRows), !brokenConnection(err):
		return err
	case ctx.Err() != nil:
		return rooms.Unavailable(err, "the database did not answer in time; try again")
	}
	return rooms.Unavailable(err, "the database cannot be reached; try again")
}

// postgresArgs turns arguments into what PostgreSQL takes: truth is 0 or 1 in both
// databases.
func postgresArgs(args []any) ([]any, error) {
	if err := storableText(args); err != nil {
		return nil, err
	}
	for i, a := range args {
		if v, ok := a.(bool); ok {
			args[i] = int64(0)
			if v {
				args[i] = int64(1)
			}
		}
	}
	return args, nil
}

// storableText returns an error if an argument is a text that PostgreSQL cannot
// store. SQLite can, but does not: what is in one database can be moved to the
// other.
func storableText(args []any) error {
	for _, a := range args {
		if text, ok := a.(string); ok && (strings.IndexByte(text, 0) >= 0 || !utf8.ValidString(text)) {
			return rooms.Invalid("", "text must be UTF-8 and must not contain the character U+0000")
		}
	}
	return nil
}
