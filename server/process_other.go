//go:build !linux && !darwin

package server

import (
	"errors"
	"os"
	"time"
)

// lockFile opens a file; this system has no locks that end with the process.
func lockFile(path string) (*os.File, error) { return os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600) }

// processorTime is not known here.
func processorTime() time.Duration { return 0 }

// freeBytes is not known here.
func freeBytes(string) (uint64, error) { return 0, errors.ErrUnsupported }
