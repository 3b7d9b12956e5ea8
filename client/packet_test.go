package client

import (
	"bytes"
	"encoding/json"
	"strconv"
	"testing"
	"time"

	"wenzhen.example/rooms"
)

func TestParsePacket(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]packet{
		`0/consultations,{"sid":"x"}`:       {kind: kindConnect, namespace: "/consultations", body: []byte(`{"sid":"x"}`)},
		`2/consultations,["a",{"b":","}]`:   {kind: kindEvent, namespace: "/consultations", body: []byte(`["a",{"b":","}]`)},
		`3/consultations,12[{"ok":true}]`:   {kind: kindAck, namespace: "/consultations", id: 12, hasID: true, body: []byte(`[{"ok":true}]`)},
		`1/consultations,`:                  {kind: kindDisconnect, namespace: "/consultations", body: []byte{}},
		`2["a"]`:                            {kind: kindEvent, namespace: "/", body: []byte(`["a"]`)},
		`4/consultations,{"message":"why"}`: {kind: kindConnectError, namespace: "/consultations", body: []byte(`{"message":"why"}`)},
	} {
		got, err := parsePacket([]byte(text))
		if err != nil || !got.equal(want) {
			t.Errorf("%s: got %+v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "9", "51-[]", "x", `3/consultations,99999999999999999999[]`} {
		if got, err := parsePacket([]byte(text)); err == nil {
			t.Errorf("%q is %+v", text, got)
		}
	}
}

// equal reports whether two packets are the same.
func (p packet) equal(q packet) bool {
	return p.kind == q.kind && p.namespace == q.namespace && p.id == q.id && p.hasID == q.hasID && bytes.Equal(p.body, q.body)
}

// FuzzPacket checks that packets survive encoding and decoding, that the data of an
// event is JSON, and that an error has a code.
func FuzzPacket(f *testing.F) {
	for _, seed := range []string{`2/consultations,["a",{"b":1}]`, `3/consultations,1[{"ok":true,"data":{}}]`,
		`3/x,1[{"ok":false}]`, `3/x,1[{"ok":false,"error":{}}]`, `4/c,{}`, `2[]`, `2[1]`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := parsePacket(text)
		if err != nil {
			return
		}
		written := append([]byte{p.kind}, p.namespace+","...)
		if p.hasID {
			written = strconv.AppendUint(written, p.id, 10)
		}
		written = append(written, p.body...)
		if again, err := parsePacket(written); err != nil || !again.equal(p) {
			t.Errorf("%q is %+v, and encoded and decoded %+v, %v", text, p, again, err)
		}
		switch p.kind {
		case kindEvent:
			if _, data, err := splitEvent(p.body); err == nil && (!json.Valid(p.body) || len(data) > 0 && !json.Valid(data)) {
				t.Errorf("%q is accepted as an event", text)
			}
		case kindAck:
			if _, err := parseAnswer(p.body); err != nil && rooms.CodeOf(err) == "" {
				t.Errorf("%q: an error without a code: %v", text, err)
			}
		}
	})
}

func TestBackoffGrowsToItsMaximum(t *testing.T) {
	t.Parallel()
	b := backoff{first: 100 * time.Millisecond, most: time.Second}
	for i, most := range []time.Duration{100, 200, 400, 800, 1000, 1000} {
		most *= time.Millisecond
		if d := b.next(); d < most/2 || d > most {
			t.Errorf("pause %d is %v, want %v to %v", i, d, most/2, most)
		}
	}
	for range 100 {
		if d := b.next(); d > time.Second {
			t.Fatalf("pause of %v", d)
		}
	}
	b.reset()
	if d := b.next(); d > 100*time.Millisecond {
		t.Errorf("after a reset %v", d)
	}
}
