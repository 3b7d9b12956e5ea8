package engine

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/vault"
)

// Bounds of the writer: how many functions wait before the next caller has to
// wait itself, and how many go into one commit.
const (
	writerQueue = 1024
	writerBatch = 256
)

// writer owns the one connection that writes.
type writer struct {
	db      *sql.DB
	conn    *sql.Conn
	stmts   map[string]statement
	publish func([]rooms.Publication, []rooms.Signal)
	opts    Options
	seqs    seqs
	people  map[rooms.UserID]int64 // their numbers, as seqs are
	most    int                    // entries of seqs and of people
	window  window
	timer   *time.Timer // of window

	// Of the function that runs: whether it is the first of its batch, whether
	// it has written anything, and whether a savepoint is before what it wrote.
	first, wrote, saved bool
	added               []rooms.UserID // to whom it has given numbers

	jobs    chan *job
	mu      sync.RWMutex // guards closed against sends on jobs
	closed  bool
	stopped chan struct{}
	stuck   time.Time // when it was last logged that nothing can be written
	untaken time.Time // and when, that what others have left cannot be published
}

// statement is prepared once.
type statement struct {
	*sql.Stmt
	reads bool // and nothing else
}

// job is a function that waits to be run in a transaction.
type job struct {
	ctx       context.Context
	run       func(*Tx) error
	statement string // instead of run: a statement for outside any transaction
	pubs      []rooms.Publication
	signals   []rooms.Signal
	ends      auditEnd
	err       error
	done      chan struct{}
	// waited ends the span of waiting; nil where the job is not traced.
	waited rooms.EndSpan
}

func startWriter(ctx context.Context, db *sql.DB, opts Options, publish func([]rooms.Publication, []rooms.Signal)) (*writer, error) {
	db.SetMaxOpenConns(2) // one writes, one checkpoints
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, fmt.Errorf("writer: %w", err)
	}
	timer := time.NewTimer(time.Hour)
	timer.Stop()
	w := &writer{db: db, conn: conn, stmts: map[string]statement{}, seqs: seqs{}, people: map[rooms.UserID]int64{}, most: mostSeqs, publish: publish, opts: opts,
		jobs: make(chan *job, writerQueue), stopped: make(chan struct{}), window: newWindow(opts), timer: timer}
	go w.loop()
	return w, nil
}

// InTx runs f in a transaction and returns once it is committed and on disk, or
// not done at all. If ctx ends first the outcome is unknown to the caller: the
// function may still be committed. A command is therefore safe to send again.
func (w *writer) InTx(ctx context.Context, f func(*Tx) error) error {
	ctx, end := w.opts.Trace.Begin(ctx, transaction)
	j := &job{ctx: ctx, run: f, done: make(chan struct{})}
	_, j.waited = w.opts.Trace.Begin(ctx, rooms.Span{Name: "wait for the writer"})
	err := w.submit(j)
	if err != nil { // it may have waited without a result; a span ends only once
		j.waited.With(err)
	}
	end.With(err)
	return err
}

// execBetweenBatches runs a statement between two transactions.
func (w *writer) execBetweenBatches(ctx context.Context, statement string) error {
	return w.submit(&job{ctx: ctx, statement: statement, done: make(chan struct{})})
}

// execConcurrently runs a statement beside the writer, on the other connection.
func (w *writer) execConcurrently(ctx context.Context, statement string) error {
	_, err := w.db.ExecContext(ctx, statement)
	return err
}

func (w *writer) submit(j *job) error {
	if err := w.enqueue(j); err != nil {
		return err
	}
	select {
	case <-j.done:
		return j.err
	case <-j.ctx.Done():
		return rooms.Unknown(j.ctx.Err())
	}
}

func (w *writer) enqueue(j *job) error {
	w.mu.RLock()
	defer w.mu.RUnlock()
	if w.closed {
		return rooms.Unavailable(nil, "the server is shutting down")
	}
	select {
	case w.jobs <- j:
		return nil
	case <-j.ctx.Done():
		return rooms.Unavailable(j.ctx.Err(), "too many commands wait to be written")
	}
}

// end finishes what waits to be written, and takes nothing more.
func (w *writer) end() {
	w.mu.Lock()
	if !w.closed {
		w.closed = true
		close(w.jobs)
	}
	w.mu.Unlock()
	<-w.stopped
}

// close ends the writer, copies the write-ahead log into the database file, and
// closes it. A copy that fails, as on a full disk, loses nothing: the log stays
// beside the file.
func (w *writer) close() error {
	w.end()
	if _, err := w.conn.ExecContext(context.Background(), `PRAGMA wal_checkpoint(TRUNCATE)`); err != nil {
		w.opts.Log.Warn("the write-ahead log could not be copied into the database file; keep both files together", "error", err)
	}
	for _, s := range w.stmts { // a connection with open statements outlives its Close
		_ = s.Close()
	}
	return FirstOf(w.conn.Close(), w.db.Close())
}

func (w *writer) loop() {
	defer close(w.stopped)
	functions := 0 // of the commit before
	for j := range w.jobs {
		w.window.begin(time.Now(), functions)
		batch := w.batch(j)
		functions = len(batch)
		var pubs []rooms.Publication
		var signals []rooms.Signal
		for _, j := range batch {
			if j.err == nil {
				pubs = append(pubs, j.pubs...)
				signals = append(signals, j.signals...)
				w.opts.signs.sees(j.ends)
			}
		}
		w.publish(pubs, signals)
		for _, j := range batch {
			j.err = w.explain(j.err)
			close(j.done)
		}
	}
}

// batch runs first, and what else waits, in one transaction.
func (w *writer) batch(first *job) []*job {
	batch := []*job{first}
	if first.statement != "" {
		_, first.err = w.conn.ExecContext(first.ctx, first.statement)
		return batch
	}
	bound(w.seqs, w.most)
	bound(w.people, w.most)
	if err := w.control("BEGIN IMMEDIATE"); err != nil {
		first.err = fmt.Errorf("begin: %w", err)
		return batch
	}
	if left := w.take(); left == nil {
		if !w.runFirst(first) {
			return batch
		}
	} else if diskFailure(left.err) { // which may have ended the transaction
		_ = w.control("ROLLBACK")
		first.err = left.err
		return batch
	} else {
		w.run(first)
		batch = []*job{left, first}
	}
	batch, after := w.gather(batch)
	batch = w.commit(batch)
	if after != nil {
		_, after.err = w.conn.ExecContext(after.ctx, after.statement)
		batch = append(batch, after)
	}
	return batch
}

// gather runs what waits, and for a moment what comes in (window), in the
// transaction of a batch. A bare statement ends the batch and follows it.
func (w *writer) gather(batch []*job) (_ []*job, after *job) {
	vain := false
	defer func() { w.window.end(len(batch), vain) }()
	// A failure of the disk may have ended the transaction: nothing more goes in.
	for len(batch) < writerBatch && !diskFailure(batch[len(batch)-1].err) {
		var j *job
		open := true
		select {
		case j, open = <-w.jobs:
		default:
			d := w.window.wait(time.Now(), len(batch))
			if d <= 0 {
				return batch, nil
			}
			w.timer.Reset(d)
			select {
			case j, open = <-w.jobs:
			case <-w.timer.C:
				vain = true
				return batch, nil
			}
		}
		switch {
		case !open:
			return batch, nil
		case j.statement != "":
			return batch, j
		}
		w.run(j)
		batch = append(batch, j)
	}
	return batch, nil
}

func (w *writer) commit(batch []*job) []*job {
	ended := w.commitSpans(batch)
	began := w.opts.Now()
	err := w.control("COMMIT")
	for _, e := range ended {
		e(err)
	}
	if err == nil {
		w.opts.Committed(len(batch), w.opts.Now().Sub(began))
		return batch
	}
	err = fmt.Errorf("commit: %w", err)
	if last := batch[len(batch)-1].err; diskFailure(last) { // which has ended the transaction
		err = errors.Join(err, last)
	}
	if undo := w.control("ROLLBACK"); undo != nil {
		err = errors.Join(err, undo)
	}
	clear(w.seqs)
	clear(w.people)
	for _, j := range batch {
		if j.err == nil {
			j.err = err
		}
	}
	return batch
}

// runFirst runs the first function of a batch, and reports whether the
// transaction goes on. It needs no savepoint: if it fails, everything is undone,
// since nothing else has been written yet.
func (w *writer) runFirst(j *job) bool {
	w.first = true
	w.run(j)
	w.first = false
	if j.err == nil || !w.wrote {
		return true
	}
	if err := w.control("ROLLBACK"); err != nil {
		j.err = errors.Join(j.err, err)
	}
	return false
}

// run runs one function, behind a savepoint from its first write on, so that
// its failure undoes it alone.
func (w *writer) run(j *job) {
	w.wrote, w.saved, w.added = false, false, w.added[:0]
	j.waited.With(nil)
	if j.ctx.Err() != nil {
		j.err = rooms.Unavailable(j.ctx.Err(), "the database did not get to it in time")
		return
	}
	tx := &Tx{txConn: w, signs: w.opts.signs, hooks: w.opts.hooks}
	if j.waited != nil {
		tx.txConn = tracedConn{w, j.ctx, w.opts}
	}
	if j.err = guarded(j.run, tx); j.err == nil {
		j.err = w.keepSeqs(tx)
	}
	if j.err == nil && w.opts.Hub == nil {
		j.err = w.leave(tx)
	}
	if j.err == nil {
		j.pubs, j.signals, j.ends = tx.pubs, tx.signals, tx.ends
	} else {
		undo(w.seqs, tx.rooms)
		undo(w.people, w.added)
	}
	if !w.saved {
		return
	}
	if j.err != nil {
		if err := w.control("ROLLBACK TO job"); err != nil {
			j.err = errors.Join(j.err, err)
		}
	}
	if err := w.control("RELEASE job"); err != nil {
		j.err = errors.Join(j.err, err)
	}
}

// writes is called before every statement that may write.
func (w *writer) writes() error {
	if w.wrote {
		return nil
	}
	if !w.first {
		if err := w.control("SAVEPOINT job"); err != nil {
			return err
		}
		w.saved = true
	}
	w.wrote = true
	return nil
}

// guarded turns a panic of f into an error: one command's mistake must not end
// the writer.
func guarded(f func(*Tx) error, tx *Tx) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic in a transaction: %v\n%s", p, debug.Stack())
		}
	}()
	switch err = f(tx); {
	case err != nil:
	case len(tx.lost) > 0:
		err = fmt.Errorf("access was lost to %d rooms without an event there", len(tx.lost))
	case tx.message != nil:
		err = fmt.Errorf("message %s has no event", tx.message.ID)
	}
	return err
}

func (w *writer) Exec(statement string, args ...any) error {
	if err := storableText(args); err != nil {
		return err
	}
	s, err := w.stmt(statement)
	if err != nil {
		return err
	}
	if err := w.writes(); err != nil {
		return err
	}
	_, err = s.Exec(args...)
	return err
}

// control runs a statement that begins, ends or divides a transaction.
func (w *writer) control(text string) error {
	s, err := w.stmt(text)
	if err != nil {
		return err
	}
	_, err = s.Exec()
	return err
}

// claim implements session: there is one writer, which has every turn.
func (w *writer) claim(rooms.RoomID) error { return nil }

// TryExec implements session: in SQLite a statement that fails undoes itself alone.
func (w *writer) TryExec(statement string, args ...any) error { return w.Exec(statement, args...) }

// eventInsert implements session. The writer publishes after the commit itself.
func (w *writer) eventInsert(p rooms.Publication, m *Message) (statement string, args []any, err error) {
	e := p.Event
	at, err := w.place(e.Room)
	if err != nil {
		return "", nil, err
	}
	actor, err := w.person(e.ActorID)
	if err != nil {
		return "", nil, err
	}
	data := EncryptEvent(w.opts.vault, e.Room, e.Seq, string(e.Data))
	if m == nil {
		return `INSERT INTO log (room, seq, at, actor, id, name, data) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
			[]any{at.num, e.Seq, Micros(e.At), actor, e.ID, e.Name, data}, nil
	}
	sender, err := w.person(m.Sender)
	return `INSERT INTO log (room, seq, at, actor, sender, client, message, attachment_id, id, name, data)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
		[]any{at.num, e.Seq, Micros(e.At), actor, sender, ClientHash(m.Sender, m.ClientID), m.ID, textOrNull(m.Attachment), e.ID, e.Name, data}, err
}

// textOrNull is a text for a column that is NULL where there is none.
func textOrNull(text string) any {
	if text == "" {
		return nil
	}
	return text
}

// DropWords implements session.
func (w *writer) DropWords(consultation string) error {
	return w.Exec(`DELETE FROM message_words WHERE rowid IN (`+messagesOf+`)`, consultation)
}

func (w *writer) Keys() *vault.Vault { return w.opts.vault }

func (w *writer) Row(_ context.Context, query string, args ...any) Scanner {
	s, err := w.query(query)
	if err != nil {
		return failed{err}
	}
	return decrypting{s.QueryRow(args...), w.opts.vault}
}

func (w *writer) Rows(_ context.Context, query string, args ...any) (Results, error) {
	s, err := w.query(query)
	if err != nil {
		return nil, err
	}
	return s.Query(args...)
}

// query prepares a statement that has rows; it may write too (RETURNING).
func (w *writer) query(text string) (statement, error) {
	s, err := w.stmt(text)
	if err == nil && !s.reads {
		err = w.writes()
	}
	return s, err
}

// stmt prepares a statement once.
func (w *writer) stmt(text string) (statement, error) {
	if s, ok := w.stmts[text]; ok {
		return s, nil
	}
	s, err := w.conn.PrepareContext(context.Background(), text)
	if err != nil {
		return statement{}, fmt.Errorf("prepare %q: %w", text, err)
	}
	w.stmts[text] = statement{s, strings.HasPrefix(strings.TrimSpace(text), "SELECT")}
	return w.stmts[text], nil
}
