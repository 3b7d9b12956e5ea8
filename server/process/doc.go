// Package process asks the operating system about this process: its processor
// time, the disk that it writes to, and the files that it locks.
package process

import "errors"

// ErrLocked is the error of a file that another process has locked.
var ErrLocked = errors.New("another process has locked it")
