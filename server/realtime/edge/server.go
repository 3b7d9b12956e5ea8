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

// Server speaks Socket.IO 5 over Engine.IO 4. Make one with New, give it its
// namespaces, and mount it.
type Server struct {
	engine     *Engine
	library    *library
	namespaces map[string]*Namespace
}

// New makes a server. It starts nothing: an idle server has no goroutine.
func New(cfg Config) *Server {
	s := &Server{namespaces: map[string]*Namespace{}}
	s.engine = newEngine(cfg.withDefaults(), s)
	s.library = newLibrary(s.engine.cfg.ConnectTimeout)
	return s
}

// ServeHTTP serves Socket.IO; see Engine.ServeHTTP.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.engine.ServeHTTP(w, r) }

// Namespace opens a namespace, whose name begins with a slash, and says who
// handles it. It must be called before the first request is served. Clients
// that ask for a namespace that doesn't exist get CONNECT_ERROR.
func (s *Server) Namespace(name string, h Handler) *Namespace {
	n := &Namespace{server: s, name: name, handler: h}
	n.rooms.init()
	s.namespaces[name] = n
	s.library.open(n)
	return n
}

// noSuchNamespace is what a client hears that asks for a namespace that is not
// there: what Node's server says and, where it is the main one, which clients
// join when they name none, those that there are.
func (s *Server) noSuchNamespace(name string) string {
	message := "Invalid namespace"
	if name == "/" {
		message += ": name one of " + strings.Join(slices.Sorted(maps.Keys(s.namespaces)), ", ")
	}
	body, _ := json.Marshal(map[string]string{"message": message}) // strings always encode
	return string(body)
}

// Drain refuses new handshakes with 503 and Retry-After; present connections
// live on, and may still change from polling to WebSocket.
func (s *Server) Drain() { s.engine.Drain() }

// Close refuses new handshakes, lets every event that is being handled come
// to its end, sends what is queued and closes all connections, so that
// clients reconnect by themselves. It returns when every Disconnect has
// returned. When ctx ends before, the rest is cut off and its error returned.
func (s *Server) Close(ctx context.Context) error { return s.engine.Close(ctx) }

// Stats tells what there is and what has happened.
func (s *Server) Stats() Stats { return s.engine.Stats() }

// recovered is deferred around calls of handlers.
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
func (s *Server) open(ss *session) speaker {
	c := &client{server: s, session: ss}
	c.link = s.library.attach(ss, c)
	return c
}
