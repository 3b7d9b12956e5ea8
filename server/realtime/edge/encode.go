package edge

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
)

// ErrReserved is the error of Emit for a name that Socket.IO itself uses.
var ErrReserved = errors.New("reserved event name")

// encodedPacket is the frame of a packet's text, and after it those of its
// attachments.
type encodedPacket struct{ frames []frame }

// size is the number of its bytes in a queue.
func (p *encodedPacket) size() int {
	n := 0
	for _, f := range p.frames {
		n += len(f.wire)
	}
	return n
}

// encodeEvent encodes and frames an EVENT. It returns an error if an argument
// can't be encoded or the name is reserved.
func encodeEvent(namespace, name string, args []any) (encodedPacket, error) {
	if reserved(name) {
		return encodedPacket{}, fmt.Errorf("%w: %q", ErrReserved, name)
	}
	return encode(kindEvent, namespace, "", name, args)
}

// encodeAck encodes and frames the answer to an event.
func encodeAck(namespace, id string, args []any) (encodedPacket, error) {
	return encode(kindAck, namespace, id, "", args)
}

func encode(k kind, namespace, id, name string, args []any) (encodedPacket, error) {
	frames := make([]frame, 1) // the text's is made last
	size := headRoom + len(namespace) + len(id) + len(name) + 40
	for _, arg := range args {
		switch v := arg.(type) {
		case json.RawMessage:
			size += len(v) + 1
		case []byte:
			frames = append(frames, binaryFrame(v))
			size += 40
		default:
			size += 64
		}
	}
	buf := make([]byte, headRoom, size)
	buf = append(buf, '4')
	if n := len(frames) - 1; n > 0 {
		buf = append(buf, byte(k+kindBinaryEvent-kindEvent))
		buf = strconv.AppendInt(buf, int64(n), 10)
		buf = append(buf, '-')
	} else {
		buf = append(buf, byte(k))
	}
	buf = appendNamespace(buf, namespace)
	buf = append(append(buf, id...), '[')
	if k == kindEvent {
		buf = appendString(buf, name)
	}
	num := 0
	for i, arg := range args {
		if i > 0 || k == kindEvent {
			buf = append(buf, ',')
		}
		switch v := arg.(type) {
		case json.RawMessage:
			if len(v) == 0 {
				v = json.RawMessage("null")
			}
			buf = append(buf, v...)
		case []byte:
			buf = append(buf, `{"_placeholder":true,"num":`...)
			buf = strconv.AppendInt(buf, int64(num), 10)
			buf = append(buf, '}')
			num++
		default:
			encoded, err := json.Marshal(v)
			if err != nil {
				return encodedPacket{}, fmt.Errorf("argument %d: %w", i, err)
			}
			buf = append(buf, encoded...)
		}
	}
	frames[0] = buildFrame(append(buf, ']'), opText)
	return encodedPacket{frames}, nil
}

// appendNamespace appends the namespace's part of a packet.
func appendNamespace(buf []byte, namespace string) []byte {
	if namespace == "/" {
		return buf
	}
	return append(append(buf, namespace...), ',')
}

// appendString appends a JSON string.
func appendString(buf []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			encoded, _ := json.Marshal(s)
			return append(buf, encoded...)
		}
	}
	buf = append(buf, '"')
	buf = append(buf, s...)
	return append(buf, '"')
}

// emptyPacket frames a packet that has only a type and a namespace.
func emptyPacket(k kind, namespace string) frame {
	return buildFrame(appendNamespace(append(make([]byte, headRoom, headRoom+len(namespace)+3), '4', byte(k)), namespace), opText)
}
