package realtime

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"sync"
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
	"wenzhen.example/server/realtime/edge"
)

// roomsMost bounds the rooms that one socket is subscribed to.
const roomsMost = 1000

// connection is a socket that is logged in. It is a rooms.Subscriber.
type connection struct {
	server *Server
	socket *edge.Socket
	since  time.Time

	mu            sync.Mutex
	actor         rooms.Actor
	expires       time.Time
	subscriptions map[rooms.RoomID]subscription // nil when closed
	onClose       []func()
}

func newConnection(s *Server, socket *edge.Socket, actor rooms.Actor, expires time.Time) *connection {
	actor.Address = socket.Address()
	return &connection{server: s, socket: socket, since: s.cfg.Now(), actor: actor, expires: expires,
		subscriptions: map[rooms.RoomID]subscription{}}
}

// subscription is the subscription of a connection to a room.
type subscription struct {
	viewing bool      // a page shows the room
	granted rooms.Seq // the user had access after this event; earlier losses do not count
}

// showsPresence reports whether the members of a room receive each other's
// presence.
func showsPresence(room rooms.RoomID) bool { return room.Kind() == "consultation" }

// login returns the actor, and when the token expires.
func (c *connection) login() (rooms.Actor, time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.actor, c.expires
}

// Subscribe implements rooms.Subscriber.
func (c *connection) Subscribe(room rooms.RoomID, granted rooms.Seq) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.subscriptions == nil:
		return rooms.Unavailable(nil, "the connection is closed")
	case c.subscribed(room):
		s := c.subscriptions[room]
		s.granted = max(s.granted, granted)
		c.subscriptions[room] = s
		return nil
	case len(c.subscriptions) >= roomsMost:
		return rooms.TooLarge("", "at most %d rooms on one connection", roomsMost)
	}
	c.subscriptions[room] = subscription{viewing: true, granted: granted}
	c.socket.Join(string(room))
	if showsPresence(room) {
		// The view first, so that a user who is present in the room is in its view too.
		c.server.presence.Enter(rooms.View(room), c.actor.UserID)
		c.server.presence.Enter(room, c.actor.UserID)
	}
	return nil
}

// Unsubscribe implements rooms.Subscriber.
func (c *connection) Unsubscribe(room rooms.RoomID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.subscribed(room) {
		c.unsubscribe(room)
	}
}

// lose ends the subscription of a user who lost access by the event at seq,
// unless access was granted again after that event.
func (c *connection) lose(user rooms.UserID, room rooms.RoomID, seq rooms.Seq) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.actor.UserID == user && c.subscribed(room) && c.subscriptions[room].granted < seq {
		c.unsubscribe(room)
	}
}

// unsubscribe ends a subscription. c.mu is held.
func (c *connection) unsubscribe(room rooms.RoomID) {
	c.socket.Leave(string(room))
	c.leavePresence(room)
	delete(c.subscriptions, room)
}

// SetViewing implements rooms.Subscriber.
func (c *connection) SetViewing(room rooms.RoomID, viewing bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.subscriptions[room]
	if !c.subscribed(room) || !showsPresence(room) || s.viewing == viewing {
		return
	}
	s.viewing = viewing
	c.subscriptions[room] = s
	if viewing {
		c.server.presence.Enter(rooms.View(room), c.actor.UserID)
	} else {
		c.server.presence.Leave(rooms.View(room), c.actor.UserID)
	}
}

// subscribed reports whether the connection is subscribed to room. c.mu is held.
func (c *connection) subscribed(room rooms.RoomID) bool {
	_, ok := c.subscriptions[room]
	return ok
}

// leavePresence removes the connection from the presence of a room. c.mu is held.
func (c *connection) leavePresence(room rooms.RoomID) {
	if !showsPresence(room) {
		return
	}
	c.server.presence.Leave(room, c.actor.UserID)
	if c.subscriptions[room].viewing {
		c.server.presence.Leave(rooms.View(room), c.actor.UserID)
	}
}

// OnClose implements rooms.Subscriber.
func (c *connection) OnClose(f func()) {
	c.mu.Lock()
	open := c.subscriptions != nil
	if open {
		c.onClose = append(c.onClose, f)
	}
	c.mu.Unlock()
	if !open {
		f()
	}
}

func (c *connection) leaveAll() {
	c.mu.Lock()
	for room := range c.subscriptions {
		c.leavePresence(room)
	}
	onClose := c.onClose
	c.subscriptions, c.onClose = nil, nil
	c.mu.Unlock()
	for _, f := range onClose {
		f()
	}
}

// tokenIn returns the member token of a JSON object; "" if there is none, or if
// there are two.
func tokenIn(raw json.RawMessage) string {
	members, err := rooms.Members(raw)
	var token string
	if err != nil || json.Unmarshal(members["token"], &token) != nil {
		return ""
	}
	return token
}

// refreshCommand replaces the access token of a socket. It changes only the
// connection, so it is not in the catalogue.
const refreshCommand = "auth:refresh"

func (s *Server) refresh(ctx context.Context, conn *connection, in json.RawMessage) (json.RawMessage, error) {
	token := tokenIn(in)
	if token == "" {
		return nil, rooms.Invalid("token", "token must be an access token")
	}
	actor, expires, err := s.accounts.Authenticate(ctx, token)
	if err != nil {
		return nil, err
	}
	before, _ := conn.login()
	if actor.UserID != before.UserID {
		return nil, rooms.Forbidden("this token belongs to another user; connect anew")
	}
	conn.socket.Join(string(rooms.SessionRoom(actor.SessionID)))
	if err := s.accounts.Alive(ctx, actor, ""); err != nil { // after Join, as in connect
		if actor.SessionID != before.SessionID {
			conn.socket.Leave(string(rooms.SessionRoom(actor.SessionID)))
		}
		return nil, err
	}
	conn.mu.Lock()
	defer conn.mu.Unlock()
	if actor.SessionID != conn.actor.SessionID {
		conn.socket.Leave(string(rooms.SessionRoom(conn.actor.SessionID)))
	}
	actor.Address = conn.actor.Address
	conn.actor, conn.expires = actor, expires
	return json.Marshal(account.Expiry{ExpiresAt: expires.UTC()})
}

// success is the acknowledgement of a command that succeeded.
func success(data json.RawMessage) json.RawMessage {
	b := make([]byte, 0, len(data)+20)
	b = append(b, `{"ok":true,"data":`...)
	b = append(b, data...)
	return append(b, '}')
}

// failed is the acknowledgement of a command that failed.
type failed struct {
	OK    bool         `json:"ok"`
	Error *rooms.Error `json:"error"`
}

// refuse converts an error to the one that the client receives, and logs it.
func (s *Server) refuse(ctx context.Context, command string, err error) *rooms.Error {
	id := rooms.TraceID(ctx)
	if id == "" {
		var made [8]byte
		_, _ = rand.Read(made[:]) // never fails (crypto/rand)
		id = hex.EncodeToString(made[:])
	}
	return rooms.Refusal(ctx, s.cfg.Log, command, id, err)
}
