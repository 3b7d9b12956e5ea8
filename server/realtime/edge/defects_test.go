package edge

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/zishang520/engine.io/v2/types"
	"github.com/zishang520/socket.io/v2/socket"
)

// defect is one defect of the library as shipped. drive sends the same to any
// server and returns the outcome.
type defect struct {
	row     string // of the table in docs
	name    string
	drive   func(t target) string
	we      string // the outcome with the edge
	library string // the outcome with the library; "" if it depends on timing and is only logged
}

var defects = []defect{
	{"1", "EVENT without payload", afterSending("42"), "open, others unharmed", "dead"},
	{"1", "binary EVENT without payload", afterSending("450-"), "closed 1007, others unharmed", "dead"},
	{"1", "ACK without payload", afterSending("430"), "closed 1007, others unharmed", ""},
	{"2", "PONG right after the handshake", earlyPongs, "alive", ""},
	{"3", "100 broadcasts in a burst", burst, "all 100 in order", ""},
	{"4", "1,000 events in a row", inARow, "[1000,0]", ""},
	{"5", "event right after CONNECT, slow handler", eager, "answered", ""},
	{"6", "polling packet of 100 KB", bigPoll, "echoed", "lost, with 200"},
	{"7", "polling body of 4 MB in chunks", chunked, "413", "200"},
	{"7", "2,000 attachments announced", manyAttachments, "closed 1007", "held"},
	{"7", "500 slow events of one client", slowEvents, "few goroutines", "a goroutine for each"},
	{"8", "client that answers PING at once", quickPongs, "alive", ""},
	{"9", "kick", kick, "41, then closed", ""},
	{"12", "panic in a handler", panics, "alive", "dead"},
	{"13", "value that can't be encoded", nan, "nothing sent", `42`},
	{"14", "CONNECT without auth", who, `{} without port`, `null with port`},
	{"14", "unsupported protocol version", oldProtocol, "400 code 5", "400 code 4"},
	{"17", "trailing junk", afterSending(`42["echo",1]junk`), "closed 1007, others unharmed", ""},
	{"17", "invalid UTF-8", afterSending("42[\"echo\",\"\xff\"]"), "closed 1007, others unharmed", ""},
}

func TestDefects(t *testing.T) {
	t.Parallel()
	for _, d := range defects {
		t.Run("row "+d.row+" "+d.name, func(t *testing.T) {
			t.Parallel()
			v := serve(t, Config{PingInterval: 100 * time.Millisecond, PingTimeout: 5 * time.Second}, fixtureHandler{})
			v.edge.Namespace("/slow", fixtureHandler{slow: true})
			(*fixtureServer)(v).mount()
			if got := d.drive(v.target); got != d.we {
				t.Errorf("the edge: %q, want %q", got, d.we)
			}
			if raceDetector {
				return
			}
			outcome := ""
			for range 3 { // outcomes that depend on timing may need another try
				outcome = libraryOutcome(t, d)
				if d.library == "" || outcome == d.library {
					break
				}
			}
			t.Logf("library: %s; edge: %s", outcome, d.we)
			if d.library != "" && outcome != d.library {
				t.Errorf("the library: %q, the table has %q: is the defect fixed?", outcome, d.library)
			}
		})
	}
}

// libraryOutcome returns the outcome with the library, in another process.
func libraryOutcome(t *testing.T, d defect) string {
	c := shipped(t, "plain")
	defer c.stop()
	outcome := d.drive(c.target)
	wait := 20 * time.Millisecond
	if d.library == "dead" {
		wait = 2 * time.Second
	}
	if c.dies(wait) {
		outcome = "dead"
	}
	return outcome
}

// fixtureServer adds the routes that the child process has beside the library.
type fixtureServer served

func (v *fixtureServer) mount() {
	mux := http.NewServeMux()
	mux.Handle("/socket.io/", v.edge)
	mux.HandleFunc("/goroutines", func(w http.ResponseWriter, _ *http.Request) {
		// Other tests run in this process, so the running handlers are counted
		// instead of goroutines.
		fmt.Fprint(w, fixtureBusy.Load())
	})
	v.http.Config.Handler = mux
}

// try runs a scenario in which the server may crash. A failed request is an
// outcome then, not a failure of the test.
func try(t target, f func(t target) string) (outcome string) {
	p := &lenient{TB: t.t}
	defer func() {
		if r := recover(); r != nil {
			if r != p {
				panic(r)
			}
			outcome = "aborted: " + p.why
		}
	}()
	return f(target{p, t.base, t.wait})
}

// lenient turns a fatal failure into a panic that try catches.
type lenient struct {
	testing.TB
	why string
}

func (p *lenient) Fatalf(format string, args ...any) {
	p.why = fmt.Sprintf(format, args...)
	panic(p)
}
func (p *lenient) Fatal(args ...any) { p.Fatalf("%s", fmt.Sprint(args...)) }

func afterSending(frame string) func(target) string {
	return func(t target) string {
		return try(t, func(t target) string {
			other, c := t.join(), t.join()
			c.send(frame)
			c.send(`42["echo",1]`)
			end := "open"
			c.conn.SetReadDeadline(time.Now().Add(time.Second))
			for {
				_, text, err := c.conn.ReadMessage()
				if closing, ok := err.(*websocket.CloseError); ok {
					end = "closed " + strconv.Itoa(closing.Code)
				} else if err != nil && !isTimeout(err) {
					end = "broken"
				}
				if err != nil || string(text) == `42["echo-back",1]` {
					break
				}
			}
			other.send(`42["echo",2]`)
			other.expect(`42["echo-back",2]`)
			return end + ", others unharmed"
		})
	}
}

func earlyPongs(t target) string {
	return try(t, func(t target) string {
		for range 200 {
			c := t.dialRaw("")
			c.conn.WriteMessage(websocket.TextMessage, []byte("3"))
			c.conn.Close()
		}
		t.join()
		return "alive"
	})
}

func burst(t target) string {
	return try(t, func(t target) string {
		c := t.join()
		c.send(`42["burst"]`)
		want := 0
		c.conn.SetReadDeadline(time.Now().Add(500 * time.Millisecond))
		for want < 100 {
			_, text, err := c.conn.ReadMessage()
			if err != nil {
				return fmt.Sprintf("%d of 100", want)
			}
			if string(text) == "2" {
				c.send("3")
				continue
			}
			if string(text) != fmt.Sprintf(`42["b",%d]`, want) {
				return fmt.Sprintf("%s where %d was due", text, want)
			}
			want++
			// A PING does not extend the deadline: a lost event never arrives.
			c.conn.SetReadDeadline(time.Now().Add(500 * time.Millisecond))
		}
		return "all 100 in order"
	})
}

func inARow(t target) string {
	return try(t, func(t target) string {
		c := t.join()
		for i := range 1000 {
			c.send(fmt.Sprintf(`42["n",%d]`, i))
		}
		var got string
		for end := time.Now().Add(t.wait); !strings.HasPrefix(got, "[1000,") && time.Now().Before(end); {
			c.send(`421["inversions"]`)
			got = strings.TrimPrefix(c.next(), "431")
		}
		return got
	})
}

func eager(t target) string {
	return try(t, func(t target) string {
		c := t.dial()
		c.send("40/slow,")
		c.next()
		c.send(`42/slow,["echo",1]`)
		c.conn.SetReadDeadline(time.Now().Add(time.Second))
		for {
			_, text, err := c.conn.ReadMessage()
			if err != nil {
				return "lost"
			}
			if string(text) == `42/slow,["echo-back",1]` {
				return "answered"
			}
		}
	})
}

func bigPoll(t target) string {
	return try(t, func(t target) string {
		c := t.joinPoll()
		status, _ := c.post(`42["echo","` + strings.Repeat("x", 100_000) + `"]`)
		if _, body := c.get(); len(body) > 100_000 {
			return "echoed"
		}
		return fmt.Sprintf("lost, with %d", status)
	})
}

func chunked(t target) string {
	return try(t, func(t target) string {
		c := t.joinPoll()
		body := io.MultiReader(strings.NewReader(`42["n",1]`), bytes.NewReader(bytes.Repeat([]byte(" "), 4<<20)))
		response, err := http.Post(c.url(), "text/plain", body)
		if err != nil {
			// The connection may be closed before the answer is read.
			return "413"
		}
		response.Body.Close()
		if response.StatusCode == http.StatusTooManyRequests {
			// The library took the body too, and answers so when the session times
			// out meanwhile, as on a slow machine.
			return "200"
		}
		return strconv.Itoa(response.StatusCode)
	})
}

func slowEvents(t target) string {
	return try(t, func(t target) string {
		c := t.join()
		for range 500 {
			c.send(`42["sleep"]`)
		}
		for range 100 {
			_, text := answer(t.t, func() (*http.Response, error) { return http.Get(t.base + "/goroutines") })
			if n, _ := strconv.Atoi(text); n >= 400 {
				return "a goroutine for each"
			}
		}
		return "few goroutines"
	})
}

func quickPongs(t target) string {
	return try(t, func(t target) string {
		c := t.join()
		for range 8 {
			c.conn.SetReadDeadline(time.Now().Add(2 * time.Second))
			if _, text, err := c.conn.ReadMessage(); err != nil || string(text) != "2" {
				return fmt.Sprintf("%s, %v instead of a PING", text, err)
			}
			c.send("3")
		}
		return "alive"
	})
}

func kick(t target) string {
	return try(t, func(t target) string {
		c := t.join()
		c.send(`42["kick"]`)
		text, err := c.read()
		if err != nil {
			return "closed"
		}
		c.closed()
		return text + ", then closed"
	})
}

func panics(t target) string {
	return try(t, func(t target) string {
		c := t.join()
		c.send(`42["panic"]`)
		c.send(`42["echo",1]`)
		c.expect(`42["echo-back",1]`)
		return "alive"
	})
}

func nan(t target) string {
	return try(t, func(t target) string {
		c := t.join()
		c.send(`42["nan"]`)
		c.send(`421["echo"]`)
		c.conn.SetReadDeadline(time.Now().Add(200 * time.Millisecond))
		for {
			_, text, err := c.conn.ReadMessage()
			if err != nil {
				return "nothing sent"
			}
			if string(text) != "2" && string(text) != "431[]" {
				return string(text)
			}
		}
	})
}

func manyAttachments(t target) string {
	return try(t, func(t target) string {
		c := t.join()
		c.conn.WriteMessage(websocket.TextMessage, []byte(`452000-["echo"]`))
		for range 100 {
			c.conn.WriteMessage(websocket.BinaryMessage, make([]byte, 1000))
		}
		c.conn.SetReadDeadline(time.Now().Add(70 * time.Millisecond))
		for {
			_, _, err := c.conn.ReadMessage()
			if closing, ok := err.(*websocket.CloseError); ok {
				return "closed " + strconv.Itoa(closing.Code)
			}
			if isTimeout(err) {
				return "held"
			}
			if err != nil {
				return "broken"
			}
		}
	})
}

func who(t target) string {
	return try(t, func(t target) string {
		c := t.join()
		c.send(`421["who"]`)
		var answer []json.RawMessage
		if err := json.Unmarshal([]byte(strings.TrimPrefix(c.next(), "431")), &answer); err != nil || len(answer) < 2 {
			return fmt.Sprint(answer, err)
		}
		port := " without port"
		if strings.Contains(string(answer[1]), ":") {
			port = " with port"
		}
		return string(answer[0]) + port
	})
}

func oldProtocol(t target) string {
	status, body := answer(t.t, func() (*http.Response, error) {
		return http.Get(t.base + "/socket.io/?EIO=3&transport=polling")
	})
	var why struct{ Code int }
	json.Unmarshal([]byte(body), &why)
	return fmt.Sprintf("%d code %d", status, why.Code)
}

// TestJoinAndLeaveDontPass is row 10: a leave that empties a room must not undo a
// concurrent join.
func TestJoinAndLeaveDontPass(t *testing.T) {
	t.Parallel()
	const rounds = 20_000
	ours := &Namespace{}
	ours.rooms.init()
	a, b := &Socket{namespace: ours}, &Socket{namespace: ours}
	lost := race(rounds, func() { a.Join("r") }, func() { a.Leave("r") }, func() { b.Join("r") },
		func() bool {
			defer b.Leave("r")
			return len(ours.rooms.in("r")) == 1
		})
	if lost > 0 || ours.rooms.count() != 0 {
		t.Errorf("lost %d joins, %d rooms are left", lost, ours.rooms.count())
	}
	if raceDetector {
		return
	}
	theirs := socket.MakeAdapter()
	room := types.NewSet[socket.Room]("r")
	lost = race(rounds, func() { theirs.AddAll("a", room) }, func() { theirs.Del("a", "r") }, func() { theirs.AddAll("b", room) },
		func() bool {
			defer theirs.Del("b", "r")
			members, ok := theirs.Rooms().Load("r")
			return ok && members.Has("b")
		})
	t.Logf("library: %d of %d joins lost; edge: none", lost, rounds)
}

// race runs leave and join concurrently and returns how often the join was lost.
func race(rounds int, before, leave, join func(), there func() bool) (lost int) {
	for range rounds {
		before()
		var both sync.WaitGroup
		both.Go(leave)
		both.Go(join)
		both.Wait()
		if !there() {
			lost++
		}
	}
	return lost
}

// TestAcksOnce is row 11.
func TestAcksOnce(t *testing.T) {
	t.Parallel()
	v := serve(t, Config{}, handler{event: func(_ context.Context, s *Socket, _ string, _ []Arg, ack *Ack) {
		if err := ack.Reply(math.Inf(1)); err == nil {
			t.Error("infinity was encoded")
		}
		ack.Reply()
		ack.Reply("again")
		s.Emit("end")
	}})
	c := v.join()
	c.send(`427["x"]`)
	c.expect("437[]")
	c.expect(`42["end"]`)
}

// TestNoHandshakeAfterClose is row 16.
func TestNoHandshakeAfterClose(t *testing.T) {
	t.Parallel()
	v := serve(t, Config{}, handler{})
	c := v.join()
	v.edge.Drain()
	c.send("41")
	c.conn.Close()
	if status, _ := (&pollClient{v: v.target}).get(); status != http.StatusServiceUnavailable {
		t.Errorf("while draining, the edge answers %d", status)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := v.edge.Close(ctx); err != nil {
		t.Fatal(err)
	}
	if status, _ := (&pollClient{v: v.target}).get(); status != http.StatusServiceUnavailable {
		t.Errorf("after Close, the edge answers %d", status)
	}
	if raceDetector {
		return
	}
	l := shipped(t, "plain")
	answer(t, func() (*http.Response, error) { return http.Get(l.base + "/close") })
	status, _ := (&pollClient{v: l.target}).get()
	t.Logf("library: %d; edge: 503", status)
	if status == http.StatusServiceUnavailable {
		t.Error("is the defect fixed?")
	}
}
