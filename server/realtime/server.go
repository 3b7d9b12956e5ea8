package realtime

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"wenzhen/rooms"
	"wenzhen/server/realtime/edge"
)

// Accounts is what realtime asks about logins.
type Accounts interface {
	// Authenticate reads an access token and asks who its session is at the moment.
	Authenticate(ctx context.Context, token string) (rooms.Actor, time.Time, error)
	// Alive refuses a session that has ended.
	Alive(ctx context.Context, actor rooms.Actor, command string) error
	// Forget makes Alive ask anew about a session that has ended, on whichever node.
	Forget(session rooms.SessionID)
}

// Config says how sockets behave.
type Config struct {
	Edge edge.Config
	// CommandTimeout bounds one command.
	CommandTimeout time.Duration
	// SocketsPerUser bounds the devices and pages of one user.
	SocketsPerUser int
	Log            *slog.Logger
	Now            func() time.Time
	// Observe is called for every command that was answered, with its name or
	// "unknown", the code of its error or "", and the time that it took. It must
	// not block. It may be nil.
	Observe func(command string, code rooms.Code, took time.Duration)
	// Trace starts a span for every command; nil traces nothing.
	Trace rooms.Tracer
}

// Server is the realtime half of Wenzhen. It is a rooms.Listener.
type Server struct {
	cfg        Config
	edge       *edge.Server
	lobby      *LobbyWebSocket
	namespaces map[string]*edge.Namespace
	accounts   Accounts
	catalogue  *rooms.Catalogue
	presence   *rooms.Presence
}

// New makes the server; nothing is served yet. presence counts who hears a
// room, and in its view who is looking at it.
func New(cfg Config, catalogue *rooms.Catalogue, accounts Accounts, presence *rooms.Presence) *Server {
	if cfg.Observe == nil {
		cfg.Observe = func(string, rooms.Code, time.Duration) {}
	}
	s := &Server{cfg: cfg, accounts: accounts, catalogue: catalogue, presence: presence, namespaces: map[string]*edge.Namespace{}}
	s.edge = edge.New(cfg.Edge)
	s.lobby = newLobbyWebSocket(s, cfg.Edge)
	for name, guests := range map[string]bool{rooms.Consultations: false, rooms.Schedules: true, rooms.Notifications: false, rooms.Lobby: true, rooms.Admin: false} {
		s.namespaces[name] = s.edge.Namespace(name, &namespace{server: s, name: name, guests: guests})
	}
	return s
}

// ServeHTTP serves Socket.IO; it is mounted at /socket.io.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.edge.ServeHTTP(w, r) }

// LobbyWebSocket serves bare WebSockets; it is mounted at /chat.
func (s *Server) LobbyWebSocket() http.Handler { return s.lobby }

// Connections is how many clients are connected now.
func (s *Server) Connections() int { return s.edge.Stats().Connections + s.lobby.plain.Connections() }

// Stats tells what there is and what has happened on the connections.
func (s *Server) Stats() edge.Stats { return s.edge.Stats() }

// Rooms is how many rooms somebody listens to.
func (s *Server) Rooms() int {
	n := 0
	for _, ns := range s.namespaces {
		n += ns.Rooms()
	}
	return n
}

// Published implements rooms.Listener. It sends an event once to every socket
// in its room and in its further rooms (Also). Sockets in the room of a
// consultation on /consultations get every entry of its log, without a gap.
// Users that lose access by the event are removed from the room first.
func (s *Server) Published(p rooms.Publication) {
	s.lost(p)
	if p.Damaged {
		return
	}
	to := make([]string, 0, 1+len(p.Also))
	for _, room := range p.Also {
		to = append(to, string(room))
	}
	home := namespaceOf(p.Namespace)
	if home == rooms.Consultations || p.Room.Kind() != "consultation" {
		s.broadcast(home, append(to, string(p.Room)), p.Name, p.Wire)
		return
	}
	s.broadcast(home, to, p.Name, p.Wire)
	s.broadcast(rooms.Consultations, []string{string(p.Room)}, p.Name, p.Wire)
}

// lost ends the subscriptions of those who have lost access to the event's room.
func (s *Server) lost(p rooms.Publication) {
	if len(p.Lost) == 0 {
		return
	}
	for _, socket := range s.sockets(string(p.Room)) {
		conn, ok := socket.Data().(*connection)
		if !ok {
			continue
		}
		for _, user := range p.Lost {
			conn.lose(user, p.Room, p.Seq)
		}
	}
}

// Signalled implements rooms.Listener.
func (s *Server) Signalled(n rooms.Signal) {
	to := []string{string(n.Room)}
	s.lobby.signalled(n)
	if !n.EndsSession() {
		s.broadcast(namespaceOf(n.Namespace), to, n.Name, n.Data)
		s.admitted(n)
		return
	}
	s.accounts.Forget(rooms.SessionID(n.Room.Subject()))
	for name := range s.namespaces {
		s.broadcast(name, to, n.Name, n.Data)
	}
	s.cut(n)
}

func namespaceOf(name string) string {
	if name == "" {
		return rooms.Consultations
	}
	return name
}

func (s *Server) broadcast(namespace string, to []string, name string, data []byte) {
	if err := s.namespaces[namespace].Broadcast(to, name, json.RawMessage(data)); err != nil {
		s.cfg.Log.Error("broadcast", "event", name, "error", err)
	}
}

// sockets are those of all namespaces in a room.
func (s *Server) sockets(room string) []*edge.Socket {
	var all []*edge.Socket
	for _, ns := range s.namespaces {
		all = append(all, ns.Sockets(room)...)
	}
	return all
}

// admitted adds the sockets that received a signal to the room that it admits
// them to.
func (s *Server) admitted(n rooms.Signal) {
	if n.Into == "" {
		return
	}
	for _, socket := range s.namespaces[namespaceOf(n.Namespace)].Sockets(string(n.Room)) {
		if conn, ok := socket.Data().(*connection); ok {
			_ = conn.Subscribe(n.Into, 0) // fails when the connection is closed
		}
	}
}

// cut closes the sockets of a revoked session, which have received the reason
// before.
func (s *Server) cut(n rooms.Signal) {
	for _, socket := range s.sockets(string(n.Room)) {
		socket.Kick()
	}
}

// Watch ends, until ctx does, sockets whose access token has run out without
// having been refreshed, and those whose session has ended unheard.
func (s *Server) Watch(ctx context.Context) {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		for _, socket := range s.sockets("") {
			conn, ok := socket.Data().(*connection)
			if !ok {
				continue
			}
			actor, expires := conn.who()
			switch {
			case actor.Guest():
			case s.cfg.Now().After(expires.Add(expiryGrace)):
				socket.Close("access token expired") // the client comes back with a fresh one
			case rooms.CodeOf(s.accounts.Alive(ctx, actor, "")) == rooms.CodeUnauthenticated:
				socket.Kick()
			}
		}
	}
}

// Pace of Watch, and how long a socket may go on with an expired token: it
// can do nothing but refresh it meanwhile.
const (
	watchEvery  = 10 * time.Second
	expiryGrace = 30 * time.Second
)

// Drain refuses new connections; those that are there live on.
func (s *Server) Drain() {
	s.edge.Drain()
	s.lobby.plain.Drain()
}

// Close lets running commands be answered and closes all connections, in a
// way that makes clients connect again by themselves.
func (s *Server) Close(ctx context.Context) error {
	closed := make(chan error, 1)
	go func() { closed <- s.lobby.plain.Close(ctx) }()
	return errors.Join(s.edge.Close(ctx), <-closed)
}
