//go:build !linux && !darwin

package server

import (
	"errors"
	"time"
)

// processorTime is not known here.
func processorTime() time.Duration { return 0 }

// freeBytes is not known here.
func freeBytes(string) (uint64, error) { return 0, errors.ErrUnsupported }
