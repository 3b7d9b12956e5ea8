package main

import (
	"io"
	"net/http/httptest"
	"os"
	"testing"
	"time"

	"wenzhen.example/client/load"
)

// Every scenario that runs against a bare server, in a small size: all messages are
// delivered once and in order.
func TestScenarios(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]load.Options{
		"idle":             {Scenario: "idle", Connections: 20, Duration: 10 * time.Millisecond, PID: os.Getpid()},
		"connect":          {Scenario: "connect", Connections: 50},
		"connect, polling": {Scenario: "connect", Connections: 20, Polling: true},
		"pair":             {Scenario: "pair", Connections: 20, Rate: 500, Duration: 200 * time.Millisecond, PID: os.Getpid()},
		"fan":              {Scenario: "fan", Connections: 20, Count: 50},
		"echo":             {Scenario: "echo", Count: 50},
		"echo, binary":     {Scenario: "echo", Count: 20, Binary: true, Payload: 64 << 10},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(handler())
			t.Cleanup(server.Close)
			o.Server, o.Bare, o.JSON = server.URL, true, true
			r, err := load.Run(t.Context(), o, io.Discard)
			if err != nil {
				t.Fatal(err)
			}
			if !r.Clean() || r.Operations == 0 {
				t.Errorf("%+v", r)
			}
		})
	}
}
