//go:build unix

package edge

import "syscall"

// rawIO reports whether descriptors can be read and written without blocking.
const rawIO = true

// rawWrite writes as many bytes as possible without blocking. again is true if
// none could be written.
func rawWrite(fd uintptr, p []byte) (n int, again bool, err error) {
	return once(syscall.Write, fd, p)
}

// rawRead reads what is available. again is true if nothing is.
func rawRead(fd uintptr, p []byte) (n int, again bool, err error) {
	return once(syscall.Read, fd, p)
}

func once(call func(int, []byte) (int, error), fd uintptr, p []byte) (int, bool, error) {
	for {
		n, err := call(int(fd), p)
		switch err {
		case syscall.EINTR:
			continue
		case syscall.EAGAIN:
			return 0, true, nil
		}
		return max(n, 0), false, err
	}
}
