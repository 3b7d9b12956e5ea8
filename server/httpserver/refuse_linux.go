package httpserver

import (
	"context"
	"net"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// noSYN is a filter that drops the first packet of a connection: a SYN without
// an ACK. The packet begins with the header of TCP.
var noSYN = [...]unix.SockFilter{
	{Code: unix.BPF_LD | unix.BPF_B | unix.BPF_ABS, K: 13}, // the flags
	{Code: unix.BPF_ALU | unix.BPF_AND | unix.BPF_K, K: 0x12},
	{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: 0x02, Jt: 1},
	{Code: unix.BPF_RET | unix.BPF_K, K: 0xffff},
	{Code: unix.BPF_RET | unix.BPF_K, K: 0},
}

// RefuseConnections makes the kernel drop the first packet of new connections and
// waits until the established ones are accepted. Closing the listener would reset
// those, with requests that have already been sent. A client that connects
// meanwhile gets no answer; it tries again and finds the listener closed.
func RefuseConnections(ctx context.Context, listener net.Listener) {
	tcp, ok := listener.(*net.TCPListener)
	if !ok {
		return
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return
	}
	filter := unix.SockFprog{Len: uint16(len(noSYN)), Filter: &noSYN[0]}
	var failed error
	err = control(raw, func(fd int) { failed = unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &filter) })
	if err != nil || failed != nil {
		return // without the filter a connection may be lost
	}
	for quiet := 0; quiet < quietChecks && ctx.Err() == nil; quiet++ {
		time.Sleep(5 * time.Millisecond)
		if waitToBeAccepted(raw) {
			quiet = -1
		}
	}
}

// quietChecks is the number of consecutive checks without a connection that waits
// to be accepted. During that time the kernel completes handshakes that have
// begun, which takes longer on a busy machine.
const quietChecks = 10

// waitToBeAccepted reports whether connections of a listener wait to be accepted.
func waitToBeAccepted(raw syscall.RawConn) bool {
	waiting := false
	err := control(raw, func(fd int) {
		info, err := unix.GetsockoptTCPInfo(fd, unix.IPPROTO_TCP, unix.TCP_INFO)
		waiting = err == nil && info.Unacked > 0
	})
	return err == nil && waiting
}

func control(raw syscall.RawConn, f func(fd int)) error {
	return raw.Control(func(fd uintptr) { f(int(fd)) })
}
