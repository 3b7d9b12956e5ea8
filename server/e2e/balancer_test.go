package e2e_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/gorilla/websocket"

	"wenzhen/rooms"
	"wenzhen/rooms/consultation"
	"wenzhen/rooms/roomstest/sidecar"
)

// Behind each balancer that a configuration is shipped for: WebSockets go to
// any node; who polls stays on one, also when changing to WebSocket; and when a
// node is shut down everyone goes on with the others.
func TestBehindABalancer(t *testing.T) {
	t.Parallel()
	list, _ := nodes(t, 3)
	addresses := [3]string{}
	for i, w := range list {
		addresses[i] = strings.TrimPrefix(w.base, "http://")
	}
	var all []*talk
	for name, run := range map[string]sidecar.Balancer{"nginx.conf": sidecar.Nginx, "haproxy.cfg": sidecar.HAProxy, "Caddyfile": sidecar.Caddy} {
		w := *list[0]
		w.base = fmt.Sprint("http://127.0.0.1:", run(t, "../../deploy/"+name, addresses))
		k := w.open(name)
		k.hear(t, name)
		all = append(all, k)
		for range 4 { // with three nodes, luck would not last
			k.sides[0].polls(t, k.id)
		}
	}
	must(t, list[2].stop())
	for _, k := range all {
		k.hear(t, "one-node-less")
	}
}

// hear lets each side say something, which both hear.
func (k *talk) hear(t *testing.T, text string) {
	t.Helper()
	for i, s := range k.sides {
		must(t, s.send(t.Context(), fmt.Sprintf("%s-%d", text, i)))
	}
	last := k.sides[1].acked[text+"-1"].Seq
	for _, s := range k.sides {
		s.heard = append(s.heard, read(t, s.room, last)...)
		for i, e := range s.heard {
			if e.Seq != rooms.Seq(i+1) {
				t.Errorf("event %d has seq %d", i+1, e.Seq)
			}
		}
	}
}

// polls talks to a consultation over long-polling, as clients begin by default,
// and then changes to a WebSocket. Like most that are no browsers it keeps no
// cookies.
func (p *person) polls(t *testing.T, id consultation.ID) {
	t.Helper()
	program := &http.Client{Transport: p.w.http.Transport, Timeout: patience}
	url := p.w.base + "/socket.io/?EIO=4&transport=polling"
	ask := func(method, body string) string {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
		must(t, err)
		resp, err := program.Do(r)
		must(t, err)
		defer resp.Body.Close()
		answer, err := io.ReadAll(resp.Body)
		must(t, err)
		if resp.StatusCode != http.StatusOK {
			t.Fatalf("%s %q: %s %s", method, body, resp.Status, answer)
		}
		return string(answer)
	}
	open := ask(http.MethodGet, "")
	_, rest, _ := strings.Cut(open, `"sid":"`)
	sid, _, _ := strings.Cut(rest, `"`)
	url += "&sid=" + sid
	token, err := p.AccessToken(t.Context())
	must(t, err)
	ask(http.MethodPost, `40/consultations,{"token":"`+token+`"}`)
	if got := ask(http.MethodGet, ""); !strings.HasPrefix(got, joined) {
		t.Fatalf("the answer to CONNECT is %q", got)
	}
	for i := range 10 {
		ask(http.MethodPost, fmt.Sprintf(`42/consultations,%d[%q,{"consultationId":%q}]`, i, consultation.Join.Name, id))
		for want := fmt.Sprintf(`43/consultations,%d[{"ok":true`, i); ; {
			if strings.Contains(ask(http.MethodGet, ""), want) {
				break
			}
		}
	}
	ws, _, err := websocket.DefaultDialer.DialContext(t.Context(), strings.Replace(strings.Replace(url, "http", "ws", 1), "transport=polling", "transport=websocket", 1), nil)
	must(t, err)
	defer ws.Close()
	must(t, ws.WriteMessage(websocket.TextMessage, []byte("2probe")))
	if _, answer, err := ws.ReadMessage(); err != nil || string(answer) != "3probe" {
		t.Fatalf("the answer to the probe is %q, %v", answer, err)
	}
}
