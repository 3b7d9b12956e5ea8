package e2e_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"wenzhen/client"
	"wenzhen/rooms"
	"wenzhen/rooms/account"
	"wenzhen/rooms/chat"
	"wenzhen/rooms/consultation"
	"wenzhen/rooms/lobby"
	"wenzhen/rooms/notification"
	"wenzhen/rooms/roomstest/sidecar"
	"wenzhen/server"
)

// nodes runs several servers on one PostgreSQL database, one Redis and one
// data folder, each of which has a wire of its own to the Redis.
func nodes(t *testing.T, n int, change ...func(*server.Config)) (list []*world, wires []*sidecar.Wire) {
	t.Helper()
	_, port := sidecar.Redis(t)
	first := newWorldOn(t, t.TempDir(), postgresDatabase(t))
	for i := range n {
		w := *first
		wire := sidecar.NewWire(t, port)
		w.change = append([]func(*server.Config){func(c *server.Config) { c.Redis = fmt.Sprintf("redis://127.0.0.1:%d", wire.Port) }}, change...)
		w.run("127.0.0.1:0")
		if i == 0 {
			w.enterAdmin()
			first.admin = w.admin
		}
		list, wires = append(list, &w), append(wires, wire)
	}
	for _, w := range list {
		eventually(t, "the nodes meet", func() bool { return w.ready() == `{"status":"ready"}` })
	}
	return list, wires
}

// ready is what /readyz says.
func (w *world) ready() string {
	resp, err := w.http.Get(w.base + "/readyz")
	must(w.t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	must(w.t, err)
	return string(body)
}

// at is the same person on a device that is connected to another node.
func (p *person) on(w *world) *person {
	p.w.t.Helper()
	q := &person{Client: w.client(), w: w, user: p.user}
	_, err := q.LogIn(w.t.Context(), account.LoginInput{Email: p.user.Email, Password: password})
	must(w.t, err)
	return q
}

// Two people on two nodes: they hear each other, see each other, and what one
// of them types.
func TestTwoNodesAreOneRoom(t *testing.T) {
	t.Parallel()
	list, _ := nodes(t, 2)
	a, b := list[0], list[1]
	bo, wang := a.patient("bo").online(), a.doctor("wang").on(b).online()
	typed := make(chan chat.Typing, 1)
	client.On(bo.Client, chat.TypingStarted, func(in chat.Typing) { typed <- in })
	here := make(chan consultation.PresenceChange, 16)
	client.On(bo.Client, consultation.PresenceUpdated, func(in consultation.PresenceChange) { here <- in })

	id := bo.consults(wang, "a headache")
	wang.accepts(id)
	boRoom := bo.joins(id)
	wangRoom := wang.joins(id)
	for seen := false; !seen; {
		p := await(t, "the doctor's presence", here)
		seen = p.Present == rooms.Present{UserID: wang.user.ID, Online: true, Devices: 1}
	}
	eventually(t, "both are there for who joins", func() bool {
		joined := call(bo, consultation.Join, consultation.JoinInput{ConsultationID: id})
		return len(joined.Presence) == 2
	})
	call(wang, chat.StartTyping, chat.TypingInput{ConsultationID: id})
	if in := await(t, "typing", typed); in.UserID != wang.user.ID {
		t.Errorf("%s types", in.UserID)
	}
	call(bo, chat.Send, textOf(id, "one"))
	last := call(wang, chat.Send, textOf(id, "two"))
	for _, room := range []*client.Room{boRoom, wangRoom} {
		log := read(t, room, last.Seq)
		for i, e := range log {
			if e.Seq != rooms.Seq(i+1) {
				t.Errorf("event %d has seq %d", i, e.Seq)
			}
		}
	}
	// A node that goes takes its people with it.
	must(t, b.stop())
	for gone := false; !gone; {
		p := await(t, "the doctor's absence", here)
		gone = p.UserID == wang.user.ID && !p.Online
	}
}

// A session that is revoked on one node is cut on another, with Redis and
// without.
func TestRevokedOnAnotherNode(t *testing.T) {
	t.Parallel()
	list, wires := nodes(t, 2)
	a, b := list[0], list[1]
	bo := a.patient("bo")
	for _, redis := range []string{"with", "without"} {
		if redis == "without" {
			for _, wire := range wires {
				wire.Cut()
			}
		}
		lost := bo.on(b).online()
		session := current(lost)
		began := time.Now()
		do(bo, account.RevokeSession, account.SessionInput{SessionID: session})
		await(t, "the end of the client on the other node", lost.Done())
		t.Logf("%s Redis: cut after %v", redis, time.Since(began))
		code(t, lost.Err(), rooms.CodeUnauthenticated)
	}
}

// Redis goes away: commands are acked and heard on the other node, and
// /readyz says what is missing; when it is back so are signals and presence.
func TestRedisGoesAndComes(t *testing.T) {
	t.Parallel()
	list, wires := nodes(t, 2)
	a, b := list[0], list[1]
	bo, wang := a.patient("bo").online(), a.doctor("wang").on(b).online()
	id := bo.consults(wang, "a headache")
	wang.accepts(id)
	room := wang.joins(id)
	for _, cut := range []func(*sidecar.Wire){(*sidecar.Wire).Cut, (*sidecar.Wire).Freeze} {
		for _, wire := range wires {
			cut(wire)
		}
		eventually(t, "/readyz tells", func() bool { return strings.Contains(a.ready(), `"redis"`) })
		sent := call(bo, chat.Send, textOf(id, "without Redis"))
		read(t, room, sent.Seq)
		for _, wire := range wires {
			wire.Mend()
		}
		eventually(t, "the nodes meet again", func() bool {
			return a.ready() == `{"status":"ready"}` && b.ready() == `{"status":"ready"}`
		})
	}
	typed := make(chan chat.Typing, 64)
	client.On(wang.Client, chat.TypingStarted, func(in chat.Typing) { typed <- in })
	call(bo, consultation.Join, consultation.JoinInput{ConsultationID: id})
	eventually(t, "signals go over Redis again", func() bool {
		call(bo, chat.StartTyping, chat.TypingInput{ConsultationID: id})
		return len(typed) > 0
	})
	eventually(t, "presence is whole again", func() bool {
		return len(call(bo, consultation.Join, consultation.JoinInput{ConsultationID: id}).Presence) == 2
	})
}

// Whoever looks at a consultation is told of nothing there, whichever node
// follows the log: one of the two is on another.
func TestNobodyIsToldOnAnotherNodeWhatTheyLookAt(t *testing.T) {
	t.Parallel()
	list, _ := nodes(t, 2)
	wang := list[0].doctor("wang").online()
	doctors := []*person{wang, wang.on(list[1]).online()} // one on each node
	var looking []*person
	var ids, others []consultation.ID
	for _, w := range list {
		p := list[0].patient("bo").on(w).online()
		id, other := p.consults(wang, "a headache"), p.consults(wang, "and my back")
		wang.accepts(id)
		looking, ids, others = append(looking, p), append(ids, id), append(others, other)
	}
	// present waits until both nodes know that someone has joined, and with it
	// all that was told of them before.
	present := func(id consultation.ID, p *person) {
		t.Helper()
		p.joins(id)
		for _, doctor := range doctors {
			eventually(t, "the patient is there", func() bool {
				for _, one := range call(doctor, consultation.Join, consultation.JoinInput{ConsultationID: id}).Presence {
					if one.UserID == p.user.ID {
						return true
					}
				}
				return false
			})
		}
	}
	told := func(p *person) (messages int) {
		for _, n := range p.inbox() {
			if n.Kind == notification.Messages {
				messages++
			}
		}
		return messages
	}
	for i, p := range looking {
		present(ids[i], p)
		wang.says(ids[i], "seen at once")
	}
	// Who is told is decided in the log's order, a moment later: as long as that
	// has not been, they look.
	away := list[0].patient("li")
	last := away.consults(wang, "a cough")
	wang.accepts(last)
	wang.says(last, "not seen either")
	eventually(t, "all that was said before is handled", func() bool { return told(away) > 0 })
	for i, p := range looking {
		call(p, consultation.Look, consultation.LookInput{ConsultationID: ids[i]})
		present(others[i], p)
		wang.says(ids[i], "not seen")
		eventually(t, "a message is told", func() bool { return told(p) > 0 })
	}
	for _, p := range looking {
		if n := told(p); n != 1 {
			t.Errorf("%d messages were told, want 1: the one that nobody looked at", n)
		}
	}
}

// Limits hold over all nodes: what a user has used up on one is missing on another.
func TestLimitsOverNodes(t *testing.T) {
	t.Parallel()
	list, _ := nodes(t, 2, func(c *server.Config) { c.CommandRate, c.CommandBurst, c.SocketsPerUser = 0.001, 60, 3 })
	bo := list[0].patient("bo")
	ask := func(w *world) error {
		_, err := client.Do(t.Context(), w.client(client.WithTokens(bo.Tokens())), account.Me, rooms.Nothing{})
		return err
	}
	for range 59 {
		must(t, ask(list[0]))
	}
	eventually(t, "the other node knows", func() bool { return rooms.CodeOf(ask(list[1])) == rooms.CodeRateLimited })

	// As do the numbers of sockets: two there and one here are three.
	li := list[0].patient("li")
	li.bare(t)
	li.bare(t)
	third := li.on(list[1])
	third.bare(t)
	eventually(t, "a fourth is refused", func() bool {
		fourth := list[1].bare(t)
		defer fourth.ws.Close()
		return strings.Contains(fourth.connect(third.Tokens().AccessToken), `"code":"rate_limited"`)
	})
}

// The lobby counts who is there on all nodes, whichever way they came, and
// forgets those of a node that goes.
func TestTheLobbyCountsOverNodes(t *testing.T) {
	t.Parallel()
	list, _ := nodes(t, 2)
	a, b := list[0], list[1]
	here, there := a.inLobby(t, `{"nickname":"bo"}`), b.inLobby(t, `{"nickname":"li"}`)
	line := b.plain(t, "?nickname=wang", nil).welcomed()
	hears := func(watcher *bare, want int) {
		t.Helper()
		for c := (lobby.Count{}); c.Count != want; {
			must(t, json.Unmarshal(watcher.event(lobby.Presence.Name), &c))
		}
	}
	hears(here, 3)
	hears(there, 3)
	line.says("/who")
	if got := line.hears(); got != "* 3 are here." {
		t.Errorf("/who says %q", got)
	}
	line.says("hello over there")
	for _, watcher := range []*bare{here, there} {
		var said lobby.Line
		must(t, json.Unmarshal(watcher.event(lobby.Said.Name), &said))
		if said.Nickname != "wang" || said.Text != "hello over there" {
			t.Errorf("heard %+v", said)
		}
	}
	must(t, b.stop())
	hears(here, 1)
}

// node runs a program on Node.js that shares Redis with us, and returns the
// lines that it prints.
func node(t *testing.T, script string, args ...string) *bufio.Scanner {
	t.Helper()
	dir, err := filepath.Abs("../cluster/node")
	must(t, err)
	if _, err := os.Stat(filepath.Join(dir, "node_modules/socket.io")); err != nil {
		t.Fatal("the packages of server/cluster/node are missing: run make server/cluster/node/node_modules/.installed")
	}
	cmd := exec.Command("node", append([]string{script}, args...)...)
	cmd.Dir, cmd.Stderr = dir, os.Stderr
	in, err := cmd.StdinPipe() // it ends when this does
	must(t, err)
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	t.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Wait()
	})
	return bufio.NewScanner(out)
}

// A program on Node.js with the official emitter emits into our rooms, on
// every node; nobody else hears it.
func TestOfficialEmitter(t *testing.T) {
	t.Parallel()
	list, _ := nodes(t, 2)
	a, b := list[0], list[1]
	bo, wang := a.patient("bo"), a.doctor("wang")
	id := bo.consults(wang, "a headache")
	wang.accepts(id)
	var bares []*bare
	for _, p := range []*person{bo, wang.on(b)} {
		s := p.bare(t)
		if r := s.ask(1, consultation.Join.Name, consultation.JoinInput{ConsultationID: id}); !r.OK {
			t.Fatal(r.Error)
		}
		bares = append(bares, s)
	}
	stranger := a.patient("li").bare(t)
	lines := node(t, "emit.mjs", redisURL(a), rooms.Consultations, string(id.Room()))
	for i, s := range bares {
		got := s.event("report:ready")
		var report struct {
			Name string    `json:"name"`
			When time.Time `json:"when"`
			None any       `json:"none"`
			Big  int64     `json:"big"`
		}
		if err := json.Unmarshal(got, &report); err != nil || report.Name != "血常规" || report.When.Year() != 2026 || report.Big != 1<<40 {
			t.Errorf("client %d got %s", i, got)
		}
	}
	if !lines.Scan() {
		t.Fatal("the program ended")
	}
	stranger.text(`42/consultations,9["consultation:join",{}]`)
	if got := stranger.next(); !strings.HasPrefix(got, "43/consultations,9[") {
		t.Errorf("who is not in the room got %s", got)
	}
}

// A Socket.IO server on Node.js with the official adapter is one of us: it sees
// our sockets, moves and disconnects them, and asks who we are.
func TestOfficialAdapter(t *testing.T) {
	t.Parallel()
	list, _ := nodes(t, 2)
	a, b := list[0], list[1]
	bo := a.patient("bo")
	first, other := bo.bare(t), bo.on(b).bare(t)
	lines := node(t, "adapter.mjs", redisURL(a), rooms.Consultations, string(rooms.UserRoom(bo.user.ID)))
	var said []string
	for lines.Scan() {
		said = append(said, lines.Text())
		if lines.Text() == "done" {
			break
		}
	}
	want := []string{"fetched 2 of " + string(bo.user.ID), "nodes 2", "joined 2", "left 0", "acked 0", "done"}
	if strings.Join(said, "\n") != strings.Join(want, "\n") {
		t.Errorf("the adapter said %q, want %q", said, want)
	}
	for _, s := range []*bare{first, other} {
		if got := string(s.event("hello:all")); got != `"moved"` {
			t.Errorf("got %s", got)
		}
		if got := s.next(); got != "41/consultations," {
			t.Errorf("then came %q, want DISCONNECT", got)
		}
	}
}

func redisURL(w *world) string {
	cfg := server.Config{}
	w.change[0](&cfg)
	return cfg.Redis
}
