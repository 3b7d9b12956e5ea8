package engine

import (
	"context"
	"time"
)

// How long rows that nobody needs any more are kept.
const (
	sweepEvery   = 10 * time.Minute
	keepAttempts = 24 * time.Hour
	keepTokens   = 24 * time.Hour // past expiry, so that reuse is still told from nonsense
	// keepCallbacks is longer than any gateway repeats one; after that a charge is
	// still known by its own number.
	keepCallbacks = 31 * 24 * time.Hour
)

// sweep deletes counted attempts, refresh tokens, tickets and known callbacks that
// are long past.
func (db *DB) sweep(ctx context.Context) {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		now := db.opts.Now()
		err := db.write.InTx(ctx, func(tx *Tx) error {
			return FirstOf(
				tx.Exec(`DELETE FROM attempts WHERE at < $1`, Micros(now.Add(-keepAttempts))),
				tx.Exec(`DELETE FROM refresh_tokens WHERE expires_at < $1`, Micros(now.Add(-keepTokens))),
				tx.Exec(`DELETE FROM callbacks WHERE at < $1`, Micros(now.Add(-keepCallbacks))),
				tx.Exec(`DELETE FROM tickets WHERE expires_at < $1`, Micros(now)),
			)
		})
		if err != nil && ctx.Err() == nil {
			db.opts.Log.Error("sweep", "error", err)
		}
	}
}
