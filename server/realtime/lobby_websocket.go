package realtime

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"

	"wenzhen/rooms"
	"wenzhen/rooms/lobby"
	"wenzhen/server/realtime/edge"
)

// LobbyWebSocket is the lobby for clients with a bare WebSocket only: lines of
// text in, lines of text out.
type LobbyWebSocket struct {
	server *Server
	plain  *edge.Plain

	mu    sync.Mutex
	rooms map[rooms.RoomID]map[*lobbyConn]struct{}
}

// bearer is the subprotocol by which a browser, which cannot send headers,
// shows its access token: new WebSocket(url, ['bearer', token]).
const bearer = "bearer"

func newLobbyWebSocket(s *Server, cfg edge.Config) *LobbyWebSocket {
	// A line of four-byte characters with room for a long command.
	cfg.MaxPayload = int64(4*lobby.TextLimit + 256)
	// A thousand lines: who is further behind reads too slowly.
	cfg.SendQueue = 256 << 10
	return &LobbyWebSocket{server: s, plain: edge.NewPlain(cfg), rooms: map[rooms.RoomID]map[*lobbyConn]struct{}{}}
}

// ServeHTTP opens a line. Who opens the address in a browser is sent to the
// lobby's page.
func (c *LobbyWebSocket) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Upgrade") == "" && strings.Contains(r.Header.Get("Accept"), "text/html") {
		http.Redirect(w, r, "/lobby", http.StatusFound)
		return
	}
	l := &lobbyConn{lobby: c, nickname: r.URL.Query().Get("nickname"), heard: map[rooms.RoomID]bool{}}
	subprotocol := ""
	_, l.token, _ = strings.Cut(r.Header.Get("Authorization"), " ")
	if offered := subprotocols(r); len(offered) == 2 && offered[0] == bearer {
		subprotocol, l.token = bearer, offered[1]
	}
	c.plain.Accept(w, r, subprotocol, l)
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

// signalled sends a signal to the lines that have joined its room. If the
// signal has a target room, it first adds these lines to that room.
func (c *LobbyWebSocket) signalled(n rooms.Signal) {
	c.mu.Lock()
	lines := slices.Collect(maps.Keys(c.rooms[n.Room]))
	c.mu.Unlock()
	if len(lines) == 0 {
		return
	}
	var told []edge.Text
	switch {
	case n.Room.Kind() == "session":
		for _, l := range lines {
			l.conn.Close(closePolicy, "this login has ended")
		}
		return
	case n.Name == lobby.Said.Name:
		told = linesOf(n.Data)
	case n.Name == lobby.Welcome.Name:
		told = greetingOf(n.Data)
	}
	for _, l := range lines {
		if l.conn.Send(told...) == nil && n.Into != "" {
			_ = l.Subscribe(n.Into, 0) // fails when the line is being closed
		}
	}
}

func linesOf(data json.RawMessage) []edge.Text {
	var line lobby.Line
	if json.Unmarshal(data, &line) != nil {
		return nil
	}
	return []edge.Text{edge.NewText(line.Nickname + ": " + line.Text)}
}

func greetingOf(data json.RawMessage) []edge.Text {
	var g lobby.Greeting
	if json.Unmarshal(data, &g) != nil {
		return nil
	}
	told := []edge.Text{edge.NewText("* " + g.Text),
		edge.NewText("* You are " + g.Nickname + ". " + present(g.Count) + " Send /nick NAME to be called otherwise, /who to count.")}
	for _, line := range g.Lines {
		told = append(told, edge.NewText(line.Nickname+": "+line.Text))
	}
	return told
}

// kick ends the lines that hear a room, and tells how many they were.
func (c *LobbyWebSocket) kick(room rooms.RoomID) int {
	c.mu.Lock()
	lines := slices.Collect(maps.Keys(c.rooms[room]))
	c.mu.Unlock()
	for _, l := range lines {
		l.conn.Close(closePolicy, "an administrator has ended this connection")
	}
	return len(lines)
}

// join makes a line hear a room.
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
