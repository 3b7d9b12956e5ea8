package edge

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// A server that closes sends to clients that poll what is queued for them and
// then the closing packet, also to those that are between two polls. What they
// still send is dropped, and is no error.
func TestCloseReachesThosePolling(t *testing.T) {
	t.Parallel()
	var b book
	v := serve(t, Config{LingerTime: time.Minute}, handler{
		event:      func(_ context.Context, _ *Socket, name string, _ []Arg, _ *Ack) { b.write("%s", name) },
		disconnect: func(_ *Socket, reason string) { b.write("%s", reason) },
	})
	idle, queued := v.joinPoll(), v.joinPoll()
	for _, s := range v.main.Sockets("") {
		if s.session.id == queued.sid {
			must(t, s.Emit("news", 1))
			must(t, s.Emit("news", 2))
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	closed := make(chan error, 1)
	go func() { closed <- v.edge.Close(ctx) }()
	eventually(t, "both sockets have ended", func() bool { return b.count.Load() == 2 })

	for _, c := range []*pollClient{idle, queued} {
		if status, text := c.post(`42["late"]`); status != http.StatusOK {
			t.Errorf("a POST while closing: %d %s", status, text)
		}
	}
	if _, got := queued.get(); got != "42[\"news\",1]\x1e42[\"news\",2]" {
		t.Errorf("what was queued arrives as %q", got)
	}
	for _, c := range []*pollClient{idle, queued} {
		if status, got := c.get(); status != http.StatusOK || got != "1" {
			t.Errorf("the end arrives as %d %q", status, got)
		}
		if status, _ := c.get(); status != http.StatusBadRequest {
			t.Errorf("afterwards a poll is answered with %d", status)
		}
		if status, _ := c.post(`42["later"]`); status != http.StatusBadRequest {
			t.Errorf("afterwards a POST is answered with %d", status)
		}
	}
	must(t, <-closed)
	for _, entry := range b.read() {
		if entry != reasonShutdown {
			t.Errorf("the handler heard %q", entry)
		}
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// A balancer may ask for a status by which it knows that another node has to be
// asked for a session.
func TestUnknownSession(t *testing.T) {
	t.Parallel()
	v := serve(t, Config{}, handler{})
	for asked, want := range map[string]int{"": http.StatusBadRequest, "404": http.StatusNotFound, "200": http.StatusBadRequest} {
		header := http.Header{"Wenzhen-Unknown-Session": {asked}}
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			r, err := http.NewRequestWithContext(t.Context(), method, v.url("polling", "&sid=nowhere"), http.NoBody)
			must(t, err)
			r.Header = header
			status, text := answer(t, func() (*http.Response, error) { return http.DefaultClient.Do(r) })
			if status != want || text != `{"code":1,"message":"Session ID unknown"}` {
				t.Errorf("%s with %q: %d %s", method, asked, status, text)
			}
		}
		_, resp, err := websocket.DefaultDialer.DialContext(t.Context(), "ws"+v.url("websocket", "&sid=nowhere")[len("http"):], header)
		if err == nil || resp == nil || resp.StatusCode != want {
			t.Errorf("an upgrade with %q: %v", asked, err)
		}
	}
}
