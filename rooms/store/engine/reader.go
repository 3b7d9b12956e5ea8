package engine

import (
	"context"
	"database/sql"
	"fmt"
	"sync"

	"wenzhen.example/rooms/vault"
)

// reader is the pool of connections that only read. Statements are prepared once.
type reader struct {
	db    *sql.DB
	mu    sync.RWMutex
	stmts map[string]*sql.Stmt
	vault *vault.Vault
}

func newReader(db *sql.DB, v *vault.Vault) *reader {
	return &reader{db: db, stmts: map[string]*sql.Stmt{}, vault: v}
}

func (r *reader) Keys() *vault.Vault { return r.vault }

func (r *reader) close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range r.stmts { // a connection with open statements outlives its Close
		_ = s.Close()
	}
	clear(r.stmts)
	return r.db.Close()
}

func (r *reader) stmt(ctx context.Context, query string) (*sql.Stmt, error) {
	r.mu.RLock()
	s := r.stmts[query]
	r.mu.RUnlock()
	if s != nil {
		return s, nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if s := r.stmts[query]; s != nil {
		return s, nil
	}
	s, err := r.db.PrepareContext(ctx, query)
	if err != nil {
		return nil, fmt.Errorf("prepare %q: %w", query, err)
	}
	r.stmts[query] = s
	return s, nil
}

func (r *reader) Row(ctx context.Context, query string, args ...any) Scanner {
	s, err := r.stmt(ctx, query)
	if err != nil {
		return failed{err}
	}
	return decrypting{s.QueryRowContext(ctx, args...), r.vault}
}

func (r *reader) Rows(ctx context.Context, query string, args ...any) (Results, error) {
	s, err := r.stmt(ctx, query)
	if err != nil {
		return nil, err
	}
	return s.QueryContext(ctx, args...)
}

// Scanner is a row: of a result or alone.
type Scanner interface{ Scan(dest ...any) error }

// Results are the rows of a query, as *sql.Rows has them.
type Results interface {
	Scanner
	Next() bool
	Err() error
	Close() error
}

type failed struct{ err error }

func (f failed) Scan(...any) error { return f.err }

// Querier runs queries: the readers' pool, or the writer inside a transaction.
type Querier interface {
	Row(ctx context.Context, query string, args ...any) Scanner
	Rows(ctx context.Context, query string, args ...any) (Results, error)
	// LastSeqOf is an expression for the seq of a room's latest event, 0 before
	// the first; room is the expression for its id.
	LastSeqOf(room string) string
	// Keys is what sealed columns are opened with.
	Keys() *vault.Vault
}

// Collect reads every row of a query with scan.
func Collect[T any](ctx context.Context, q Querier, scan func(Scanner) (T, error), query string, args ...any) ([]T, error) {
	rows, err := q.Rows(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []T
	var row Scanner = decrypting{rows, q.Keys()}
	for rows.Next() {
		item, err := scan(row)
		if err != nil {
			return nil, err
		}
		list = append(list, item)
	}
	return list, rows.Err()
}
