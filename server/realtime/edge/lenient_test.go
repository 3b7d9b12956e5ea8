package edge

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// Unusual packets that Node's server accepts do not end the connection.
func TestUnusualPackets(t *testing.T) {
	t.Parallel()
	v := serve(t, Config{}, handler{event: echo})
	v.edge.Namespace("/lobby", handler{event: echo})
	deep := strings.Repeat("[", 9_000) + strings.Repeat("]", 9_000)
	for name, packet := range map[string]struct{ sent, answer string }{
		"number as a name":        {`42[42,"x"]`, `42["42-back","x"]`},
		"negative number":         {`42[-1.5]`, `42["-1.5-back"]`},
		"number and an id":        {`427[42,"x"]`, `437["x"]`},
		"id of 30 digits":         {`42123456789012345678901234567890["a",1]`, `43123456789012345678901234567890[1]`},
		"answer of 30 digits":     {`43123456789012345678901234567890[]`, ""},
		"deeply nested":           {`421["a",` + deep + `]`, `431[` + deep + `]`},
		"no payload":              {`42`, ""},
		"id and no payload":       {`421`, ""},
		"namespace, no payload":   {`42/lobby,`, ""},
		"namespace, id, no event": {`42/lobby,1`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			here := target{t: t, base: v.base}
			c, p := here.join(), here.joinPoll()
			c.send("40/lobby,")
			c.next()
			p.post("40/lobby,")
			p.get()
			c.send(packet.sent)
			if packet.answer != "" {
				c.expect(packet.answer)
			}
			c.send(`421["still here"]`)
			c.expect(`431[]`)
			if status, _ := p.post(packet.sent + "\x1e" + `421["still here"]`); status != http.StatusOK {
				t.Fatalf("polling: %d", status)
			}
			want := strings.TrimPrefix(packet.answer+"\x1e431[]", "\x1e")
			if _, got := p.get(); got != want {
				t.Errorf("polling: %q, want %q", got, want)
			}
		})
	}
}

// A WebSocket that does not become the transport is closed with a closing
// frame, and the session continues to poll.
func TestUpgradesThatFail(t *testing.T) {
	t.Parallel()
	v := serve(t, Config{UpgradeTimeout: time.Minute}, handler{event: echo})
	for name, c := range map[string]struct {
		frames []string
		code   int
	}{
		"without a probe":  {[]string{"5", "4too early"}, closeNormal},
		"wrong probe":      {[]string{"2knock", "5", "4too early"}, closeNormal},
		"message":          {[]string{`42["a"]`}, closeNormal},
		"empty":            {[]string{""}, closeNormal},
		"no probe, a pong": {[]string{"3"}, closeNormal},
		"invalid UTF-8":    {[]string{"\xff", "5"}, closeInvalid},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			here := target{t: t, base: v.base}
			p := here.joinPoll()
			ws := here.dialRaw("&sid=" + p.sid)
			for _, frame := range c.frames {
				_ = ws.conn.WriteMessage(websocket.TextMessage, []byte(frame)) // it may be closed already
			}
			if code := ws.closed(); code != c.code {
				t.Errorf("closed with %d, want %d", code, c.code)
			}
			p.post(`421["a"]`)
			if _, got := p.get(); got != "431[]" {
				t.Errorf("the session answers %q", got)
			}
		})
	}
}

// A second upgrade, while another is pending, is closed with a closing frame.
func TestSecondUpgrade(t *testing.T) {
	t.Parallel()
	v := serve(t, Config{UpgradeTimeout: time.Minute}, handler{event: echo})
	p := v.joinPoll()
	first := v.dialRaw("&sid=" + p.sid)
	if code := v.dialRaw("&sid=" + p.sid).closed(); code != closeNormal {
		t.Errorf("closed with %d", code)
	}
	first.send("2probe")
	first.expect("3probe")
}

// An upgrade that takes too long is ended with a closing frame.
func TestUpgradeTimeout(t *testing.T) {
	t.Parallel()
	v := serve(t, Config{UpgradeTimeout: 10 * time.Millisecond}, handler{event: echo})
	p := v.joinPoll()
	ws := v.dialRaw("&sid=" + p.sid)
	if code := ws.closed(); code != closeNormal {
		t.Errorf("closed with %d", code)
	}
	p.post(`421["a"]`)
	if _, got := p.get(); got != "431[]" {
		t.Errorf("the session answers %q", got)
	}
}

// A body that is too large is answered before the session ends, so that the
// client receives the reason.
func TestTooLargeIsAnsweredFirst(t *testing.T) {
	t.Parallel()
	v := serve(t, Config{MaxPayload: 1000}, handler{event: echo})
	answered := make(chan string, 1)
	var p *pollClient
	v.http.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost && r.ContentLength > 1000 {
			w = &onStatus{w, func(status int) { answered <- fmt.Sprint(status, ", the poll waits: ", held(v, p)) }}
		}
		v.edge.ServeHTTP(w, r)
	})
	p = v.joinPoll()
	polled := make(chan string, 1)
	go func() {
		_, body := p.get()
		polled <- body
	}()
	eventually(t, "a poll is held", func() bool { return held(v, p) })
	if status, _ := p.post(strings.Repeat("x", 1001)); status != http.StatusRequestEntityTooLarge {
		t.Errorf("the answer is %d", status)
	}
	if got := <-answered; got != "413, the poll waits: true" {
		t.Errorf("as the answer was written: %s", got)
	}
	if got := <-polled; got != "1" {
		t.Errorf("the poll got %q", got)
	}
}

// pending reports whether a session's poll waits.
func held(v *served, p *pollClient) bool {
	s := v.edge.engine.find(p.sid)
	if s == nil {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.poll != nil && s.poll.pending != nil
}

// onStatus calls written before the status is written.
type onStatus struct {
	http.ResponseWriter
	written func(status int)
}

func (w *onStatus) WriteHeader(status int) {
	w.written(status)
	w.ResponseWriter.WriteHeader(status)
}

func (w *onStatus) Unwrap() http.ResponseWriter { return w.ResponseWriter }
