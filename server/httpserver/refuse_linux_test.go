package httpserver

import (
	"net"
	"testing"
	"time"
)

// RefuseConnections refuses new connections and returns when the established ones
// have been accepted.
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
			_ = conn.Close() // established before the filter; it waits to be accepted too
		}
		select {
		case <-done:
			t.Fatal("RefuseConnections returned while connections wait to be accepted")
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
