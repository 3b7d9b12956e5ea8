package load_test

import (
	"context"
	"io"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"

	"wenzhen.example/client/load"
	"wenzhen.example/server/app"
)

// serve runs a server in this process until the end of the test.
func serve(t *testing.T) string {
	t.Helper()
	var cfg app.Config
	parser, err := kong.New(&cfg)
	if err == nil {
		_, err = parser.Parse(nil) // the defaults
	}
	if err != nil {
		t.Fatal(err)
	}
	cfg.Addr, cfg.Data, cfg.Synchronous, cfg.Demo = "127.0.0.1:0", t.TempDir(), "normal", true
	cfg.CommandRate, cfg.CommandBurst = 1_000_000, 1_000_000
	s, err := app.New(t.Context(), cfg, slog.New(slog.NewTextHandler(io.Discard, nil)))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return s.URL()
}

// Every scenario that runs against Wenzhen, in a small size: all messages are
// delivered once and in order. The scenarios for bare servers are tested in
// bench/peers/edge.
func TestScenarios(t *testing.T) {
	t.Parallel()
	base := serve(t)
	for name, o := range map[string]load.Options{
		"idle":             {Scenario: "idle", Connections: 20, Duration: 10 * time.Millisecond, PID: os.Getpid()},
		"connect":          {Scenario: "connect", Connections: 20},
		"connect, polling": {Scenario: "connect", Connections: 20, Polling: true},
		"durable":          {Scenario: "durable", Connections: 8, Count: 100},
		"durable, at rate": {Scenario: "durable", Connections: 8, Rate: 200, Duration: 200 * time.Millisecond},
		"resume":           {Scenario: "resume", Connections: 8, Count: 250}, // more than the answer to one join contains
		"whole":            {Scenario: "whole", Connections: 20, SocketsPerUser: 5, Rate: 50, Duration: time.Second, PID: os.Getpid()},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o.Server, o.Quiet = base, true
			var out strings.Builder
			r, err := load.Run(t.Context(), o, &out)
			if err != nil {
				t.Fatal(err)
			}
			if !r.Clean() || r.Operations == 0 {
				t.Error(out.String())
			}
		})
	}
}

func TestInvalidOptions(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]load.Options{
		"no scenario": {Scenario: "nothing", Server: "http://127.0.0.1:1"},
		"no server":   {Scenario: "idle", Server: "127.0.0.1:1"},
		"odd":         {Scenario: "pair", Server: "http://127.0.0.1:1", Connections: 3},
		"negative":    {Scenario: "fan", Server: "http://127.0.0.1:1", Count: -1},
	} {
		if _, err := load.Run(t.Context(), o, io.Discard); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
