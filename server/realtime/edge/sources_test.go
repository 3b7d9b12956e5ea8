package edge

import (
	"net/http"
	"testing"
)

// Connections are counted for each network that an address is in: sessions of
// Socket.IO, polling requests and bare WebSockets.
func TestConnectionsPerNetwork(t *testing.T) {
	t.Parallel()
	cfg := Config{ConnectionsPerAddress: 1,
		Address: func(r *http.Request) string { return r.URL.Query().Get("from") },
		Sources: func(address string) []Source { return []Source{{address[:2], 1}, {address[:1], 2}} }}
	v := serve(t, cfg, handler{})
	for _, c := range []struct {
		from string
		want int
	}{{"aa1", 200}, {"aa2", 429}, {"ab1", 200}, {"ac1", 429}, {"ba1", 200}} {
		got, _ := answer(t, func() (*http.Response, error) { return http.Get(v.url("polling", "") + "&from=" + c.from) })
		if got != c.want {
			t.Errorf("from %s: %d, want %d", c.from, got, c.want)
		}
	}
	l := limits{perAddress: 1, sources: cfg.Sources} // of polling requests and of bare WebSockets
	for _, c := range []struct {
		from string
		want bool
	}{{"aa1", true}, {"aa2", false}, {"ab1", true}, {"ac1", false}, {"ba1", true}} {
		if got := l.begin(c.from); got != c.want {
			t.Errorf("from %s: %v, want %v", c.from, got, c.want)
		}
	}
	l.finish("aa1")
	if !l.begin("ac1") || l.begin("aa1") {
		t.Error("a finished request is counted, or a running one is not")
	}
	for _, from := range []string{"ab1", "ac1", "ba1"} {
		l.finish(from)
	}
	if len(l.requests) > 0 {
		t.Errorf("%v are counted in the end", l.requests)
	}
}
