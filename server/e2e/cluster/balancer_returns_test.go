package cluster_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"wenzhen.example/rooms/roomstest/sidecar"
	"wenzhen.example/server/e2e"
)

// Caddy sends a handshake that a node refuses because it drains to the other node,
// which has just come back, although the part of the configuration that does so
// has not checked that one again yet.
func TestCaddyWaitsForANodeThatComesBack(t *testing.T) {
	t.Parallel()
	const checksAtOnce = 9 // of one node by all parts of the configuration
	var checks atomic.Int64
	var back atomic.Bool
	node := func(answers http.HandlerFunc) string {
		server := httptest.NewServer(answers)
		t.Cleanup(server.Close)
		return strings.TrimPrefix(server.URL, "http://")
	}
	returning := node(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case back.Load():
			_, _ = io.WriteString(w, "welcome")
		case r.URL.Path == "/readyz":
			checks.Add(1)
			fallthrough
		default:
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	draining := node(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/readyz" {
			back.Store(true)
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	port := sidecar.Caddy(t, "../../../deploy/Caddyfile", [3]string{returning, draining, ""})
	e2e.Eventually(t, "all parts know that the node is away", func() bool { return checks.Load() >= 2*checksAtOnce })
	resp, err := (&http.Client{Timeout: e2e.Patience}).Get(fmt.Sprint("http://127.0.0.1:", port, "/socket.io/?EIO=4&transport=polling"))
	e2e.Must(t, err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	e2e.Must(t, err)
	if resp.StatusCode != http.StatusOK || string(text) != "welcome" {
		t.Errorf("the handshake is answered %s %q", resp.Status, text)
	}
}
