package store

import (
	"context"
	"slices"

	"wenzhen/rooms"
	"wenzhen/rooms/account"
	accountstore "wenzhen/rooms/store/account"
	auditstore "wenzhen/rooms/store/audit"
	billingstore "wenzhen/rooms/store/billing"
	boardstore "wenzhen/rooms/store/board"
	callstore "wenzhen/rooms/store/call"
	chatstore "wenzhen/rooms/store/chat"
	consultationstore "wenzhen/rooms/store/consultation"
	"wenzhen/rooms/store/engine"
	notificationstore "wenzhen/rooms/store/notification"
	recordstore "wenzhen/rooms/store/record"
	schedulestore "wenzhen/rooms/store/schedule"
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
