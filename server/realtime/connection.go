package realtime

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"sync"
	"time"

	"wenzhen/rooms"
	"wenzhen/rooms/account"
	"wenzhen/server/realtime/edge"
)

// roomsMost bounds the rooms that one socket hears.
const roomsMost = 1000

// connection is a socket that is logged in. It is a rooms.Subscriber.
type connection struct {
	server *Server
	socket *edge.Socket
	since  time.Time

	mu      sync.Mutex
	actor   rooms.Actor
	expires time.Time
	heard   map[rooms.RoomID]hearing // nil when closed
	gone    []func()
}

func newConnection(s *Server, socket *edge.Socket, actor rooms.Actor, expires time.Time) *connection {
	actor.Address = socket.Address()
	return &connection{server: s, socket: socket, since: s.cfg.Now(), actor: actor, expires: expires, heard: map[rooms.RoomID]hearing{}}
}

// hearing is how a room is heard.
type hearing struct {
	looking bool
	known   rooms.Seq // access that was lost up to it had been given back
}

// showsPresence reports whether the members of a room see each other's
// presence.
func showsPresence(room rooms.RoomID) bool { return room.Kind() == "consultation" }

// who is the actor and until when the token is good.
func (c *connection) who() (rooms.Actor, time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.actor, c.expires
}

// Subscribe implements rooms.Subscriber.
func (c *connection) Subscribe(room rooms.RoomID, known rooms.Seq) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.heard == nil:
		return rooms.Unavailable(nil, "the connection is closed")
	case c.hears(room):
		h := c.heard[room]
		h.known = max(h.known, known)
		c.heard[room] = h
		return nil
	case len(c.heard) >= roomsMost:
		return rooms.TooLarge("", "at most %d rooms on one connection", roomsMost)
	}
	c.heard[room] = hearing{looking: true, known: known}
	c.socket.Join(string(room))
	if showsPresence(room) {
		// The view first: who is seen to be there is known to look.
		c.server.presence.Enter(rooms.View(room), c.actor.UserID)
		c.server.presence.Enter(room, c.actor.UserID)
	}
	return nil
}

// Unsubscribe implements rooms.Subscriber.
func (c *connection) Unsubscribe(room rooms.RoomID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.hears(room) {
		c.unsubscribe(room)
	}
}

// lose ends the subscription of a user who lost access by the event at seq,
// unless it was made with knowledge of that.
func (c *connection) lose(user rooms.UserID, room rooms.RoomID, seq rooms.Seq) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.actor.UserID == user && c.hears(room) && c.heard[room].known < seq {
		c.unsubscribe(room)
	}
}

// unsubscribe ends a subscription. c.mu is held.
func (c *connection) unsubscribe(room rooms.RoomID) {
	c.socket.Leave(string(room))
	c.left(room)
	delete(c.heard, room)
}

// Look implements rooms.Subscriber.
func (c *connection) Look(room rooms.RoomID, looking bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	h := c.heard[room]
	if !c.hears(room) || !showsPresence(room) || h.looking == looking {
		return
	}
	h.looking = looking
	c.heard[room] = h
	if looking {
		c.server.presence.Enter(rooms.View(room), c.actor.UserID)
	} else {
		c.server.presence.Leave(rooms.View(room), c.actor.UserID)
	}
}

// hears reports whether the connection has joined room. c.mu is held.
func (c *connection) hears(room rooms.RoomID) bool {
	_, heard := c.heard[room]
	return heard
}

// left takes the connection out of those in a room that it heard. c.mu is held.
func (c *connection) left(room rooms.RoomID) {
	if !showsPresence(room) {
		return
	}
	c.server.presence.Leave(room, c.actor.UserID)
	if c.heard[room].looking {
		c.server.presence.Leave(rooms.View(room), c.actor.UserID)
	}
}

// OnClose implements rooms.Subscriber.
func (c *connection) OnClose(gone func()) {
	c.mu.Lock()
	open := c.heard != nil
	if open {
		c.gone = append(c.gone, gone)
	}
	c.mu.Unlock()
	if !open {
		gone()
	}
}

func (c *connection) leaveAll() {
	c.mu.Lock()
	for room := range c.heard {
		c.left(room)
	}
	gone := c.gone
	c.heard, c.gone = nil, nil
	c.mu.Unlock()
	for _, f := range gone {
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

// refreshCommand renews the login of a socket in-band. It concerns the
// connection alone, so it is no command of the catalogue.
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
	before, _ := conn.who()
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

// failed is the acknowledgement of a command that was not.
type failed struct {
	OK    bool         `json:"ok"`
	Error *rooms.Error `json:"error"`
}

// refuse turns an error into what the client may see.
func (s *Server) refuse(ctx context.Context, command string, err error) *rooms.Error {
	id := rooms.TraceID(ctx)
	if id == "" {
		var made [8]byte
		_, _ = rand.Read(made[:]) // never fails (crypto/rand)
		id = hex.EncodeToString(made[:])
	}
	return rooms.Refusal(ctx, s.cfg.Log, command, id, err)
}
