//go:build unix

package edge

import "syscall"

// rawIO says that descriptors can be read and written without waiting.
const rawIO = true

// rawWrite writes what the kernel takes at once. again says that it would
// have had to wait.
func rawWrite(fd uintptr, p []byte) (n int, again bool, err error) {
	return once(syscall.Write, fd, p)
}

// rawRead reads what is there. again says that nothing is.
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
