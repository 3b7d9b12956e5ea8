package edge

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// When the server closes, polling clients receive what is queued for them and
// then the closing packet, even between two polls. What they still send is
// dropped without an error.
func TestCloseReachesPollingClients(t *testing.T) {
	t.Parallel()
	var b book
	v := serve(t, Config{LingerTime: time.Minute}, handler{
		event:      func(_ context.Context, _ *Socket, name string, _ []Arg, _ *Ack) { b.write("%s", name) },
		disconnect: func(_ *Socket, reason string) { b.write("%s", reason) },
	})
	idle, queued := v.joinPoll(), v.joinPoll()
	for _, s := range v.main.Sockets("") {
		if s.conn.id == queued.sid {
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
		// It may have been sent before the client had read the end.
		if status, text := c.post(`42["later"]`); status != http.StatusOK || text != "ok" {
			t.Errorf("afterwards a POST is answered %d %s", status, text)
		}
	}
	must(t, <-closed)
	for _, entry := range b.read() {
		if entry != reasonShutdown {
			t.Errorf("the handler got %q", entry)
		}
	}
}

// A POST that is being sent while its session closes is no error, even if the
// client has already received the closing packet.
func TestPostsWhileClosing(t *testing.T) {
	t.Parallel()
	for name, fetched := range map[string]bool{"the end is fetched": true, "the end waits": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var b book
			v := serve(t, Config{LingerTime: time.Minute}, handler{
				event:      func(_ context.Context, _ *Socket, name string, _ []Arg, _ *Ack) { b.write("%s", name) },
				disconnect: func(_ *Socket, reason string) { b.write("%s", reason) },
			})
			c := v.joinPoll()
			s := v.edge.engine.find(c.sid)
			body, late := io.Pipe()
			posted := make(chan string, 1)
			go func() {
				resp, err := http.Post(c.url(), "text/plain;charset=UTF-8", body)
				if err != nil {
					posted <- err.Error()
					return
				}
				defer resp.Body.Close()
				text, _ := io.ReadAll(resp.Body)
				posted <- resp.Status + " " + string(text)
			}()
			_, err := io.WriteString(late, `42["la`)
			must(t, err)
			eventually(t, "the POST has begun", func() bool {
				s.mu.Lock()
				defer s.mu.Unlock()
				return s.poll.posted
			})

			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			closed := make(chan error, 1)
			go func() { closed <- v.edge.Close(ctx) }()
			eventually(t, "the socket has ended", func() bool { return b.count.Load() == 1 })
			if fetched {
				c.ends(t)
			}
			_, err = io.WriteString(late, `te"]`)
			must(t, err)
			must(t, late.Close())
			if got := <-posted; got != "200 OK ok" {
				t.Errorf("the POST is answered %q", got)
			}
			if !fetched {
				c.ends(t)
			}
			must(t, <-closed)
			if got := b.read(); len(got) != 1 || got[0] != reasonShutdown {
				t.Errorf("the handler got %q", got)
			}
		})
	}
}

// ends fetches the closing packet.
func (c *pollClient) ends(t *testing.T) {
	t.Helper()
	if status, got := c.get(); status != http.StatusOK || got != "1" {
		t.Errorf("the end arrives as %d %q", status, got)
	}
}

// A POST for a session that the server has closed has the limits of any other
// POST. A session that ended for another reason is unknown.
func TestPostsAfterClosing(t *testing.T) {
	t.Parallel()
	v := serve(t, Config{LingerTime: time.Minute, MaxPayload: 1000}, handler{})
	left, stays := v.joinPoll(), v.joinPoll()
	left.post("1")
	left.get()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	closed := make(chan error, 1)
	go func() { closed <- v.edge.Close(ctx) }()
	stays.ends(t)
	must(t, <-closed)
	if status, _ := stays.post(strings.Repeat("x", 1001)); status != http.StatusRequestEntityTooLarge {
		t.Errorf("too much is answered with %d", status)
	}
	if status, text := stays.post("3"); status != http.StatusOK || text != "ok" {
		t.Errorf("a POST is answered %d %s", status, text)
	}
	if status, _ := left.post("3"); status != http.StatusBadRequest {
		t.Errorf("a POST for a session that its client has left is answered with %d", status)
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// A balancer can choose the status for an unknown session, so that it can try
// another node.
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

// If the context of Close ends, Close drops the remaining connections and returns
// the context's error.
func TestCloseIsBounded(t *testing.T) {
	t.Parallel()
	var b book
	started := make(chan bool, 1)
	v := serve(t, Config{}, handler{
		event:      func(ctx context.Context, _ *Socket, _ string, _ []Arg, _ *Ack) { started <- true; <-ctx.Done() },
		disconnect: func(_ *Socket, reason string) { b.write("%s", reason) },
	})
	busy := v.join()
	busy.send(`42["work"]`)
	<-started
	ctx, cancel := context.WithCancel(t.Context())
	closed := make(chan error)
	go func() { closed <- v.edge.Close(ctx) }()
	eventually(t, "it closes", func() bool {
		v.edge.engine.mu.RLock()
		defer v.edge.engine.mu.RUnlock()
		return v.edge.engine.closed
	})
	cancel()
	if err := <-closed; !errors.Is(err, context.Canceled) {
		t.Errorf("closed: %v", err)
	}
	if code := busy.closed(); code == closeGoingAway {
		t.Errorf("the connection was closed with %d", code)
	}
	eventually(t, "the socket has ended", func() bool { return b.count.Load() == 1 })
	if got := b.read(); got[0] != reasonShutdown {
		t.Errorf("the handler got %q", got)
	}
}
