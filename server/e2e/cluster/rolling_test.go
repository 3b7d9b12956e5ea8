package cluster_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"wenzhen.example/client"
	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
	"wenzhen.example/rooms/chat"
	"wenzhen.example/rooms/consultation"
	"wenzhen.example/rooms/operations"
	"wenzhen.example/rooms/roomstest/prove"
	"wenzhen.example/rooms/roomstest/sidecar"
	"wenzhen.example/server/app"
	"wenzhen.example/server/e2e"
)

// Two nodes restart, one after the other, behind each configuration that is
// shipped: no request fails, no session ends but with the closing packet or code
// of a node that shuts down, no handshake fails, and no socket and no session
// that polls misses an event. Caddy alone sends sessions that poll to another
// node when their node leaves or comes back: they begin anew.
func TestRollingRestart(t *testing.T) {
	prove.Parallel(t)
	sockets := prove.Size(t, "sockets during a rolling restart", 24, 800)
	pollers := prove.Size(t, "sessions that poll during a rolling restart", 6, 40)
	requests := prove.Size(t, "requests during a rolling restart", 150, 1500)
	for name, run := range balancers {
		t.Run(name, func(t *testing.T) {
			list, _ := e2e.Nodes(t, 2, func(c *app.Config) {
				c.TrustedProxies, c.SocketsPerUser, c.Connections = []string{"127.0.0.1"}, 10_000, 0
			})
			r := newRoll(t, list, run, name)
			r.moves = name == "Caddyfile"
			for i := range sockets {
				r.opens(r.talks[i%len(r.talks)])
			}
			for i := range pollers {
				r.polls(r.talks[i%len(r.talks)])
			}
			for _, k := range r.talks {
				r.tasks.Go(func() { r.asks(k) })
			}
			for _, node := range list {
				r.restarts(node)
			}
			e2e.Eventually(t, "there were enough requests", func() bool { return r.asked.Load() >= int64(requests) })
			r.over.Store(true)
			r.nothingIsLost()
			r.ends()
			t.Logf("%s: %d requests; %d events received by %d sockets and %d sessions that poll, "+
				"which were opened %d and %d times; %d sockets were closed before they joined",
				name, r.asked.Load(), r.received, sockets, pollers, r.online.Load(), r.sessions.Load(), r.turned.Load())
		})
	}
}

// roll is a restart of all nodes and what goes on meanwhile.
type roll struct {
	*e2e.World // as seen through the balancer
	t          *testing.T
	ctx        context.Context
	stop       context.CancelFunc
	talks      []*talk
	moves      bool // sessions that poll from one node to another, which does not know them

	over     atomic.Bool
	asked    atomic.Int64
	received int64
	online   atomic.Int64 // connections of sockets that joined
	turned   atomic.Int64 // and those that a node accepted and closed before
	sessions atomic.Int64 // that poll, all that were begun
	tasks    sync.WaitGroup
	devices  []*client.Client
}

// talk is one of the consultations, and who receives it.
type talk struct {
	patient *e2e.Person
	id      consultation.ID
	last    atomic.Int64 // the greatest seq that was acked
	rooms   []*client.Room
	pollers []*poller
}

func newRoll(t *testing.T, list []*e2e.World, run sidecar.Balancer, configuration string) *roll {
	t.Helper()
	w := *list[0]
	w.T = t
	w.Base = fmt.Sprint("http://127.0.0.1:", run(t, "../../../deploy/"+configuration, [3]string{at(list[0]), at(list[1]), ""}))
	r := &roll{World: &w, t: t}
	r.ctx, r.stop = context.WithCancel(t.Context())
	t.Cleanup(r.stop)
	wang := w.Doctor("wang")
	for range 8 {
		bo := w.Patient("bo")
		id := bo.Consults(wang, "a headache")
		wang.Accepts(id)
		r.talks = append(r.talks, &talk{patient: bo, id: id})
	}
	return r
}

func at(w *e2e.World) string { return strings.TrimPrefix(w.Base, "http://") }

// ends stops everything that goes on.
func (r *roll) ends() {
	r.stop()
	for _, device := range r.devices {
		r.tasks.Go(func() {
			if err := device.Close(r.t.Context()); err != nil {
				r.t.Errorf("close: %v", err)
			}
		})
	}
	r.tasks.Wait()
}

// opens joins a consultation on one more device of the patient's. Its
// connections may only end because a node goes away.
func (r *roll) opens(k *talk) {
	r.t.Helper()
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
		if err != nil {
			r.fails("a connection: %v", err)
			return nil, err
		}
		return &newcomer{Conn: conn, r: r}, nil
	}
	changed := func(now client.Status, why error) {
		var closed *websocket.CloseError
		switch {
		case now == client.Online:
			r.online.Add(1)
		case now == client.Offline && !(errors.As(why, &closed) && closed.Code == websocket.CloseGoingAway):
			r.fails("a socket ended: %v", why)
		}
	}
	device := r.Client(client.WithTokens(k.patient.Tokens()), client.WithNetDial(dial), client.WithStatus(changed))
	p := &e2e.Person{Client: device, World: r.World, User: k.patient.User}
	k.rooms = append(k.rooms, p.Online().Joins(k.id))
	r.devices = append(r.devices, device)
}

// newcomer is a connection of a socket. It must be accepted and join, or else it
// was accepted by a node just before that began to drain: then it gets the OPEN
// packet and is closed with code 1001.
type newcomer struct {
	net.Conn
	r *roll

	mu   sync.Mutex
	head []byte // of what was read
	seen bool
}

// Read implements net.Conn.
func (c *newcomer) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.head) < 4096 {
		c.head = append(c.head, b[:n]...)
	}
	return n, err
}

// Close implements net.Conn.
func (c *newcomer) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.seen {
		c.seen = true
		status, rest, _ := bytes.Cut(c.head, []byte("\r\n\r\n"))
		open, joined := bytes.Contains(rest, []byte(`0{"sid":`)), bytes.Contains(rest, []byte("40"+rooms.Consultations))
		end := bytes.LastIndexByte(rest, 0x88) // a closing frame
		away := end >= 0 && bytes.HasPrefix(rest[min(end+2, len(rest)):], []byte{1001 >> 8, 1001 & 0xff})
		switch {
		case joined:
		case open && away:
			c.r.turned.Add(1)
		default:
			c.r.fails("a handshake: %.60s: %q", status, rest)
		}
	}
	return c.Conn.Close()
}

// fails says what must not happen, unless the test is over anyway.
func (r *roll) fails(format string, args ...any) {
	if r.ctx.Err() == nil {
		r.t.Errorf(format, args...)
	}
}

// asks makes requests of all kinds, over connections that are kept and new ones.
func (r *roll) asks(k *talk) {
	transport := &http.Transport{DisableKeepAlives: slices.Index(r.talks, k)%2 == 0}
	defer transport.CloseIdleConnections()
	by := &http.Client{Transport: transport, Timeout: e2e.Patience}
	token := "Bearer " + k.patient.Tokens().AccessToken
	here := "/api/v1/consultations/" + string(k.id)
	for n := 0; !r.over.Load(); n++ {
		for _, ask := range []struct{ method, path, body string }{
			{"GET", "/api/v1/config", ""},
			{"POST", here + "/messages", fmt.Sprintf(`{"clientId":"%d","kind":"text","text":"still here"}`, n)},
			{"GET", "/api/v1/me", ""},
			{"GET", here + "/messages?limit=5", ""},
			{"GET", "/api/v1/consultations?limit=5", ""},
		} {
			request, err := http.NewRequestWithContext(r.ctx, ask.method, r.Base+ask.path, strings.NewReader(ask.body))
			if err != nil {
				r.fails("%v", err)
				return
			}
			request.Header.Set("Authorization", token)
			if ask.body != "" {
				request.Header.Set("Content-Type", "application/json")
			}
			status, text, err := exchange(by, request)
			if err != nil || status/100 != 2 {
				r.fails("%s %s: %d %s %v", ask.method, ask.path, status, text, err)
				continue
			}
			r.asked.Add(1)
			k.acked(text)
		}
		time.Sleep(20 * time.Millisecond) // a load, not a flood
	}
}

func exchange(by *http.Client, request *http.Request) (int, string, error) {
	resp, err := by.Do(request)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(text), err
}

// acked keeps the seq of a message.
func (k *talk) acked(text string) {
	var m chat.Message
	if err := json.Unmarshal([]byte(text), &m); err != nil || m.ConsultationID != k.id {
		return // the answer to something else
	}
	k.last.Store(max(k.last.Load(), int64(m.Seq))) // one says something at a time
}

// restarts shuts a node down, starts it again and waits until the balancer
// sends it somebody.
func (r *roll) restarts(node *e2e.World) {
	r.t.Helper()
	address := at(node)
	e2e.Must(r.t, node.Stop())
	node.Run(address)
	admin := &e2e.Person{Client: node.Client(), World: node}
	_, err := admin.LogIn(r.ctx, account.LoginInput{Email: "admin@wenzhen.example", Password: e2e.Password})
	e2e.Must(r.t, err)
	e2e.Eventually(r.t, "the balancer finds the node", func() bool {
		socket := strings.Replace(r.Base, "http", "ws", 1) + "/socket.io/?EIO=4&transport=websocket"
		ws, _, err := websocket.DefaultDialer.DialContext(r.ctx, socket, nil)
		if err != nil {
			r.fails("a handshake: %v", err)
			return false
		}
		defer ws.Close()
		err = ws.WriteMessage(websocket.TextMessage, []byte("40"+rooms.Lobby+","))
		for range 2 { // OPEN and the answer to CONNECT
			if err == nil {
				_, _, err = ws.ReadMessage()
			}
		}
		if err != nil {
			r.fails("a new socket: %v", err)
		}
		return e2e.Do(admin, operations.Sockets, operations.SocketFilter{Limit: 1}).Total > 0
	})
}

// nothingIsLost reads what each socket and each session that polls has received:
// everything, once, in order.
func (r *roll) nothingIsLost() {
	r.t.Helper()
	for _, k := range r.talks {
		last := k.last.Load()
		if last == 0 {
			r.t.Fatal("nothing was said")
		}
		for i, room := range k.rooms {
			for n, e := range e2e.Read(r.t, room, rooms.Seq(last)) {
				if e.Seq != rooms.Seq(n+1) {
					r.t.Fatalf("socket %d: event %d has seq %d", i, n+1, e.Seq)
				}
			}
		}
		for i, p := range k.pollers {
			e2e.Eventually(r.t, fmt.Sprintf("session %d receives the last event", i), func() bool { return p.last.Load() >= last })
		}
		r.received += last * int64(len(k.rooms)+len(k.pollers))
	}
}
