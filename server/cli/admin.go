// Package cli has what the commands of the command line do that do not serve: on
// the data folder and the database, whether or not a server runs on them.
package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"

	"wenzhen.example/rooms/account"
	"wenzhen.example/rooms/store"
	accountstore "wenzhen.example/rooms/store/account"
	"wenzhen.example/rooms/store/engine"
	"wenzhen.example/server/database"
)

// Place is where a command that does not serve finds the database.
type Place struct {
	Data     string `default:"data" env:"WENZHEN_DATA" help:"The data folder." type:"path"`
	Database string `default:"sqlite" env:"WENZHEN_DATABASE" help:"\"sqlite\", in the data folder, or a postgres:// URL."`

	EncryptionKey     string `env:"WENZHEN_ENCRYPTION_KEY" help:"Master key of encryption at rest, if it is on."`
	EncryptionCommand string `env:"WENZHEN_ENCRYPTION_COMMAND" help:"Instead of it, the command that asks a key management service."`

	// Hashing of the passwords that the command sets; not a setting.
	Hashing account.Hashing `kong:"-"`
}

// options are those of the store; the data folder is made when it is not there.
func (p Place) options() (engine.Options, error) {
	if !database.IsSetting(p.Database) {
		return engine.Options{}, errors.New("--database must be \"sqlite\" or a postgres:// URL")
	}
	if err := os.MkdirAll(p.Data, 0o700); err != nil {
		return engine.Options{}, fmt.Errorf("data folder: %w", err)
	}
	options := database.Options(p.Data, p.Database)
	var err error
	options.Master, err = database.MasterKey(p.EncryptionKey, p.EncryptionCommand)
	return options, err
}

// open opens the database, whether or not a server runs on it.
func (p Place) open(ctx context.Context, log *slog.Logger) (*engine.DB, error) {
	options, err := p.options()
	if err != nil {
		return nil, err
	}
	options.Now, options.Log = database.Now, log
	return store.Open(ctx, options, hangUp)
}

// CreateAdmin adds an admin to a database, whether or not a server runs on it.
func CreateAdmin(ctx context.Context, at Place, name, email, password string, log *slog.Logger) (user account.User, err error) {
	err = at.with(ctx, log, func(db *engine.DB) error {
		accounts, err := account.New(account.Options{Store: accountstore.Store{DB: db}, Now: database.Now, Hashing: at.Hashing})
		if err != nil {
			return err
		}
		user, err = accounts.CreateAdmin(ctx, name, email, password)
		return err
	})
	return user, err
}

// Migrate brings a database up to date.
func Migrate(ctx context.Context, at Place) error {
	options, err := at.options()
	if err != nil {
		return err
	}
	return engine.Migrate(ctx, options)
}
