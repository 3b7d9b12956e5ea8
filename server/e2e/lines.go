package e2e

import (
	"context"
	"net"
	"sync"
	"time"

	"wenzhen.example/client"
)

// Lines are the network connections of a client, which a test can cut.
type Lines struct {
	mu     sync.Mutex
	conns  []net.Conn
	made   int
	from   net.IP    // the address that they are made from; any when nil
	lost   int       // times that the client was thrown off
	online time.Time // since when it has been on; zero while it is off
}

// Dial is an option that makes a client's connections through l.
func (l *Lines) Dial() client.Option {
	return client.WithNetDial(func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := DialerFrom(l.from).DialContext(ctx, network, address)
		if err == nil {
			l.mu.Lock()
			l.conns = append(l.conns, conn)
			l.made++
			l.mu.Unlock()
		}
		return conn, err
	})
}

// DialerFrom makes connections from one of this machine's addresses.
func DialerFrom(ip net.IP) *net.Dialer {
	if ip == nil {
		return &net.Dialer{}
	}
	return &net.Dialer{LocalAddr: &net.TCPAddr{IP: ip}}
}

// Watch is an option that has l know when the client is on and off.
func (l *Lines) Watch() client.Option {
	return client.WithStatus(func(status client.Status, _ error) {
		l.mu.Lock()
		defer l.mu.Unlock()
		if status == client.Online {
			l.online = time.Now()
			return
		}
		l.online = time.Time{}
		l.lost++
	})
}

// State says how often the client was thrown off, and since when it has been
// on again; zero while it is off.
func (l *Lines) State() (lost int, online time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lost, l.online
}

// Cut breaks what is connected now, without a goodbye.
func (l *Lines) Cut() {
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

// Count is how many connections were made.
func (l *Lines) Count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.made
}
