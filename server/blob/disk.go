package blob

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"

	"wenzhen.example/rooms"
)

// diskFailures are what the system says when nothing more can be written: the
// disk, the quota or the largest file is full, or the disk is read-only or
// broken.
var diskFailures = []error{syscall.ENOSPC, syscall.EDQUOT, syscall.EFBIG, syscall.EROFS, syscall.EIO, fs.ErrPermission}

// unwritable makes of a failure of the disk what a client may try again after.
// Anything else that is none of ours stays as it is; nil is nil.
func unwritable(err error) error {
	if err == nil {
		return nil
	}
	for _, failure := range diskFailures {
		if errors.Is(err, failure) {
			return rooms.Unavailable(err, "the server cannot write to its disk; nothing was kept, and it is safe to send it again later")
		}
	}
	return fmt.Errorf("store attachment: %w", err)
}
