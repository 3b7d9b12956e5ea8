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

// RefuseConnections lets no further connection begin and waits until those that
// have been made are accepted. Closing the listener would reset them, with the
// requests that are on their way already. Who tries to connect meanwhile hears
// nothing and, trying again, finds the listener closed.
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
	if err := control(raw, func(fd int) { failed = unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &filter) }); err != nil || failed != nil {
		return // a kernel that cannot: a connection may be lost
	}
	for quiet := 0; quiet < quietChecks && ctx.Err() == nil; quiet++ {
		time.Sleep(5 * time.Millisecond)
		if waitToBeAccepted(raw) {
			quiet = -1
		}
	}
}

// quietChecks is how often in a row no connection waits to be accepted before
// the listener is closed: handshakes that have begun come to their end
// meanwhile, which the kernel does late where a machine is busy.
const quietChecks = 10

// waitToBeAccepted reports whether connections of a listener do.
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
