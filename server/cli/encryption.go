package cli

import (
	"context"
	"errors"
	"log/slog"

	"wenzhen.example/rooms/audit"
	"wenzhen.example/rooms/store/engine"
	"wenzhen.example/rooms/vault"
	"wenzhen.example/server/database"
	"wenzhen.example/server/datafolder"
)

// EncryptionKeys lists the data keys, the newest last.
func EncryptionKeys(ctx context.Context, at Place, log *slog.Logger) (keys []vault.Key, err error) {
	err = at.with(ctx, log, func(db *engine.DB) (err error) {
		keys, err = db.DataKeys(ctx)
		return err
	})
	return keys, err
}

// RotateEncryptionKey makes a new data key. Servers that run write with it
// within seconds, and then encrypt everything else with it.
func RotateEncryptionKey(ctx context.Context, at Place, log *slog.Logger) (key vault.Key, err error) {
	err = at.with(ctx, log, func(db *engine.DB) (err error) {
		if err := database.EnterAtConsole(ctx, db, audit.KeyRotated, "keys"); err != nil {
			return err
		}
		key, err = db.RotateKey(ctx)
		return err
	})
	return key, err
}

// RewrapEncryptionKeys has the data keys wrapped by another master key, which
// is that of the next start. It returns how many there are.
func RewrapEncryptionKeys(ctx context.Context, at Place, key, command string, log *slog.Logger) (n int, err error) {
	by, err := database.MasterKey(key, command)
	if err != nil {
		return 0, err
	}
	if by == nil {
		return 0, errors.New("say what the new master key is: --to-key or --to-command")
	}
	err = at.with(ctx, log, func(db *engine.DB) (err error) {
		if err := database.EnterAtConsole(ctx, db, audit.KeysRewrapped, "keys"); err != nil {
			return err
		}
		n, err = db.RewrapKeys(ctx, by)
		return err
	})
	return n, err
}

// EncryptAnew encrypts with the newest data key everything that is not, at
// once instead of when a server gets to it. It returns how many rows and files
// it changed.
func EncryptAnew(ctx context.Context, at Place, log *slog.Logger) (n int, err error) {
	err = at.with(ctx, log, func(db *engine.DB) error {
		if !db.Vault().On() {
			return errors.New("nothing is to be encrypted: there is no encryption key")
		}
		if err := database.EnterAtConsole(ctx, db, audit.EncryptedAnew, "keys"); err != nil {
			return err
		}
		blobs, err := database.Attachments(at.Data, db.Vault())
		if err != nil {
			return err
		}
		n, err = database.Reencrypt(ctx, db, blobs)
		return errors.Join(err, blobs.Close())
	})
	return n, err
}

// with does work on the database of a place.
func (p Place) with(ctx context.Context, log *slog.Logger, work func(*engine.DB) error) error {
	db, err := p.open(ctx, log)
	if err != nil {
		return err
	}
	key, err := datafolder.Secrets{Dir: p.Data, Vault: db.Vault()}.Kept(datafolder.AuditKeyFile)
	if err == nil {
		_, err = database.SignAudit(db, p.Data, key)
	}
	if err == nil {
		if err = database.EnterPending(ctx, db, p.Data); err == nil {
			err = work(db)
		}
	}
	return errors.Join(err, db.Close())
}
