package consultations_test

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

	"wenzhen.example/client"
	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
	"wenzhen.example/rooms/lobby"
	"wenzhen.example/server/app"
	"wenzhen.example/server/e2e"
)

// ending reads until the server has closed the connection: the code, and why.
func ending(p *e2e.LobbySocket) (int, string) {
	p.T.Helper()
	e2e.Must(p.T, p.WS.SetReadDeadline(time.Now().Add(e2e.Patience)))
	for {
		_, _, err := p.WS.ReadMessage()
		var end *websocket.CloseError
		switch {
		case err == nil:
		case errors.As(err, &end):
			return end.Code, end.Text
		default:
			p.T.Fatalf("ended without a word: %v", err)
		}
	}
}

// Over a bare WebSocket, Socket.IO and the Go client, everyone receives every
// line, in one order.
func TestLobbyIsOneRoom(t *testing.T) {
	t.Parallel()
	w := e2e.Start(t)
	const lines, speakers = 15, 3
	var mu sync.Mutex
	orders := make([][]string, speakers)
	full := make(chan struct{}, speakers)
	received := func(who int, line string) {
		mu.Lock()
		defer mu.Unlock()
		orders[who] = append(orders[who], line)
		if len(orders[who]) == lines*speakers {
			full <- struct{}{}
		}
	}

	bare := w.LobbySocket(t, "?nickname=bare", nil).Welcomed()
	socket := w.InLobby(t, `{"nickname":"socket"}`)
	socket.Event(lobby.Welcome.Name)
	entered := make(chan struct{})
	goClient, err := client.New(w.Base, client.InLobby("go"), client.WithHTTPClient(w.HTTP))
	e2e.Must(t, err)
	client.On(goClient, lobby.Welcome, func(g lobby.Greeting) {
		if g.Nickname == "go" && g.Count == 3 {
			close(entered)
		}
	})
	client.On(goClient, lobby.Said, func(l lobby.Line) { received(2, l.Nickname+": "+l.Text) })
	e2e.Must(t, goClient.Connect(t.Context()))
	t.Cleanup(func() { e2e.Must(t, goClient.Close(context.Background())) })
	<-entered

	var all sync.WaitGroup
	all.Go(func() {
		for range lines * speakers {
			received(0, bare.Receives())
		}
	})
	all.Go(func() {
		for range lines * speakers {
			var l lobby.Line
			e2e.Must(t, json.Unmarshal(socket.Event(lobby.Said.Name), &l))
			received(1, l.Nickname+": "+l.Text)
		}
	})
	all.Go(func() {
		for i := range lines {
			bare.Says(fmt.Sprint(i))
		}
	})
	all.Go(func() {
		for i := range lines {
			_, err := client.Call(t.Context(), goClient, lobby.Say, lobby.SayInput{Text: fmt.Sprint(i)})
			e2e.Must(t, err)
		}
	})
	for i := range lines {
		socket.Text(fmt.Sprintf(`42/lobby,["lobby:say",{"text":"%d"}]`, i))
	}
	all.Wait()
	for range speakers {
		select {
		case <-full:
		case <-time.After(e2e.Patience):
			t.Fatal("somebody has not received everything")
		}
	}
	for who := range speakers {
		if !slices.Equal(orders[who], orders[0]) {
			t.Errorf("%d received another order:\n%q\n%q", who, orders[who], orders[0])
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

// A guest who enters the lobby during a conversation gets every line once and
// in order: no line is missing or repeated between the welcome and the lines
// that follow.
func TestLobbyWelcomeHasNoSeam(t *testing.T) {
	t.Parallel()
	w := e2e.Start(t)
	speakers := make([]*e2e.LobbySocket, 4)
	for i := range speakers {
		speakers[i] = w.LobbySocket(t, fmt.Sprintf("?nickname=s%d", i), nil)
	}
	const lines = 16 // those of three others are fewer than fifty: of each the last one is remembered
	var talk sync.WaitGroup
	for _, s := range speakers {
		talk.Go(func() {
			for i := range lines {
				s.Says(fmt.Sprint(i))
			}
		})
	}
	var late sync.WaitGroup
	for range 10 {
		late.Go(func() {
			l := w.LobbySocket(t, "", nil).Welcomed()
			next := map[string]int{}
			for _, s := range []string{"s0", "s1", "s2", "s3"} {
				next[s] = -1 // not received yet: fifty lines are remembered of 72
			}
			for done := 0; done < len(speakers); {
				var i int
				who, text, _ := strings.Cut(l.Receives(), ": ")
				if _, err := fmt.Sscan(text, &i); err != nil {
					t.Errorf("received %q from %s", text, who)
					return
				}
				if next[who] >= 0 && i != next[who] {
					t.Errorf("received line %d of %s, want %d", i, who, next[who])
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
	w := e2e.Start(t)
	bystander := w.LobbySocket(t, "?nickname=calm", nil).Welcomed()
	for name, c := range map[string]struct {
		send func(*e2e.LobbySocket)
		code int
	}{
		"a binary frame": {func(p *e2e.LobbySocket) { e2e.Must(t, p.WS.WriteMessage(websocket.BinaryMessage, []byte("x"))) }, 1003},
		"a megabyte":     {func(p *e2e.LobbySocket) { _ = p.WS.WriteMessage(websocket.TextMessage, make([]byte, 1<<20)) }, 1009}, // may break on the way
		"a long line":    {func(p *e2e.LobbySocket) { p.Says(strings.Repeat("x", lobby.TextLimit+1)) }, 1009},
		"no UTF-8":       {func(p *e2e.LobbySocket) { p.Says("\xff") }, 1007},
	} {
		p := w.LobbySocket(t, "", nil).Welcomed()
		c.send(p)
		if code, why := ending(p); code != c.code {
			t.Errorf("%s: closed with %d %q, want %d", name, code, why, c.code)
		}
	}
	bystander.Says("still here")
	if got := bystander.Receives(); got != "calm: still here" {
		t.Errorf("the bystander receives %q", got)
	}
}

// Ten thousand lines at once: the flood is cut off after the twenty that are
// allowed, and what others say meanwhile comes through.
func TestChatFlood(t *testing.T) {
	t.Parallel()
	w := e2e.Start(t)
	calm, other := w.LobbySocket(t, "?nickname=calm", nil).Welcomed(), w.LobbySocket(t, "?nickname=other", nil).Welcomed()
	flood := w.LobbySocket(t, "?nickname=flood", nil).Welcomed()
	var writing sync.WaitGroup
	writing.Go(func() {
		for range 10_000 {
			if flood.WS.WriteMessage(websocket.TextMessage, []byte("x")) != nil {
				return
			}
		}
	})
	if code, why := ending(flood); code != 1008 || !strings.Contains(why, "too much") {
		t.Errorf("closed with %d %q", code, why)
	}
	flood.WS.Close()
	writing.Wait()
	other.Says("do you hear me?")
	floods := 0
	for {
		got := calm.Receives()
		if got == "other: do you hear me?" {
			break
		}
		if got != "flood: x" {
			t.Fatalf("received %q", got)
		}
		floods++
	}
	if floods < 20 || floods > 40 { // five more a second
		t.Errorf("received %d lines of the flood", floods)
	}
}

// Nothing is left of visitors that came and went, politely or not.
func TestNothingIsLeftOfTheLobby(t *testing.T) {
	w := e2e.Start(t)
	visit := func(n int) {
		for i := range n {
			p := w.LobbySocket(t, "", nil).Welcomed()
			if i%2 == 0 {
				p.WS.UnderlyingConn().Close()
			} else {
				e2e.Must(t, p.WS.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(1000, ""), time.Now().Add(e2e.Patience)))
				ending(p)
				p.WS.Close()
			}
		}
	}
	visit(50)
	stay := w.LobbySocket(t, "", nil).Welcomed()
	alone := func() {
		t.Helper()
		for deadline := time.Now().Add(e2e.Patience); ; time.Sleep(10 * time.Millisecond) {
			stay.Says("/who")
			got := stay.Receives()
			if got == "* Nobody else is here." {
				return
			}
			if time.Now().After(deadline) {
				t.Fatalf("somebody is still there: %q", got)
			}
		}
	}
	alone()
	before, _ := e2e.Settled(t, 1<<20, 1<<40)
	visit(300)
	alone()
	after, _ := e2e.Settled(t, before, 1<<40)
	if after > before {
		t.Errorf("goroutines %d → %d", before, after)
	}
	runtime.KeepAlive(stay)
}

// The guests' door can be closed, and the whole lobby.
func TestLobbyModes(t *testing.T) {
	t.Parallel()
	refusalOf := func(w *e2e.World, auth string) rooms.Code {
		b := w.Bare(t)
		b.Text("40/lobby," + auth)
		var answer struct {
			Data *rooms.Error `json:"data"`
		}
		text, ok := strings.CutPrefix(b.Next(), "44/lobby,")
		if !ok {
			return ""
		}
		e2e.Must(t, json.Unmarshal([]byte(text), &answer))
		return answer.Data.Code
	}

	members := e2e.Start(t, func(c *app.Config) { c.Lobby = "users" })
	bo := members.Patient("bo")
	token := bo.Tokens().AccessToken
	if code, why := ending(members.LobbySocket(t, "", nil)); code != 1008 || !strings.Contains(why, "log in") {
		t.Errorf("a guest: %d %q", code, why)
	}
	if got := refusalOf(members, `{}`); got != rooms.CodeUnauthenticated {
		t.Errorf("a guest over Socket.IO: %q", got)
	}
	members.LobbySocket(t, "", http.Header{"Authorization": {"Bearer " + token}}).Welcomed()
	browser := members.LobbySocket(t, "", http.Header{"Sec-WebSocket-Protocol": {"bearer, " + token}})
	if browser.WS.Subprotocol() != "bearer" {
		t.Errorf("the chosen subprotocol is %q", browser.WS.Subprotocol())
	}
	browser.Welcomed()
	members.InLobby(t, `{"token":"`+token+`","nickname":"bo"}`).Event(lobby.Welcome.Name)
	if code, _ := ending(members.LobbySocket(t, "", http.Header{"Authorization": {"Bearer nonsense"}})); code != 1008 {
		t.Errorf("a bad token: %d", code)
	}
	// Who logs out is out.
	e2e.Do(bo, account.RevokeSession, account.SessionInput{SessionID: e2e.Current(bo)})
	if code, why := ending(browser); code != 1008 {
		t.Errorf("after the login has ended: %d %q", code, why)
	}

	off := e2e.Start(t, func(c *app.Config) { c.Lobby = "off" })
	if code, _ := ending(off.LobbySocket(t, "", nil)); code != 1008 {
		t.Errorf("a lobby that is off: %d", code)
	}
	if got := refusalOf(off, `{}`); got != rooms.CodeNotFound {
		t.Errorf("a lobby that is off, over Socket.IO: %q", got)
	}
}

// Commands set and change a nickname, and guests are notified of who enters and
// leaves.
func TestChatCommands(t *testing.T) {
	t.Parallel()
	w := e2e.Start(t)
	bo := w.LobbySocket(t, "?nickname=bo", nil).Welcomed()
	watcher := w.InLobby(t, `{"nickname":"li"}`)
	watcher.Event(lobby.Welcome.Name)
	for {
		var c lobby.Count
		e2e.Must(t, json.Unmarshal(watcher.Event(lobby.Presence.Name), &c))
		if c.Count == 2 {
			break
		}
	}
	bo.Says("/nick li")
	if got := bo.Receives(); got != "* You are li-2." {
		t.Errorf("received %q", got)
	}
	bo.Says("/nick ")
	bo.Says("   ")
	bo.Says("/who")
	bo.Says("<img src=x onerror=alert(1)>")
	for _, want := range []string{"* You are guest-", "* say something", "* 2 are here.", "guest-"} {
		if got := bo.Receives(); !strings.HasPrefix(got, want) {
			t.Errorf("received %q, want %q", got, want)
		}
	}
	if r := watcher.Ask(7, lobby.Say.Name, lobby.SayInput{}); r.Error == nil || r.Error.Field != "text" {
		t.Errorf("saying nothing: %+v", r)
	}
}

// A shutdown says goodbye to everyone, and afterwards the last lines are still
// there.
func TestLobbySurvivesARestart(t *testing.T) {
	t.Parallel()
	w := e2e.Start(t)
	bo := w.LobbySocket(t, "?nickname=bo", nil).Welcomed()
	bo.Says("remember me")
	bo.Receives()
	e2e.Must(t, w.Stop())
	if code, _ := ending(bo); code != websocket.CloseGoingAway {
		t.Errorf("closed with %d", code)
	}
	w.Run("127.0.0.1:0")
	if got := w.LobbySocket(t, "", nil).Welcomed().Receives(); got != "bo: remember me" {
		t.Errorf("received %q", got)
	}
}

// A browser that opens /chat gets the lobby's page; other programs get 426.
func TestChatWithoutAnUpgrade(t *testing.T) {
	t.Parallel()
	w := e2e.Start(t)
	if a := w.Ask(t, "GET", "/chat", "", ""); a.Status != http.StatusUpgradeRequired {
		t.Errorf("a program: %d", a.Status)
	}
	request, err := http.NewRequestWithContext(t.Context(), "GET", w.Base+"/chat", nil)
	e2e.Must(t, err)
	request.Header.Set("Accept", "text/html")
	response, err := w.HTTP.Transport.RoundTrip(request)
	e2e.Must(t, err)
	e2e.Must(t, response.Body.Close())
	if response.StatusCode != http.StatusFound || response.Header.Get("Location") != "/lobby" {
		t.Errorf("a browser: %d to %q", response.StatusCode, response.Header.Get("Location"))
	}
}
