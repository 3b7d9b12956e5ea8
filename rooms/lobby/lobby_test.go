package lobby_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/lobby"
	"wenzhen.example/rooms/roomstest"
)

// visit is someone who is in the lobby over a connection.
type visit struct {
	w   *roomstest.World
	ctx context.Context
	as  rooms.Actor

	mu    sync.Mutex
	rooms []rooms.RoomID
	gone  []func()
}

func (v *visit) Subscribe(room rooms.RoomID, _ rooms.Seq) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.rooms = append(v.rooms, room)
	return nil
}
func (v *visit) Unsubscribe(rooms.RoomID)      {}
func (v *visit) SetViewing(rooms.RoomID, bool) {}
func (v *visit) OnClose(gone func())           { v.gone = append(v.gone, gone) }
func (v *visit) leaves() {
	for _, f := range v.gone {
		f()
	}
}

func visitor(w *roomstest.World) *visit {
	v := &visit{w: w}
	v.ctx = rooms.WithSubscriber(w.T.Context(), v)
	return v
}

func (v *visit) enters(nickname string) (lobby.Entered, rooms.Code) {
	entered, err := roomstest.AskWith(v.ctx, v.w, v.as, lobby.Enter, lobby.NicknameInput{Nickname: nickname})
	return entered, rooms.CodeOf(err)
}

func (v *visit) says(text string) (lobby.Line, error) {
	return roomstest.AskWith(v.ctx, v.w, v.as, lobby.Say, lobby.SayInput{Text: text})
}

// greeting is what the visitor was welcomed with.
func (v *visit) greeting() lobby.Greeting {
	v.w.T.Helper()
	list := v.w.Signals(v.rooms[0], lobby.Welcome.Name)
	if len(list) != 1 || list[0].Into != lobby.Room {
		v.w.T.Fatalf("welcomed %d times", len(list))
	}
	var g lobby.Greeting
	if err := json.Unmarshal(list[0].Data, &g); err != nil {
		v.w.T.Fatal(err)
	}
	return g
}

func texts(lines []lobby.Line) []string {
	all := make([]string, len(lines))
	for i, l := range lines {
		all[i] = l.Nickname + ": " + l.Text
	}
	return all
}

// said returns the lines that were sent to the lobby so far.
func said(w *roomstest.World) []string {
	w.T.Helper()
	var lines []lobby.Line
	for _, n := range w.Signals(lobby.Room, lobby.Said.Name) {
		var l lobby.Line
		if err := json.Unmarshal(n.Data, &l); err != nil {
			w.T.Fatal(err)
		}
		lines = append(lines, l)
	}
	return texts(lines)
}

func TestMessagesReachEveryParticipant(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t)
	bo, li := visitor(w), visitor(w)
	bo.enters("bo")
	if _, err := bo.says("  hello\n<b>you</b>\u202e "); err != nil {
		t.Fatal(err)
	}
	li.enters("li")
	if _, err := li.says("hi"); err != nil {
		t.Fatal(err)
	}
	if got := said(w); !slices.Equal(got, []string{"bo: hello <b>you</b>", "li: hi"}) {
		t.Errorf("told %q", got)
	}
	if g := bo.greeting(); g.Count != 1 || g.Nickname != "bo" || len(g.Lines) != 0 || g.Text == "" {
		t.Errorf("bo was welcomed with %+v", g)
	}
	if g := li.greeting(); g.Count != 2 || !slices.Equal(texts(g.Lines), []string{"bo: hello <b>you</b>"}) {
		t.Errorf("li was welcomed with %+v", g)
	}
}

func TestNicknames(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t)
	for _, c := range []struct {
		wanted, got string
		code        rooms.Code
	}{
		{"bo", "bo", ""},
		{"Bo", "Bo-2", ""},
		{" 李 明 ", "李 明", ""},
		{"", "guest-", ""},
		{"*", "", rooms.CodeInvalid},
		{"/nick", "", rooms.CodeInvalid},
		{"\u202e\t", "", rooms.CodeInvalid},
		{strings.Repeat("问", 25), "", rooms.CodeTooLarge},
	} {
		entered, code := visitor(w).enters(c.wanted)
		if code != c.code || !strings.HasPrefix(entered.Nickname, c.got) {
			t.Errorf("%q: got %q %q, want %q %q", c.wanted, entered.Nickname, code, c.got, c.code)
		}
	}
}

func TestANicknameIsFreeOnceItsOwnerHasLeft(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t)
	bo := visitor(w)
	bo.enters("bo")
	bo.leaves()
	if e, _ := visitor(w).enters("bo"); e.Nickname != "bo" {
		t.Errorf("called %q", e.Nickname)
	}
	if _, err := bo.says("still there?"); rooms.CodeOf(err) != rooms.CodeConflict {
		t.Errorf("who has left is answered %v", err)
	}
}

func TestRename(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t)
	bo := visitor(w)
	bo.enters("bo")
	e, err := roomstest.AskWith(bo.ctx, w, bo.as, lobby.Rename, lobby.NicknameInput{Nickname: "bo the second"})
	if err != nil || e.Nickname != "bo the second" {
		t.Fatalf("called %q, %v", e.Nickname, err)
	}
	if again, _ := bo.enters("another"); again.Nickname != "bo the second" {
		t.Errorf("entering twice changed the name to %q", again.Nickname)
	}
	if line, err := bo.says("me"); err != nil || line.Nickname != "bo the second" {
		t.Errorf("said as %+v, %v", line, err)
	}
	if e, _ := visitor(w).enters("bo"); e.Nickname != "bo" {
		t.Errorf("the old name was not given back: %q", e.Nickname)
	}
}

func TestLimitsOfALine(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t)
	bo := visitor(w)
	bo.enters("bo")
	for text, want := range map[string]rooms.Code{
		"":                                rooms.CodeInvalid,
		" \n\u2066":                       rooms.CodeInvalid,
		strings.Repeat("问", 501):          rooms.CodeTooLarge,
		strings.Repeat("\U0001F600", 500): "",
	} {
		if _, err := bo.says(text); rooms.CodeOf(err) != want {
			t.Errorf("%.10q (%d bytes): %v, want %q", text, len(text), err, want)
		}
	}
}

func TestTooMuchAtOnce(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t)
	bo := visitor(w)
	bo.enters("bo")
	told := 0
	for range 100 {
		_, err := bo.says("x")
		switch rooms.CodeOf(err) {
		case "":
			told++
		case rooms.CodeRateLimited:
		default:
			t.Fatal(err)
		}
	}
	if told != 20 {
		t.Errorf("%d lines were said at once, want 20", told)
	}
	w.Passes(time.Second)
	if _, err := bo.says("y"); err != nil {
		t.Error(err)
	}
}

// The last fifty lines are there for newcomers, after a restart too.
func TestFiftyLinesSurviveARestart(t *testing.T) {
	t.Parallel()
	w := roomstest.New(t)
	bo := visitor(w)
	bo.enters("bo")
	var want []string
	for i := range 70 {
		w.Passes(time.Second)
		text := fmt.Sprintf("line %d", i)
		if _, err := bo.says(text); err != nil {
			t.Fatal(err)
		}
		want = append(want, "bo: "+text)
		if i%10 == 0 {
			visitor(w).enters("") // who enters takes no line away
		}
	}
	w.Restarts(time.Hour)
	li := visitor(w)
	li.enters("li")
	if got := texts(li.greeting().Lines); !slices.Equal(got, want[20:]) {
		t.Errorf("got %d lines, from %q", len(got), got[:1])
	}
}

// counts receives the numbers of visitors.
type counts chan int

func (c counts) Published(rooms.Publication) {}
func (c counts) Signalled(n rooms.Signal) {
	var count lobby.Count
	if n.Name == lobby.Presence.Name && json.Unmarshal(n.Data, &count) == nil {
		c <- count.Count
	}
}

// The number of visitors is sent when it changes on any node, and again after
// each welcome, because the newcomer missed what was sent before.
func TestHowManyAreThere(t *testing.T) {
	t.Parallel()
	hub := rooms.NewHub(rooms.HubOptions{Depth: 16})
	var service *lobby.Service
	presence := rooms.NewPresence(func(rooms.RoomID, rooms.Present) { service.Recount() }, nil)
	service = lobby.New(lobby.Options{Presence: presence, Hub: hub, Now: time.Now})
	told := make(counts, 16)
	hub.Listen(service)
	hub.Listen(told)
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { hub.Run(ctx) })
	running.Go(func() { service.Run(ctx) })
	defer running.Wait()
	defer stop()
	receives := func(want int) {
		t.Helper()
		select {
		case got := <-told:
			if got != want {
				t.Errorf("the number is %d, want %d", got, want)
			}
		case <-time.After(30 * time.Second):
			t.Fatal("no number was sent")
		}
	}
	presence.Elsewhere("another node", lobby.Room, "", 2)
	receives(2)
	hub.SignalHere(rooms.Signal{Room: "visitor:1", Name: lobby.Welcome.Name, Into: lobby.Room})
	receives(2)
	presence.Replace("another node", nil)
	receives(0)
}
