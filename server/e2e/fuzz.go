package e2e

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/server/app"
)

// Refusals are the codes with which a client's request may be refused, and
// their status. Neither internal nor unavailable is among them.
var Refusals = map[rooms.Code]int{
	rooms.CodeInvalid: 400, rooms.CodeUnauthenticated: 401, rooms.CodePaymentRequired: 402, rooms.CodeForbidden: 403, rooms.CodeNotFound: 404,
	rooms.CodeConflict: 409, rooms.CodeClosed: 409, rooms.CodeTooLarge: 413, rooms.CodeRateLimited: 429,
}

// Fuzzed starts a server for a fuzz target. Rate limits are high enough for a
// fuzzer. The alarm rings when the server logs an error, even if no client
// receives one.
func Fuzzed(f *testing.F, change ...func(*app.Config)) (*World, *alarm) {
	f.Helper()
	rung := &alarm{}
	w := NewWorld(f, f.TempDir())
	w.Log = slog.New(rung)
	w.HTTP.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	w.Change = append(change, func(c *app.Config) {
		c.SocketsPerUser, c.AcceptRate = 100_000, 100_000
		c.AttachmentQuota = 0
		c.AccessLife, c.IdleLogOff = 24*time.Hour, 0
	})
	w.Run("127.0.0.1:0")
	w.EnterAdmin()
	return w, rung
}

// In is the world as one execution of a fuzz target sees it: what fails in it
// fails that execution.
func (w *World) In(t testing.TB) *World {
	here := *w
	here.T = t
	here.Admin = w.Admin.In(&here)
	return &here
}

// In is the person in that world.
func (p *Person) In(w *World) *Person { return &Person{Client: p.Client, World: w, User: p.User} }

// alarm is a log that keeps errors alone: a panic, a command that failed for a
// reason that no client may know. It implements slog.Handler.
type alarm struct {
	mu    sync.Mutex
	first string
}

// Enabled implements slog.Handler.
func (a *alarm) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelError }

// Handle implements slog.Handler.
func (a *alarm) Handle(_ context.Context, r slog.Record) error {
	var line strings.Builder
	line.WriteString(r.Message)
	r.Attrs(func(attr slog.Attr) bool {
		fmt.Fprintf(&line, " %s", attr)
		return true
	})
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.first == "" {
		a.first = line.String()
	}
	return nil
}

// WithAttrs implements slog.Handler.
func (a *alarm) WithAttrs([]slog.Attr) slog.Handler { return a }

// WithGroup implements slog.Handler.
func (a *alarm) WithGroup(string) slog.Handler { return a }

// Silent fails the test if the alarm has rung since it was last asked.
func (a *alarm) Silent(t testing.TB) {
	t.Helper()
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.first != "" {
		t.Errorf("the server logged: %s", a.first)
	}
	a.first = ""
}
