//go:build !unix

package edge

import "errors"

// rawIO says that descriptors can be read and written without waiting. Where
// they can't, the queue and its writer take over.
const rawIO = false

func rawWrite(uintptr, []byte) (int, bool, error) { return 0, false, errors.ErrUnsupported }
func rawRead(uintptr, []byte) (int, bool, error)  { return 0, false, errors.ErrUnsupported }
