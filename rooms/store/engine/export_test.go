package engine

import (
	"context"
	"database/sql"
	"io/fs"

	"github.com/pressly/goose/v3"
)

// MigrateTo brings an empty database to the schema of an older version.
func MigrateTo(ctx context.Context, opts Options, version int64) error {
	db, dialect, folder, err := connected(opts)
	if err != nil {
		return err
	}
	defer db.Close()
	dir, err := fs.Sub(migrations, "migrations/"+folder)
	if err != nil {
		return err
	}
	p, err := goose.NewProvider(dialect, db, dir)
	if err != nil {
		return err
	}
	_, err = p.UpTo(ctx, version)
	return err
}

// Connect opens a database beside the engine.
func Connect(opts Options) (*sql.DB, error) {
	db, _, _, err := connected(opts)
	return db, err
}

func connected(opts Options) (*sql.DB, goose.Dialect, string, error) {
	if opts.URL != "" {
		db, err := connectPostgres(opts.URL, 2)
		return db, goose.DialectPostgres, "postgres", err
	}
	db, err := connect(opts.Path, "synchronous(OFF)")
	return db, goose.DialectSQLite3, "sqlite", err
}

// LogConversionAlways has a conversion log its progress after everything it reads.
func LogConversionAlways() { convertEvery = 0 }

// RecalledPlace is where what was recalled is sealed.
var RecalledPlace = recalledPlace
