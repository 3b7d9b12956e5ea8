package server

import (
	"net"
	"net/http"
	"sync"
)

// fresh knows the connections that have asked for nothing yet. Browsers open
// some in advance; http.Server.Shutdown would wait five seconds for them.
type fresh struct {
	mu      sync.Mutex
	conns   map[net.Conn]bool
	closing bool
}

func newFresh() *fresh { return &fresh{conns: map[net.Conn]bool{}} }

// changed is the server's ConnState hook.
func (f *fresh) changed(c net.Conn, state http.ConnState) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case state != http.StateNew:
		delete(f.conns, c)
	case f.closing:
		_ = c.Close()
	default:
		f.conns[c] = true
	}
}

// close closes them, and those that come from now on.
func (f *fresh) close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closing = true
	for c := range f.conns {
		_ = c.Close()
	}
}
