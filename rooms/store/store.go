package store

import (
	"context"
	"slices"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
	accountstore "wenzhen.example/rooms/store/account"
	auditstore "wenzhen.example/rooms/store/audit"
	billingstore "wenzhen.example/rooms/store/billing"
	boardstore "wenzhen.example/rooms/store/board"
	callstore "wenzhen.example/rooms/store/call"
	chatstore "wenzhen.example/rooms/store/chat"
	consultationstore "wenzhen.example/rooms/store/consultation"
	"wenzhen.example/rooms/store/engine"
	notificationstore "wenzhen.example/rooms/store/notification"
	recordstore "wenzhen.example/rooms/store/record"
	schedulestore "wenzhen.example/rooms/store/schedule"
)

// encrypted are the tables of all features with columns that are encrypted at rest.
// What is written to or read from one of these columns passes engine.Encrypt and
// engine.DecryptColumn; what is not in the list lies in the clear
// (docs/decisions/0024-encryption-at-rest.md).
var encrypted = slices.Concat(chatstore.Encrypted, consultationstore.Encrypted, recordstore.Encrypted, schedulestore.Encrypted, boardstore.Encrypted,
	notificationstore.Encrypted, accountstore.Encrypted, billingstore.Encrypted, auditstore.Encrypted)

// Open opens, creates and migrates the database, with the encrypted columns of
// all features, and starts what runs beside it. hangUp takes logins that end out
// of their calls; with nil the login of someone in a call cannot be ended.
func Open(ctx context.Context, opts engine.Options, hangUp callstore.HangUp) (*engine.DB, error) {
	opts.Encrypted = encrypted
	opts.Revoked = func(tx rooms.Tx, id rooms.SessionID) {
		account.SessionRevoked.After(tx, rooms.SessionRoom(id), account.SessionInput{SessionID: id})
	}
	opts.SessionEnded = callstore.SessionEnded(hangUp)
	return engine.Open(ctx, opts)
}
