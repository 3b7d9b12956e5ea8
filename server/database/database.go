// Package database opens the database of a data folder, or the one in PostgreSQL
// that belongs to it.
package database

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"time"

	"wenzhen.example/rooms/store/engine"
	"wenzhen.example/rooms/vault"
	"wenzhen.example/server/blob"
	"wenzhen.example/server/datafolder"
)

// SQLite, as the setting --database, is the file in the data folder.
const SQLite = "sqlite"

// IsSetting reports whether --database can have a value.
func IsSetting(setting string) bool {
	return setting == SQLite || strings.HasPrefix(setting, "postgres://") || strings.HasPrefix(setting, "postgresql://")
}

// Options are those of the store for a data folder and the setting --database.
func Options(dir, setting string) engine.Options {
	if setting == SQLite {
		return engine.Options{Path: filepath.Join(dir, datafolder.DatabaseFile)}
	}
	return engine.Options{URL: setting}
}

// Attachments opens the files of the attachments in a data folder.
func Attachments(dir string, by *vault.Vault) (*blob.Folder, error) {
	return blob.Open(filepath.Join(dir, datafolder.AttachmentsFolder), by)
}

// MasterKey is the master key of encryption at rest that the settings name; nil
// if they name none.
func MasterKey(secret, command string) (vault.Master, error) {
	switch words := strings.Fields(command); {
	case secret != "" && len(words) > 0:
		return nil, errors.New("configuration: only one of --encryption-key and --encryption-command can be given")
	case len(words) > 0:
		return vault.Command(words), nil
	case secret != "":
		return vault.FromSecret(secret)
	}
	return nil, nil
}

// Now is the time that everything is dated with: UTC, in microseconds, as it is
// stored.
func Now() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }

// Reencrypt encrypts all rows and files once with the newest data key, and
// returns how many it changed. A file that is missing or damaged does not keep it
// from the rest.
func Reencrypt(ctx context.Context, db *engine.DB, blobs *blob.Folder) (int, error) {
	n, err := db.Reencrypt(ctx)
	if err != nil {
		return n, err
	}
	sums, err := db.Files(ctx)
	if err != nil {
		return n, err
	}
	var failed []error
	for _, sum := range sums {
		if ctx.Err() != nil {
			return n, ctx.Err()
		}
		changed, err := blobs.Encrypt(ctx, sum)
		if changed {
			n++
		}
		if err != nil && len(failed) < 10 {
			failed = append(failed, err)
		}
	}
	return n, errors.Join(failed...)
}
