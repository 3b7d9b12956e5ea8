//go:build !unix

package edge

import "errors"

// rawIO reports whether descriptors can be read and written without blocking. If
// not, everything is written through the queue.
const rawIO = false

func rawWrite(uintptr, []byte) (int, bool, error) { return 0, false, errors.ErrUnsupported }
func rawRead(uintptr, []byte) (int, bool, error)  { return 0, false, errors.ErrUnsupported }
