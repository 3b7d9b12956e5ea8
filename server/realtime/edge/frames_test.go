package edge

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// rawDial opens a WebSocket session, reads its OPEN packet and returns the TCP
// connection.
func rawDial(t testing.TB, v *served) (net.Conn, *bufio.Reader) {
	t.Helper()
	conn, err := net.Dial("tcp", v.http.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	fmt.Fprintf(conn, "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: x\r\nConnection: keep-alive, Upgrade\r\n"+
		"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
	conn.SetReadDeadline(time.Now().Add(patience))
	r := bufio.NewReader(conn)
	response, err := http.ReadResponse(r, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := response.Header.Get("Sec-WebSocket-Accept"); got != "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" {
		t.Fatalf("accept key %q", got)
	}
	readFrame(t, r)
	return conn, r
}

// readFrame reads a short frame from the server.
func readFrame(t testing.TB, r io.Reader) (op byte, payload []byte) {
	t.Helper()
	var head [2]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		t.Fatal(err)
	}
	payload = make([]byte, head[1])
	if _, err := io.ReadFull(r, payload); err != nil {
		t.Fatal(err)
	}
	return head[0] & 0x0F, payload
}

// masked returns a client's frame.
func masked(first byte, payload string) []byte {
	f := []byte{first, 0x80 | byte(len(payload)), 'a', 'b', 'c', 'd'}
	for i := range len(payload) {
		f = append(f, payload[i]^"abcd"[i&3])
	}
	return f
}

func TestFrameViolations(t *testing.T) {
	t.Parallel()
	v := serve(t, Config{MaxPayload: 1000}, handler{event: echo})
	for name, c := range map[string]struct {
		bytes []byte
		code  uint16
	}{
		"not masked":              {[]byte{0x81, 1, '3'}, closeProtocol},
		"compressed":              {masked(0xC1, "x"), closeProtocol},
		"unknown opcode":          {masked(0x83, "x"), closeProtocol},
		"unknown control":         {masked(0x8B, "x"), closeProtocol},
		"fragmented control":      {masked(0x09, "x"), closeProtocol},
		"long control":            {[]byte{0x89, 0xFE, 1, 0, 0, 0, 0, 0}, closeProtocol},
		"continues nothing":       {masked(0x80, "x"), closeProtocol},
		"begins within a message": {append(masked(0x01, "4"), masked(0x81, "x")...), closeProtocol},
		"too big":                 {[]byte{0x81, 0xFE, 0x03, 0xE9, 0, 0, 0, 0}, closeTooBig},
		"enormous":                {[]byte{0x82, 0xFF, 0xFF, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, closeTooBig},
		"too big in fragments":    {append(masked(0x01, "4"), 0x80, 0xFE, 0x03, 0xE8, 0, 0, 0, 0), closeTooBig},
		"invalid UTF-8":           {masked(0x81, "4\xff"), closeInvalid},
		"empty packet":            {masked(0x81, ""), closeInvalid},
		"unknown packet":          {masked(0x81, "9"), closeInvalid},
		"closing code":            {masked(0x88, "\x03\xe9bye"), closeGoingAway},
		"closing without code":    {masked(0x88, ""), closeNoStatus},
		"closing with bad code":   {masked(0x88, "\x03\xed"), closeProtocol},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn, r := rawDial(t, v)
			conn.Write(c.bytes)
			op, payload := readFrame(t, r)
			code := uint16(closeNoStatus)
			if len(payload) >= 2 {
				code = binary.BigEndian.Uint16(payload)
			}
			if op != opClose || code != c.code {
				t.Fatalf("opcode %d, code %d, want %d", op, code, c.code)
			}
			if len(payload) > 2 {
				t.Errorf("the reason is %q", payload[2:])
			}
			if c.code != closeTooBig {
				// The server must close; a client that still sends may get a reset.
				if n, err := r.Read(make([]byte, 1)); n > 0 || err == nil {
					t.Fatal("something was sent after the closing frame")
				}
			}
		})
	}
}

func TestFragmentsAndControlFramesBetween(t *testing.T) {
	t.Parallel()
	v := serve(t, Config{}, handler{event: echo})
	conn, r := rawDial(t, v)
	var in bytes.Buffer
	conn.Write(masked(0x81, "40"))
	readFrame(t, r)
	in.Write(masked(0x01, `421["a`))
	in.Write(masked(0x89, "are you there"))
	in.Write(masked(0x00, `bc"`))
	in.Write(masked(0x8A, "unasked"))
	in.Write(masked(0x80, `,2]`))
	for _, b := range in.Bytes() { // one byte at a time
		conn.Write([]byte{b})
	}
	got := map[byte][]string{}
	for len(got[opText]) < 1 || len(got[opPong]) < 1 {
		op, payload := readFrame(t, r)
		got[op] = append(got[op], string(payload))
	}
	if got[opPong][0] != "are you there" {
		t.Fatal(got)
	}
}

func TestLongMessagesOfEveryLength(t *testing.T) {
	t.Parallel()
	v := serve(t, Config{}, handler{event: echo})
	c := v.join()
	for _, n := range []int{0, 1, 110, 120, 125, 126, 127, 4000, 4090, 4096, 5000, 16_000, 16_384, 16_385,
		65_000, 65_535, 65_536, 70_000, 900_000} {
		text := strings.Repeat("é", n/2) + strings.Repeat("x", n%2)
		c.send(`421["a","` + text + `"]`)
		c.expect(`431["` + text + `"]`)
		data := bytes.Repeat([]byte{byte(n)}, n)
		c.send(`451-2["a",{"_placeholder":true,"num":0}]`)
		c.sendBinary(data)
		c.expect(`461-2[{"_placeholder":true,"num":0}]`)
		c.expect(string(data))
	}
}

// TestTLS tests the writer goroutine, which writes everything on TLS.
func TestTLS(t *testing.T) {
	t.Parallel()
	v := serve(t, Config{}, handler{event: echo})
	secure := httptest.NewTLSServer(v.edge)
	defer secure.Close()
	dialer := websocket.Dialer{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	conn, _, err := dialer.Dial(strings.Replace(secure.URL, "http", "ws", 1)+"/socket.io/?EIO=4&transport=websocket", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	c := &wsClient{t: t, conn: conn}
	c.next()
	c.send("40")
	c.next()
	for i := range 500 {
		c.send(fmt.Sprintf(`42%d["a",%d]`, i, i))
	}
	for i := range 500 {
		c.expect(fmt.Sprintf(`43%d[%d]`, i, i))
	}
	text := strings.Repeat("x", 300_000)
	c.send(`421["a","` + text + `"]`)
	c.expect(`431["` + text + `"]`)
}
