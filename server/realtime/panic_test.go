package realtime

import (
	"bytes"
	"context"
	"log/slog"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/chat"
	"wenzhen.example/server/realtime/edge"
)

// openAccounts is an Accounts that admits every client.
type openAccounts struct{}

func (openAccounts) Authenticate(context.Context, string) (rooms.Actor, time.Time, error) {
	return rooms.Actor{UserID: "bo", SessionID: "s", Role: rooms.RolePatient}, time.Now().Add(time.Hour), nil
}
func (openAccounts) Alive(context.Context, rooms.Actor, string) error { return nil }
func (openAccounts) Forget(rooms.SessionID)                           {}

// lines is a buffer that may be read while it is written.
type lines struct {
	mu  sync.Mutex
	all bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.String()
}

// A command that panics is answered once, like any command that fails. The
// connection stays open, and the log has the stack but not the message.
func TestPanicsAreAnsweredAndLoggedWithoutWords(t *testing.T) {
	t.Parallel()
	log := &lines{}
	send := chat.Send.Bind(func(_ context.Context, _ rooms.Actor, in chat.SendInput) (chat.Message, error) {
		return chat.Message{}, []error{}[len(in.Text)] // panics
	})
	logger := slog.New(slog.NewJSONHandler(log, nil))
	s := New(Config{Edge: edge.Config{Log: logger}, CommandTimeout: time.Minute, SocketsPerUser: 10, Log: logger, Now: time.Now},
		rooms.NewCatalogue(rooms.CatalogueOptions{}, []rooms.Handler{send}),
		openAccounts{}, rooms.NewPresence(func(rooms.RoomID, rooms.Present) {}, nil))
	ws := serveWebSocket(t, s)
	next := func(send string) string {
		if send != "" {
			if err := ws.WriteMessage(websocket.TextMessage, []byte(send)); err != nil {
				t.Fatal(err)
			}
		}
		_, packet, err := ws.ReadMessage()
		if err != nil {
			t.Fatal(err)
		}
		return string(packet)
	}
	next("")
	if got := next(`40/consultations,{"token":"x"}`); !strings.HasPrefix(got, `40/consultations,{"sid"`) {
		t.Fatalf("CONNECT is answered with %s", got)
	}
	const packet = `["message:send",{"consultationId":"c","clientId":"a","kind":"text","text":"warfarin-every-morning"}]`
	for range 2 {
		got := next(`42/consultations,7` + packet)
		if !strings.HasPrefix(got, `43/consultations,7[{"ok":false,"error":{"code":"internal"`) || strings.Contains(got, "index") {
			t.Errorf("answered %s", got)
		}
	}
	if got := next(`42/consultations,` + packet); !strings.HasPrefix(got, `42/consultations,["error",{"code":"internal"`) {
		t.Errorf("without an acknowledgement: %s", got)
	}
	const stack = "index out of range"
	for end := time.Now().Add(time.Minute); strings.Count(log.String(), stack) < 3 && time.Now().Before(end); time.Sleep(time.Millisecond) {
	}
	text := log.String()
	if s.Stats().Panics != 3 || strings.Count(text, stack) != 3 || !strings.Contains(text, "panic_test.go") {
		t.Errorf("counted %d panics, logged %s", s.Stats().Panics, text)
	}
	if strings.Contains(text, "warfarin") {
		t.Errorf("the log contains the message: %s", text)
	}
}

// serveWebSocket serves s and opens a WebSocket to it, until the end of the test.
func serveWebSocket(t *testing.T, s *Server) *websocket.Conn {
	t.Helper()
	at := httptest.NewServer(s)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := s.Close(ctx); err != nil {
			t.Error(err)
		}
		at.Close()
	})
	url := strings.Replace(at.URL, "http", "ws", 1) + "/socket.io/?EIO=4&transport=websocket"
	ws, _, err := websocket.DefaultDialer.DialContext(t.Context(), url, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ws.Close() }) // before the server closes
	return ws
}
