package app

import (
	"context"
	"log/slog"
	"time"

	"wenzhen.example/rooms/store/engine"
	"wenzhen.example/server/blob"
)

// sweepEvery is how often files are looked for that no row refers to.
const sweepEvery = time.Hour

// sweepFiles removes, from the start on and every hour, files that no row refers
// to: those of uploads that a crash ended between file and row. One node of
// several does it.
func sweepFiles(ctx context.Context, db *engine.DB, blobs *blob.Folder, now func() time.Time, log *slog.Logger) {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		err := db.Alone(ctx, "sweep files", func(ctx context.Context) error {
			n, err := blobs.Sweep(ctx, now(), db.FilesOf)
			if n > 0 {
				log.Warn("set files aside that nothing refers to", "files", n, "removed_after", blob.Recover.String())
			}
			return err
		})
		if err != nil && ctx.Err() == nil {
			log.Error("sweep files", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
