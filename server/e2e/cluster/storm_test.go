package cluster_test

import (
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"wenzhen.example/server/app"
	"wenzhen.example/server/e2e"
)

// Simultaneous connections are accepted at the configured rate, and the others
// are refused with a time to retry after. A shutdown closes connections at the
// configured rate.
func TestNoStormOfConnections(t *testing.T) {
	t.Parallel()
	w := e2e.Start(t, func(c *app.Config) { c.AcceptRate = 1 })
	var refused atomic.Int64
	var all sync.WaitGroup
	for range 30 {
		all.Go(func() {
			ws, answer, err := websocket.DefaultDialer.DialContext(t.Context(), strings.Replace(w.Base, "http", "ws", 1)+"/socket.io/?EIO=4&transport=websocket", nil)
			if err == nil {
				_ = ws.Close()
			} else if answer != nil && answer.StatusCode == http.StatusServiceUnavailable && answer.Header.Get("Retry-After") != "" {
				refused.Add(1)
			}
		})
	}
	all.Wait()
	if refused.Load() == 0 {
		t.Error("nobody was refused")
	}
	e2e.Must(t, w.Stop())

	w.Change = []func(*app.Config){func(c *app.Config) { c.DrainPace = 20 }}
	w.Run("127.0.0.1:0")
	const sockets = 11
	for range sockets {
		w.Bare(t)
	}
	began := time.Now()
	e2e.Must(t, w.Stop())
	if took := time.Since(began); took < (sockets-1)*time.Second/20 {
		t.Errorf("%d sockets were sent away within %v", sockets, took)
	}
}
