package store

import (
	"context"
	"time"
)

// How long rows that nobody needs any more are kept.
const (
	sweepEvery   = 10 * time.Minute
	keepAttempts = 24 * time.Hour
	keepTokens   = 24 * time.Hour // past expiry, so that reuse is still told from nonsense
)

// sweep deletes counted attempts, refresh tokens and tickets that are long past.
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
		err := db.write.do(ctx, func(tx *Tx) error {
			return firstOf(
				tx.exec(`DELETE FROM attempts WHERE at < $1`, micros(now.Add(-keepAttempts))),
				tx.exec(`DELETE FROM refresh_tokens WHERE expires_at < $1`, micros(now.Add(-keepTokens))),
				tx.exec(`DELETE FROM tickets WHERE expires_at < $1`, micros(now)),
			)
		})
		if err != nil && ctx.Err() == nil {
			db.opts.Log.Error("sweep", "error", err)
		}
	}
}
