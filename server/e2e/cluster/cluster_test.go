package cluster_test

import (
	"bufio"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"wenzhen.example/client"
	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
	"wenzhen.example/rooms/chat"
	"wenzhen.example/rooms/consultation"
	"wenzhen.example/rooms/lobby"
	"wenzhen.example/rooms/notification"
	"wenzhen.example/rooms/roomstest/sidecar"
	"wenzhen.example/server/app"
	"wenzhen.example/server/e2e"
)

// Two people on two nodes: they hear each other, see each other, and what one
// of them types.
func TestTwoNodesAreOneRoom(t *testing.T) {
	t.Parallel()
	list, _ := e2e.Nodes(t, 2)
	a, b := list[0], list[1]
	bo, wang := a.Patient("bo").Online(), a.Doctor("wang").On(b).Online()
	typed := make(chan chat.Typing, 1)
	client.On(bo.Client, chat.TypingStarted, func(in chat.Typing) { typed <- in })
	here := make(chan consultation.PresenceChange, 16)
	client.On(bo.Client, consultation.PresenceUpdated, func(in consultation.PresenceChange) { here <- in })

	id := bo.Consults(wang, "a headache")
	wang.Accepts(id)
	boRoom := bo.Joins(id)
	wangRoom := wang.Joins(id)
	for seen := false; !seen; {
		p := e2e.Await(t, "the doctor's presence", here)
		seen = p.Present == rooms.Present{UserID: wang.User.ID, Online: true, Devices: 1}
	}
	e2e.Eventually(t, "both are there for who joins", func() bool {
		joined := e2e.Call(bo, consultation.Join, consultation.JoinInput{ConsultationID: id})
		return len(joined.Presence) == 2
	})
	e2e.Call(wang, chat.StartTyping, chat.TypingInput{ConsultationID: id})
	if in := e2e.Await(t, "typing", typed); in.UserID != wang.User.ID {
		t.Errorf("%s types", in.UserID)
	}
	e2e.Call(bo, chat.Send, e2e.TextOf(id, "one"))
	last := e2e.Call(wang, chat.Send, e2e.TextOf(id, "two"))
	for _, room := range []*client.Room{boRoom, wangRoom} {
		log := e2e.Read(t, room, last.Seq)
		for i, e := range log {
			if e.Seq != rooms.Seq(i+1) {
				t.Errorf("event %d has seq %d", i, e.Seq)
			}
		}
	}
	// A node that goes takes its people with it.
	e2e.Must(t, b.Stop())
	for gone := false; !gone; {
		p := e2e.Await(t, "the doctor's absence", here)
		gone = p.UserID == wang.User.ID && !p.Online
	}
}

// A session that is revoked on one node is cut on another, with Redis and
// without.
func TestRevokedOnAnotherNode(t *testing.T) {
	t.Parallel()
	list, wires := e2e.Nodes(t, 2)
	a, b := list[0], list[1]
	bo := a.Patient("bo")
	for _, redis := range []string{"with", "without"} {
		if redis == "without" {
			for _, wire := range wires {
				wire.Cut()
			}
		}
		lost := bo.On(b).Online()
		session := e2e.Current(lost)
		began := time.Now()
		e2e.Do(bo, account.RevokeSession, account.SessionInput{SessionID: session})
		e2e.Await(t, "the end of the client on the other node", lost.Done())
		t.Logf("%s Redis: cut after %v", redis, time.Since(began))
		e2e.Code(t, lost.Err(), rooms.CodeUnauthenticated)
	}
}

// Redis goes away: commands are acked and received on the other node, and
// /readyz says what is missing; when it is back so are signals and presence.
func TestRedisOutage(t *testing.T) {
	t.Parallel()
	list, wires := e2e.Nodes(t, 2)
	a, b := list[0], list[1]
	bo, wang := a.Patient("bo").Online(), a.Doctor("wang").On(b).Online()
	id := bo.Consults(wang, "a headache")
	wang.Accepts(id)
	room := wang.Joins(id)
	for _, cut := range []func(*sidecar.Wire){(*sidecar.Wire).Cut, (*sidecar.Wire).Freeze} {
		for _, wire := range wires {
			cut(wire)
		}
		e2e.Eventually(t, "/readyz tells", func() bool { return strings.Contains(a.Ready(), `"redis"`) })
		sent := e2e.Call(bo, chat.Send, e2e.TextOf(id, "without Redis"))
		e2e.Read(t, room, sent.Seq)
		for _, wire := range wires {
			wire.Restore()
		}
		e2e.Eventually(t, "the nodes meet again", func() bool {
			return a.Ready() == `{"status":"ready"}` && b.Ready() == `{"status":"ready"}`
		})
	}
	typed := make(chan chat.Typing, 64)
	client.On(wang.Client, chat.TypingStarted, func(in chat.Typing) { typed <- in })
	e2e.Call(bo, consultation.Join, consultation.JoinInput{ConsultationID: id})
	e2e.Eventually(t, "signals go over Redis again", func() bool {
		e2e.Call(bo, chat.StartTyping, chat.TypingInput{ConsultationID: id})
		return len(typed) > 0
	})
	e2e.Eventually(t, "presence is whole again", func() bool {
		return len(e2e.Call(bo, consultation.Join, consultation.JoinInput{ConsultationID: id}).Presence) == 2
	})
}

// A user who looks at a consultation gets no notifications about it, whichever
// node processes the log: two users are connected to different nodes.
func TestNoNotificationsWhileViewingOnAnyNode(t *testing.T) {
	t.Parallel()
	list, _ := e2e.Nodes(t, 2)
	wang := list[0].Doctor("wang").Online()
	doctors := []*e2e.Person{wang, wang.On(list[1]).Online()} // one on each node
	var viewing []*e2e.Person
	var ids, others []consultation.ID
	for _, w := range list {
		p := list[0].Patient("bo").On(w).Online()
		id, other := p.Consults(wang, "a headache"), p.Consults(wang, "and my back")
		wang.Accepts(id)
		viewing, ids, others = append(viewing, p), append(ids, id), append(others, other)
	}
	// present waits until both nodes know that someone has joined, and have
	// processed all earlier news.
	present := func(id consultation.ID, p *e2e.Person) {
		t.Helper()
		p.Joins(id)
		for _, doctor := range doctors {
			e2e.Eventually(t, "the patient is there", func() bool {
				for _, one := range e2e.Call(doctor, consultation.Join, consultation.JoinInput{ConsultationID: id}).Presence {
					if one.UserID == p.User.ID {
						return true
					}
				}
				return false
			})
		}
	}
	told := func(p *e2e.Person) (messages int) {
		for _, n := range p.Inbox() {
			if n.Kind == notification.Messages {
				messages++
			}
		}
		return messages
	}
	for i, p := range viewing {
		present(ids[i], p)
		wang.Says(ids[i], "seen at once")
	}
	// Notifications are decided in the order of the log, after the event. The users
	// must keep looking until then.
	away := list[0].Patient("li")
	last := away.Consults(wang, "a cough")
	wang.Accepts(last)
	wang.Says(last, "not seen either")
	e2e.Eventually(t, "all that was said before is handled", func() bool { return told(away) > 0 })
	for i, p := range viewing {
		e2e.Call(p, consultation.Look, consultation.LookInput{ConsultationID: ids[i]})
		present(others[i], p)
		wang.Says(ids[i], "not seen")
		e2e.Eventually(t, "a message is notified", func() bool { return told(p) > 0 })
	}
	for _, p := range viewing {
		if n := told(p); n != 1 {
			t.Errorf("%d notifications of messages, want 1: the message that nobody looked at", n)
		}
	}
}

// Limits hold over all nodes: what a user has used up on one is missing on another.
func TestLimitsOverNodes(t *testing.T) {
	t.Parallel()
	list, _ := e2e.Nodes(t, 2, func(c *app.Config) { c.CommandRate, c.CommandBurst, c.SocketsPerUser = 0.001, 60, 3 })
	bo := list[0].Patient("bo")
	ask := func(w *e2e.World) error {
		_, err := client.Do(t.Context(), w.Client(client.WithTokens(bo.Tokens())), account.Me, rooms.Nothing{})
		return err
	}
	for range 59 {
		e2e.Must(t, ask(list[0]))
	}
	e2e.Eventually(t, "the other node knows", func() bool { return rooms.CodeOf(ask(list[1])) == rooms.CodeRateLimited })

	// As do the numbers of sockets: two there and one here are three.
	li := list[0].Patient("li")
	li.Bare(t)
	li.Bare(t)
	third := li.On(list[1])
	third.Bare(t)
	e2e.Eventually(t, "a fourth is refused", func() bool {
		fourth := list[1].Bare(t)
		defer fourth.WS.Close()
		return strings.Contains(fourth.Connect(third.Tokens().AccessToken), `"code":"rate_limited"`)
	})
}

// The lobby counts who is there on all nodes, whichever way they came, and
// forgets those of a node that goes.
func TestTheLobbyCountsOverNodes(t *testing.T) {
	t.Parallel()
	list, _ := e2e.Nodes(t, 2)
	a, b := list[0], list[1]
	here, there := a.InLobby(t, `{"nickname":"bo"}`), b.InLobby(t, `{"nickname":"li"}`)
	line := b.LobbySocket(t, "?nickname=wang", nil).Welcomed()
	receives := func(watcher *e2e.Bare, want int) {
		t.Helper()
		for c := (lobby.Count{}); c.Count != want; {
			e2e.Must(t, json.Unmarshal(watcher.Event(lobby.Presence.Name), &c))
		}
	}
	receives(here, 3)
	receives(there, 3)
	line.Says("/who")
	if got := line.Receives(); got != "* 3 are here." {
		t.Errorf("/who says %q", got)
	}
	line.Says("hello over there")
	for _, watcher := range []*e2e.Bare{here, there} {
		var said lobby.Line
		e2e.Must(t, json.Unmarshal(watcher.Event(lobby.Said.Name), &said))
		if said.Nickname != "wang" || said.Text != "hello over there" {
			t.Errorf("received %+v", said)
		}
	}
	e2e.Must(t, b.Stop())
	receives(here, 1)
}

// node runs a program on Node.js that shares Redis with us, and returns the
// lines that it prints.
func node(t *testing.T, script string, args ...string) *bufio.Scanner {
	t.Helper()
	dir, err := filepath.Abs("../../cluster/node")
	e2e.Must(t, err)
	if _, err := os.Stat(filepath.Join(dir, "node_modules/socket.io")); err != nil {
		t.Fatal("the packages of server/cluster/node are missing: run make server/cluster/node/node_modules/.installed")
	}
	cmd := exec.Command("node", append([]string{script}, args...)...)
	cmd.Dir, cmd.Stderr = dir, os.Stderr
	in, err := cmd.StdinPipe() // it ends when this does
	e2e.Must(t, err)
	out, err := cmd.StdoutPipe()
	e2e.Must(t, err)
	e2e.Must(t, cmd.Start())
	t.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Wait()
	})
	return bufio.NewScanner(out)
}

// A program on Node.js with the official emitter emits into our rooms, on
// every node; nobody else receives it.
func TestOfficialEmitter(t *testing.T) {
	t.Parallel()
	list, _ := e2e.Nodes(t, 2)
	a, b := list[0], list[1]
	bo, wang := a.Patient("bo"), a.Doctor("wang")
	id := bo.Consults(wang, "a headache")
	wang.Accepts(id)
	var bares []*e2e.Bare
	for _, p := range []*e2e.Person{bo, wang.On(b)} {
		s := p.Bare(t)
		if r := s.Ask(1, consultation.Join.Name, consultation.JoinInput{ConsultationID: id}); !r.OK {
			t.Fatal(r.Error)
		}
		bares = append(bares, s)
	}
	stranger := a.Patient("li").Bare(t)
	lines := node(t, "emit.mjs", redisURL(a), rooms.Consultations, string(id.Room()))
	for i, s := range bares {
		got := s.Event("report:ready")
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
	stranger.Text(`42/consultations,9["consultation:join",{}]`)
	if got := stranger.Next(); !strings.HasPrefix(got, "43/consultations,9[") {
		t.Errorf("who is not in the room got %s", got)
	}
}

// A Socket.IO server on Node.js with the official adapter is one of us: it sees
// our sockets, moves and disconnects them, and asks who we are.
func TestOfficialAdapter(t *testing.T) {
	t.Parallel()
	list, _ := e2e.Nodes(t, 2)
	a, b := list[0], list[1]
	bo := a.Patient("bo")
	first, other := bo.Bare(t), bo.On(b).Bare(t)
	lines := node(t, "adapter.mjs", redisURL(a), rooms.Consultations, string(rooms.UserRoom(bo.User.ID)))
	var said []string
	for lines.Scan() {
		said = append(said, lines.Text())
		if lines.Text() == "done" {
			break
		}
	}
	want := []string{"fetched 2 of " + string(bo.User.ID), "nodes 2", "joined 2", "left 0", "acked 0", "done"}
	if strings.Join(said, "\n") != strings.Join(want, "\n") {
		t.Errorf("the adapter said %q, want %q", said, want)
	}
	for _, s := range []*e2e.Bare{first, other} {
		if got := string(s.Event("hello:all")); got != `"moved"` {
			t.Errorf("got %s", got)
		}
		if got := s.Next(); got != "41/consultations," {
			t.Errorf("then came %q, want DISCONNECT", got)
		}
	}
}

func redisURL(w *e2e.World) string {
	cfg := app.Config{}
	w.Change[0](&cfg)
	return cfg.Redis
}
