package e2e

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"wenzhen.example/rooms"
)

// LobbySocket is a bare WebSocket in the lobby.
type LobbySocket struct {
	T  testing.TB
	WS *websocket.Conn
}

// LobbySocket opens /chat until the end of the test; nothing has been read.
func (w *World) LobbySocket(t testing.TB, query string, header http.Header) *LobbySocket {
	t.Helper()
	ws, _, err := websocket.DefaultDialer.DialContext(t.Context(), strings.Replace(w.Base, "http", "ws", 1)+"/chat"+query, header)
	Must(t, err)
	t.Cleanup(func() { ws.Close() })
	return &LobbySocket{t, ws}
}

// Says sends a line.
func (p *LobbySocket) Says(text string) {
	p.T.Helper()
	Must(p.T, p.WS.WriteMessage(websocket.TextMessage, []byte(text)))
}

// Receives reads a line.
func (p *LobbySocket) Receives() string {
	p.T.Helper()
	Must(p.T, p.WS.SetReadDeadline(time.Now().Add(Patience)))
	_, text, err := p.WS.ReadMessage()
	Must(p.T, err)
	return string(text)
}

// Welcomed reads the two lines of welcome.
func (p *LobbySocket) Welcomed() *LobbySocket {
	p.T.Helper()
	if got := p.Receives(); !strings.HasPrefix(got, "* Welcome") {
		p.T.Fatalf("welcomed with %q", got)
	}
	if got := p.Receives(); !strings.HasPrefix(got, "* You are ") {
		p.T.Fatalf("welcomed with %q", got)
	}
	return p
}

// InLobby enters over Socket.IO, frame by frame.
func (w *World) InLobby(t testing.TB, auth string) *Bare {
	t.Helper()
	b := w.Bare(t).On(rooms.Lobby)
	b.Text("40/lobby," + auth)
	if got := b.Next(); !strings.HasPrefix(got, "40/lobby,{") {
		t.Fatalf("the answer to CONNECT is %q", got)
	}
	return b
}
