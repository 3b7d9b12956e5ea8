package edge

import (
	"bytes"
	"encoding/json"
	"net"
	"reflect"
	"testing"
	"time"
)

// FuzzParsePacket checks that the parser does not panic, and that what it accepts
// is valid.
func FuzzParsePacket(f *testing.F) {
	for _, seed := range []string{"", "0", "40", "2", `2["a"]`, `2/n,7["a",{"b":[1,"]"]}]`, `51-["a",{"_placeholder":true,"num":0}]`,
		`312[]`, `2["\u0061" , 1 ]`, "450-", `2["connect"]`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := parsePacket(text, 10)
		if err != nil {
			return
		}
		if p.attachments > 10 {
			t.Fatalf("%d attachments", p.attachments)
		}
		if len(p.body) > 0 && !json.Valid(p.body) {
			t.Fatalf("invalid body %q", p.body)
		}
		placeholdersFit(p.body, p.attachments)
		if p.kind != kindEvent && p.kind != kindBinaryEvent {
			return
		}
		name, args, err := splitEvent(p.body, nil)
		if err != nil {
			return
		}
		var whole []any
		if err := readJSON(p.body, &whole); err != nil {
			t.Fatal(err)
		}
		parts := []any{name}
		for _, arg := range args {
			var part any
			if err := readJSON(arg.JSON, &part); err != nil {
				t.Fatalf("argument %q of %q: %v", arg.JSON, p.body, err)
			}
			parts = append(parts, part)
		}
		if number, ok := whole[0].(json.Number); ok { // its digits are the name
			whole[0] = number.String()
		}
		if whole[0] == name && !reflect.DeepEqual(whole, parts) {
			t.Fatalf("%q was split into %q", whole, parts)
		}
	})
}

// readJSON keeps the digits of numbers: some are too large for Go's types.
func readJSON(text []byte, v any) error {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	return dec.Decode(v)
}

// FuzzPayload checks that a polling body is read without a panic, and that its
// packets survive encoding and decoding.
func FuzzPayload(f *testing.F) {
	for _, seed := range []string{"", "4a", "4a\x1e3\x1ebAQID", "\x1e", "b", "b=", "4a\x1e"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var frames []frame
		rest := body
		for more := true; more; {
			var data []byte
			var binary bool
			var err error
			data, binary, rest, more, err = nextPacket(rest)
			if err != nil {
				return
			}
			if binary {
				frames = append(frames, binaryFrame(data))
			} else {
				frames = append(frames, textFrame(string(data)))
			}
		}
		again := appendPayload(nil, frames)
		for i := 0; ; i++ {
			data, binary, tail, more, err := nextPacket(again)
			if err != nil || binary != frames[i].binary || !bytes.Equal(data, frames[i].payload()) {
				t.Fatalf("packet %d of %q was decoded as %q (%v)", i, body, data, err)
			}
			if again = tail; !more {
				break
			}
		}
	})
}

// FuzzFrameReader checks that any bytes are either messages within the limits or
// an error.
func FuzzFrameReader(f *testing.F) {
	f.Add([]byte("\x81\x81abcd\x31"))
	f.Add([]byte("\x01\x81abcd1\x80\x81abcd2"))
	f.Add([]byte("\x89\x80abcd\x88\x82abcd\x03\xe8"))
	f.Add([]byte("\x82\xfe\x01\x00abcd"))
	f.Add([]byte("\x82\xff\x00\x00\x00\x00\x00\x01\x00\x00abcd"))
	f.Add([]byte("\xc1\x81abcd\x31"))
	f.Fuzz(func(t *testing.T, data []byte) {
		const limit = 1000
		r := newFrameReader(&bytesConn{Reader: bytes.NewReader(data)}, limit, time.Minute)
		for {
			_, payload, err := r.next()
			if err != nil {
				return
			}
			if len(payload) > limit {
				t.Fatalf("a message of %d bytes", len(payload))
			}
		}
	})
}

// bytesConn is a connection from which fixed bytes are read.
type bytesConn struct {
	net.Conn
	*bytes.Reader
}

func (c *bytesConn) Read(p []byte) (int, error)      { return c.Reader.Read(p) }
func (c *bytesConn) Write(p []byte) (int, error)     { return len(p), nil }
func (c *bytesConn) SetReadDeadline(time.Time) error { return nil }
