package engine

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	sqlite "modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"wenzhen.example/rooms"
)

// whole refuses a SQLite file that cannot be written or has lost its end: it
// would open, and fail only where something is missing. The file's header says
// how many pages it has (SQLite file format, 1.3); those that a write-ahead log
// still holds may be missing in the file.
func whole(path string) error {
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return fmt.Errorf("database: it cannot be opened for writing; does the file belong to another user, or is its disk read-only? %w", err)
	}
	defer file.Close()
	// A server that runs may change the file while it is looked at: what is
	// missing is missing each time.
	const tries = 3
	for range tries {
		if err = examine(file); err == nil {
			break
		}
	}
	return err
}

func examine(file *os.File) error {
	header := make([]byte, 100)
	read, err := file.ReadAt(header, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("database: %w", err)
	}
	// In this order: what is in neither was nowhere when the header was read.
	logged, err := loggedPages(file.Name() + "-wal")
	if err != nil {
		return fmt.Errorf("database: %w", err)
	}
	info, err := file.Stat()
	switch {
	case err != nil:
		return fmt.Errorf("database: %w", err)
	case read == 0 && len(logged) == 0: // new
		return nil
	case read < len(header) || string(header[:16]) != "SQLite format 3\x00":
		return fmt.Errorf("database: %s is no SQLite database, or damaged; restore a backup (wenzhen restore)", file.Name())
	}
	page := int64(binary.BigEndian.Uint16(header[16:]))
	if page == 1 {
		page = 65536
	}
	if page < 512 {
		return fmt.Errorf("database: %s is damaged, its pages have %d bytes; restore a backup (wenzhen restore)", file.Name(), page)
	}
	count := binary.BigEndian.Uint32(header[28:])
	for n := uint32(info.Size()/page) + 1; n <= count; n++ {
		if !logged[n] {
			return fmt.Errorf("database: %s is cut off, it has %d of %d bytes; restore a backup (wenzhen restore)", file.Name(), info.Size(), page*int64(count))
		}
	}
	return nil
}

// loggedPages are the pages of which a write-ahead log holds a version (SQLite
// file format, 4.1); none where there is no log, or an empty one. A frame
// whose salts are not the log's is left over from an earlier one.
func loggedPages(path string) (map[uint32]bool, error) {
	const headerBytes, frameBytes = 32, 24
	log, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	defer log.Close()
	header, frame := make([]byte, headerBytes), make([]byte, frameBytes)
	if _, err := log.ReadAt(header, 0); errors.Is(err, io.EOF) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	page, pages := int64(binary.BigEndian.Uint32(header[8:])), map[uint32]bool{}
	for at := int64(headerBytes); ; at += frameBytes + page {
		if _, err := log.ReadAt(frame, at); errors.Is(err, io.EOF) {
			return pages, nil
		} else if err != nil {
			return nil, err
		}
		if bytes.Equal(frame[8:16], header[16:24]) {
			pages[binary.BigEndian.Uint32(frame)] = true
		}
	}
}

// diskFailure reports whether the disk failed.
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
	return rooms.Unavailable(errors.Join(rooms.ErrNotWritable, err), "the server cannot write to its disk; nothing was done, and it is safe to send it again later")
}
