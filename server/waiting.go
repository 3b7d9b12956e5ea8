package server

import (
	"container/list"
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
	closing bool
}

// waiter is a connection that waits.
type waiter struct {
	net.Conn
	fresh bool // it has not asked for anything yet
}

func newWaiting(most int) *waiting {
	return &waiting{most: most, order: list.New(), at: map[net.Conn]*list.Element{}}
}

// changed is the server's ConnState hook.
func (w *waiting) changed(c net.Conn, state http.ConnState) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.forget(c)
	switch {
	case state != http.StateNew && state != http.StateIdle:
	case w.closing && state == http.StateIdle:
		hangUp(c)
	default:
		w.at[c] = w.order.PushBack(&waiter{c, state == http.StateNew})
		if w.order.Len() > w.most {
			oldest := w.order.Front().Value.(*waiter)
			w.forget(oldest.Conn)
			hangUp(oldest.Conn)
			w.cut++
		}
	}
}

// forget takes a connection out, if it is in; mu is held.
func (w *waiting) forget(c net.Conn) {
	if e := w.at[c]; e != nil {
		w.order.Remove(e)
		delete(w.at, c)
	}
}

// freshPatience is how long a connection that a browser made just before the end
// may take to ask for something. A balancer makes none without a request, which
// may wait to be read where a machine has too much to do: it has the five
// seconds of http.Server.Shutdown.
const freshPatience = 500 * time.Millisecond

// close closes those that have been answered and wait now or from now on, and
// unless they are a balancer's, after a moment, those that have not asked yet,
// which browsers may have opened in advance.
func (w *waiting) close(balanced bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closing = true
	w.hangUp(false)
	if balanced {
		return
	}
	time.AfterFunc(freshPatience, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.hangUp(true)
	})
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

// hangUp closes a connection without TLS's goodbye, for which it might wait.
func hangUp(c net.Conn) {
	if secure, ok := c.(*tls.Conn); ok {
		c = secure.NetConn()
	}
	_ = c.Close() // it may be closed already
}
