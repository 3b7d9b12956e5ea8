package server

import (
	"container/list"
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"sync"
	"time"
)

// waiting knows the HTTP connections that ask for nothing: nothing yet, not
// even headers that are complete, or nothing any more. There is room for most
// of them; past it the one that has waited longest goes, so that whoever opens
// connections and says nothing takes neither files nor memory from those who
// do. A request that comes at once finds its connection, however many come.
type waiting struct {
	most int

	mu      sync.Mutex
	order   *list.List // of *waiter, the longest waiting first
	at      map[net.Conn]*list.Element
	cut     uint64
	open    int // all connections that are HTTP's, those that are being answered too
	closing bool
	ended   chan struct{} // closed when closing and none is open
}

// waiter is a connection that waits.
type waiter struct {
	net.Conn
	fresh bool // it has not asked for anything yet
}

func newWaiting(most int) *waiting {
	return &waiting{most: most, order: list.New(), at: map[net.Conn]*list.Element{}, ended: make(chan struct{})}
}

// changed is the server's ConnState hook.
func (w *waiting) changed(c net.Conn, state http.ConnState) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.forget(c)
	switch state {
	case http.StateNew:
		w.open++
		w.wait(c, true)
	case http.StateIdle:
		if w.closing {
			part(c)
		} else {
			w.wait(c, false)
		}
	case http.StateHijacked, http.StateClosed:
		w.open--
		if w.closing && w.open == 0 {
			close(w.ended)
		}
	}
}

// wait takes a connection in, and closes the oldest where there is no room; mu
// is held.
func (w *waiting) wait(c net.Conn, fresh bool) {
	w.at[c] = w.order.PushBack(&waiter{c, fresh})
	if w.order.Len() > w.most {
		oldest := w.order.Front().Value.(*waiter)
		w.forget(oldest.Conn)
		hangUp(oldest.Conn)
		w.cut++
	}
}

// forget takes a connection out, if it is in; mu is held.
func (w *waiting) forget(c net.Conn) {
	if e := w.at[c]; e != nil {
		w.order.Remove(e)
		delete(w.at, c)
	}
}

// How long a connection that was made just before the end may take to ask for
// something. Browsers open connections in advance. A balancer opens none without
// a request, which may wait to be read where a machine has too much to do.
const (
	freshPatience    = 500 * time.Millisecond
	balancedPatience = 5 * time.Second
)

// end closes the connections that have been answered and wait, and returns when
// none is open any more, or when ctx ends. Those that are being answered are
// closed after the answer, those that have not asked yet after a moment. It is
// for a server that accepts no connections any more.
func (w *waiting) end(ctx context.Context, balanced bool) {
	w.mu.Lock()
	w.closing = true
	if w.open == 0 {
		close(w.ended)
	}
	w.hangUp(false)
	w.mu.Unlock()
	patience := freshPatience
	if balanced {
		patience = balancedPatience
	}
	silent := time.AfterFunc(patience, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.hangUp(true)
	})
	defer silent.Stop()
	select {
	case <-w.ended:
	case <-ctx.Done():
	}
}

// hangUp closes those that wait, those that have not asked for anything too, or
// not; mu is held.
func (w *waiting) hangUp(fresh bool) {
	for c, e := range w.at {
		if fresh || !e.Value.(*waiter).fresh {
			hangUp(c)
		}
	}
}

// count is how many wait, and how many had to make room so far.
func (w *waiting) count() (now int, cut uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.order.Len(), w.cut
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
