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

// link is a session in the eyes of the library: its engine's socket. Only
// CONNECT and DISCONNECT go through it; events never see the library.
type link struct {
	signals
	session *session
	client  *client
	request *types.HttpContext
}

var _ engine.Socket = (*link)(nil)

// connect lets the library join a namespace. In the place of the client's
// auth it gets our socket, by which the middleware finds us.
func (k *link) connect(s *Socket) {
	k.Emit("data", &parser.Packet{Type: parser.CONNECT, Nsp: s.namespace.name, Data: s})
}

// disconnect lets the library forget a socket and waits until it has. It must
// have finished connecting it first: it can't do both at a time.
func (k *link) disconnect(s *Socket) {
	select {
	case <-s.settled:
	case <-k.session.ctx.Done():
		return
	}
	forgotten := make(chan struct{})
	s.library.Once("disconnect", func(...any) { close(forgotten) })
	k.Emit("data", &parser.Packet{Type: parser.DISCONNECT, Nsp: s.namespace.name})
	select {
	case <-forgotten:
	case <-k.session.ctx.Done():
	}
}

// close tells the library that the session is over.
func (k *link) close(reason string) { k.Emit("close", reason) }

// Send and Write take what the library wants to tell the client: the answers
// to CONNECT.
func (k *link) Write(r io.Reader, _ *engineio.Options, _ engine.SendCallback) engine.Socket {
	text, err := io.ReadAll(r)
	if err != nil || len(text) == 0 {
		return k
	}
	f := seal(append(append(make([]byte, headRoom, headRoom+1+len(text)), '4'), text...), opText)
	if kind(text[0]) != kindConnect {
		k.session.send(f)
		return k
	}
	if p, err := parsePacket(text, 0); err == nil {
		if s := k.client.find(p.namespace, phaseJoined); s != nil {
			s.open(f)
		}
	}
	return k
}

func (k *link) Send(r io.Reader, o *engineio.Options, c engine.SendCallback) engine.Socket {
	return k.Write(r, o, c)
}

// Close ends the session: the library does it when no namespace was joined
// in time.
func (k *link) Close(bool) { k.session.close(closeNormal, reasonForced) }

func (k *link) ReadyState() string {
	k.session.mu.Lock()
	defer k.session.mu.Unlock()
	return [...]string{"open", "closing", "closed"}[k.session.state]
}

func (k *link) Id() string                      { return k.session.id }
func (k *link) Protocol() int                   { return 4 }
func (k *link) Request() *types.HttpContext     { return k.request }
func (k *link) RemoteAddress() string           { return k.session.peer.address }
func (k *link) Upgraded() bool                  { return false }
func (k *link) Upgrading() bool                 { return false }
func (k *link) Transport() transports.Transport { return nil }
func (k *link) SetReadyState(string)            {}

func (k *link) MaybeUpgrade(transports.Transport) {}
func (k *link) Construct(string, engine.BaseServer, transports.Transport, *types.HttpContext, int) {
}

// signals is an event emitter with room for the few listeners that the
// library has, one for each name.
type signals struct {
	events.EventEmitter // nil: nothing else of it is used

	mu        sync.Mutex
	listeners []listener
}

type listener struct {
	name events.EventName
	call events.Listener
}

func (g *signals) On(name events.EventName, calls ...events.Listener) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, call := range calls {
		g.listeners = append(g.listeners, listener{name, call})
	}
	return nil
}

func (g *signals) Once(name events.EventName, calls ...events.Listener) error {
	return g.On(name, calls...)
}

func (g *signals) RemoveListener(name events.EventName, _ events.Listener) bool {
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

func (g *signals) Emit(name events.EventName, args ...any) {
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
