package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		goleak.IgnoreAnyFunction("net/http.(*persistConn).readLoop"),
		goleak.IgnoreAnyFunction("net/http.(*persistConn).writeLoop"),
	)
}

// patience is the maximum time that a test waits for something.
const patience = 5 * time.Second

// server serves both fixtures on its own port and returns its URL.
func server(t *testing.T) string {
	t.Helper()
	engine, sockets := echoEngine(), fixture()
	mux := http.NewServeMux()
	mux.Handle("/engine.io/", engine)
	mux.Handle("/socket.io/", sockets)
	s := httptest.NewServer(mux)
	t.Cleanup(func() {
		s.CloseClientConnections()
		engine.Close(t.Context())
		sockets.Close(t.Context())
		s.Close()
	})
	return s.URL
}

// onBoth runs a test of Engine.IO with the engine alone and with Socket.IO.
func onBoth(t *testing.T, test func(t *testing.T, url string)) {
	t.Parallel()
	base := server(t)
	for _, path := range []string{"/engine.io/", "/socket.io/"} {
		t.Run(strings.Trim(path, "/"), func(t *testing.T) { test(t, base+path) })
	}
}

func request(t *testing.T, method, url, body string) (int, string) {
	t.Helper()
	r, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

func wantStatus(t *testing.T, want int, method, url, body string) string {
	t.Helper()
	status, text := request(t, method, url, body)
	if status != want {
		t.Fatalf("%s %s: %d %s, want %d", method, url, status, text, want)
	}
	return text
}

// session opens a polling session and returns the URL of its requests.
func session(t *testing.T, url string) string {
	t.Helper()
	url += "?EIO=4&transport=polling"
	return url + "&sid=" + checkOpen(t, wantStatus(t, 200, "GET", url, ""), "websocket")
}

// checkOpen checks an OPEN packet and returns its session id.
func checkOpen(t *testing.T, text string, upgrades ...string) string {
	t.Helper()
	var open map[string]any
	if text[0] != '0' || json.Unmarshal([]byte(text[1:]), &open) != nil {
		t.Fatalf("OPEN packet %q", text)
	}
	want := map[string]any{"sid": open["sid"], "upgrades": fmt.Sprint(upgrades),
		"pingInterval": 300.0, "pingTimeout": 200.0, "maxPayload": 1e6}
	open["upgrades"] = fmt.Sprint(open["upgrades"])
	if fmt.Sprint(open) != fmt.Sprint(want) {
		t.Fatalf("OPEN packet %v, want %v", open, want)
	}
	return open["sid"].(string)
}

type socket struct {
	t *testing.T
	*websocket.Conn
}

func dial(t *testing.T, url string) socket {
	t.Helper()
	conn, _, err := websocket.DefaultDialer.Dial(strings.Replace(url, "http", "ws", 1), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetReadDeadline(time.Now().Add(patience))
	return socket{t, conn}
}

func open(t *testing.T, url string) socket {
	t.Helper()
	s := dial(t, url+"?EIO=4&transport=websocket")
	checkOpen(t, s.next())
	return s
}

func (s socket) send(text string) {
	s.t.Helper()
	if err := s.WriteMessage(websocket.TextMessage, []byte(text)); err != nil {
		s.t.Fatal(err)
	}
}

func (s socket) next() string {
	s.t.Helper()
	_, data, err := s.ReadMessage()
	if err != nil {
		s.t.Fatal(err)
	}
	return string(data)
}

// expect reads messages and compares them. It skips PINGs unless want has one.
func (s socket) expect(want ...string) {
	s.t.Helper()
	for _, w := range want {
		got := s.next()
		for got == "2" && w != "2" {
			got = s.next()
		}
		if got != w {
			s.t.Fatalf("got %q, want %q", got, w)
		}
	}
}

func (s socket) expectClosed() {
	s.t.Helper()
	for {
		_, _, err := s.ReadMessage()
		var timeout interface{ Timeout() bool }
		if err == nil {
			continue
		}
		if timeout, _ = err.(interface{ Timeout() bool }); timeout != nil && timeout.Timeout() {
			s.t.Fatal("still open")
		}
		return
	}
}

func TestHandshake(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		session(t, url)
		open(t, url)
		for _, query := range []string{"transport=polling", "EIO=abc&transport=polling", "EIO=3&transport=polling", "EIO=4",
			"EIO=4&transport=abc", "EIO=4&transport=websocket", "EIO=4&transport=polling&sid=unknown"} {
			wantStatus(t, 400, "GET", url+"?"+query, "")
		}
		for _, method := range []string{"POST", "PUT", "DELETE", "PATCH"} {
			wantStatus(t, 400, method, url+"?EIO=4&transport=polling", "")
		}
		for _, query := range []string{"transport=websocket", "EIO=abc&transport=websocket", "EIO=4",
			"EIO=4&transport=abc", "EIO=4&transport=websocket&sid=unknown"} {
			_, response, err := websocket.DefaultDialer.Dial(strings.Replace(url, "http", "ws", 1)+"?"+query, nil)
			if err == nil || response.StatusCode != 400 {
				t.Fatal(query, err)
			}
		}
	})
}

func TestMessages(t *testing.T) {
	t.Parallel()
	url := server(t) + "/engine.io/"
	for _, payload := range []string{"4hello", "4test1\x1e4test2\x1e4test3", "4hello\x1ebAQIDBA=="} {
		s := session(t, url)
		if text := wantStatus(t, 200, "POST", s, payload); text != "ok" {
			t.Fatal(text)
		}
		if text := wantStatus(t, 200, "GET", s, ""); text != payload {
			t.Fatalf("got %q, want %q", text, payload)
		}
	}
	s := open(t, url)
	s.send("4hello")
	s.expect("4hello")
	s.WriteMessage(websocket.BinaryMessage, []byte{1, 2, 3, 4})
	if kind, data, err := s.ReadMessage(); err != nil || kind != websocket.BinaryMessage || string(data) != "\x01\x02\x03\x04" {
		t.Fatal(kind, data, err)
	}
}

func TestInvalidPackets(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		s := session(t, url)
		wantStatus(t, 400, "POST", s, "abc")
		wantStatus(t, 400, "GET", s, "")
		ws := open(t, url)
		ws.send("abc")
		ws.expectClosed()
	})
}

func TestDuplicatePolls(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		s := session(t, url)
		first, second := make(chan string), make(chan string)
		for _, answer := range []chan string{first, second} {
			go func() {
				status, text := request(t, "GET", s, "")
				answer <- fmt.Sprint(status, " ", text)
			}()
		}
		a, b := <-either(first, second), ""
		b = <-either(first, second)
		if strings.HasPrefix(b, "200") {
			a, b = b, a
		}
		if a != "200 1" || !strings.HasPrefix(b, "400") {
			t.Fatal(a, b)
		}
		wantStatus(t, 400, "GET", s, "")
	})
}

// either receives from the channel that is ready first.
func either(a, b chan string) chan string {
	c := make(chan string, 1)
	select {
	case s := <-a:
		c <- s
	case s := <-b:
		c <- s
	}
	return c
}

func TestHeartbeat(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		s, ws := session(t, url), open(t, url)
		for range 2 {
			if text := wantStatus(t, 200, "GET", s, ""); text != "2" {
				t.Fatal(text)
			}
			wantStatus(t, 200, "POST", s, "3")
			ws.expect("2")
			ws.send("3")
		}
		// The client answers no more PINGs.
		ws.expect("2")
		ws.expectClosed()
		for end := time.Now().Add(patience); ; {
			if status, _ := request(t, "GET", s, ""); status == 400 {
				break
			}
			if time.Now().After(end) {
				t.Fatal("the polling session is still open")
			}
		}
	})
}

func TestClientCloses(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		for _, early := range []bool{true, false} {
			s := session(t, url)
			polled := make(chan string, 1)
			poll := func() {
				status, text := request(t, "GET", s, "")
				polled <- fmt.Sprint(status, " ", text)
			}
			if early {
				go poll()
			}
			wantStatus(t, 200, "POST", s, "1")
			if !early { // a poll that arrives after the CLOSE
				poll()
			}
			if got := <-polled; got != "200 6" {
				t.Fatal(got)
			}
			wantStatus(t, 400, "GET", s, "")
		}
		ws := open(t, url)
		ws.send("1")
		ws.expectClosed()
	})
}

func TestUpgrade(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		s := session(t, url)
		ws := dial(t, strings.Replace(s, "polling", "websocket", 1))
		ws.send("2probe")
		ws.expect("3probe")
		if text := wantStatus(t, 200, "GET", s, ""); text != "6" {
			t.Fatal(text)
		}
		second := dial(t, strings.Replace(s, "polling", "websocket", 1))
		second.expectClosed()
		ws.send("5")
		ws.expect("2") // PINGs are sent here now
		wantStatus(t, 400, "GET", s, "")
		wantStatus(t, 400, "POST", s, "4x")
		third := dial(t, strings.Replace(s, "polling", "websocket", 1))
		third.expectClosed()
		ws.send("3")
		ws.expect("2")
	})
}

// connect joins a namespace and reads "auth".
func connect(t *testing.T, s socket, nsp, auth string) {
	t.Helper()
	s.send("40" + nsp + auth)
	text := s.next()
	for text == "2" {
		s.send("3")
		text = s.next()
	}
	var answer map[string]string
	if json.Unmarshal([]byte(strings.TrimPrefix(text, "40"+nsp)), &answer) != nil || len(answer) != 1 || answer["sid"] == "" {
		t.Fatalf("answer to CONNECT: %q", text)
	}
	if auth == "" {
		auth = "{}"
	}
	s.expect(`42` + nsp + `["auth",` + auth + `]`)
}

func TestConnect(t *testing.T) {
	t.Parallel()
	url := server(t) + "/socket.io/"
	for _, nsp := range []string{"", "/custom,"} {
		for _, auth := range []string{"", `{"token":"123"}`} {
			connect(t, open(t, url), nsp, auth)
		}
	}
	s := open(t, url)
	s.send("40/random")
	s.expect(`44/random,{"message":"Invalid namespace"}`)
	s = open(t, url)
	s.send("4abc")
	s.expectClosed()
	open(t, url).expectClosed() // no namespace is joined in time
}

func TestDisconnect(t *testing.T) {
	t.Parallel()
	url := server(t) + "/socket.io/"
	s := open(t, url)
	connect(t, s, "", "")
	s.send("41")
	s.expect("2")
	s.send("3")
	s = open(t, url)
	connect(t, s, "", "")
	connect(t, s, "/custom,", "")
	s.send("41/custom")
	s.send(`42["message","message to main namespace"]`)
	s.expect(`42["message-back","message to main namespace"]`)
}

func TestEvents(t *testing.T) {
	t.Parallel()
	url := server(t) + "/socket.io/"
	s := open(t, url)
	connect(t, s, "", "")
	s.send(`42["message",1,"2",{"3":[true]}]`)
	s.expect(`42["message-back",1,"2",{"3":[true]}]`)
	s.send(`42456["message-with-ack",1,"2",{"3":[false]}]`)
	s.expect(`43456[1,"2",{"3":[false]}]`)
	const two = `{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]`
	for send, want := range map[string]string{`452-["message",`: `452-["message-back",`, `452-789["message-with-ack",`: `462-789[`} {
		s.send(send + two)
		s.WriteMessage(websocket.BinaryMessage, []byte{1, 2, 3})
		s.WriteMessage(websocket.BinaryMessage, []byte{4, 5, 6})
		s.expect(want+two, "\x01\x02\x03", "\x04\x05\x06")
	}
	for _, bad := range []string{"4abc", "42{}", `42abc["message-with-ack",1,"2",{"3":[false]}]`, "42", "42[]", "42[1]",
		`42/custom,["message"]`, "40", "43[]", `44{"message":"no"}`, `42["message"]x`} {
		s := open(t, url)
		connect(t, s, "", "")
		s.send(bad)
		s.expectClosed()
	}
}
