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

// IdleConns bounds the HTTP connections without a request: before the first one,
// while its headers are incomplete, or after an answer. If there are more than
// limit, the one that has been idle longest is closed, so that clients that open
// connections and send nothing do not use up file descriptors and memory. A client
// that sends its request immediately is not affected.
type IdleConns struct {
	limit int

	mu      sync.Mutex
	order   *list.List // of *idleConn, the longest idle first
	at      map[net.Conn]*list.Element
	evicted uint64 // connections that were closed because of the limit
	open    int    // all HTTP connections, including those that are being answered
	closing bool
	ended   chan struct{} // closed when closing and no connection is open
}

// idleConn is a connection without a request.
type idleConn struct {
	net.Conn
	fresh bool // it has not sent a request yet
}

// NewIdleConns returns an IdleConns with a limit.
func NewIdleConns(limit int) *IdleConns {
	return &IdleConns{limit: limit, order: list.New(), at: map[net.Conn]*list.Element{}, ended: make(chan struct{})}
}

// ConnState must be http.Server's ConnState.
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
			closeAnswered(c)
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

// add adds a connection, and closes the longest idle one above the limit; mu is held.
func (i *IdleConns) add(c net.Conn, fresh bool) {
	i.at[c] = i.order.PushBack(&idleConn{c, fresh})
	if i.order.Len() > i.limit {
		oldest := i.order.Front().Value.(*idleConn)
		i.remove(oldest.Conn)
		hangUp(oldest.Conn)
		i.evicted++
	}
}

// remove removes a connection, if it is idle; mu is held.
func (i *IdleConns) remove(c net.Conn) {
	if e := i.at[c]; e != nil {
		i.order.Remove(e)
		delete(i.at, c)
	}
}

// How long End waits for the first request of a connection. Browsers open
// connections in advance. A balancer opens a connection only for a request, which
// a busy server may read late.
const (
	freshPatience    = 500 * time.Millisecond
	balancedPatience = 5 * time.Second
)

// End closes the idle connections, and returns when all connections are closed or
// ctx ends. A connection with a running request is closed after the answer; one
// without any request so far is closed after freshPatience, or balancedPatience
// behind a balancer. End must be called after the listener has been closed.
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
	timer := time.AfterFunc(patience, func() {
		i.mu.Lock()
		defer i.mu.Unlock()
		i.closeIdle(true)
	})
	defer timer.Stop()
	select {
	case <-i.ended:
	case <-ctx.Done():
	}
}

// closeIdle closes idle connections; those without any request so far only if
// fresh is true. mu is held.
func (i *IdleConns) closeIdle(fresh bool) {
	for c, e := range i.at {
		if fresh || !e.Value.(*idleConn).fresh {
			hangUp(c)
		}
	}
}

// Count returns the number of idle connections, and how many have been closed
// because of the limit.
func (i *IdleConns) Count() (now int, evicted uint64) {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.order.Len(), i.evicted
}

// closeAnswered closes a connection that has just been answered. With HTTP/2 the
// answer may not have been written completely, so it waits.
func closeAnswered(c net.Conn) {
	if secure, ok := c.(*tls.Conn); ok && secure.ConnectionState().NegotiatedProtocol == "h2" {
		time.AfterFunc(freshPatience, func() { hangUp(c) })
		return
	}
	hangUp(c)
}

// hangUp closes a connection without TLS's close_notify, which might block.
func hangUp(c net.Conn) {
	if secure, ok := c.(*tls.Conn); ok {
		c = secure.NetConn()
	}
	_ = c.Close() // it may be closed already
}
