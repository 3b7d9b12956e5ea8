package edge

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// accepting is a listener whose connections delay the answer to a WebSocket
// handshake until release is closed.
type accepting struct {
	net.Listener
	answers chan struct{} // receives a value when an answer is delayed
	release chan struct{}
}

type acceptedConn struct {
	net.Conn
	from accepting
}

func (l accepting) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return acceptedConn{conn, l}, nil
}

func (c acceptedConn) Write(p []byte) (int, error) {
	if bytes.HasPrefix(p, []byte("HTTP/1.1 101 ")) {
		c.from.answers <- struct{}{}
		<-c.from.release
	}
	return c.Conn.Write(p)
}

// lastFrames starts a server of bare WebSockets at /plain, and of Engine.IO
// on other paths.
func lastFrames(t *testing.T) (*httptest.Server, *BareServer, *Engine) {
	t.Helper()
	cfg := Config{Log: slog.New(slog.NewTextHandler(io.Discard, nil))}
	p, v := NewBareServer(cfg), New(cfg)
	h := &hall{conns: map[*BareConn]bool{}, opened: make(chan *BareConn, 1000), closed: make(chan struct{}, 1000)}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/plain" {
			p.Accept(w, r, "", &hallConn{hall: h})
			return
		}
		v.ServeHTTP(w, r)
	}))
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		must(t, p.Close(ctx))
		must(t, v.Close(ctx))
		server.Close()
	})
	return server, p, v.engine
}

var lastFramePaths = []string{"/plain", "/socket.io/?EIO=4&transport=websocket"}

// A client whose handshake is answered with 101 while the server begins to close
// receives 1001. A connection that only breaks would look like a network failure.
func TestClosingReachesNewConnections(t *testing.T) {
	t.Parallel()
	for _, path := range lastFramePaths {
		server, p, e := lastFrames(t)
		l := accepting{server.Listener, make(chan struct{}), make(chan struct{})}
		server.Listener = l
		server.Start()
		go func() {
			<-l.answers
			p.Drain()
			e.Drain()
			close(l.release)
		}()
		ws := dialBare(t, strings.Replace(server.URL, "http", "ws", 1)+path)
		if code, _ := ending(t, ws); code != closeGoingAway {
			t.Errorf("%s: closed with %d", path, code)
		}
	}
}

// The closing frame of a client is answered, also over TLS, where frames are
// written by another goroutine.
func TestClosingIsAnsweredOverTLS(t *testing.T) {
	t.Parallel()
	server, _, _ := lastFrames(t)
	server.StartTLS()
	roots := server.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	dialer := websocket.Dialer{TLSClientConfig: &tls.Config{RootCAs: roots}, HandshakeTimeout: patience}
	for _, path := range lastFramePaths {
		for range 20 {
			ws, _, err := dialer.DialContext(t.Context(), strings.Replace(server.URL, "http", "ws", 1)+path, nil)
			must(t, err)
			goodbye := websocket.FormatCloseMessage(4321, "bye")
			must(t, ws.WriteControl(websocket.CloseMessage, goodbye, time.Now().Add(patience)))
			if code, _ := ending(t, ws); code != 4321 {
				t.Fatalf("%s: closed with %d", path, code)
			}
			ws.Close()
		}
	}
}
