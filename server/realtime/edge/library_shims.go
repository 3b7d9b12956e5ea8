package edge

import (
	"encoding/json"
	"errors"

	"github.com/zishang520/engine.io/v2/types"
	"github.com/zishang520/socket.io-go-parser/v2/parser"
	"github.com/zishang520/socket.io/v2/socket"
)

// parserShim is the library's parser. Packets have been parsed and validated
// before; see parsePacket.
type parserShim struct{}

func (parserShim) NewEncoder() parser.Encoder { return encoderShim{} }
func (parserShim) NewDecoder() parser.Decoder { return &decoderShim{} }

// decoderShim passes on the packets that libraryConn has made.
type decoderShim struct{ emitter }

func (d *decoderShim) Add(data any) error {
	p, ok := data.(*parser.Packet)
	if !ok {
		return errors.New("not a packet of libraryConn")
	}
	d.Emit("decoded", p)
	return nil
}

func (d *decoderShim) Destroy() {}

// encoderShim encodes the packets that the library sends: CONNECT,
// CONNECT_ERROR and DISCONNECT.
type encoderShim struct{}

func (encoderShim) Encode(p *parser.Packet) []types.BufferInterface {
	if fields, ok := p.Data.(map[string]any); ok && fields["data"] == nil {
		delete(fields, "data")
	}
	text := appendNamespace([]byte{byte(p.Type)}, p.Nsp)
	if p.Data != nil {
		body, err := json.Marshal(p.Data)
		if err != nil {
			body = []byte(`{"message":"internal error"}`)
		}
		text = append(text, body...)
	}
	return []types.BufferInterface{types.NewStringBuffer(text)}
}

// adapterShim gives every namespace an adapter that stores nothing: the members
// of rooms are in the type rooms.
type adapterShim struct{}

func (adapterShim) New(n socket.Namespace) socket.Adapter {
	a := &emptyAdapter{Adapter: socket.MakeAdapter()}
	a.Prototype(a)
	a.Construct(n)
	return a
}

type emptyAdapter struct{ socket.Adapter }

func (*emptyAdapter) AddAll(socket.SocketId, *types.Set[socket.Room]) {}
func (*emptyAdapter) Del(socket.SocketId, socket.Room)                {}
func (*emptyAdapter) DelAll(socket.SocketId)                          {}
