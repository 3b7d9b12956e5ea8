// Package process has functions of the operating system for this process: its CPU
// time, free disk space, and file locks.
package process

import (
	"errors"
	"os"
)

// ErrLocked is the error of a file that another process has locked.
var ErrLocked = errors.New("another process has locked it")

// FileLock is a lock on a file.
type FileLock struct{ file *os.File }
