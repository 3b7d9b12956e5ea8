package server

import (
	"container/list"
	"crypto/tls"
	"net"
	"net/http"
	"sync"
)

// waiting knows the HTTP connections that ask for nothing: nothing yet, not
// even headers that are complete, or nothing any more. There is room for most
// of them; past it the one that has waited longest goes, so that whoever opens
// connections and says nothing takes neither files nor memory from those who
// do. A request that comes at once finds its connection, however many come.
type waiting struct {
	most int

	mu      sync.Mutex
	order   *list.List // of net.Conn, the longest waiting first
	at      map[net.Conn]*list.Element
	cut     uint64
	closing bool
}

func newWaiting(most int) *waiting {
	return &waiting{most: most, order: list.New(), at: map[net.Conn]*list.Element{}}
}

// changed is the server's ConnState hook.
func (w *waiting) changed(c net.Conn, state http.ConnState) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case state != http.StateNew && state != http.StateIdle:
		w.forget(c)
	case w.closing:
		hangUp(c)
	default:
		w.forget(c)
		w.at[c] = w.order.PushBack(c)
		if w.order.Len() > w.most {
			oldest := w.order.Front().Value.(net.Conn)
			w.forget(oldest)
			hangUp(oldest)
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

// close closes them, and those that come from now on: http.Server.Shutdown
// would wait five seconds for those that browsers have opened in advance.
func (w *waiting) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closing = true
	for c := range w.at {
		hangUp(c)
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
