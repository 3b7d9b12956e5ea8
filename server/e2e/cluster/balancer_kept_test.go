package cluster_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"wenzhen.example/rooms/roomstest/sidecar"
	"wenzhen.example/server/e2e"
)

// balancers are those that a configuration is shipped for.
var balancers = map[string]sidecar.Balancer{"nginx.conf": sidecar.Nginx, "haproxy.cfg": sidecar.HAProxy, "Caddyfile": sidecar.Caddy}

// No balancer keeps a connection to a node for another request, however many its
// client makes on one: a POST on a connection that the node is just closing would
// be lost, and may not be sent again.
func TestNoConnectionToANodeIsKept(t *testing.T) {
	t.Parallel()
	for name, run := range balancers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var mu sync.Mutex
			asked, connections := 0, map[string]bool{}
			node := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				mu.Lock()
				defer mu.Unlock()
				if r.URL.Path != "/readyz" {
					asked++
					connections[r.RemoteAddr] = true
				}
			}))
			defer node.Close()
			base := fmt.Sprint("http://127.0.0.1:", run(t, "../../../deploy/"+name, [3]string{strings.TrimPrefix(node.URL, "http://"), "", ""}))
			transport := &http.Transport{}
			defer transport.CloseIdleConnections()
			by := &http.Client{Transport: transport, Timeout: e2e.Patience}
			for _, path := range []string{"/api/v1/config", "/socket.io/?EIO=4&transport=polling&sid=x", "/chat"} {
				for range 3 {
					resp, err := by.Post(base+path, "text/plain", strings.NewReader("x"))
					e2e.Must(t, err)
					e2e.Must(t, resp.Body.Close())
					if resp.StatusCode != http.StatusOK {
						t.Errorf("%s: %s", path, resp.Status)
					}
				}
			}
			mu.Lock()
			defer mu.Unlock()
			if asked != 9 || len(connections) != asked {
				t.Errorf("%d requests came over %d connections", asked, len(connections))
			}
		})
	}
}
