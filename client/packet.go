package client

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"

	"wenzhen.example/rooms"
)

// Types of Engine.IO 4 packets, and of Socket.IO 5 packets within a message.
const (
	engineOpen    = '0'
	engineClose   = '1'
	enginePing    = '2'
	enginePong    = '3'
	engineMessage = '4'

	kindConnect      = '0'
	kindDisconnect   = '1'
	kindEvent        = '2'
	kindAck          = '3'
	kindConnectError = '4'
)

// packet is a Socket.IO packet: type, namespace, id of an acknowledgement, JSON.
type packet struct {
	kind      byte
	namespace string
	id        uint64
	hasID     bool
	body      []byte
}

var errPacket = errors.New("client: the server sent a packet that is not Socket.IO 5")

// parsePacket reads a packet without binary attachments; the server sends none.
func parsePacket(text []byte) (packet, error) {
	p := packet{namespace: "/"}
	if len(text) == 0 || text[0] < kindConnect || text[0] > kindConnectError {
		return p, errPacket
	}
	p.kind, text = text[0], text[1:]
	if len(text) > 0 && text[0] == '/' {
		name, rest, _ := bytes.Cut(text, []byte{','})
		p.namespace, text = string(name), rest
	}
	digits := 0
	for digits < len(text) && text[digits] >= '0' && text[digits] <= '9' {
		digits++
	}
	if digits > 0 {
		id, err := strconv.ParseUint(string(text[:digits]), 10, 64)
		if err != nil {
			return p, errPacket
		}
		p.id, p.hasID, text = id, true, text[digits:]
	}
	p.body = text
	return p, nil
}

// encodePacket encodes a message; name is the name of an event, or "".
func encodePacket(kind byte, namespace string, id uint64, name string, body []byte) []byte {
	buf := make([]byte, 0, len(namespace)+len(name)+len(body)+32)
	buf = append(buf, engineMessage, kind)
	buf = append(buf, namespace...)
	buf = append(buf, ',')
	if name == "" {
		return append(buf, body...)
	}
	buf = strconv.AppendUint(buf, id, 10)
	buf = append(buf, '[')
	buf = strconv.AppendQuote(buf, name) // names are plain ASCII
	buf = append(buf, ',')
	buf = append(buf, body...)
	return append(buf, ']')
}

// splitEvent splits ["name",data].
func splitEvent(body []byte) (string, json.RawMessage, error) {
	var parts []json.RawMessage
	if err := json.Unmarshal(body, &parts); err != nil || len(parts) == 0 {
		return "", nil, errPacket
	}
	var name string
	if err := json.Unmarshal(parts[0], &name); err != nil {
		return "", nil, errPacket
	}
	if len(parts) == 1 {
		return name, nil, nil
	}
	return name, parts[1], nil
}

// answer is the acknowledgement of a command.
type answer struct {
	OK    bool            `json:"ok"`
	Data  json.RawMessage `json:"data"`
	Error *rooms.Error    `json:"error"`
}

func parseAnswer(body []byte) (json.RawMessage, error) {
	var parts []answer
	if err := json.Unmarshal(body, &parts); err != nil || len(parts) != 1 {
		return nil, rooms.Internal(errPacket)
	}
	switch a := parts[0]; {
	case a.OK:
		return a.Data, nil
	case a.Error != nil && a.Error.Code != "":
		return nil, a.Error
	}
	return nil, rooms.Internal(errPacket)
}
