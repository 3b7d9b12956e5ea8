//go:build !linux && !darwin

package process

import (
	"errors"
	"os"
	"time"
)

// CPUTime is not known here.
func CPUTime() time.Duration { return 0 }

// Lock opens a file; this system has no locks that end with the process.
func Lock(path string) (*os.File, error) { return os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600) }

// FreeBytes is not known here.
func FreeBytes(string) (uint64, error) { return 0, errors.ErrUnsupported }
