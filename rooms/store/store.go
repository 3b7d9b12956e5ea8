package store

import (
	"context"

	"wenzhen/rooms"
	"wenzhen/rooms/account"
	"wenzhen/rooms/store/engine"
)

// Tx is a transaction; it implements the Tx interfaces of all features.
type Tx struct{ *engine.Tx }

// Open opens, creates and migrates the database, with the encrypted columns of
// all features, and starts what runs beside it.
func Open(ctx context.Context, opts engine.Options) (*engine.DB, error) {
	opts.Sealed = sealed
	opts.Revoked = func(tx rooms.Tx, id rooms.SessionID) {
		account.SessionRevoked.After(tx, rooms.SessionRoom(id), account.SessionInput{SessionID: id})
	}
	db, err := engine.Open(ctx, opts)
	if err != nil {
		return nil, err
	}
	Calls{db}.HangsUp(nil)
	return db, nil
}
