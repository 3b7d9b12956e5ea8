package server

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// openFolder makes the data folder, and refuses in words one that cannot be
// worked in: the database would only say that it cannot open its file.
func openFolder(cfg Config) error {
	if err := os.MkdirAll(cfg.Data, 0o700); err != nil {
		return fmt.Errorf("data folder: %w", err)
	}
	probe, err := os.CreateTemp(cfg.Data, ".probe-*")
	if err == nil {
		_, err = probe.WriteString("whether anything can be kept here")
		err = errors.Join(err, probe.Close(), os.Remove(probe.Name()))
	}
	if err != nil {
		return fmt.Errorf("data folder: nothing can be written in %s; is its disk full or read-only, or does the folder belong to another user? %w", cfg.Data, err)
	}
	if cfg.Database == sqlite {
		return emptied(cfg.Data)
	}
	return nil
}

// emptied refuses a database that has lost everything: it would be taken for a
// new one. The secrets beside it were made after it.
func emptied(dir string) error {
	path := filepath.Join(dir, databaseFile)
	info, err := os.Stat(path)
	if err != nil || info.Size() > 0 { // what cannot be read is told by who opens it
		return nil
	}
	secrets, err := filepath.Glob(filepath.Join(dir, "*.key"))
	if wal, missing := os.Stat(path + "-wal"); err != nil || len(secrets) == 0 || missing == nil && wal.Size() > 0 {
		return err
	}
	return fmt.Errorf("database: %s is empty, and the server has run in this folder before; restore a backup (wenzhen restore), or remove the file to begin anew", path)
}
