package cluster_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/gorilla/websocket"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
	"wenzhen.example/rooms/consultation"
	"wenzhen.example/server/app"
	"wenzhen.example/server/e2e"
)

// ending is a world that shuts down when told to, and then goes on draining for
// as long as the test wants.
type ending struct {
	*e2e.World
	trusted *tls.Config // nil over plain HTTP
	noticed chan struct{}
	ended   chan error
}

func newEnding(t *testing.T, secure bool, change ...func(*app.Config)) *ending {
	t.Helper()
	e := &ending{noticed: make(chan struct{}), ended: make(chan error, 1)}
	t.Cleanup(func() {
		select {
		case <-e.noticed:
		default:
			close(e.noticed)
		}
	})
	options := []app.Option{app.WithDrainNotice(func(context.Context) { <-e.noticed }), app.WithLinger(e2e.Patience)}
	change = append(change, func(c *app.Config) { c.DrainTimeout = e2e.Patience })
	if !secure {
		e.World = e2e.NewWorld(t, t.TempDir())
		e.Change, e.More = change, options
		e.Run("127.0.0.1:0")
		e.EnterAdmin()
		return e
	}
	w, _, roots := e2e.Encrypted(t)
	e2e.Must(t, w.Stop())
	w.Change, w.More = append(w.Change, change...), options
	w.Run("127.0.0.1:0")
	e.World, e.trusted = w, &tls.Config{RootCAs: roots}
	w.EnterAdmin()
	return e
}

// visitor is a client with connections of its own.
func (e *ending) visitor() *http.Client {
	transport := &http.Transport{TLSClientConfig: e.trusted.Clone(), ForceAttemptHTTP2: e.trusted != nil}
	e.T.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: e2e.Patience}
}

// get asks for a page and gives its status, headers and text.
func (e *ending) get(t *testing.T, by *http.Client, path string) (*http.Response, string) {
	t.Helper()
	resp, err := by.Get(e.Base + path)
	e2e.Must(t, err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	e2e.Must(t, err)
	return resp, string(text)
}

func (e *ending) dial(t *testing.T, path string) (*websocket.Conn, *http.Response, error) {
	t.Helper()
	dialer := websocket.Dialer{TLSClientConfig: e.trusted.Clone(), HandshakeTimeout: e2e.Patience}
	return dialer.DialContext(t.Context(), strings.Replace(e.Base, "http", "ws", 1)+path, nil)
}

// shut begins a shutdown, as SIGTERM does, and waits until the server is
// draining.
func (e *ending) shut(t *testing.T) {
	t.Helper()
	go func() { e.ended <- e.Stop() }()
	e2e.Eventually(t, "/readyz says that the node goes", func() bool {
		resp, _ := e.get(t, e.visitor(), "/readyz")
		return resp.StatusCode == http.StatusServiceUnavailable
	})
}

// From SIGTERM on a node is not ready, refuses handshakes, closes its sockets
// in good order and serves requests, on connections old and new; afterwards
// nobody can connect.
func TestANodeDrains(t *testing.T) {
	t.Parallel()
	for name, secure := range map[string]bool{"HTTP": false, "HTTPS": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newEnding(t, secure)
			address := strings.TrimPrefix(strings.TrimPrefix(e.Base, "https://"), "http://")

			kept, polls := e.visitor(), e.visitor()
			e.get(t, kept, "/healthz")
			silent, err := net.Dial("tcp", address)
			e2e.Must(t, err)
			defer silent.Close()
			_, opened := e.get(t, polls, "/socket.io/?EIO=4&transport=polling")
			_, rest, _ := strings.Cut(opened, `"sid":"`)
			sid, _, _ := strings.Cut(rest, `"`)
			polled := make(chan string, 1)
			go func() {
				resp, err := polls.Get(e.Base + "/socket.io/?EIO=4&transport=polling&sid=" + sid)
				if err != nil {
					polled <- err.Error()
					return
				}
				defer resp.Body.Close()
				text, _ := io.ReadAll(resp.Body)
				polled <- resp.Status + " " + string(text)
			}()
			socket, _, err := e.dial(t, "/socket.io/?EIO=4&transport=websocket")
			e2e.Must(t, err)
			defer socket.Close()
			line, _, err := e.dial(t, "/chat?nickname=zoe")
			e2e.Must(t, err)
			defer line.Close()

			e.shut(t)
			e.refusesHandshakes(t)
			e.goesOn(t, kept, secure)
			if got := e2e.Await(t, "the poll", polled); got != "200 OK 1" { // CLOSE, also where the poll came after it
				t.Errorf("the poll is answered %q", got)
			}
			for what, ws := range map[string]*websocket.Conn{"/socket.io": socket, "/chat": line} {
				if err := lastWord(ws); !websocket.IsCloseError(err, websocket.CloseGoingAway) {
					t.Errorf("%s ends with %v", what, err)
				}
			}
			if !secure {
				e.hearsTheSilent(t, silent)
			}
			close(e.noticed)
			e2e.Must(t, e2e.Await(t, "the end", e.ended))
			if conn, err := net.Dial("tcp", address); err == nil {
				_ = conn.Close()
				t.Error("the node that has ended takes connections")
			}
		})
	}
}

// lastWord reads a WebSocket to its end.
func lastWord(ws *websocket.Conn) error {
	for {
		if _, _, err := ws.ReadMessage(); err != nil {
			return err
		}
	}
}

func (e *ending) refusesHandshakes(t *testing.T) {
	t.Helper()
	check := func(what string, resp *http.Response) {
		if resp == nil || resp.StatusCode != http.StatusServiceUnavailable || resp.Header.Get("Retry-After") == "" {
			t.Errorf("%s is answered %+v", what, resp)
		}
	}
	resp, _ := e.get(t, e.visitor(), "/socket.io/?EIO=4&transport=polling")
	check("a handshake of polling", resp)
	for _, path := range []string{"/socket.io/?EIO=4&transport=websocket", "/chat"} {
		_, resp, err := e.dial(t, path)
		if !errors.Is(err, websocket.ErrBadHandshake) {
			t.Errorf("%s: %v", path, err)
		}
		check(path, resp)
	}
}

// goesOn asks over connections old and new.
func (e *ending) goesOn(t *testing.T, kept *http.Client, secure bool) {
	t.Helper()
	for what, by := range map[string]*http.Client{"kept": kept, "new": e.visitor()} {
		resp, text := e.get(t, by, "/api/v1/config")
		if resp.StatusCode != http.StatusOK || secure != (resp.ProtoMajor == 2) {
			t.Errorf("over a %s connection: %s %s %s", what, resp.Proto, resp.Status, text)
		}
		if !secure && !resp.Close {
			t.Errorf("the %s connection is not given up", what)
		}
		e.get(t, by, "/api/v1/config") // again, on another one
	}
	_, err := e.Client().LogIn(t.Context(), account.LoginInput{Email: e.Admin.User.Email, Password: e2e.Password})
	e2e.Must(t, err)
	_, err = e.Admin.LogIn(t.Context(), account.LoginInput{Email: e.Admin.User.Email, Password: "wrong"})
	e2e.Code(t, err, rooms.CodeUnauthenticated)
}

// hearsTheSilent asks on a connection that was opened before, without a word.
func (e *ending) hearsTheSilent(t *testing.T, silent net.Conn) {
	t.Helper()
	_, err := io.WriteString(silent, "GET /healthz HTTP/1.1\r\nHost: wenzhen\r\n\r\n")
	e2e.Must(t, err)
	text, err := io.ReadAll(silent)
	e2e.Must(t, err)
	if !strings.HasPrefix(string(text), "HTTP/1.1 200 OK\r\n") {
		t.Errorf("who has been silent is answered %q", text)
	}
}

// A session that polls gets what was queued for it when its node shuts down,
// and then the closing packet, although it has not been asking meanwhile.
func TestADrainFlushesPolls(t *testing.T) {
	t.Parallel()
	e := newEnding(t, false)
	bo, wang := e.Patient("bo"), e.Doctor("wang")
	id := bo.Consults(wang, "a headache")
	wang.Accepts(id)
	by := e.visitor()
	_, opened := e.get(t, by, "/socket.io/?EIO=4&transport=polling")
	_, rest, _ := strings.Cut(opened, `"sid":"`)
	sid, _, _ := strings.Cut(rest, `"`)
	path := "/socket.io/?EIO=4&transport=polling&sid=" + sid
	post := func(packet string) {
		t.Helper()
		resp, err := by.Post(e.Base+path, "text/plain", strings.NewReader(packet))
		e2e.Must(t, err)
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			t.Errorf("%s: %s", packet, resp.Status)
		}
	}
	post(fmt.Sprintf(`40/consultations,{"token":%q}`, bo.Tokens().AccessToken))
	if _, got := e.get(t, by, path); !strings.HasPrefix(got, e2e.Joined) {
		t.Fatalf("the answer to CONNECT is %q", got)
	}
	post(fmt.Sprintf(`42/consultations,1[%q,{"consultationId":%q}]`, consultation.Join.Name, id))
	for got := ""; !strings.Contains(got, `43/consultations,1[{"ok":true`); {
		_, got = e.get(t, by, path)
	}
	wang.Says(id, "queued for a poll")
	// What is said reaches a socket of the same room when it reaches the poll.
	room := wang.Online().Joins(id)
	last := wang.Says(id, "and more").Seq
	e2e.Read(t, room, last)
	socket, _, err := e.dial(t, "/socket.io/?EIO=4&transport=websocket")
	e2e.Must(t, err)
	defer socket.Close()

	e.shut(t)
	_ = lastWord(socket) // it is closed: so are the others
	var received string
	for !strings.HasSuffix(received, "\x1e1") {
		resp, got := e.get(t, by, path)
		if resp.StatusCode != http.StatusOK {
			t.Fatalf("after %q the poll is answered %s %s", received, resp.Status, got)
		}
		received += "\x1e" + got
	}
	for _, want := range []string{"queued for a poll", "and more"} {
		if !strings.Contains(received, want) {
			t.Errorf("%q is not in %q", want, received)
		}
	}
	close(e.noticed)
	e2e.Must(t, e2e.Await(t, "the end", e.ended))
}

// Connections that were accepted before the listener closed are served to their
// end: one that has not asked yet, and one whose request is running.
func TestTheLastRequestsAreAnswered(t *testing.T) {
	t.Parallel()
	for name, secure := range map[string]bool{"HTTP": false, "HTTPS": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newEnding(t, secure, func(c *app.Config) { c.TrustedProxies = []string{"127.0.0.1"} })
			address := strings.TrimPrefix(strings.TrimPrefix(e.Base, "https://"), "http://")
			silent, err := net.Dial("tcp", address)
			e2e.Must(t, err)
			defer silent.Close()
			body, login := io.Pipe()
			answered := make(chan string, 1)
			go func() { answered <- e.posts(body) }()
			_, err = io.WriteString(login, `{"email":"`+e.Admin.User.Email)
			e2e.Must(t, err)

			e.shut(t)
			close(e.noticed)
			e2e.Eventually(t, "nobody can connect", func() bool {
				conn, err := net.Dial("tcp", address)
				if err == nil {
					_ = conn.Close()
				}
				return err != nil
			})
			if !secure {
				e.hearsTheSilent(t, silent)
			} else {
				_ = silent.Close() // it would be waited for
			}
			_, err = io.WriteString(login, `","password":"`+e2e.Password+`"}`)
			e2e.Must(t, err)
			e2e.Must(t, login.Close())
			if got := e2e.Await(t, "the answer", answered); !strings.HasPrefix(got, `200 OK {"`) {
				t.Errorf("the running request is answered %q", got)
			}
			e2e.Must(t, e2e.Await(t, "the end", e.ended))
		})
	}
}

// posts logs in with a body that takes its time.
func (e *ending) posts(body io.Reader) string {
	resp, err := e.visitor().Post(e.Base+"/api/v1/auth/login", "application/json", body)
	if err != nil {
		return err.Error()
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return err.Error()
	}
	return resp.Status + " " + string(text)
}
