package realtime

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
	"wenzhen.example/rooms/lobby"
	"wenzhen.example/server/realtime/edge"
)

// ending is an Accounts whose sessions end while Alive checks them, after the
// database was queried.
type ending struct {
	openAccounts
	server *Server
	after  int // the number of successful checks
}

// Authenticate uses the token as the session's id.
func (e *ending) Authenticate(_ context.Context, token string) (rooms.Actor, time.Time, error) {
	return rooms.Actor{UserID: "bo", SessionID: rooms.SessionID(token), Role: rooms.RolePatient}, time.Now().Add(time.Hour), nil
}

func (e *ending) Alive(_ context.Context, actor rooms.Actor, _ string) error {
	if e.after--; e.after < 0 {
		e.server.Signalled(rooms.Signal{Room: rooms.SessionRoom(actor.SessionID), Name: account.SessionRevoked.Name, Data: []byte(`{}`)})
	}
	return nil
}

// A connection is closed if its session ends while it is being opened, or while
// it gets a token of the session.
func TestSessionEndsWhileItsConnectionOpens(t *testing.T) {
	t.Parallel()
	const connect, refresh = `40/consultations,{"token":"x"}`, `42/consultations,1["auth:refresh",{"token":"y"}]`
	for name, c := range map[string]struct {
		path  string
		after int
		sends []string
	}{
		"Socket.IO":   {path: "/socket.io/?EIO=4&transport=websocket", sends: []string{connect}},
		"fresh token": {path: "/socket.io/?EIO=4&transport=websocket", after: 1, sends: []string{connect, refresh}},
		"/chat":       {path: "/chat"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := serveEnding(t, &ending{after: c.after})
			ws, _, err := websocket.DefaultDialer.DialContext(t.Context(), url+c.path, http.Header{"Authorization": {"Bearer x"}})
			if err != nil {
				t.Fatal(err)
			}
			defer ws.Close()
			if err := ws.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
				t.Fatal(err)
			}
			for i, frame := range c.sends {
				for got := []byte(nil); i > 0 && !strings.HasPrefix(string(got), "40/consultations,"); {
					if _, got, err = ws.ReadMessage(); err != nil {
						t.Fatal(err)
					}
				}
				if err := ws.WriteMessage(websocket.TextMessage, []byte(frame)); err != nil {
					t.Fatal(err)
				}
			}
			for err == nil {
				_, _, err = ws.ReadMessage()
			}
			var closed *websocket.CloseError
			if !errors.As(err, &closed) {
				t.Errorf("the connection was not closed: %v", err)
			}
		})
	}
}

// serveEnding starts a server with accounts and returns its WebSocket URL.
func serveEnding(t *testing.T, accounts *ending) string {
	t.Helper()
	enter := lobby.Enter.Bind(func(context.Context, rooms.Actor, lobby.NicknameInput) (lobby.Entered, error) {
		return lobby.Entered{}, nil
	})
	log := slog.New(slog.DiscardHandler)
	s := New(Config{Edge: edge.Config{Log: log}, CommandTimeout: time.Minute, SocketsPerUser: 10, Log: log, Now: time.Now},
		rooms.NewCatalogue(rooms.CatalogueOptions{}, []rooms.Handler{enter}), accounts,
		rooms.NewPresence(func(rooms.RoomID, rooms.Present) {}, nil))
	accounts.server = s
	mux := http.NewServeMux()
	mux.Handle("/socket.io/", s)
	mux.Handle("/chat", s.LobbyWebSocket())
	at := httptest.NewServer(mux)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := s.Close(ctx); err != nil {
			t.Error(err)
		}
		at.Close()
	})
	return strings.Replace(at.URL, "http", "ws", 1)
}
