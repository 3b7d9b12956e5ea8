package e2e_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"wenzhen/server"
)

// The fuzz targets of this package ask one server, the whole product, which
// every process of the fuzzer starts once: what a target sends goes over real
// connections, through the handler that is served. docs/fuzzing.md tells how
// they are run.

// fuzzed starts a server for a fuzz target, with the limits that would only
// say that a fuzzer asks quickly out of its way. The alarm rings when
// something goes wrong on the server, even where no client is told.
func fuzzed(f *testing.F, change ...func(*server.Config)) (*world, *alarm) {
	f.Helper()
	rung := &alarm{}
	w := newWorld(f, f.TempDir())
	w.log = slog.New(rung)
	w.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	w.change = append(change, func(c *server.Config) {
		c.SocketsPerUser, c.AcceptRate = 100_000, 100_000
		c.AttachmentQuota = 0
		c.AccessLife, c.IdleLogOff = 24*time.Hour, 0
	})
	w.run("127.0.0.1:0")
	w.enterAdmin()
	return w, rung
}

// in is the world as one execution of a fuzz target sees it: what fails in it
// fails that execution.
func (w *world) in(t testing.TB) *world {
	here := *w
	here.t = t
	here.admin = w.admin.in(&here)
	return &here
}

// in is the person in that world.
func (p *person) in(w *world) *person { return &person{Client: p.Client, w: w, user: p.user} }

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

// silent fails the test if the alarm has rung since it was last asked.
func (a *alarm) silent(t testing.TB) {
	t.Helper()
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.first != "" {
		t.Errorf("the server logged: %s", a.first)
	}
	a.first = ""
}
