package sidecar

import (
	"io"
	"net"
	"strconv"
	"sync"
	"testing"
)

// Wire is a TCP connection's way to a server, which a test can cut: then what
// is connected breaks and nothing connects; or freeze: then all stay connected
// and nothing passes.
type Wire struct {
	Port int

	listener net.Listener
	to       string
	mu       sync.Mutex
	thawed   *sync.Cond
	cut      bool
	frozen   bool
	closed   bool
	ends     map[net.Conn]bool
	pumps    sync.WaitGroup
}

// NewWire leads from a free port of 127.0.0.1 to another, until the end of the test.
func NewWire(t testing.TB, port int) *Wire {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	w := &Wire{Port: l.Addr().(*net.TCPAddr).Port, listener: l, to: net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), ends: map[net.Conn]bool{}}
	w.thawed = sync.NewCond(&w.mu)
	w.pumps.Go(w.accept)
	t.Cleanup(w.close)
	return w
}

// Cut breaks every connection and refuses new ones.
func (w *Wire) Cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cut = true
	w.breakAll()
}

// Freeze lets nothing pass, without a word to either side.
func (w *Wire) Freeze() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.frozen = true
}

// Restore ends Cut and Freeze.
func (w *Wire) Restore() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cut, w.frozen = false, false
	w.thawed.Broadcast()
}

func (w *Wire) close() {
	_ = w.listener.Close()
	w.mu.Lock()
	w.closed = true
	w.breakAll()
	w.thawed.Broadcast()
	w.mu.Unlock()
	w.pumps.Wait()
}

func (w *Wire) breakAll() {
	for c := range w.ends {
		_ = c.Close()
	}
}

func (w *Wire) accept() {
	for {
		near, err := w.listener.Accept()
		if err != nil {
			return
		}
		w.pumps.Go(func() { w.carry(near) })
	}
}

func (w *Wire) carry(near net.Conn) {
	defer near.Close()
	if !w.hold(near) {
		return
	}
	defer w.drop(near)
	far, err := net.Dial("tcp", w.to)
	if err != nil {
		return
	}
	defer far.Close()
	if !w.hold(far) {
		return
	}
	defer w.drop(far)
	var both sync.WaitGroup
	for _, way := range [][2]net.Conn{{near, far}, {far, near}} {
		both.Go(func() {
			w.pump(way[1], way[0])
			_, _ = near.Close(), far.Close()
		})
	}
	both.Wait()
}

func (w *Wire) pump(to io.Writer, from io.Reader) {
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		if n > 0 {
			w.mu.Lock()
			for w.frozen && !w.closed && !w.cut {
				w.thawed.Wait()
			}
			w.mu.Unlock()
			if _, err := to.Write(buf[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

func (w *Wire) hold(c net.Conn) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.cut || w.closed {
		return false
	}
	w.ends[c] = true
	return true
}

func (w *Wire) drop(c net.Conn) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.ends, c)
}
