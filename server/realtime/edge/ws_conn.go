package edge

import (
	"io"
	"net"
	"sync"
	"syscall"
	"time"
)

// writeChunk is the maximum number of bytes of one write: queued frames are
// joined up to this size.
const writeChunk = 32 << 10

var writeBuffers = sync.Pool{New: func() any { return new([writeChunk]byte) }}

// wsOwner owns a wsConn: a session, or a PlainConn.
type wsOwner interface {
	// fail is called if writing fails, without the lock held.
	fail(*wsConn, error)
}

// wsConn is the sending half of a WebSocket connection. Everything in it is
// guarded by the lock of its owner.
//
// If the connection is plain TCP and nothing is queued, a frame is written in the
// sender's goroutine, without blocking. What the kernel doesn't accept, and
// everything on TLS, is queued, and a writer goroutine runs until the queue is
// empty. An idle connection has no writer.
type wsConn struct {
	owner   wsOwner
	mu      *sync.Mutex // the owner's
	cfg     *Config
	conn    net.Conn
	raw     syscall.RawConn // nil if the descriptor is not accessible
	attempt func(fd uintptr) bool

	out  []byte // for attempt: what to write
	done int    // the number of bytes that were written
	err  error

	queue   [][]byte
	queued  int  // bytes in the queue or being written
	writing bool // a writer goroutine runs
	closing bool // the closing frame has been queued; nothing may follow it
	dead    bool
}

func newWSConn(owner wsOwner, mu *sync.Mutex, cfg *Config, conn net.Conn) *wsConn {
	w := &wsConn{owner: owner, mu: mu, cfg: cfg, conn: conn}
	if tcp, ok := conn.(*net.TCPConn); ok && rawIO {
		if raw, err := tcp.SyscallConn(); err == nil {
			w.raw = raw
			w.attempt = w.writeOnce
		}
	}
	return w
}

// write sends frames in order. It does not block. It returns false if the queue
// is full because the client reads too slowly.
func (w *wsConn) write(frames ...frame) bool {
	if w.closing || w.dead {
		return true
	}
	for _, f := range frames {
		wire := f.wire
		if w.raw != nil && !w.writing {
			n := w.try(wire)
			if w.dead {
				return true
			}
			wire = wire[n:]
		}
		if len(wire) > 0 && !w.enqueue(wire) {
			return false
		}
	}
	return true
}

// close sends a closing frame after everything that is queued. After that frame
// is written, the client has LingerTime to close its side.
func (w *wsConn) close(code uint16, reason string) {
	if w.closing || w.dead {
		return
	}
	w.write(closeFrame(code, reason))
	w.closing = true
	if !w.writing {
		w.halfClose()
	}
}

// halfClose closes the sending side and keeps the receiving side open, so that
// the client can read what was sent. The reader discards what it still receives:
// closing a connection with unread bytes would discard what is being sent.
func (w *wsConn) halfClose() {
	w.conn.SetReadDeadline(time.Now().Add(w.cfg.LingerTime))
	if half, ok := w.conn.(interface{ CloseWrite() error }); ok {
		half.CloseWrite()
	}
}

// linger reads until the client has closed its side, at most for LingerTime, and
// closes the connection: closing it with unread bytes would discard the closing
// frame.
func (w *wsConn) linger() {
	w.conn.SetReadDeadline(time.Now().Add(w.cfg.LingerTime))
	io.Copy(io.Discard, w.conn)
	w.conn.Close()
}

// drop ends the connection at once. Bytes that the client hasn't read are
// discarded, so that they do not stay in the kernel for a stalled client.
func (w *wsConn) drop() {
	w.dead = true
	w.queue, w.queued = nil, 0
	if tcp, ok := w.conn.(*net.TCPConn); ok && !w.closing {
		tcp.SetLinger(0)
	}
	w.conn.Close()
}

// try writes what the kernel accepts without blocking and returns the number of bytes.
func (w *wsConn) try(p []byte) int {
	w.out, w.done, w.err = p, 0, nil
	err := w.raw.Write(w.attempt)
	w.out = nil
	if err == nil {
		err = w.err
	}
	if err != nil {
		// The reading goroutine gets an error and ends the session.
		w.dead = true
		w.conn.Close()
	}
	return w.done
}

func (w *wsConn) writeOnce(fd uintptr) bool {
	w.done, _, w.err = rawWrite(fd, w.out)
	return true
}

func (w *wsConn) enqueue(wire []byte) bool {
	if w.queued > 0 && w.queued+len(wire) > w.cfg.SendQueue {
		return false
	}
	w.queue = append(w.queue, wire)
	w.queued += len(wire)
	if !w.writing {
		w.writing = true
		go w.drain()
	}
	return true
}

// drain writes the queue until it is empty.
func (w *wsConn) drain() {
	buffer := writeBuffers.Get().(*[writeChunk]byte)
	defer writeBuffers.Put(buffer)
	for {
		chunk, ok := w.take(buffer)
		if !ok {
			return
		}
		w.conn.SetWriteDeadline(time.Now().Add(w.cfg.WriteTimeout))
		_, err := w.conn.Write(chunk)
		if err != nil {
			w.owner.fail(w, err)
			return
		}
		w.mu.Lock()
		w.queued = max(w.queued-len(chunk), 0)
		w.mu.Unlock()
	}
}

// take moves queued frames into the buffer and returns them; a frame that is
// larger than the buffer is returned alone. If nothing is queued it returns
// false, and the writer ends.
func (w *wsConn) take(buffer *[writeChunk]byte) ([]byte, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.queue) == 0 {
		w.queue = nil
		w.writing = false
		if !w.dead {
			// A deadline left behind would fail later inline writes.
			w.conn.SetWriteDeadline(time.Time{})
			if w.closing {
				w.halfClose()
			}
		}
		return nil, false
	}
	if len(w.queue[0]) >= writeChunk {
		first := w.queue[0]
		w.queue[0] = nil
		w.queue = w.queue[1:]
		return first, true
	}
	n, i := 0, 0
	for ; i < len(w.queue) && n+len(w.queue[i]) <= writeChunk; i++ {
		n += copy(buffer[n:], w.queue[i])
		w.queue[i] = nil
	}
	w.queue = w.queue[i:]
	return buffer[:n], true
}
