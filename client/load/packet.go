package load

import (
	"bytes"
	"strconv"
)

// Types of Engine.IO 4 packets, and of Socket.IO 5 packets within a message.
const (
	engineOpen    = '0'
	engineClose   = '1'
	enginePing    = '2'
	engineMessage = '4'

	kindConnect      = '0'
	kindDisconnect   = '1'
	kindEvent        = '2'
	kindAck          = '3'
	kindConnectError = '4'
	kindBinaryEvent  = '5'
	kindBinaryAck    = '6'
)

// packet is a Socket.IO packet; body points into the message.
type packet struct {
	kind        byte
	attachments int
	id          uint64
	body        []byte
}

// parsePacket parses the text of a message after its Engine.IO type. It relies on
// the server to send valid packets.
func parsePacket(text []byte) (p packet, ok bool) {
	if len(text) == 0 {
		return p, false
	}
	p.kind, text = text[0], text[1:]
	if p.kind == kindBinaryEvent || p.kind == kindBinaryAck {
		n, rest := leadingNumber(text)
		if len(rest) == 0 || rest[0] != '-' {
			return p, false
		}
		p.attachments, text = int(n), rest[1:]
	}
	if len(text) > 0 && text[0] == '/' {
		comma := bytes.IndexByte(text, ',')
		if comma < 0 {
			return p, true
		}
		text = text[comma+1:]
	}
	p.id, p.body = leadingNumber(text)
	return p, true
}

func leadingNumber(text []byte) (n uint64, rest []byte) {
	i := 0
	for ; i < len(text) && text[i] >= '0' && text[i] <= '9'; i++ {
		n = n*10 + uint64(text[i]-'0')
	}
	return n, text[i:]
}

// appendPacket appends the beginning of a message: its type, number of attachments
// and namespace.
func appendPacket(buf []byte, kind byte, attachments int, namespace string) []byte {
	buf = append(buf, engineMessage, kind)
	if attachments > 0 {
		buf = append(strconv.AppendInt(buf, int64(attachments), 10), '-')
	}
	if namespace != "/" {
		buf = append(append(buf, namespace...), ',')
	}
	return buf
}

// numberAfter returns the number after the first occurrence of key in a JSON text of
// known structure, or 0 if there is none. It is many times cheaper than decoding,
// which matters because the generator runs on the server's machine.
func numberAfter(text []byte, key string) int64 {
	i := bytes.Index(text, []byte(key))
	if i < 0 {
		return 0
	}
	n, _ := leadingNumber(text[i+len(key):])
	return int64(n)
}
