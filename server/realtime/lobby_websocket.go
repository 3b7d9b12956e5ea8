package realtime

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/lobby"
	"wenzhen.example/server/realtime/edge"
)

// LobbyWebSocket serves the lobby to clients with a bare WebSocket: each message
// is a line of text.
type LobbyWebSocket struct {
	server *Server
	bare   *edge.BareServer

	mu    sync.Mutex
	rooms map[rooms.RoomID]map[*lobbyConn]struct{}
}

// bearer is the subprotocol with which a browser, which cannot send headers,
// sends its access token: new WebSocket(url, ['bearer', token]).
const bearer = "bearer"

func newLobbyWebSocket(s *Server, cfg edge.Config) *LobbyWebSocket {
	// A line of four-byte characters, and some bytes for a command.
	cfg.MaxPayload = int64(4*lobby.TextLimit + 256)
	// About a thousand lines. A client that is further behind is disconnected.
	cfg.SendQueue = 256 << 10
	return &LobbyWebSocket{server: s, bare: edge.NewBareServer(cfg), rooms: map[rooms.RoomID]map[*lobbyConn]struct{}{}}
}

// ServeHTTP accepts a WebSocket. A browser that opens the address as a page is
// redirected to the lobby's page.
func (c *LobbyWebSocket) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Upgrade") == "" && strings.Contains(r.Header.Get("Accept"), "text/html") {
		http.Redirect(w, r, "/lobby", http.StatusFound)
		return
	}
	l := &lobbyConn{lobby: c, nickname: r.URL.Query().Get("nickname"), subscriptions: map[rooms.RoomID]bool{}}
	subprotocol := ""
	_, l.token, _ = strings.Cut(r.Header.Get("Authorization"), " ")
	if offered := subprotocols(r); len(offered) == 2 && offered[0] == bearer {
		subprotocol, l.token = bearer, offered[1]
	}
	c.bare.Accept(w, r, subprotocol, l)
}

func subprotocols(r *http.Request) []string {
	var all []string
	for _, header := range r.Header.Values("Sec-WebSocket-Protocol") {
		for one := range strings.SplitSeq(header, ",") {
			all = append(all, strings.TrimSpace(one))
		}
	}
	return all
}

// signalled sends a signal to the connections that are subscribed to its room. If
// the signal has a target room, it subscribes them to that room.
func (c *LobbyWebSocket) signalled(n rooms.Signal) {
	c.mu.Lock()
	conns := slices.Collect(maps.Keys(c.rooms[n.Room]))
	c.mu.Unlock()
	if len(conns) == 0 {
		return
	}
	var texts []edge.Text
	switch {
	case n.Room.Kind() == "session":
		for _, l := range conns {
			l.conn.Close(closePolicy, "this login has ended")
		}
		return
	case n.Name == lobby.Said.Name:
		texts = lineTexts(n.Data)
	case n.Name == lobby.Welcome.Name:
		texts = greetingTexts(n.Data)
	}
	for _, l := range conns {
		if l.conn.Send(texts...) == nil && n.Into != "" {
			_ = l.Subscribe(n.Into, 0) // fails when the connection is being closed
		}
	}
}

// lineTexts returns the text of a line of the lobby.
func lineTexts(data json.RawMessage) []edge.Text {
	var line lobby.Line
	if json.Unmarshal(data, &line) != nil {
		return nil
	}
	return []edge.Text{edge.NewText(line.Nickname + ": " + line.Text)}
}

// greetingTexts returns the texts of a welcome, with the last lines.
func greetingTexts(data json.RawMessage) []edge.Text {
	var g lobby.Greeting
	if json.Unmarshal(data, &g) != nil {
		return nil
	}
	texts := []edge.Text{edge.NewText("* " + g.Text),
		edge.NewText("* You are " + g.Nickname + ". " + present(g.Count) +
			" Send /nick NAME to change your name, /who for the number of people.")}
	for _, line := range g.Lines {
		texts = append(texts, edge.NewText(line.Nickname+": "+line.Text))
	}
	return texts
}

// kick closes the connections that are subscribed to a room and returns their
// number.
func (c *LobbyWebSocket) kick(room rooms.RoomID) int {
	c.mu.Lock()
	conns := slices.Collect(maps.Keys(c.rooms[room]))
	c.mu.Unlock()
	for _, l := range conns {
		l.conn.Close(closePolicy, "an administrator has ended this connection")
	}
	return len(conns)
}

// join subscribes a connection to a room.
func (c *LobbyWebSocket) join(room rooms.RoomID, l *lobbyConn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.rooms[room] == nil {
		c.rooms[room] = map[*lobbyConn]struct{}{}
	}
	c.rooms[room][l] = struct{}{}
}

func (c *LobbyWebSocket) leave(room rooms.RoomID, l *lobbyConn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.rooms[room], l)
	if len(c.rooms[room]) == 0 {
		delete(c.rooms, room)
	}
}
