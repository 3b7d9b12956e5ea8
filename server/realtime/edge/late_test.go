//go:build unix

package edge

import (
	"bytes"
	"io"
	"net"
	"syscall"
	"testing"
	"time"
)

// tcpPair is a connection over TCP and its other end.
func tcpPair(t *testing.T) (client, server net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if client, err = net.Dial("tcp", l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if server, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close(); server.Close() })
	return client, server
}

// arrived waits until so many bytes wait to be read; with 0, until the other side
// has closed.
func arrived(t *testing.T, conn net.Conn, many int) {
	t.Helper()
	raw, err := conn.(*net.TCPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	p := make([]byte, many+1)
	err = raw.Read(func(fd uintptr) bool {
		n, _, err := syscall.Recvfrom(int(fd), p, syscall.MSG_PEEK)
		return err == nil && n == many || err != nil && err != syscall.EAGAIN
	})
	if err != nil {
		t.Fatal(err)
	}
}

// A server that is too busy to read a message in time reads what has arrived: its
// client has sent it in time. A message of which a part has not arrived is late.
func TestABusyServerReadsWhatHasArrived(t *testing.T) {
	t.Parallel()
	for name, size := range map[string]int{"short": 10, "longer than a chunk": 3 * firstChunk} {
		payload := bytes.Repeat([]byte("x"), size)
		var wire []byte
		if size < 126 {
			wire = masked(0x82, string(payload))
		} else {
			wire = append([]byte{0x82, 0x80 | 126, byte(size >> 8), byte(size), 0, 0, 0, 0}, payload...)
		}
		for sent, part := range [][]byte{wire, wire[:len(wire)-1], nil} {
			client, server := tcpPair(t)
			_, err := client.Write(part)
			if part == nil {
				err = client.Close()
			}
			if err != nil {
				t.Fatal(err)
			}
			arrived(t, server, len(part))
			_ = server.SetReadDeadline(time.Now().Add(-time.Second)) // too late at once
			_, got, err := newFrameReader(server, 1<<20, -time.Second).next()
			switch {
			case sent == 0 && (err != nil || !bytes.Equal(got, payload)):
				t.Errorf("%s: %d bytes, %v", name, len(got), err)
			case sent == 1 && !isTimeout(err):
				t.Errorf("%s, not whole: %d bytes, %v", name, len(got), err)
			case sent == 2 && err != io.EOF:
				t.Errorf("closed: %v", err)
			}
		}
	}
}
