package cluster

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/vmihailenco/msgpack/v5"

	"wenzhen.example/rooms"
)

// The channels of @socket.io/redis-adapter with its default key.
func packetChannel(namespace, room string) string {
	if room != "" {
		room += "#"
	}
	return "socket.io#" + namespace + "#" + room
}

func requestChannel(namespace string) string  { return "socket.io-request#" + namespace + "#" }
func responseChannel(namespace string) string { return "socket.io-response#" + namespace + "#" }

// packet is the packet of a broadcast: an EVENT (2) of Socket.IO.
type packet struct {
	Type int    `msgpack:"type"`
	Data []any  `msgpack:"data"`
	NSP  string `msgpack:"nsp"`
}

const eventType = 2

// audience selects the sockets of a broadcast or a request.
type audience struct {
	Rooms  []any          `msgpack:"rooms" json:"rooms"`
	Except []any          `msgpack:"except" json:"except"`
	Flags  map[string]any `msgpack:"flags" json:"-"`
}

// names returns rooms as strings: in some programs they are numbers.
func names(list []any) []string {
	var rooms []string
	for _, v := range list {
		rooms = append(rooms, fmt.Sprint(v))
	}
	return rooms
}

// Signal publishes a signal of this node to the other nodes and to programs
// that use Socket.IO's Redis adapter. It does not block.
func (n *Node) Signal(s rooms.Signal) {
	namespace := s.Namespace
	if namespace == "" {
		namespace = rooms.Consultations
	}
	var data any
	if err := json.Unmarshal(s.Data, &data); err != nil {
		n.cfg.Log.Error("redis: a signal is not JSON", "event", s.Name, "error", err)
		return
	}
	payload, err := msgpack.Marshal([]any{n.id, packet{Type: eventType, Data: []any{s.Name, data}, NSP: namespace},
		audience{Rooms: []any{string(s.Room)}, Except: []any{}, Flags: map[string]any{}}})
	if err != nil {
		n.cfg.Log.Error("redis: a signal cannot be encoded", "event", s.Name, "error", err)
		return
	}
	n.enqueue(packetChannel(namespace, string(s.Room)), payload)
}

// handlePacket emits an event of another node or program to the sockets of this
// node.
func (n *Node) handlePacket(channel string, payload []byte) {
	sender, p, to, err := decodePacket(payload)
	if err != nil {
		n.cfg.Log.Warn("redis: not a packet", "channel", channel, "error", err)
		return
	}
	if sender == n.id || len(p.Data) == 0 {
		return
	}
	event, ok := p.Data[0].(string)
	if !ok || !strings.HasPrefix(channel, packetChannel(p.NSP, "")) {
		return
	}
	if err := n.local.Emit(p.NSP, names(to.Rooms), names(to.Except), event, p.Data[1:]...); err != nil {
		n.cfg.Log.Warn("redis: a packet cannot be emitted", "event", event, "error", err)
	}
}

// packetMost bounds the bytes of a packet.
const packetMost = 16 << 20

func decodePacket(payload []byte) (sender string, p packet, to audience, err error) {
	extensions()
	if len(payload) > packetMost {
		return "", p, to, fmt.Errorf("%d bytes", len(payload))
	}
	dec := msgpack.NewDecoder(bytes.NewReader(payload))
	dec.UseLooseInterfaceDecoding(true)
	size, err := dec.DecodeArrayLen()
	if err != nil {
		return "", p, to, err
	}
	if size != 3 {
		return "", p, to, fmt.Errorf("%d parts, not 3", size)
	}
	if sender, err = dec.DecodeString(); err == nil {
		err = dec.Decode(&p)
	}
	if err == nil {
		err = dec.Decode(&to)
	}
	if p.NSP == "" {
		p.NSP = "/"
	}
	return sender, p, to, err
}

// extensions registers the extensions of notepack, the encoder of Node.js
// programs: 0 is undefined if it has one byte, and a date in milliseconds if it
// has eight.
var extensions = sync.OnceFunc(func() { msgpack.RegisterExt(0, (*notepackValue)(nil)) })

// notepackValue is a value for which JSON has no type.
type notepackValue struct{ at *time.Time }

// UnmarshalMsgpack reads the value.
func (v *notepackValue) UnmarshalMsgpack(b []byte) error {
	if len(b) == 8 {
		at := time.UnixMilli(int64(binary.BigEndian.Uint64(b))).UTC()
		v.at = &at
	}
	return nil
}

// MarshalMsgpack writes undefined: we send dates as text.
func (v *notepackValue) MarshalMsgpack() ([]byte, error) { return []byte{0}, nil }

// MarshalJSON writes a date as JavaScript does, and undefined as null.
func (v *notepackValue) MarshalJSON() ([]byte, error) {
	if v.at == nil {
		return []byte("null"), nil
	}
	return json.Marshal(v.at.Format("2006-01-02T15:04:05.000Z"))
}
