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

	"wenzhen/rooms"
	"wenzhen/rooms/account"
	"wenzhen/rooms/lobby"
	"wenzhen/server/realtime/edge"
)

// ending are accounts whose sessions end while they are checked, after the
// database was asked.
type ending struct {
	nobody
	server *Server
	after  int // so many checks
}

// Authenticate takes the token for the name of the session.
func (e *ending) Authenticate(_ context.Context, token string) (rooms.Actor, time.Time, error) {
	return rooms.Actor{UserID: "bo", SessionID: rooms.SessionID(token), Role: rooms.RolePatient}, time.Now().Add(time.Hour), nil
}

func (e *ending) Alive(_ context.Context, actor rooms.Actor, _ string) error {
	if e.after--; e.after < 0 {
		e.server.Signalled(rooms.Signal{Room: rooms.SessionRoom(actor.SessionID), Name: account.SessionRevoked.Name, Data: []byte(`{}`)})
	}
	return nil
}

// A session that ends while a connection is opened for it, or is given a token
// of it, has no connection afterwards.
func TestSessionEndsWhileItsConnectionOpens(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		path  string
		after int
		says  []string
	}{
		"Socket.IO":   {path: "/socket.io/?EIO=4&transport=websocket", says: []string{`40/consultations,{"token":"x"}`}},
		"fresh token": {path: "/socket.io/?EIO=4&transport=websocket", after: 1, says: []string{`40/consultations,{"token":"x"}`, `42/consultations,1["auth:refresh",{"token":"y"}]`}},
		"/chat":       {path: "/chat"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			accounts := &ending{after: c.after}
			enter := lobby.Enter.Bind(func(context.Context, rooms.Actor, lobby.NicknameInput) (lobby.Entered, error) {
				return lobby.Entered{}, nil
			})
			s := New(Config{Edge: edge.Config{Log: slog.New(slog.DiscardHandler)}, CommandTimeout: time.Minute, SocketsPerUser: 10, Log: slog.New(slog.DiscardHandler), Now: time.Now},
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
			ws, _, err := websocket.DefaultDialer.DialContext(t.Context(), strings.Replace(at.URL, "http", "ws", 1)+c.path, http.Header{"Authorization": {"Bearer x"}})
			if err != nil {
				t.Fatal(err)
			}
			defer ws.Close()
			if err := ws.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
				t.Fatal(err)
			}
			for i, frame := range c.says {
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
