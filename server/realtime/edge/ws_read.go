package edge

import (
	"io"
	"time"
)

// readWebSocket reads a WebSocket until it ends. It is the connection's only
// goroutine while nothing is queued. current is true if the WebSocket is the
// connection's transport, and false if it is an upgrade that is pending.
func (s *connection) readWebSocket(w *wsConn, r *frameReader, current bool) {
	if !current {
		if code, upgraded := s.readProbe(w, r); !upgraded {
			s.endProbe(w, code)
			w.linger()
			return
		}
	}
	err := s.readMessages(w, r)
	if p := asProtocolError(err); p != nil {
		if s.close(p.code, reasonParseError) {
			s.engine.counters.malformed.Add(1)
		}
		// The boundaries of frames are unknown now. The rest is read so that the closing
		// frame is not lost with the connection.
		io.Copy(io.Discard, w.conn)
	}
	s.drop(reasonTransportClose)
	w.conn.Close()
}

// readMessages passes messages to the session until the connection ends. After
// the session's end it drops them and waits for the client to close.
func (s *connection) readMessages(w *wsConn, r *frameReader) error {
	for {
		op, payload, err := r.next()
		if err != nil {
			return err
		}
		switch op {
		case opText, opBinary:
			s.receive(payload, op == opBinary)
		case opClose:
			if s.close(closeCode(payload), reasonTransportClose) {
				w.linger()
			}
			return io.EOF
		case opPing:
			s.send(controlFrame(opPong, payload))
		}
	}
}

// readProbe reads the messages of an upgrade: a PING with "probe", then UPGRADE.
// Anything else, or exceeding UpgradeTimeout, ends it, and code is the code to
// close the WebSocket with.
func (s *connection) readProbe(w *wsConn, r *frameReader) (code uint16, upgraded bool) {
	timer := time.AfterFunc(s.engine.cfg.UpgradeTimeout, func() { s.endProbe(w, closeNormal) })
	defer timer.Stop()
	for {
		op, payload, err := r.next()
		switch {
		case err != nil:
			if p := asProtocolError(err); p != nil {
				return p.code, false
			}
			return closeNormal, false
		case op == opText && string(payload) == "2probe":
			if !s.answerProbe(w) {
				return closeNormal, false
			}
		case op == opText && string(payload) == "5":
			return closeNormal, s.upgrade(w)
		case op == opClose:
			return closeCode(payload), false
		case op != opPing && op != opPong:
			return closeNormal, false
		}
	}
}
