package e2e_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"wenzhen/client"
	"wenzhen/rooms"
	"wenzhen/rooms/account"
	"wenzhen/rooms/lobby"
	"wenzhen/server"
)

// plain is a bare WebSocket in the lobby.
type plain struct {
	t  testing.TB
	ws *websocket.Conn
}

// plain opens /chat until the end of the test; nothing has been read.
func (w *world) plain(t testing.TB, query string, header http.Header) *plain {
	t.Helper()
	ws, _, err := websocket.DefaultDialer.DialContext(t.Context(), strings.Replace(w.base, "http", "ws", 1)+"/chat"+query, header)
	must(t, err)
	t.Cleanup(func() { ws.Close() })
	return &plain{t, ws}
}

func (p *plain) says(text string) {
	p.t.Helper()
	must(p.t, p.ws.WriteMessage(websocket.TextMessage, []byte(text)))
}

func (p *plain) hears() string {
	p.t.Helper()
	must(p.t, p.ws.SetReadDeadline(time.Now().Add(patience)))
	_, text, err := p.ws.ReadMessage()
	must(p.t, err)
	return string(text)
}

// welcomed reads the two lines of welcome.
func (p *plain) welcomed() *plain {
	p.t.Helper()
	if got := p.hears(); !strings.HasPrefix(got, "* Welcome") {
		p.t.Fatalf("welcomed with %q", got)
	}
	if got := p.hears(); !strings.HasPrefix(got, "* You are ") {
		p.t.Fatalf("welcomed with %q", got)
	}
	return p
}

// ending reads until the server has closed the connection: the code, and why.
func (p *plain) ending() (int, string) {
	p.t.Helper()
	must(p.t, p.ws.SetReadDeadline(time.Now().Add(patience)))
	for {
		_, _, err := p.ws.ReadMessage()
		var end *websocket.CloseError
		switch {
		case err == nil:
		case errors.As(err, &end):
			return end.Code, end.Text
		default:
			p.t.Fatalf("ended without a word: %v", err)
		}
	}
}

// inLobby enters over Socket.IO, frame by frame.
func (w *world) inLobby(t testing.TB, auth string) *bare {
	t.Helper()
	b := w.bare(t).on(rooms.Lobby)
	b.text("40/lobby," + auth)
	if got := b.next(); !strings.HasPrefix(got, "40/lobby,{") {
		t.Fatalf("the answer to CONNECT is %q", got)
	}
	return b
}

// Over a bare WebSocket, Socket.IO and the Go client, everyone hears every
// line, in one order.
func TestLobbyIsOneRoom(t *testing.T) {
	t.Parallel()
	w := start(t)
	const lines, speakers = 15, 3
	var mu sync.Mutex
	orders := make([][]string, speakers)
	full := make(chan struct{}, speakers)
	heard := func(who int, line string) {
		mu.Lock()
		defer mu.Unlock()
		orders[who] = append(orders[who], line)
		if len(orders[who]) == lines*speakers {
			full <- struct{}{}
		}
	}

	bare := w.plain(t, "?nickname=bare", nil).welcomed()
	socket := w.inLobby(t, `{"nickname":"socket"}`)
	socket.event(lobby.Welcome.Name)
	entered := make(chan struct{})
	goClient, err := client.New(w.base, client.InLobby("go"), client.WithHTTPClient(w.http))
	must(t, err)
	client.On(goClient, lobby.Welcome, func(g lobby.Greeting) {
		if g.Nickname == "go" && g.Count == 3 {
			close(entered)
		}
	})
	client.On(goClient, lobby.Said, func(l lobby.Line) { heard(2, l.Nickname+": "+l.Text) })
	must(t, goClient.Connect(t.Context()))
	t.Cleanup(func() { must(t, goClient.Close(context.Background())) })
	<-entered

	var all sync.WaitGroup
	all.Go(func() {
		for range lines * speakers {
			heard(0, bare.hears())
		}
	})
	all.Go(func() {
		for range lines * speakers {
			var l lobby.Line
			must(t, json.Unmarshal(socket.event(lobby.Said.Name), &l))
			heard(1, l.Nickname+": "+l.Text)
		}
	})
	all.Go(func() {
		for i := range lines {
			bare.says(fmt.Sprint(i))
		}
	})
	all.Go(func() {
		for i := range lines {
			_, err := client.Call(t.Context(), goClient, lobby.Say, lobby.SayInput{Text: fmt.Sprint(i)})
			must(t, err)
		}
	})
	for i := range lines {
		socket.text(fmt.Sprintf(`42/lobby,["lobby:say",{"text":"%d"}]`, i))
	}
	all.Wait()
	for range speakers {
		select {
		case <-full:
		case <-time.After(patience):
			t.Fatal("somebody has not heard everything")
		}
	}
	for who := range speakers {
		if !slices.Equal(orders[who], orders[0]) {
			t.Errorf("%d heard another order:\n%q\n%q", who, orders[who], orders[0])
		}
	}
	for _, name := range []string{"bare", "socket", "go"} {
		mine := slices.DeleteFunc(slices.Clone(orders[0]), func(l string) bool { return !strings.HasPrefix(l, name+": ") })
		for i, l := range mine {
			if l != fmt.Sprintf("%s: %d", name, i) {
				t.Fatalf("%s's line %d is %q", name, i, l)
			}
		}
	}
}

// Whoever comes while others talk gets what was said and what is said, each
// line once and in order: the welcome joins the two without a seam.
func TestLobbyWelcomeHasNoSeam(t *testing.T) {
	t.Parallel()
	w := start(t)
	speakers := make([]*plain, 4)
	for i := range speakers {
		speakers[i] = w.plain(t, fmt.Sprintf("?nickname=s%d", i), nil)
	}
	const lines = 18 // what one may say at once
	var talk sync.WaitGroup
	for _, s := range speakers {
		talk.Go(func() {
			for i := range lines {
				s.says(fmt.Sprint(i))
			}
		})
	}
	var late sync.WaitGroup
	for range 10 {
		late.Go(func() {
			l := w.plain(t, "", nil).welcomed()
			next := map[string]int{}
			for _, s := range []string{"s0", "s1", "s2", "s3"} {
				next[s] = -1 // not heard yet: fifty lines are remembered of 72
			}
			for done := 0; done < len(speakers); {
				var i int
				who, text, _ := strings.Cut(l.hears(), ": ")
				if _, err := fmt.Sscan(text, &i); err != nil {
					t.Errorf("heard %q from %s", text, who)
					return
				}
				if next[who] >= 0 && i != next[who] {
					t.Errorf("heard line %d of %s, want %d", i, who, next[who])
					return
				}
				next[who] = i + 1
				if i == lines-1 {
					done++
				}
			}
		})
	}
	talk.Wait()
	late.Wait()
}

// Over a bare WebSocket: what is no line, or too much of it, is answered with
// the right code; the others notice nothing.
func TestChatClosesOnAbuse(t *testing.T) {
	t.Parallel()
	w := start(t)
	bystander := w.plain(t, "?nickname=calm", nil).welcomed()
	for name, c := range map[string]struct {
		send func(*plain)
		code int
	}{
		"a binary frame": {func(p *plain) { must(t, p.ws.WriteMessage(websocket.BinaryMessage, []byte("x"))) }, 1003},
		"a megabyte":     {func(p *plain) { _ = p.ws.WriteMessage(websocket.TextMessage, make([]byte, 1<<20)) }, 1009}, // may break on the way
		"a long line":    {func(p *plain) { p.says(strings.Repeat("x", lobby.TextLimit+1)) }, 1009},
		"no UTF-8":       {func(p *plain) { p.says("\xff") }, 1007},
	} {
		p := w.plain(t, "", nil).welcomed()
		c.send(p)
		if code, why := p.ending(); code != c.code {
			t.Errorf("%s: closed with %d %q, want %d", name, code, why, c.code)
		}
	}
	bystander.says("still here")
	if got := bystander.hears(); got != "calm: still here" {
		t.Errorf("the bystander hears %q", got)
	}
}

// Ten thousand lines at once: the flood is cut off after the twenty that are
// allowed, and what others say meanwhile comes through.
func TestChatFlood(t *testing.T) {
	t.Parallel()
	w := start(t)
	calm, other := w.plain(t, "?nickname=calm", nil).welcomed(), w.plain(t, "?nickname=other", nil).welcomed()
	flood := w.plain(t, "?nickname=flood", nil).welcomed()
	var writing sync.WaitGroup
	writing.Go(func() {
		for range 10_000 {
			if flood.ws.WriteMessage(websocket.TextMessage, []byte("x")) != nil {
				return
			}
		}
	})
	if code, why := flood.ending(); code != 1008 || !strings.Contains(why, "too much") {
		t.Errorf("closed with %d %q", code, why)
	}
	flood.ws.Close()
	writing.Wait()
	other.says("do you hear me?")
	floods := 0
	for {
		got := calm.hears()
		if got == "other: do you hear me?" {
			break
		}
		if got != "flood: x" {
			t.Fatalf("heard %q", got)
		}
		floods++
	}
	if floods < 20 || floods > 40 { // five more a second
		t.Errorf("heard %d lines of the flood", floods)
	}
}

// Nothing is left of visitors that came and went, politely or not.
func TestNothingIsLeftOfTheLobby(t *testing.T) {
	w := start(t)
	visit := func(n int) {
		for i := range n {
			p := w.plain(t, "", nil).welcomed()
			if i%2 == 0 {
				p.ws.UnderlyingConn().Close()
			} else {
				must(t, p.ws.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(1000, ""), time.Now().Add(patience)))
				p.ending()
				p.ws.Close()
			}
		}
	}
	visit(50)
	stay := w.plain(t, "", nil).welcomed()
	alone := func() {
		t.Helper()
		for deadline := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
			stay.says("/who")
			got := stay.hears()
			if got == "* Nobody else is here." {
				return
			}
			if time.Now().After(deadline) {
				t.Fatalf("somebody is still there: %q", got)
			}
		}
	}
	alone()
	before, _ := settled(t, 1<<20, 1<<40)
	visit(300)
	alone()
	after, _ := settled(t, before, 1<<40)
	if after > before {
		t.Errorf("goroutines %d → %d", before, after)
	}
	runtime.KeepAlive(stay)
}

// The guests' door can be closed, and the whole lobby.
func TestLobbyModes(t *testing.T) {
	t.Parallel()
	refusalOf := func(w *world, auth string) rooms.Code {
		b := w.bare(t)
		b.text("40/lobby," + auth)
		var answer struct {
			Data *rooms.Error `json:"data"`
		}
		text, ok := strings.CutPrefix(b.next(), "44/lobby,")
		if !ok {
			return ""
		}
		must(t, json.Unmarshal([]byte(text), &answer))
		return answer.Data.Code
	}

	members := start(t, func(c *server.Config) { c.Lobby = "users" })
	bo := members.patient("bo")
	token := bo.Tokens().AccessToken
	if code, why := members.plain(t, "", nil).ending(); code != 1008 || !strings.Contains(why, "log in") {
		t.Errorf("a guest: %d %q", code, why)
	}
	if got := refusalOf(members, `{}`); got != rooms.CodeUnauthenticated {
		t.Errorf("a guest over Socket.IO: %q", got)
	}
	members.plain(t, "", http.Header{"Authorization": {"Bearer " + token}}).welcomed()
	browser := members.plain(t, "", http.Header{"Sec-WebSocket-Protocol": {"bearer, " + token}})
	if browser.ws.Subprotocol() != "bearer" {
		t.Errorf("the chosen subprotocol is %q", browser.ws.Subprotocol())
	}
	browser.welcomed()
	members.inLobby(t, `{"token":"`+token+`","nickname":"bo"}`).event(lobby.Welcome.Name)
	if code, _ := members.plain(t, "", http.Header{"Authorization": {"Bearer nonsense"}}).ending(); code != 1008 {
		t.Errorf("a bad token: %d", code)
	}
	// Who logs out is out.
	do(bo, account.RevokeSession, account.SessionInput{SessionID: current(bo)})
	if code, why := browser.ending(); code != 1008 {
		t.Errorf("after the login has ended: %d %q", code, why)
	}

	off := start(t, func(c *server.Config) { c.Lobby = "off" })
	if code, _ := off.plain(t, "", nil).ending(); code != 1008 {
		t.Errorf("a lobby that is off: %d", code)
	}
	if got := refusalOf(off, `{}`); got != rooms.CodeNotFound {
		t.Errorf("a lobby that is off, over Socket.IO: %q", got)
	}
}

// Names are taken and changed by command, and presence is told.
func TestChatCommands(t *testing.T) {
	t.Parallel()
	w := start(t)
	bo := w.plain(t, "?nickname=bo", nil).welcomed()
	watcher := w.inLobby(t, `{"nickname":"li"}`)
	watcher.event(lobby.Welcome.Name)
	for {
		var c lobby.Count
		must(t, json.Unmarshal(watcher.event(lobby.Presence.Name), &c))
		if c.Count == 2 {
			break
		}
	}
	bo.says("/nick li")
	if got := bo.hears(); got != "* You are li-2." {
		t.Errorf("heard %q", got)
	}
	bo.says("/nick ")
	bo.says("   ")
	bo.says("/who")
	bo.says("<img src=x onerror=alert(1)>")
	for _, want := range []string{"* You are guest-", "* say something", "* 2 are here.", "guest-"} {
		if got := bo.hears(); !strings.HasPrefix(got, want) {
			t.Errorf("heard %q, want %q", got, want)
		}
	}
	if r := watcher.ask(7, lobby.Say.Name, lobby.SayInput{}); r.Error == nil || r.Error.Field != "text" {
		t.Errorf("saying nothing: %+v", r)
	}
}

// A shutdown says goodbye to everyone, and afterwards the last lines are still
// there.
func TestLobbySurvivesARestart(t *testing.T) {
	t.Parallel()
	w := start(t)
	bo := w.plain(t, "?nickname=bo", nil).welcomed()
	bo.says("remember me")
	bo.hears()
	must(t, w.stop())
	if code, _ := bo.ending(); code != websocket.CloseGoingAway {
		t.Errorf("closed with %d", code)
	}
	w.run("127.0.0.1:0")
	if got := w.plain(t, "", nil).welcomed().hears(); got != "bo: remember me" {
		t.Errorf("heard %q", got)
	}
}

// A browser that opens /chat is shown the lobby's page; a program is told what it is.
func TestChatWithoutAnUpgrade(t *testing.T) {
	t.Parallel()
	w := start(t)
	if a := w.ask(t, "GET", "/chat", "", ""); a.status != http.StatusUpgradeRequired {
		t.Errorf("a program: %d", a.status)
	}
	request, err := http.NewRequestWithContext(t.Context(), "GET", w.base+"/chat", nil)
	must(t, err)
	request.Header.Set("Accept", "text/html")
	response, err := w.http.Transport.RoundTrip(request)
	must(t, err)
	must(t, response.Body.Close())
	if response.StatusCode != http.StatusFound || response.Header.Get("Location") != "/lobby" {
		t.Errorf("a browser: %d to %q", response.StatusCode, response.Header.Get("Location"))
	}
}
