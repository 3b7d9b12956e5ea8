package hostile_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/gorilla/websocket"

	"wenzhen.example/rooms"
	"wenzhen.example/server/e2e"
)

// floodSize is how many packets a flood has.
const floodSize = 1000

// commandFlood: each command is answered, and most are refused; with ids as
// large as there are.
func (s *siege) commandFlood(ctx context.Context) error {
	ws, err := s.joinedAs(ctx, s.craig, address(fromFlood, 0))
	if err != nil {
		return err
	}
	defer ws.Close()
	const ids = 999_999_999_999_000_000
	sent := make(chan error, 1)
	go func() {
		for n := range floodSize {
			if err := say(ws, fmt.Sprintf(`42/consultations,%d["typing:start",{"consultationId":%q}]`, ids+n, s.id)); err != nil {
				sent <- err
				return
			}
			if n%batch == 0 {
				pause(ctx, batch*packets)
			}
		}
		sent <- nil
	}()
	refused := 0
	for n := range floodSize {
		packet, err := answerOf(ws, fmt.Sprintf("43/consultations,%d", ids+n))
		if err != nil {
			return err
		}
		var replies []e2e.Reply
		if err := json.Unmarshal([]byte(packet), &replies); err != nil || len(replies) != 1 {
			return fmt.Errorf("answered %s", packet)
		}
		if e := replies[0].Error; e != nil && e.Code == rooms.CodeRateLimited {
			refused++
		} else if e != nil {
			return e
		}
	}
	if refused == 0 {
		return errors.New("none was refused")
	}
	return <-sent
}

// answerOf is hear, without what it begins with. Pings are left to the reader:
// somebody else writes.
func answerOf(ws *websocket.Conn, prefix string) (string, error) {
	for {
		_, packet, err := ws.ReadMessage()
		if err != nil {
			return "", err
		}
		if rest, ok := strings.CutPrefix(string(packet), prefix); ok {
			return rest, nil
		}
	}
}

// ackFlood: acknowledgements that nobody waits for change nothing.
func (s *siege) ackFlood(ctx context.Context) error {
	ws, err := s.joinedAs(ctx, s.mallory, address(fromFlood, 1))
	if err != nil {
		return err
	}
	defer ws.Close()
	for n := range floodSize {
		if err := say(ws, fmt.Sprintf(`43/consultations,%d[{"ok":true}]`, n)); err != nil {
			return err
		}
		if n%batch == 0 {
			pause(ctx, batch*packets)
		}
	}
	if err := say(ws, fmt.Sprintf(`42/consultations,1["consultation:leave",{"consultationId":%q}]`, s.id)); err != nil {
		return err
	}
	_, err = hear(ws, `43/consultations,1[{"ok":true`)
	return err
}

// namespaceFlood: each is refused, none is remembered, and past the limit the
// connection is closed.
func (s *siege) namespaceFlood(ctx context.Context) error {
	ws, _, err := s.socket(ctx, address(fromFlood, 2), nil)
	if err != nil {
		return err
	}
	defer ws.Close()
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		for n := range floodSize {
			if say(ws, fmt.Sprintf("40/namespace-%d-%s,", n, strings.Repeat("x", n%200))) != nil {
				return // closed
			}
			if n%batch == 0 {
				pause(ctx, batch*packets)
			}
		}
	}()
	var closed error
	for closed == nil {
		var packet []byte
		_, packet, closed = ws.ReadMessage() // pings are not answered: the other goroutine writes
		if bytes.HasPrefix(packet, []byte("4")) && !bytes.HasSuffix(packet, []byte(`,{"message":"Invalid namespace"}`)) {
			return fmt.Errorf("a namespace is answered with %q", packet)
		}
	}
	ws.Close()
	<-sent
	if !websocket.IsCloseError(closed, websocket.ClosePolicyViolation) {
		return fmt.Errorf("a flood of namespaces ends with %w", closed)
	}
	return nil
}

// badFrames cost their sender the connection, with a code that says why.
var badFrames = []struct {
	name, text string
	then       []byte // a binary frame
	code       int
}{
	{"a million attachments", `45999999-/consultations,["a"]`, nil, 1007},
	{"a number of attachments beyond all", `45999999999999999999999-/consultations,["a"]`, nil, 1007},
	{"more than fits together", `451-/consultations,["a",{"_placeholder":true,"num":0}]`, make([]byte, 1_000_000), 1007},
	{"an attachment without a placeholder", `42/consultations,1["typing:stop",{}]`, []byte{1}, 1007},
	{"a payload that is no array", `42/consultations,99999999999999999999999{"typing:stop":{}}`, nil, 1007},
	{"an acknowledgement without an id", `43/consultations,[]`, nil, 1007},
	{"the same namespace twice", `40/consultations,{}`, nil, 1007},
	{"a namespace without an end", `40/` + strings.Repeat("x", 1000) + `,`, nil, 1007},
	{"too deep", `42/consultations,1["a",` + strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000) + `]`, nil, 1007},
	{"no payload", `42`, nil, 1007},
}

func (s *siege) badFrames(ctx context.Context) error {
	for n, c := range badFrames {
		ws, err := s.joinedAs(ctx, s.mallory, address(fromFrames, n))
		if err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
		err = say(ws, c.text)
		if err == nil && c.then != nil {
			err = ws.WriteMessage(websocket.BinaryMessage, c.then)
		}
		if err == nil {
			var code int
			if code, err = closing(ws); err == nil && code != c.code {
				err = fmt.Errorf("closed with %d", code)
			}
		}
		_ = ws.Close() // it is closed
		if err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
	}
	return nil
}

// bombs: nothing is ever inflated. Compression is not agreed to, a frame that
// is compressed all the same closes with 1002, and a body is taken as it came.
func (s *siege) bombs(ctx context.Context) error {
	ws, answer, err := s.socket(ctx, address(fromFrames, 100), nil)
	if err != nil {
		return err
	}
	defer ws.Close()
	if agreed := answer.Header.Get("Sec-Websocket-Extensions"); agreed != "" {
		return fmt.Errorf("it agrees to %q", agreed)
	}
	if _, err := ws.NetConn().Write([]byte{0xC1, 0x85, 0, 0, 0, 0, 'b', 'o', 'm', 'b', '!'}); err != nil {
		return err
	}
	if code, err := closing(ws); err != nil || code != websocket.CloseProtocolError {
		return fmt.Errorf("closed with %d, %w", code, err)
	}
	for _, path := range []string{"/api/v1/auth/login", "/socket.io/?EIO=4&transport=polling&sid="} {
		there := s.World.From(address(fromFrames, 101))
		if strings.HasSuffix(path, "sid=") {
			sid, err := sid(there, ctx)
			if err != nil {
				return err
			}
			path += sid
		}
		a, err := insists(there, ctx, "POST", path, bomb, "Content-Type", "application/json", "Content-Encoding", "gzip")
		if err != nil {
			return err
		}
		if a.Status != http.StatusBadRequest {
			return fmt.Errorf("%s answers a compressed body %d %.100s", path, a.Status, a.Body)
		}
	}
	return nil
}

// bomb is ten megabytes in ten kilobytes.
var bomb = func() string {
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, _ = w.Write(make([]byte, 10<<20)) // to memory: it does not fail
	_ = w.Close()
	return packed.String()
}()
