package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"

	"wenzhen/rooms/account"
	"wenzhen/rooms/store"
)

// CreateAdmin adds an admin to the database in dir, whether or not a server
// runs on it.
func CreateAdmin(ctx context.Context, dir, name, email, password string, log *slog.Logger) (user account.User, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return account.User{}, fmt.Errorf("data folder: %w", err)
	}
	db, err := store.Open(ctx, store.Options{Path: databasePath(dir), Now: clock, Log: log})
	if err != nil {
		return account.User{}, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	return account.New(account.Config{}, store.Accounts{DB: db}, nil, clock).CreateAdmin(ctx, name, email, password)
}

// Migrate brings the database in dir up to date.
func Migrate(ctx context.Context, dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("data folder: %w", err)
	}
	return store.Migrate(ctx, databasePath(dir))
}
