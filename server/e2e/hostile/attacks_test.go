package hostile_test

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"wenzhen.example/rooms/account"
	"wenzhen.example/rooms/chat"
	"wenzhen.example/rooms/consultation"
	"wenzhen.example/server/e2e"
)

// attack is one way to do harm. A round does it and tells what was answered
// otherwise than it must be; the next begins some time after it.
//
// The paces are those of an attacker with a line of some ten megabits and one
// machine, which are a thousand packets a second: both cores are shared by
// attackers, honest clients and the server, and an attacker that used them up
// would slow the honest clients down and say nothing about the server.
type attack struct {
	name  string
	every time.Duration
	once  bool // one round is all
	round func(ctx context.Context) error
}

const (
	newcomers = time.Millisecond       // between two connections
	trickle   = 500 * time.Millisecond // between two bytes of who pretends to be slow
	packets   = time.Millisecond       // between two packets of a flood
	batch     = 10                     // sent at once, so that a flood's pace is a tenth of a timer's
)

// Networks that the attacks come from; 1 is that of the honest.
const (
	fromHeaders byte = 100 + iota
	fromBodies
	fromIdle
	fromCrowd
	fromUnread
	fromFlood
	fromFrames
	fromFiles
	fromForgers
	fromElsewhere
)

func (s *siege) attacks() []attack {
	return []attack{
		{"headers that never end", time.Second, false, s.slowHeaders},
		{"bodies that never end", time.Second, false, s.slowBodies},
		{"idle handshakes", 0, true, s.idleHandshakes},
		{"a crowd from one address", 0, true, s.crowded},
		{"an answer that nobody reads", 0, true, s.unreadAnswer},
		{"a socket that nobody reads", time.Second, false, s.unreadSocket},
		{"flood of commands with ids", time.Second, false, s.commandFlood},
		{"flood of acknowledgements", time.Second, false, s.ackFlood},
		{"flood of namespaces", time.Second, false, s.namespaceFlood},
		{"frames that are none", 500 * time.Millisecond, false, s.badFrames},
		{"compressed bombs", time.Second, false, s.bombs},
		{"path traversal", time.Second, false, s.traversal},
		{"files with script", 30 * time.Second, false, s.scripts}, // more often, and they are too many
		{"header injection", time.Second, false, s.injection},
		{"sockets of other sites", time.Second, false, s.otherSites},
		{"forged tokens", time.Second, false, s.forgedTokens},
		{"guessed sessions", time.Second, false, s.guessedSessions},
	}
}

// malice is what those have who mean harm: accounts, as anyone can get them.
type malice struct {
	mallory, craig *e2e.Person     // who consult each other; craig alone floods
	id             consultation.ID // with much in it
	much           chat.Attachment // a file that no buffer holds
}

func (s *siege) prepare() {
	there := s.World.From(address(fromUnread, 0))
	s.malice = malice{mallory: there.Patient("mallory"), craig: there.Doctor("craig")}
	s.id = s.mallory.Consults(s.craig, "none")
	s.craig.Accepts(s.id)
	for range 50 {
		s.mallory.Says(s.id, strings.Repeat("much ", 2000))
	}
	s.much = s.mallory.Uploads(s.id, "much.txt", bytes.Repeat([]byte("much "), 3_200_000))
}

func loginOf(p *e2e.Person) account.LoginInput {
	return account.LoginInput{Email: p.User.Email, Password: e2e.Password}
}

// knock opens a connection that nothing is said on yet.
func (s *siege) knock(ctx context.Context, ip net.IP) (net.Conn, error) {
	conn, err := e2e.DialerFrom(ip).DialContext(ctx, "tcp", s.process.Addr)
	if err == nil {
		err = conn.SetDeadline(time.Now().Add(2 * e2e.Patience))
	}
	return conn, err
}

// again tries something several times: while many connections wait, one that
// asks for something on a machine without time may have to make room as well.
func again(f func() error) (err error) {
	for range 5 {
		if err = f(); err == nil {
			return nil
		}
	}
	return err
}

// cutOff reads until the server has closed a connection.
func cutOff(conn net.Conn) ([]byte, error) {
	said, err := io.ReadAll(conn)
	var late net.Error
	if errors.As(err, &late) && late.Timeout() {
		return said, errors.New("the connection was never closed")
	}
	return said, nil // a reset is an end, too
}

// drip sends something again and again until the connection is closed, and
// gives what came back.
func drip(ctx context.Context, conn net.Conn, drop string) ([]byte, error) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	go func() {
		for ctx.Err() == nil {
			if _, err := io.WriteString(conn, drop); err != nil {
				return
			}
			pause(ctx, trickle)
		}
	}()
	return cutOff(conn)
}

// slowHeaders: the server closes within its ten seconds, answering nothing.
func (s *siege) slowHeaders(ctx context.Context) error {
	return together(20, func(n int) error {
		conn, err := s.knock(ctx, address(fromHeaders, n))
		if err != nil {
			return err
		}
		defer conn.Close()
		_, _ = io.WriteString(conn, "GET /api/v1/config HTTP/1.1\r\nHost: wenzhen\r\n") // it may have been closed already
		said, err := drip(ctx, conn, "X-More: x\r\n")
		if err == nil && len(said) > 0 {
			err = fmt.Errorf("answered %.200s", said)
		}
		return err
	})
}

// slowBodies checks that a request whose body does not arrive in time is
// answered then, whichever handler reads the body, and that a WebSocket message
// that does not end in time closes the socket.
func (s *siege) slowBodies(ctx context.Context) error {
	requests := []struct{ head, drop, want string }{
		{"POST /api/v1/auth/login HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n", " ", "HTTP/1.1 400 "},
		{"POST /api/v1/auth/login HTTP/1.1\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n", "1\r\n \r\n", "HTTP/1.1 400 "},
		{"POST /api/v1/me HTTP/1.1\r\nContent-Length: 1000\r\n\r\n", " ", "HTTP/1.1 405 "},            // refused unread
		{"GET /api/v1/config HTTP/1.1\r\nContent-Length: 1000\r\n\r\n", " ", "HTTP/1.1 200 "},         // answered unread
		{"GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nContent-Length: 1000\r\n\r\n", " ", ""}, // here it may be too late for the answer
		{upgradeRequest + "\x81\xe4\x00\x00\x00\x0042", "3", "HTTP/1.1 101 "},                         // of a message of 100 bytes come two
	}
	return together(len(requests), func(n int) error {
		return again(func() error {
			conn, err := s.knock(ctx, address(fromBodies, n))
			if err != nil {
				return err
			}
			defer conn.Close()
			r := requests[n]
			if _, err := io.WriteString(conn, strings.Replace(r.head, "\r\n", "\r\nHost: wenzhen\r\n", 1)); err != nil {
				return err
			}
			said, err := drip(ctx, conn, r.drop)
			if err == nil && !strings.HasPrefix(string(said), r.want) {
				err = fmt.Errorf("%.60s: answered %.200q", r.head, said)
			}
			return err
		})
	})
}

// upgradeRequest asks for a WebSocket.
const upgradeRequest = "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
	"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"

// together does something several times at once and gives the first failure.
func together(times int, f func(n int) error) error {
	failures := make([]error, times)
	var all sync.WaitGroup
	for n := range times {
		all.Go(func() { failures[n] = f(n) })
	}
	all.Wait()
	for _, err := range failures {
		if err != nil {
			return err
		}
	}
	return nil
}

// idleHandshakes: half say nothing at all, half have a WebSocket and join no
// namespace. They come from many addresses, each of which stays below its
// limit. All of them are closed.
func (s *siege) idleHandshakes(ctx context.Context) error {
	addresses := s.idle/s.perAddress + 1
	conns := make([]net.Conn, 0, s.idle)
	defer func() {
		for _, conn := range conns {
			_ = conn.Close()
		}
	}()
	for n := range s.idle {
		conn, err := s.knock(ctx, address(fromIdle, n%addresses))
		if err != nil {
			return err
		}
		conns = append(conns, conn)
		if n%2 == 0 {
			_, _ = io.WriteString(conn, strings.Replace(upgradeRequest, "\r\n", "\r\nHost: wenzhen\r\n", 1)) // it may have had to make room
		}
		pause(ctx, newcomers)
	}
	upgraded := 0
	for n, conn := range conns {
		if err := conn.SetDeadline(time.Now().Add(2 * e2e.Patience)); err != nil {
			return err
		}
		said, err := cutOff(conn)
		switch {
		case err != nil:
			return err
		case n%2 == 0 && bytes.HasPrefix(said, []byte("HTTP/1.1 101 ")):
			upgraded++
		case len(said) > 0:
			return fmt.Errorf("connection %d was answered %.100q", n, said)
		}
	}
	if upgraded == 0 {
		return errors.New("no handshake was answered")
	}
	return nil
}

// crowded checks that the limit of sockets per address refuses further ones
// with 429, and that another address can still connect.
func (s *siege) crowded(ctx context.Context) error {
	in, out := 0, 0
	for range s.crowd {
		ws, answer, err := s.socket(ctx, address(fromCrowd, 0), nil)
		switch {
		case err == nil:
			in++
			defer ws.Close()
		case answer != nil && answer.StatusCode == http.StatusTooManyRequests && answer.Header.Get("Retry-After") != "":
			out++
		default:
			return fmt.Errorf("answered %v: %w", answer, err)
		}
		pause(ctx, newcomers)
	}
	s.refused.Store(int64(out))
	if in < s.perAddress || out == 0 {
		return fmt.Errorf("%d were let in and %d refused, the limit is %d", in, out, s.perAddress)
	}
	ws, _, err := s.socket(ctx, address(fromCrowd, 1), nil)
	if err != nil {
		return fmt.Errorf("another address: %w", err)
	}
	return ws.Close()
}

// socket opens a WebSocket from an address.
func (s *siege) socket(ctx context.Context, ip net.IP, header http.Header) (*websocket.Conn, *http.Response, error) {
	return s.webSocket(ctx, ip, "/socket.io/?EIO=4&transport=websocket", header)
}

func (s *siege) webSocket(ctx context.Context, ip net.IP, path string, header http.Header) (ws *websocket.Conn, answer *http.Response, err error) {
	dialer := websocket.Dialer{NetDialContext: e2e.DialerFrom(ip).DialContext, HandshakeTimeout: e2e.Patience, EnableCompression: true} // which is not agreed to
	err = again(func() error {
		ws, answer, err = dialer.DialContext(ctx, strings.Replace(s.Base, "http", "ws", 1)+path, header)
		if answer != nil { // whatever it says
			return nil
		}
		return err
	})
	if ws == nil {
		return nil, answer, cmp.Or(err, websocket.ErrBadHandshake)
	}
	return ws, answer, ws.SetReadDeadline(time.Now().Add(2 * e2e.Patience))
}

// joinedAs is a socket that has joined a namespace as someone.
func (s *siege) joinedAs(ctx context.Context, who *e2e.Person, ip net.IP) (*websocket.Conn, error) {
	token, err := who.AccessToken(ctx)
	if err != nil {
		return nil, err
	}
	ws, _, err := s.socket(ctx, ip, nil)
	if err != nil {
		return nil, err
	}
	if err := say(ws, fmt.Sprintf(`40/consultations,{"token":%q}`, token)); err != nil {
		return nil, errors.Join(err, ws.Close())
	}
	if _, err := hear(ws, "40/consultations,"); err != nil {
		return nil, errors.Join(err, ws.Close())
	}
	return ws, nil
}

func say(ws *websocket.Conn, packet string) error {
	return ws.WriteMessage(websocket.TextMessage, []byte(packet))
}

// hear reads until a packet that begins so; pings are answered.
func hear(ws *websocket.Conn, prefix string) (string, error) {
	for {
		_, packet, err := ws.ReadMessage()
		switch {
		case err != nil:
			return "", err
		case string(packet) == "2":
			if err := say(ws, "3"); err != nil {
				return "", err
			}
		case strings.HasPrefix(string(packet), prefix):
			return string(packet), nil
		}
	}
}

// closing reads until the server closes, and gives the code.
func closing(ws *websocket.Conn) (int, error) {
	_, err := hear(ws, "\x00 nothing begins so")
	var end *websocket.CloseError
	if errors.As(err, &end) {
		return end.Code, nil
	}
	return 0, fmt.Errorf("not closed with a code: %w", err)
}

// unreadSocket asks again and again for a long history and reads none of it.
func (s *siege) unreadSocket(ctx context.Context) error {
	ws, err := s.joinedAs(ctx, s.mallory, address(fromUnread, 1))
	if err != nil {
		return err
	}
	defer ws.Close()
	if tcp, ok := ws.NetConn().(*net.TCPConn); ok {
		if err := tcp.SetReadBuffer(4 << 10); err != nil {
			return err
		}
	}
	cut := s.Metrics()["wenzhen_slow_readers_cut_total"]
	for n := range 100 { // 50 MB, of which a server keeps one, and its machine a few
		if say(ws, fmt.Sprintf(`42/consultations,%d["consultation:join",{"consultationId":%q,"after":0}]`, n, s.id)) != nil {
			break // cut
		}
		pause(ctx, batch*packets)
	}
	for end := time.Now().Add(2 * e2e.Patience); s.Metrics()["wenzhen_slow_readers_cut_total"] == cut; pause(ctx, 100*time.Millisecond) {
		if time.Now().After(end) || ctx.Err() != nil {
			return errors.New("who does not read was never cut")
		}
	}
	return nil
}

// unreadAnswer asks for all but the first byte of a long file, as nobody else
// does, and reads none of it: its request ends all the same.
func (s *siege) unreadAnswer(ctx context.Context) error {
	token, err := s.mallory.AccessToken(ctx)
	if err != nil {
		return err
	}
	const series = `wenzhen_http_requests_total{method="GET",route="/api/v1/attachments/:attachmentId",status="206"}`
	before := s.Metrics()[series]
	const readers = 5
	for n := range readers {
		err := again(func() error {
			conn, err := s.knock(ctx, address(fromUnread, 2+n))
			if err != nil {
				return err
			}
			s.T.Cleanup(func() { conn.Close() })
			if err := conn.(*net.TCPConn).SetReadBuffer(4 << 10); err != nil {
				return err
			}
			_, err = fmt.Fprintf(conn, "GET /api/v1/attachments/%s HTTP/1.1\r\nHost: wenzhen\r\nAuthorization: Bearer %s\r\nRange: bytes=1-\r\n\r\n", s.much.ID, token)
			if err == nil {
				_, err = io.ReadFull(conn, make([]byte, len("HTTP/1.1 206 Partial Content")))
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	for end := time.Now().Add(4 * e2e.Patience); s.Metrics()[series] < before+readers; pause(ctx, 100*time.Millisecond) {
		if time.Now().After(end) || ctx.Err() != nil {
			return errors.New("the requests never ended")
		}
	}
	return nil
}
