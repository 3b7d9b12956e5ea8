package cli

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"wenzhen.example/rooms/audit"
	"wenzhen.example/rooms/store/engine"
	"wenzhen.example/server/database"
	"wenzhen.example/server/datafolder"
)

// Move copies the SQLite database of a data folder into an empty PostgreSQL
// database and compares the two. Attachments and secrets stay in the folder,
// which goes on being used. The server must be stopped: what it would write
// meanwhile would wait and then be written to the old database.
func Move(ctx context.Context, at Place, url string) (engine.Moved, error) {
	if at.Database != database.SQLite {
		return nil, errors.New("move goes from the SQLite database in --data to the PostgreSQL database in --to")
	}
	if url == database.SQLite || !database.IsSetting(url) {
		return nil, errors.New("--to must be a postgres:// URL")
	}
	master, err := database.MasterKey(at.EncryptionKey, at.EncryptionCommand)
	if err != nil {
		return nil, err
	}
	folder, err := datafolder.Lock(at.Data)
	if err != nil {
		return nil, fmt.Errorf("move: the server must be stopped: %w", err)
	}
	if err := database.EnterLater(at.Data, audit.DatabaseMoved, database.Now()); err != nil {
		return nil, errors.Join(fmt.Errorf("move: %w", err), folder.Close())
	}
	moved, err := engine.Move(ctx, filepath.Join(at.Data, datafolder.DatabaseFile), url, master)
	return moved, errors.Join(err, folder.Close())
}
