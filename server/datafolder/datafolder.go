// Package datafolder knows what is in a data folder: the SQLite database, the
// attachments, certificates, and the keys that Wenzhen makes for itself.
package datafolder

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"wenzhen.example/server/process"
)

// What the data folder holds, besides secrets.
const (
	DatabaseFile       = "wenzhen.db"
	AttachmentsFolder  = "attachments"
	CertificatesFolder = "acme" // of an ACME server
	lockFile           = "wenzhen.lock"
)

// Lock makes this process the only one that serves, or moves, the SQLite
// database in a data folder, until the lock that it returns is closed. The lock
// ends with the process, however it ends. Two servers on one SQLite database
// would not notify each other of what they write.
func Lock(dir string) (*process.FileLock, error) {
	lock, err := process.Lock(filepath.Join(dir, lockFile))
	if errors.Is(err, process.ErrLocked) {
		return nil, fmt.Errorf("data folder: another wenzhen runs in %s; stop it first, or use PostgreSQL for several nodes (docs/scaling.md)", dir)
	}
	if err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	return lock, nil
}

// WarnIfOpen logs that other users of the machine can look into the data folder.
// What is in it is made for its owner alone, but names and sizes can be read.
func WarnIfOpen(dir string, log *slog.Logger) {
	if info, err := os.Stat(dir); err == nil && info.Mode().Perm()&0o077 != 0 {
		log.Warn("other users of this machine can open the data folder; chmod 700 keeps them out", "folder", dir, "mode", fmt.Sprintf("%04o", info.Mode().Perm()))
	}
}

// Open makes the data folder. It refuses a folder in which nothing can be
// written with an error that says so: the database would only say that it cannot
// open its file.
func Open(dir string, sqlite bool) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("data folder: %w", err)
	}
	probe, err := os.CreateTemp(dir, ".probe-*")
	if err == nil {
		_, err = probe.WriteString("whether anything can be kept here")
		err = errors.Join(err, probe.Close(), os.Remove(probe.Name()))
	}
	if err != nil {
		return fmt.Errorf("data folder: nothing can be written in %s; is its disk full or read-only, or does the folder belong to another user? %w", dir, err)
	}
	if sqlite {
		return emptied(dir)
	}
	return nil
}

// emptied refuses a database that has lost everything: it would be taken for a
// new one. The secrets beside it were made after it.
func emptied(dir string) error {
	path := filepath.Join(dir, DatabaseFile)
	info, err := os.Stat(path)
	if err != nil || info.Size() > 0 { // opening an unreadable file fails later, with the reason
		return nil
	}
	secrets, err := filepath.Glob(filepath.Join(dir, "*.key"))
	if wal, missing := os.Stat(path + "-wal"); err != nil || len(secrets) == 0 || missing == nil && wal.Size() > 0 {
		return err
	}
	return fmt.Errorf("database: %s is empty, and the server has run in this folder before; restore a backup (wenzhen restore), or remove the file, and audit.head beside it, to begin anew", path)
}

// Sync returns when the names in a folder are on disk.
func Sync(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
