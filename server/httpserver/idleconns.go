package httpserver

import (
	"container/list"
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"sync"
	"time"
)

// IdleConns bounds the HTTP connections that are open without a request: before
// the first one, while its headers are incomplete, or after an answer. When there
// are more than limit, the one that has been idle for longest is closed, so that
// clients which open connections and send nothing take neither files nor memory
// from others. A client that sends its request at once is not affected.
type IdleConns struct {
	limit int

	mu      sync.Mutex
	order   *list.List // of *idleConn, the longest idle first
	at      map[net.Conn]*list.Element
	cut     uint64
	open    int // all connections that are HTTP's, those that are being answered too
	closing bool
	ended   chan struct{} // closed when closing and none is open
}

// idleConn is a connection without a request.
type idleConn struct {
	net.Conn
	fresh bool // it has not asked for anything yet
}

// NewIdleConns bounds idle connections to limit.
func NewIdleConns(limit int) *IdleConns {
	return &IdleConns{limit: limit, order: list.New(), at: map[net.Conn]*list.Element{}, ended: make(chan struct{})}
}

// ConnState is the hook of http.Server.
func (i *IdleConns) ConnState(c net.Conn, state http.ConnState) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.remove(c)
	switch state {
	case http.StateNew:
		i.open++
		i.add(c, true)
	case http.StateIdle:
		if i.closing {
			part(c)
		} else {
			i.add(c, false)
		}
	case http.StateHijacked, http.StateClosed:
		i.open--
		if i.closing && i.open == 0 {
			close(i.ended)
		}
	}
}

// add adds a connection, and closes the oldest where there is no room; mu is held.
func (i *IdleConns) add(c net.Conn, fresh bool) {
	i.at[c] = i.order.PushBack(&idleConn{c, fresh})
	if i.order.Len() > i.limit {
		oldest := i.order.Front().Value.(*idleConn)
		i.remove(oldest.Conn)
		hangUp(oldest.Conn)
		i.cut++
	}
}

// remove removes a connection, if it is idle; mu is held.
func (i *IdleConns) remove(c net.Conn) {
	if e := i.at[c]; e != nil {
		i.order.Remove(e)
		delete(i.at, c)
	}
}

// How long a connection that was made just before the end may take to ask for
// something. Browsers open connections in advance. A balancer opens none without
// a request, which may wait to be read where a machine has too much to do.
const (
	freshPatience    = 500 * time.Millisecond
	balancedPatience = 5 * time.Second
)

// End closes the connections that have been answered and wait, and returns when
// none is open any more, or when ctx ends. Those that are being answered are
// closed after the answer, those that have not asked yet after a moment. It is
// for a server that accepts no connections any more.
func (i *IdleConns) End(ctx context.Context, balanced bool) {
	i.mu.Lock()
	i.closing = true
	if i.open == 0 {
		close(i.ended)
	}
	i.closeIdle(false)
	i.mu.Unlock()
	patience := freshPatience
	if balanced {
		patience = balancedPatience
	}
	silent := time.AfterFunc(patience, func() {
		i.mu.Lock()
		defer i.mu.Unlock()
		i.closeIdle(true)
	})
	defer silent.Stop()
	select {
	case <-i.ended:
	case <-ctx.Done():
	}
}

// closeIdle closes idle connections, and with fresh also those without a request
// so far; mu is held.
func (i *IdleConns) closeIdle(fresh bool) {
	for c, e := range i.at {
		if fresh || !e.Value.(*idleConn).fresh {
			hangUp(c)
		}
	}
}

// Count is how many are idle, and how many were closed to make room so far.
func (i *IdleConns) Count() (now int, cut uint64) {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.order.Len(), i.cut
}

// part closes a connection that has just been answered. With HTTP/2 the answer
// is on its way out still.
func part(c net.Conn) {
	if secure, ok := c.(*tls.Conn); ok && secure.ConnectionState().NegotiatedProtocol == "h2" {
		time.AfterFunc(freshPatience, func() { hangUp(c) })
		return
	}
	hangUp(c)
}

// hangUp closes a connection without TLS's goodbye, for which it might wait.
func hangUp(c net.Conn) {
	if secure, ok := c.(*tls.Conn); ok {
		c = secure.NetConn()
	}
	_ = c.Close() // it may be closed already
}
