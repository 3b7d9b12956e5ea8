package httpserver

import (
	"net"
	"testing"
	"time"
)

// Once connections are refused none begins any more, and it takes until those
// that were made are accepted.
func TestRefuseConnections(t *testing.T) {
	t.Parallel()
	listener, err := Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	for range 3 {
		conn, err := net.Dial("tcp", listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		RefuseConnections(t.Context(), listener)
	}()
	for refused := false; !refused; {
		conn, err := net.DialTimeout("tcp", listener.Addr().String(), 100*time.Millisecond)
		if refused = err != nil; !refused {
			_ = conn.Close() // it was quicker; it waits to be accepted too
		}
		select {
		case <-done:
			t.Fatal("the listener may be closed, and connections wait to be accepted")
		default:
		}
	}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			_ = conn.Close()
		}
	}()
	<-done
}
