package turn

import (
	"net"
	"sync"
	"time"
)

// idleMost is the maximum time without data from a TCP client. A client renews its
// relay every few minutes.
const idleMost = 11 * time.Minute

// listener accepts up to most connections at a time, and can close all of them.
type listener struct {
	net.Listener
	most int

	mu     sync.Mutex
	conns  map[*conn]bool
	closed bool
}

func track(l net.Listener, most int) *listener {
	return &listener{Listener: l, most: most, conns: map[*conn]bool{}}
}

// Accept implements net.Listener. Connections above the limit are closed.
func (l *listener) Accept() (net.Conn, error) {
	for {
		inner, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		c := &conn{Conn: inner, from: l}
		if l.add(c) {
			return c, nil
		}
		_ = inner.Close()
	}
}

func (l *listener) add(c *conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed || len(l.conns) >= l.most {
		return false
	}
	l.conns[c] = true
	return true
}

// hangUp closes every connection, and those that are accepted later.
func (l *listener) hangUp() {
	l.mu.Lock()
	l.closed = true
	conns := make([]*conn, 0, len(l.conns))
	for c := range l.conns {
		conns = append(conns, c)
	}
	l.mu.Unlock()
	for _, c := range conns {
		_ = c.Close()
	}
}

type conn struct {
	net.Conn
	from *listener
}

// Read implements net.Conn.
func (c *conn) Read(b []byte) (int, error) {
	if err := c.SetReadDeadline(time.Now().Add(idleMost)); err != nil {
		return 0, err
	}
	return c.Conn.Read(b)
}

// Close implements net.Conn.
func (c *conn) Close() error {
	c.from.mu.Lock()
	delete(c.from.conns, c)
	c.from.mu.Unlock()
	return c.Conn.Close()
}
