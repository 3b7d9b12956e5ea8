package edge

import (
	"io"
	"sync"

	engineio "github.com/zishang520/engine.io-go-parser/packet"
	"github.com/zishang520/engine.io/v2/engine"
	"github.com/zishang520/engine.io/v2/events"
	"github.com/zishang520/engine.io/v2/transports"
	"github.com/zishang520/engine.io/v2/types"
	"github.com/zishang520/socket.io-go-parser/v2/parser"
)

// libraryConn presents a session to the library as a socket of its engine. Only
// CONNECT and DISCONNECT go through it; the library does not handle events.
type libraryConn struct {
	emitter
	conn    *connection
	client  *client
	request *types.HttpContext
}

var _ engine.Socket = (*libraryConn)(nil)

// connect makes the library join a namespace. It passes our socket as the auth,
// where the middleware finds it.
func (k *libraryConn) connect(s *Socket) {
	k.Emit("data", &parser.Packet{Type: parser.CONNECT, Nsp: s.namespace.name, Data: s})
}

// disconnect makes the library remove a socket and waits until it has. It first
// waits until the library has finished connecting the socket, because the
// library can't do both at a time.
func (k *libraryConn) disconnect(s *Socket) {
	select {
	case <-s.settled:
	case <-k.conn.ctx.Done():
		return
	}
	forgotten := make(chan struct{})
	s.library.Once("disconnect", func(...any) { close(forgotten) })
	k.Emit("data", &parser.Packet{Type: parser.DISCONNECT, Nsp: s.namespace.name})
	select {
	case <-forgotten:
	case <-k.conn.ctx.Done():
	}
}

// close notifies the library that the session has ended.
func (k *libraryConn) close(reason string) { k.Emit("close", reason) }

// Write sends what the library writes to the client: the answers to CONNECT.
func (k *libraryConn) Write(r io.Reader, _ *engineio.Options, _ engine.SendCallback) engine.Socket {
	text, err := io.ReadAll(r)
	if err != nil || len(text) == 0 {
		return k
	}
	f := buildFrame(append(append(make([]byte, headRoom, headRoom+1+len(text)), '4'), text...), opText)
	if kind(text[0]) != kindConnect {
		k.conn.send(f)
		return k
	}
	if p, err := parsePacket(text, 0); err == nil {
		if s := k.client.find(p.namespace, phaseJoined); s != nil {
			s.open(f)
		}
	}
	return k
}

func (k *libraryConn) Send(r io.Reader, o *engineio.Options, c engine.SendCallback) engine.Socket {
	return k.Write(r, o, c)
}

// Close ends the session. The library calls it if no namespace was joined
// in time.
func (k *libraryConn) Close(bool) { k.conn.close(closeNormal, reasonForced) }

func (k *libraryConn) ReadyState() string {
	k.conn.mu.Lock()
	defer k.conn.mu.Unlock()
	return [...]string{"open", "closing", "closed"}[k.conn.state]
}

func (k *libraryConn) Id() string                      { return k.conn.id }
func (k *libraryConn) Protocol() int                   { return 4 }
func (k *libraryConn) Request() *types.HttpContext     { return k.request }
func (k *libraryConn) RemoteAddress() string           { return k.conn.peer.address }
func (k *libraryConn) Upgraded() bool                  { return false }
func (k *libraryConn) Upgrading() bool                 { return false }
func (k *libraryConn) Transport() transports.Transport { return nil }
func (k *libraryConn) SetReadyState(string)            {}

func (k *libraryConn) MaybeUpgrade(transports.Transport) {}
func (k *libraryConn) Construct(string, engine.BaseServer, transports.Transport, *types.HttpContext, int) {
}

// emitter is an event emitter for the few listeners that the
// library adds, one for each name.
type emitter struct {
	events.EventEmitter // nil: its other methods are not called

	mu        sync.Mutex
	listeners []listener
}

type listener struct {
	name events.EventName
	call events.Listener
}

func (g *emitter) On(name events.EventName, calls ...events.Listener) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, call := range calls {
		g.listeners = append(g.listeners, listener{name, call})
	}
	return nil
}

func (g *emitter) Once(name events.EventName, calls ...events.Listener) error {
	return g.On(name, calls...)
}

func (g *emitter) RemoveListener(name events.EventName, _ events.Listener) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	for i, l := range g.listeners {
		if l.name == name {
			g.listeners = append(g.listeners[:i:i], g.listeners[i+1:]...)
			return true
		}
	}
	return false
}

func (g *emitter) Emit(name events.EventName, args ...any) {
	g.mu.Lock()
	var call events.Listener
	for _, l := range g.listeners {
		if l.name == name {
			call = l.call
		}
	}
	g.mu.Unlock()
	if call != nil {
		call(args...)
	}
}
