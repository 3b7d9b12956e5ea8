package edge

import (
	"encoding/json"
	"math"
)

// kind is the type of a Socket.IO packet.
type kind byte

const (
	kindConnect      kind = '0'
	kindDisconnect   kind = '1'
	kindEvent        kind = '2'
	kindAck          kind = '3'
	kindConnectError kind = '4'
	kindBinaryEvent  kind = '5'
	kindBinaryAck    kind = '6'
)

// packet is a Socket.IO packet from a client. Its slices point into the
// message.
type packet struct {
	kind        kind
	namespace   []byte
	id          []byte // the digits of the acknowledgement's id; empty if none is requested
	attachments int
	body        []byte // JSON, valid; empty when there is none
}

// parsePacket reads the text of a packet:
//
//	type [attachments "-"] ["/namespace" ","] [id] [JSON]
//
// Every part of the result is well-formed: the JSON is valid and of the type
// that the packet's type requires. The error is errMalformed.
func parsePacket(text []byte, maxAttachments int) (packet, error) {
	p := packet{namespace: mainNamespace}
	if len(text) == 0 || text[0] < '0' || text[0] > '6' {
		return p, errMalformed
	}
	p.kind = kind(text[0])
	rest := text[1:]
	if p.kind == kindBinaryEvent || p.kind == kindBinaryAck {
		n, digits := number(rest)
		if digits == 0 || digits == len(rest) || rest[digits] != '-' || n > uint64(maxAttachments) {
			return p, errMalformed
		}
		p.attachments = int(n)
		rest = rest[digits+1:]
	}
	if len(rest) > 0 && rest[0] == '/' {
		end := 0
		for end < len(rest) && rest[end] != ',' {
			end++
		}
		p.namespace = rest[:end]
		rest = rest[min(end+1, len(rest)):]
	}
	_, digits := number(rest)
	p.id, p.body = rest[:digits], rest[digits:]
	if !p.wellFormed() {
		return p, errMalformed
	}
	return p, nil
}

var mainNamespace = []byte("/")

// number reads leading digits. A number that is too large is returned as MaxUint64.
func number(text []byte) (n uint64, digits int) {
	for digits < len(text) && text[digits] >= '0' && text[digits] <= '9' {
		if digits == 18 {
			n = math.MaxUint64
		} else if n != math.MaxUint64 {
			n = n*10 + uint64(text[digits]-'0')
		}
		digits++
	}
	return n, digits
}

// wellFormed reports whether the body fits the packet's type. JSON may be nested
// 10,000 deep, the limit of Go's decoder.
func (p *packet) wellFormed() bool {
	switch p.kind {
	case kindConnect:
		return len(p.body) == 0 || (p.body[0] == '{' && json.Valid(p.body))
	case kindDisconnect:
		return len(p.body) == 0
	case kindEvent:
		return len(p.body) == 0 || p.array()
	case kindBinaryEvent:
		return p.array()
	case kindAck, kindBinaryAck:
		return len(p.id) > 0 && p.array()
	}
	return false // only servers send CONNECT_ERROR
}

// array reports whether the body is a JSON array.
func (p *packet) array() bool { return len(p.body) > 0 && p.body[0] == '[' && json.Valid(p.body) }
