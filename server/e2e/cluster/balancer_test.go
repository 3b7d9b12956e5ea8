package cluster_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/gorilla/websocket"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/consultation"
	"wenzhen.example/server/e2e"
)

// Behind each balancer that a configuration is shipped for: WebSockets go to
// any node; who polls stays on one, also when changing to WebSocket; and when a
// node is shut down everyone goes on with the others.
func TestBehindABalancer(t *testing.T) {
	t.Parallel()
	list, _ := e2e.Nodes(t, 3)
	addresses := [3]string{}
	for i, w := range list {
		addresses[i] = strings.TrimPrefix(w.Base, "http://")
	}
	var all []*e2e.Talk
	for name, run := range balancers {
		w := *list[0]
		w.Base = fmt.Sprint("http://127.0.0.1:", run(t, "../../../deploy/"+name, addresses))
		k := w.Open(name)
		hear(k, t, name)
		all = append(all, k)
		for range 4 { // with three nodes, luck would not last
			polls(k.Sides[0].Person, t, k.ID)
		}
	}
	e2e.Must(t, list[2].Stop())
	for _, k := range all {
		hear(k, t, "one-node-less")
	}
}

// hear lets each side say something, which both hear.
func hear(k *e2e.Talk, t *testing.T, text string) {
	t.Helper()
	for i, s := range k.Sides {
		e2e.Must(t, s.Send(t.Context(), fmt.Sprintf("%s-%d", text, i)))
	}
	last := k.Sides[1].Acked[text+"-1"].Seq
	for _, s := range k.Sides {
		s.Received = append(s.Received, e2e.Read(t, s.Room, last)...)
		for i, e := range s.Received {
			if e.Seq != rooms.Seq(i+1) {
				t.Errorf("event %d has seq %d", i+1, e.Seq)
			}
		}
	}
}

// polls talks to a consultation over long-polling, as clients begin by default,
// and then changes to a WebSocket. Like most that are no browsers it keeps no
// cookies.
func polls(p *e2e.Person, t *testing.T, id consultation.ID) {
	t.Helper()
	program := &http.Client{Transport: p.World.HTTP.Transport, Timeout: e2e.Patience}
	url := p.World.Base + "/socket.io/?EIO=4&transport=polling"
	ask := func(method, body string) string {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
		e2e.Must(t, err)
		resp, err := program.Do(r)
		e2e.Must(t, err)
		defer resp.Body.Close()
		answer, err := io.ReadAll(resp.Body)
		e2e.Must(t, err)
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
	e2e.Must(t, err)
	ask(http.MethodPost, `40/consultations,{"token":"`+token+`"}`)
	if got := ask(http.MethodGet, ""); !strings.HasPrefix(got, e2e.Joined) {
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
	e2e.Must(t, err)
	defer ws.Close()
	e2e.Must(t, ws.WriteMessage(websocket.TextMessage, []byte("2probe")))
	if _, answer, err := ws.ReadMessage(); err != nil || string(answer) != "3probe" {
		t.Fatalf("the answer to the probe is %q, %v", answer, err)
	}
}
