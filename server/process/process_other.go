//go:build !linux && !darwin

package process

import (
	"errors"
	"os"
	"time"
)

// CPUTime returns 0: it is not implemented on this system.
func CPUTime() time.Duration { return 0 }

// Lock opens a file without locking it: this system has no locks that end with the
// process.
func Lock(path string) (*FileLock, error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	return &FileLock{file}, nil
}

// Close closes the file.
func (l *FileLock) Close() error { return l.file.Close() }

// FreeBytes returns an error: it is not implemented on this system.
func FreeBytes(string) (uint64, error) { return 0, errors.ErrUnsupported }
