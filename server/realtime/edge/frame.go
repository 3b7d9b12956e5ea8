package edge

import "encoding/binary"

// WebSocket opcodes (RFC 6455, 5.2).
const (
	opContinuation = 0x0
	opText         = 0x1
	opBinary       = 0x2
	opClose        = 0x8
	opPing         = 0x9
	opPong         = 0xA
)

// WebSocket close codes (RFC 6455, 7.4.1).
const (
	closeNormal    = 1000
	closeGoingAway = 1001
	closeProtocol  = 1002
	closeData      = 1003
	closeNoStatus  = 1005
	closeInvalid   = 1007
	closePolicy    = 1008
	closeTooBig    = 1009
)

// headRoom is the number of bytes that a frame's buffer reserves before the
// payload: the length of the longest header of an unmasked WebSocket frame.
const headRoom = 10

// frame is one encoded Engine.IO packet. It is immutable and shared by all its
// receivers: encoded once, framed once, never copied.
type frame struct {
	wire   []byte // the WebSocket frame: header and payload
	head   uint8  // length of the header
	binary bool
}

// payload is the Engine.IO packet without the WebSocket header.
func (f frame) payload() []byte { return f.wire[f.head:] }

// buildFrame makes a frame of a buffer, whose first headRoom bytes are unused.
func buildFrame(buf []byte, op byte) frame {
	n := len(buf) - headRoom
	head := 2
	switch {
	case n > 0xFFFF:
		head = 10
	case n > 125:
		head = 4
	}
	wire := buf[headRoom-head:]
	wire[0] = 0x80 | op
	switch head {
	case 2:
		wire[1] = byte(n)
	case 4:
		wire[1] = 126
		binary.BigEndian.PutUint16(wire[2:], uint16(n))
	default:
		wire[1] = 127
		binary.BigEndian.PutUint64(wire[2:], uint64(n))
	}
	return frame{wire: wire, head: uint8(head), binary: op == opBinary}
}

// textFrame frames a short Engine.IO packet.
func textFrame(packet string) frame {
	return buildFrame(append(make([]byte, headRoom, headRoom+len(packet)), packet...), opText)
}

// binaryFrame frames a binary attachment.
func binaryFrame(data []byte) frame {
	return buildFrame(append(make([]byte, headRoom, headRoom+len(data)), data...), opBinary)
}

// controlFrame frames a WebSocket control message; payload is at most 125
// bytes.
func controlFrame(op byte, payload []byte) frame {
	return buildFrame(append(make([]byte, headRoom, headRoom+len(payload)), payload...), op)
}

// closeFrame returns a closing frame.
func closeFrame(code uint16, reason string) frame {
	if code == closeNoStatus {
		return controlFrame(opClose, nil)
	}
	if len(reason) > 123 {
		reason = reason[:123]
	}
	return controlFrame(opClose, append(binary.BigEndian.AppendUint16(nil, code), reason...))
}

// Constant packets of Engine.IO.
var (
	pingFrame  = textFrame("2")
	probeFrame = textFrame("3probe")
	closePoll  = textFrame("1")
	noopPoll   = textFrame("6")
)
