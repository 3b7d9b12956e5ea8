package edge

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
	"unicode/utf8"
)

// readBufferSize is the size of the buffers in which frames arrive. They are
// pooled: a connection has one only while it holds unread bytes.
const readBufferSize = 4 << 10

// firstChunk is how many bytes of a long message are allocated before it has
// arrived: announcing a megabyte does not make the server allocate one.
const firstChunk = 16 << 10

var readBuffers = sync.Pool{New: func() any { return new([readBufferSize]byte) }}

// protocolError is a violation of the protocol by the client. The closing frame
// has its code.
type protocolError struct {
	code   uint16
	reason string
}

func (e *protocolError) Error() string { return e.reason }

var (
	errMask      = &protocolError{closeProtocol, "frame is not masked"}
	errReserved  = &protocolError{closeProtocol, "reserved bits are set"}
	errOpcode    = &protocolError{closeProtocol, "unknown opcode"}
	errControl   = &protocolError{closeProtocol, "malformed control frame"}
	errFragments = &protocolError{closeProtocol, "fragments out of order"}
	errTooBig    = &protocolError{closeTooBig, "message too big"}
	errUTF8      = &protocolError{closeInvalid, "invalid UTF-8"}
)

// frameReader reads WebSocket messages from a client. On plain TCP it waits
// without a buffer, so that idle connections take no memory for one.
type frameReader struct {
	conn     net.Conn
	raw      syscall.RawConn // nil if the descriptor is not accessible
	limit    int64           // bytes of one message
	patience time.Duration   // maximum time between the first and the last byte of a message

	buf        *[readBufferSize]byte
	start, end int
	attempt    func(fd uintptr) bool // one read; made once, used with raw
	err        error                 // of the last attempt

	fragmented bool   // within a message of several frames
	op         byte   // its opcode
	joined     []byte // its payload so far
	deadline   bool   // a read deadline is set
}

func newFrameReader(conn net.Conn, limit int64, patience time.Duration) *frameReader {
	r := &frameReader{conn: conn, limit: limit, patience: patience}
	if tcp, ok := conn.(*net.TCPConn); ok && rawIO {
		if raw, err := tcp.SyscallConn(); err == nil {
			r.raw = raw
			r.attempt = r.readOnce
		}
	}
	return r
}

// preload adds bytes that were read before the reader was made. It returns
// false if they do not fit into a buffer.
func (r *frameReader) preload(data []byte) bool {
	if len(data) == 0 {
		return true
	}
	if len(data) > readBufferSize {
		return false
	}
	r.buf = readBuffers.Get().(*[readBufferSize]byte)
	r.end = copy(r.buf[:], data)
	return true
}

// next returns the next message: a whole text or binary message, or a control
// frame. The payload belongs to the caller. The error is a *protocolError if the
// client violated the protocol.
func (r *frameReader) next() (op byte, payload []byte, err error) {
	for {
		fin, op, payload, err := r.frame()
		if err != nil {
			return 0, nil, err
		}
		if op >= opClose {
			if !r.fragmented {
				r.clearReadDeadline()
			}
			return op, payload, nil
		}
		if op == opContinuation {
			if !r.fragmented {
				return 0, nil, errFragments
			}
			r.joined = append(r.joined, payload...)
		} else {
			if r.fragmented {
				return 0, nil, errFragments
			}
			if fin {
				return r.whole(op, payload)
			}
			r.fragmented, r.op, r.joined = true, op, payload
		}
		if fin {
			op, payload = r.op, r.joined
			r.fragmented, r.joined = false, nil
			return r.whole(op, payload)
		}
		r.setReadDeadline()
	}
}

func (r *frameReader) whole(op byte, payload []byte) (byte, []byte, error) {
	r.clearReadDeadline()
	if op == opText && !utf8.Valid(payload) {
		return 0, nil, errUTF8
	}
	return op, payload, nil
}

// setReadDeadline sets the time by which the message must have arrived.
func (r *frameReader) setReadDeadline() {
	if !r.deadline {
		r.deadline = true
		r.conn.SetReadDeadline(time.Now().Add(r.patience))
	}
}

// clearReadDeadline removes the deadline.
func (r *frameReader) clearReadDeadline() {
	if r.deadline {
		r.deadline = false
		r.conn.SetReadDeadline(time.Time{})
	}
}

// frame reads one frame.
func (r *frameReader) frame() (fin bool, op byte, payload []byte, err error) {
	if err = r.need(2, r.fragmented); err != nil {
		return
	}
	b0, b1 := r.buf[r.start], r.buf[r.start+1]
	fin, op = b0&0x80 != 0, b0&0x0F
	switch {
	case b0&0x70 != 0:
		return fin, op, nil, errReserved
	case op > opBinary && op < opClose, op > opPong:
		return fin, op, nil, errOpcode
	case b1&0x80 == 0:
		return fin, op, nil, errMask
	}
	head := 6
	n := int64(b1 & 0x7F)
	if op >= opClose && (!fin || n > 125) {
		return fin, op, nil, errControl
	}
	switch n {
	case 126:
		head = 8
	case 127:
		head = 14
	}
	if err = r.need(head, true); err != nil {
		return
	}
	h := r.buf[r.start : r.start+head]
	switch head {
	case 8:
		n = int64(binary.BigEndian.Uint16(h[2:]))
	case 14:
		n = int64(binary.BigEndian.Uint64(h[2:]))
	}
	if n < 0 || n > r.limit || (op == opContinuation && int64(len(r.joined))+n > r.limit) {
		return fin, op, nil, errTooBig
	}
	var mask [4]byte
	copy(mask[:], h[head-4:])
	r.start += head
	payload, err = r.body(int(n))
	if err == nil {
		unmask(payload, mask)
	}
	r.release()
	return
}

// body reads the n bytes of a payload into a new slice.
func (r *frameReader) body(n int) ([]byte, error) {
	p := make([]byte, min(n, firstChunk))
	got := 0
	if r.buf != nil {
		got = copy(p, r.buf[r.start:r.end])
		r.start += got
	}
	for got < n {
		if got == len(p) {
			p = append(p, make([]byte, min(n-got, got))...)
		}
		r.setReadDeadline()
		k, err := r.conn.Read(p[got:])
		if isTimeout(err) {
			k, err = r.waiting(p[got:], err)
		}
		got += k
		if err != nil && got < n {
			return nil, err
		}
	}
	return p, nil
}

// need waits until n bytes are in the buffer. If begun is true, a part of the
// message has arrived, and the rest must arrive before the read deadline.
func (r *frameReader) need(n int, begun bool) error {
	for r.end-r.start < n {
		if begun || r.end > r.start {
			r.setReadDeadline()
		}
		if r.buf != nil && r.start > 0 && readBufferSize-r.start < n {
			r.end = copy(r.buf[:], r.buf[r.start:r.end])
			r.start = 0
		}
		if err := r.fill(); err != nil {
			return err
		}
	}
	return nil
}

// fill waits for bytes and reads them into the buffer.
func (r *frameReader) fill() error {
	if r.raw != nil {
		r.err = nil
		err := r.raw.Read(r.attempt)
		if isTimeout(err) {
			r.buffer()
			var n int
			n, err = r.waiting(r.buf[r.end:], err)
			r.end += n
			r.release()
		}
		if err != nil {
			return err
		}
		return r.err
	}
	r.buffer()
	n, err := r.conn.Read(r.buf[r.end:])
	r.end += n
	if n > 0 {
		return nil
	}
	if err == nil {
		err = io.ErrNoProgress
	}
	return err
}

// waiting reads what has arrived before a read timed out. A client whose bytes
// are there has sent them in time: the server was too busy to read them. If
// nothing is there, it returns late.
func (r *frameReader) waiting(p []byte, late error) (n int, err error) {
	if r.raw == nil {
		return 0, late
	}
	var again bool
	failed := r.raw.Control(func(fd uintptr) { n, again, err = rawRead(fd, p) })
	switch {
	case failed != nil:
		return 0, failed
	case again:
		return 0, late
	case err == nil && n == 0:
		err = io.EOF
	}
	return n, err
}

// buffer takes a buffer from the pool if there is none.
func (r *frameReader) buffer() {
	if r.buf == nil {
		r.buf = readBuffers.Get().(*[readBufferSize]byte)
		r.start, r.end = 0, 0
	}
}

// readOnce reads what is available. If nothing is, it releases the buffer and
// returns false, so that the runtime waits until the descriptor is readable.
func (r *frameReader) readOnce(fd uintptr) bool {
	r.buffer()
	n, again, err := rawRead(fd, r.buf[r.end:])
	switch {
	case again:
		r.release()
		return false
	case err != nil:
		r.err = os.NewSyscallError("read", err)
	case n == 0:
		r.err = io.EOF
	default:
		r.end += n
	}
	return true
}

// release returns an empty buffer to the pool.
func (r *frameReader) release() {
	if r.buf != nil && r.start == r.end {
		readBuffers.Put(r.buf)
		r.buf, r.start, r.end = nil, 0, 0
	}
}

// unmask removes the client's masking in place, eight bytes at a time.
func unmask(p []byte, mask [4]byte) {
	m := uint64(binary.LittleEndian.Uint32(mask[:]))
	m |= m << 32
	for len(p) >= 8 {
		binary.LittleEndian.PutUint64(p, binary.LittleEndian.Uint64(p)^m)
		p = p[8:]
	}
	for i := range p {
		p[i] ^= mask[i&3]
	}
}

// closeCode reads the payload of a closing frame and returns the code of the
// answer.
func closeCode(payload []byte) uint16 {
	if len(payload) == 0 {
		return closeNoStatus
	}
	if len(payload) == 1 || !utf8.Valid(payload[2:]) {
		return closeProtocol
	}
	code := binary.BigEndian.Uint16(payload)
	if code < 1000 || code >= 5000 || (code >= 1004 && code <= 1006) || (code >= 1015 && code < 3000) {
		return closeProtocol
	}
	return code
}

// asProtocolError returns err as a *protocolError, or nil if it is none.
func asProtocolError(err error) *protocolError {
	var p *protocolError
	if errors.As(err, &p) {
		return p
	}
	return nil
}
