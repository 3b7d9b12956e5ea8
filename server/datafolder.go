package server

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"wenzhen/server/process"
)

// lockFolder makes this process the only one that serves, or moves, the SQLite
// database in a data folder, until the file that it returns is closed. The lock
// ends with the process, however it ends. Two servers on one SQLite database
// would not notify each other of what they write.
func lockFolder(dir string) (*os.File, error) {
	file, err := process.Lock(filepath.Join(dir, lockFileName))
	if errors.Is(err, process.ErrLocked) {
		return nil, fmt.Errorf("data folder: another wenzhen runs in %s; stop it first, or use PostgreSQL for several nodes (docs/scaling.md)", dir)
	}
	if err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	return file, nil
}

// warnIfOpen logs that other users of the machine can look into the data folder.
// What is in it is made for its owner alone, but names and sizes can be read.
func warnIfOpen(dir string, log *slog.Logger) {
	if info, err := os.Stat(dir); err == nil && info.Mode().Perm()&0o077 != 0 {
		log.Warn("other users of this machine can open the data folder; chmod 700 keeps them out", "folder", dir, "mode", fmt.Sprintf("%04o", info.Mode().Perm()))
	}
}

// openFolder makes the data folder. It refuses a folder in which nothing can be
// written with an error that says so: the database would only say that it cannot
// open its file.
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
