package edge

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"
)

// Server is a Socket.IO 5 server over Engine.IO 4. Create one with New, add
// its namespaces, and mount it.
type Server struct {
	engine     *Engine
	library    *library
	namespaces map[string]*Namespace
}

// New returns a server. It starts no goroutine.
func New(cfg Config) *Server {
	s := &Server{namespaces: map[string]*Namespace{}}
	s.engine = newEngine(cfg.withDefaults(), s)
	s.library = newLibrary(s.engine.cfg.ConnectTimeout)
	return s
}

// ServeHTTP serves Socket.IO; see Engine.ServeHTTP.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.engine.ServeHTTP(w, r) }

// Namespace adds a namespace, whose name begins with a slash, and its handler.
// It must be called before the first request is served. Clients that connect
// to a namespace that doesn't exist get CONNECT_ERROR.
func (s *Server) Namespace(name string, h Handler) *Namespace {
	n := &Namespace{server: s, name: name, handler: h}
	n.rooms.init()
	s.namespaces[name] = n
	s.library.open(n)
	return n
}

// noSuchNamespace returns the data of the CONNECT_ERROR for a namespace that does
// not exist. The message is that of Node's server. For the main namespace, which
// clients join by default, it also lists the namespaces that exist.
func (s *Server) noSuchNamespace(name string) string {
	message := "Invalid namespace"
	if name == "/" {
		message += ": name one of " + strings.Join(slices.Sorted(maps.Keys(s.namespaces)), ", ")
	}
	body, _ := json.Marshal(map[string]string{"message": message}) // strings always encode
	return string(body)
}

// Drain refuses handshakes with 503 and Retry-After from now on. Existing
// connections stay open and may still change from polling to WebSocket.
func (s *Server) Drain() { s.engine.Drain() }

// Close refuses handshakes, waits for events that are being handled, sends what
// is queued and closes all connections in a way that makes clients reconnect by
// themselves. It returns when every Disconnect has returned. If ctx ends
// earlier, Close drops the remaining connections and returns the error of ctx.
func (s *Server) Close(ctx context.Context) error { return s.engine.Close(ctx) }

// Stats returns the current counts.
func (s *Server) Stats() Stats { return s.engine.Stats() }

// recovered recovers from a panic of a handler. It must be deferred directly.
func (s *Server) recovered() {
	if v := recover(); v != nil {
		s.panicked(v)
	}
}

func (s *Server) panicked(v any) {
	s.engine.counters.panics.Add(1)
	s.engine.cfg.OnPanic(v, debug.Stack())
}

// open implements protocol.
func (s *Server) open(ss *connection) protoState {
	c := &client{server: s, conn: ss}
	c.libraryConn = s.library.attach(ss, c)
	return c
}
