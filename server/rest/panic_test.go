package rest

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
)

// A panic is answered like any other failure, and logged once under its trace
// id, with where it happened and without what was asked by whom.
func TestPanicsAreAnsweredAndLoggedWithoutWords(t *testing.T) {
	t.Parallel()
	var commands []rooms.Handler
	taken := map[string]bool{account.LogIn.Name: true}
	for _, r := range Routes() {
		if !taken[r.Command] {
			taken[r.Command] = true
			commands = append(commands, rooms.Handler{Name: r.Command, In: reflect.TypeFor[rooms.Nothing](), Out: reflect.TypeFor[rooms.Nothing]()})
		}
	}
	commands = append(commands, account.LogIn.Bind(func(_ context.Context, _ rooms.Actor, in account.LoginInput) (account.Login, error) {
		return account.Login{}, []error{}[len(in.Password)] // a mistake of ours
	}))
	var log bytes.Buffer
	codes := map[string]rooms.Code{}
	handler, err := New(Deps{Catalogue: rooms.NewCatalogue(rooms.CatalogueOptions{}, commands),
		Address:  func(*http.Request) string { return "" },
		Realtime: http.NotFoundHandler(), LobbyWebSocket: http.NotFoundHandler(), Ready: func(context.Context) error { return nil },
		CommandTimeout: time.Minute, Log: slog.New(slog.NewJSONHandler(&log, nil)), Now: time.Now, Requested: func(string, string, int) {},
		Observe: func(command string, code rooms.Code, _ time.Duration) { codes[command] = code }})
	if err != nil {
		t.Fatal(err)
	}
	request := httptest.NewRequestWithContext(t.Context(), "POST", "/api/v1/auth/login?token=from-the-query", strings.NewReader(`{"email":"bo@clinic.example","password":"correct horse battery"}`))
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer from-the-header")
	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, request)

	var p Problem
	if err := json.Unmarshal(answer.Body.Bytes(), &p); err != nil || answer.Code != http.StatusInternalServerError || p.Code != rooms.CodeInternal || p.TraceID == "" || strings.Contains(p.Detail, "index") {
		t.Errorf("answered %d %s", answer.Code, answer.Body)
	}
	lines := strings.Split(strings.TrimSpace(log.String()), "\n")
	if len(lines) != 1 || !strings.Contains(lines[0], p.TraceID) || !strings.Contains(lines[0], "index out of range") || !strings.Contains(lines[0], "panic_test.go") {
		t.Errorf("logged %q", lines)
	}
	for _, secret := range []string{"bo@", "correct horse", "from-the-query", "from-the-header"} {
		if strings.Contains(log.String(), secret) || strings.Contains(answer.Body.String(), secret) {
			t.Errorf("%q is in the log or the answer: %s %s", secret, log.String(), answer.Body)
		}
	}
	if codes[account.LogIn.Name] != rooms.CodeInternal {
		t.Errorf("observed %v", codes)
	}
}
