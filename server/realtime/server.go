package realtime

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/server/realtime/edge"
)

// Accounts checks logins.
type Accounts interface {
	// Authenticate verifies an access token and returns the current user of its
	// session, and when the token expires.
	Authenticate(ctx context.Context, token string) (rooms.Actor, time.Time, error)
	// Alive returns an error if the actor's session has ended.
	Alive(ctx context.Context, actor rooms.Actor, command string) error
	// Forget drops what Alive has cached about a session that has ended on any node.
	Forget(session rooms.SessionID)
}

// Config configures a Server.
type Config struct {
	Edge edge.Config
	// CommandTimeout bounds one command.
	CommandTimeout time.Duration
	// SocketsPerUser bounds the connections of one user.
	SocketsPerUser int
	// Limit returns an error if a user connects too often. It counts connects as
	// commands. It may be nil.
	Limit rooms.Guard
	Log   *slog.Logger
	Now   func() time.Time
	// Observe is called after every command, with its name or
	// "unknown", the code of its error or "", and its duration. It must
	// not block. It may be nil.
	Observe func(command string, code rooms.Code, took time.Duration)
	// Trace starts a span for every command; nil disables tracing.
	Trace rooms.Tracer
}

// Server serves Socket.IO and the bare WebSockets of the lobby. It is a
// rooms.Listener.
type Server struct {
	cfg        Config
	edge       *edge.Server
	lobby      *LobbyWebSocket
	namespaces map[string]*edge.Namespace
	accounts   Accounts
	catalogue  *rooms.Catalogue
	presence   *rooms.Presence
}

// New returns a server. presence counts the connections that are subscribed to a
// room, and in the room's view those that show it.
func New(cfg Config, catalogue *rooms.Catalogue, accounts Accounts, presence *rooms.Presence) *Server {
	if cfg.Observe == nil {
		cfg.Observe = func(string, rooms.Code, time.Duration) {}
	}
	if cfg.Limit == nil {
		cfg.Limit = func(context.Context, rooms.Actor, string) error { return nil }
	}
	s := &Server{cfg: cfg, accounts: accounts, catalogue: catalogue, presence: presence, namespaces: map[string]*edge.Namespace{}}
	s.edge = edge.New(cfg.Edge)
	s.lobby = newLobbyWebSocket(s, cfg.Edge)
	allowsGuests := map[string]bool{
		rooms.Consultations: false, rooms.Schedules: true, rooms.Notifications: false, rooms.Lobby: true, rooms.Admin: false,
	}
	for name, guests := range allowsGuests {
		s.namespaces[name] = s.edge.Namespace(name, &namespace{server: s, name: name, guests: guests})
	}
	return s
}

// ServeHTTP serves Socket.IO; it is mounted at /socket.io.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.edge.ServeHTTP(w, r) }

// LobbyWebSocket serves bare WebSockets; it is mounted at /chat.
func (s *Server) LobbyWebSocket() http.Handler { return s.lobby }

// Connections returns the number of open connections.
func (s *Server) Connections() int { return s.edge.Stats().Connections + s.lobby.bare.Connections() }

// Stats returns the counts of the Socket.IO connections.
func (s *Server) Stats() edge.Stats { return s.edge.Stats() }

// Rooms returns the number of rooms with subscribed sockets.
func (s *Server) Rooms() int {
	n := 0
	for _, ns := range s.namespaces {
		n += ns.Rooms()
	}
	return n
}

// Published implements rooms.Listener. It sends an event once to every socket
// in its room and in its further rooms (Also). Sockets in the room of a
// consultation on /consultations get every event of its log, without a gap.
// Users that lose access by the event are removed from the room first.
func (s *Server) Published(p rooms.Publication) {
	s.endLostSubscriptions(p)
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

// endLostSubscriptions ends the subscriptions of users that lose access to the
// room by the event.
func (s *Server) endLostSubscriptions(p rooms.Publication) {
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
		s.subscribeReceivers(n)
		return
	}
	s.accounts.Forget(rooms.SessionID(n.Room.Subject()))
	for name := range s.namespaces {
		s.broadcast(name, to, n.Name, n.Data)
	}
	s.disconnect(n)
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

// sockets returns the sockets of all namespaces in a room, or all sockets if room
// is empty.
func (s *Server) sockets(room string) []*edge.Socket {
	var all []*edge.Socket
	for _, ns := range s.namespaces {
		all = append(all, ns.Sockets(room)...)
	}
	return all
}

// subscribeReceivers subscribes the sockets that received a signal to its target
// room, if it has one.
func (s *Server) subscribeReceivers(n rooms.Signal) {
	if n.Into == "" {
		return
	}
	for _, socket := range s.namespaces[namespaceOf(n.Namespace)].Sockets(string(n.Room)) {
		if conn, ok := socket.Data().(*connection); ok {
			_ = conn.Subscribe(n.Into, 0) // fails when the connection is closed
		}
	}
}

// disconnect closes the sockets of a revoked session. They have received the
// reason before.
func (s *Server) disconnect(n rooms.Signal) {
	for _, socket := range s.sockets(string(n.Room)) {
		socket.Kick()
	}
}

// Watch closes sockets whose access token has expired and was not refreshed, and
// those whose session has ended but whose signal was lost. It returns when ctx
// ends.
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
			actor, expires := conn.login()
			switch {
			case actor.Guest():
			case s.cfg.Now().After(expires.Add(expiryGrace)):
				socket.Close("access token expired") // the client reconnects with a new token
			case rooms.CodeOf(s.accounts.Alive(ctx, actor, "")) == rooms.CodeUnauthenticated:
				socket.Kick()
			}
		}
	}
}

// watchEvery is the interval of Watch. expiryGrace is how long a socket with an
// expired token stays open; it can only refresh the token meanwhile.
const (
	watchEvery  = 10 * time.Second
	expiryGrace = 30 * time.Second
)

// Drain refuses new connections from now on. Existing ones stay open.
func (s *Server) Drain() {
	s.edge.Drain()
	s.lobby.bare.Drain()
}

// Close waits for running commands and closes all connections in a way that makes
// clients reconnect by themselves.
func (s *Server) Close(ctx context.Context) error {
	closed := make(chan error, 1)
	go func() { closed <- s.lobby.bare.Close(ctx) }()
	return errors.Join(s.edge.Close(ctx), <-closed)
}
