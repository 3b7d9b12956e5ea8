package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	sqlite "modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"wenzhen/rooms"
)

// whole refuses a SQLite file that has lost its end: it would open, and fail
// only where something is missing. The file's header says how many pages it
// has (SQLite file format, 1.3); what a write-ahead log still holds may be
// missing in the file.
func whole(path string) error {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return fmt.Errorf("database: %w", err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return fmt.Errorf("database: %w", err)
	}
	if wal, err := os.Stat(path + "-wal"); info.Size() == 0 || err == nil && wal.Size() > 0 {
		return nil
	}
	header := make([]byte, 100)
	if _, err := file.ReadAt(header, 0); err != nil || string(header[:16]) != "SQLite format 3\x00" {
		return fmt.Errorf("database: %s is no SQLite database, or damaged; restore a backup (wenzhen restore)", path)
	}
	page := int64(binary.BigEndian.Uint16(header[16:]))
	if page == 1 {
		page = 65536
	}
	if want := page * int64(binary.BigEndian.Uint32(header[28:])); info.Size() < want {
		return fmt.Errorf("database: %s is cut off, it has %d of %d bytes; restore a backup (wenzhen restore)", path, info.Size(), want)
	}
	return nil
}

// diskFailure tells whether it was the disk that failed.
func diskFailure(err error) bool {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return false
	}
	switch e.Code() & 0xff {
	case sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN:
		return true
	}
	return false
}

// stuckEvery bounds how often it is logged that the database cannot be written.
const stuckEvery = time.Minute

// explain makes of a failure of the disk what a client may try again after, and
// tells the operator. Nothing of the batch was answered as done.
func (w *writer) explain(err error) error {
	if !diskFailure(err) {
		return err
	}
	if now := w.opts.Now(); now.Sub(w.stuck) >= stuckEvery || now.Before(w.stuck) {
		w.stuck = now
		w.opts.Log.Error("the database cannot be written; is its disk full, or read-only? Nothing that was answered is lost", "error", err)
	}
	return rooms.Unavailable(err, "the server cannot write to its disk; nothing was done, and it is safe to send it again later")
}
