package engine

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"wenzhen.example/rooms"
)

// transaction is the span of a function in its transaction, from being handed
// over until it is committed, or not done at all.
var transaction = rooms.Span{Name: "transaction"}

// system is the database, as the semantic conventions of OpenTelemetry call it.
func (o Options) system() string {
	if o.URL != "" {
		return "postgresql"
	}
	return "sqlite"
}

// statement begins the span of a statement. The span has its text with
// placeholders: the values are parameters.
func (o Options) statement(ctx context.Context, text string) (context.Context, rooms.EndSpan) {
	return o.Trace.Begin(ctx, rooms.Span{Kind: rooms.SpanStatement, System: o.system(), Statement: text})
}

// traced are queries that tell the tracer, if there is one.
func (o Options) traced(q Querier) Querier {
	if o.Trace == nil {
		return q
	}
	return tracedQueries{q, o}
}

// commitSpans begins, in the trace of every function of a batch that has one,
// the span of the commit that they share.
func (w *writer) commitSpans(batch []*job) []rooms.EndSpan {
	if w.opts.Trace == nil {
		return nil
	}
	var all []rooms.EndSpan
	for _, j := range batch {
		if j.waited == nil {
			continue
		}
		if _, end := w.opts.statement(j.ctx, "COMMIT"); end != nil {
			all = append(all, end)
		}
	}
	return all
}

// tracedQueries are queries outside transactions, each in the trace of who asks.
type tracedQueries struct {
	Querier
	opts Options
}

func (q tracedQueries) Row(ctx context.Context, query string, args ...any) Scanner {
	ctx, end := q.opts.statement(ctx, query)
	row := q.Querier.Row(ctx, query, args...)
	if end == nil {
		return row
	}
	return tracedRow{row, end}
}

func (q tracedQueries) Rows(ctx context.Context, query string, args ...any) (Results, error) {
	ctx, end := q.opts.statement(ctx, query)
	rows, err := q.Querier.Rows(ctx, query, args...)
	if err != nil || end == nil {
		end.With(err)
		return rows, err
	}
	return tracedRows{rows, end}, nil
}

// tracedConn is a session whose statements are in the trace of its transaction.
type tracedConn struct {
	txConn
	ctx  context.Context
	opts Options
}

func (s tracedConn) Exec(query string, args ...any) error {
	_, end := s.opts.statement(s.ctx, query)
	err := s.txConn.Exec(query, args...)
	end.With(err)
	return err
}

// TryExec implements session.
func (s tracedConn) TryExec(query string, args ...any) error {
	_, end := s.opts.statement(s.ctx, query)
	err := s.txConn.TryExec(query, args...)
	end.With(err)
	return err
}

// next implements session. SQLite has one writer, which knows the seq of each
// room: only PostgreSQL runs a statement for it.
func (s tracedConn) next(room rooms.RoomID, now time.Time) (rooms.Seq, error) {
	if s.opts.URL == "" {
		return s.txConn.next(room, now)
	}
	_, end := s.opts.Trace.Begin(s.ctx, rooms.Span{Kind: rooms.SpanStatement, System: s.opts.system(), Name: "INSERT log_rooms"})
	seq, err := s.txConn.next(room, now)
	end.With(err)
	return seq, err
}

func (s tracedConn) Row(_ context.Context, query string, args ...any) Scanner {
	return tracedQueries{s.txConn, s.opts}.Row(s.ctx, query, args...)
}

func (s tracedConn) Rows(_ context.Context, query string, args ...any) (Results, error) {
	return tracedQueries{s.txConn, s.opts}.Rows(s.ctx, query, args...)
}

// tracedRow ends its span once it has been read.
type tracedRow struct {
	Scanner
	end rooms.EndSpan
}

// Scan implements Scanner. That there is no row is no failure.
func (r tracedRow) Scan(dest ...any) error {
	err := r.Scanner.Scan(dest...)
	if errors.Is(err, sql.ErrNoRows) {
		r.end(nil)
	} else {
		r.end(err)
	}
	return err
}

// tracedRows end their span once they have been read.
type tracedRows struct {
	Results
	end rooms.EndSpan
}

// Close implements Results.
func (r tracedRows) Close() error {
	err := r.Results.Close()
	r.end(FirstOf(r.Results.Err(), err))
	return err
}
