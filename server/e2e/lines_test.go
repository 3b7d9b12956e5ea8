package e2e_test

import (
	"context"
	"net"
	"sync"

	"wenzhen/client"
)

// lines are the network connections of a client, which a test can cut.
type lines struct {
	mu    sync.Mutex
	conns []net.Conn
	made  int
}

// dial is an option that makes a client's connections through l.
func (l *lines) dial() client.Option {
	return client.WithNetDial(func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
		if err == nil {
			l.mu.Lock()
			l.conns = append(l.conns, conn)
			l.made++
			l.mu.Unlock()
		}
		return conn, err
	})
}

// cut breaks what is connected now, without a goodbye.
func (l *lines) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, conn := range l.conns {
		if tcp, ok := conn.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0) // it may be closed already
		}
		_ = conn.Close()
	}
	l.conns = nil
}

// count is how many connections were made.
func (l *lines) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.made
}
