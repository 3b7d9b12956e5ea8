// Package sandbox keeps the books of the sandbox payment gateway.
package sandbox

import (
	"context"
	"database/sql"
	"errors"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/store/engine"
)

// Store is where the sandbox payment gateway keeps its own books.
type Store struct{ *engine.DB }

// Load is what was kept under a reference; nil if there is none.
func (s Store) Load(ctx context.Context, reference string) ([]byte, error) {
	return sandboxState(ctx, s.Reads(), reference)
}

// Change replaces what is kept under a reference, in one transaction, in which
// f may plant timers. f is given nil if there is none.
func (s Store) Change(ctx context.Context, reference string, f func(tx rooms.Tx, state []byte) ([]byte, error)) error {
	return s.DB.InTx(ctx, func(tx *engine.Tx) error {
		state, err := sandboxState(context.Background(), tx, reference)
		if err != nil {
			return err
		}
		if state, err = f(tx, state); err != nil {
			return err
		}
		return tx.Exec(`INSERT INTO sandbox_payments (reference, state) VALUES ($1, $2) ON CONFLICT (reference) DO UPDATE SET state = excluded.state`,
			reference, string(state))
	})
}

func sandboxState(ctx context.Context, q engine.Querier, reference string) ([]byte, error) {
	var state string
	err := q.Row(ctx, `SELECT state FROM sandbox_payments WHERE reference = $1`, reference).Scan(&state)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return []byte(state), err
}
