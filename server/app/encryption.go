package app

import (
	"context"
	"log/slog"
	"time"

	"wenzhen.example/rooms/store/engine"
	"wenzhen.example/server/blob"
	"wenzhen.example/server/database"
)

// encryptEvery is how often it is looked whether there is something to encrypt
// anew. It is longer than other nodes take to follow to a new key, so that a
// second round finds what they wrote with the old one.
const encryptEvery = 15 * time.Second

// encryptAnew follows each new data key with everything that older ones have
// encrypted, or none, until ctx ends. One node of several does it.
func encryptAnew(ctx context.Context, db *engine.DB, blobs *blob.Folder, log *slog.Logger) {
	tick := time.NewTicker(encryptEvery)
	defer tick.Stop()
	for {
		wanting, err := db.Wanting(ctx)
		if err == nil && wanting != "" {
			err = db.Alone(ctx, "encrypt", func(ctx context.Context) error {
				n, err := database.Reencrypt(ctx, db, blobs)
				if n > 0 {
					log.Info("encrypted anew", "values", n, "key", wanting)
				}
				if n == 0 && err == nil {
					err = db.Covered(ctx, wanting)
				}
				return err
			})
		}
		if err != nil && ctx.Err() == nil {
			log.Error("encrypt anew", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
