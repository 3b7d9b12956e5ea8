package server

import (
	"context"
	"errors"
	"path/filepath"

	"wenzhen/rooms/store"
)

// Move copies the SQLite database of a data folder into an empty PostgreSQL
// database and compares the two. Attachments and secrets stay in the folder,
// which goes on being used. The server must be stopped: what it would write
// meanwhile would wait and then be written to the old database.
func Move(ctx context.Context, at Place, url string) (store.Moved, error) {
	if at.Database != sqlite {
		return nil, errors.New("move goes from the SQLite database in --data to the PostgreSQL database in --to")
	}
	if url == sqlite || !isDatabase(url) {
		return nil, errors.New("--to must be a postgres:// URL")
	}
	return store.Move(ctx, filepath.Join(at.Data, databaseFile), url)
}
