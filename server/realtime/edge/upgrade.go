package edge

import (
	"crypto/sha1"
	"encoding/base64"
	"net"
	"net/http"
	"strings"
	"time"
)

// isUpgrade reports whether a request is a WebSocket handshake.
func isUpgrade(r *http.Request) bool {
	return hasToken(r.Header["Connection"], "upgrade") && hasToken(r.Header["Upgrade"], "websocket")
}

func hasToken(values []string, token string) bool {
	for _, value := range values {
		for part := range strings.SplitSeq(value, ",") {
			if strings.EqualFold(strings.TrimSpace(part), token) {
				return true
			}
		}
	}
	return false
}

// acceptKey returns the answer to the key of a WebSocket handshake (RFC 6455, 4.2.2).
func acceptKey(key string) string {
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// switching returns the answer to a WebSocket handshake without the empty line at
// its end, so that headers can be added. It returns false if the handshake is
// invalid.
func switching(r *http.Request) (string, bool) {
	key := r.Header.Get("Sec-WebSocket-Key")
	decoded, err := base64.StdEncoding.DecodeString(key)
	if err != nil || len(decoded) != 16 || r.Header.Get("Sec-WebSocket-Version") != "13" || r.ProtoMajor != 1 {
		return "", false
	}
	return "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
		"Sec-WebSocket-Accept: " + acceptKey(key) + "\r\n", true
}

// serveUpgrade serves a WebSocket handshake of a new session, or of one that
// polls. The connection is read by a new goroutine, so that the goroutine and
// buffers of the request are freed.
func (e *Engine) serveUpgrade(w http.ResponseWriter, r *http.Request, sid string) {
	response, ok := switching(r)
	if !ok {
		w.Header().Set("Sec-WebSocket-Version", "13")
		refuse(w, errBadRequest)
		return
	}
	response += "\r\n"
	var s *connection
	if sid == "" {
		address := e.cfg.Address(r)
		if why := e.admit(r.Context(), address); why != nil {
			e.counters.refused.Add(1)
			refuse(w, *why)
			return
		}
		s = newConnection(e, newPeer(address, r))
	} else if s = e.find(sid); s == nil {
		refuseUnknown(w, r)
		return
	}
	conn, early, err := hijack(w)
	if err != nil {
		e.cfg.Log.Error("websocket handshake", "err", err)
		refuse(w, errBadRequest)
		return
	}
	reader := newFrameReader(conn, e.cfg.MaxPayload, e.cfg.BodyTimeout)
	if !reader.preload(early) {
		conn.Close()
		return
	}
	if sid == "" {
		e.openWebSocket(s, conn, reader, response)
	} else {
		s.tryUpgrade(conn, reader, response)
	}
}

// hijack takes over the connection from the HTTP server, with the bytes that the
// server has already read from it.
func hijack(w http.ResponseWriter) (net.Conn, []byte, error) {
	conn, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return nil, nil, err
	}
	conn.SetDeadline(time.Time{})
	early, _ := buffered.Reader.Peek(buffered.Reader.Buffered())
	return conn, early, nil
}

// openWebSocket starts a session on a WebSocket and the goroutine that reads it.
func (e *Engine) openWebSocket(s *connection, conn net.Conn, reader *frameReader, response string) {
	ws := newWSConn(s, &s.mu, &s.engine.cfg, conn)
	s.ws, s.out = ws, ws
	conn.SetWriteDeadline(time.Now().Add(e.cfg.WriteTimeout))
	opening := append([]byte(response), e.openFrame(s, "").wire...)
	if _, err := conn.Write(opening); err != nil {
		conn.Close()
		return
	}
	conn.SetWriteDeadline(time.Time{})
	if !e.add(s) {
		e.counters.refused.Add(1)
		s.mu.Lock()
		ws.close(closeGoingAway, errDraining.Message)
		s.mu.Unlock()
		go ws.linger()
		return
	}
	go s.readWebSocket(ws, reader, true)
}

// tryUpgrade starts an upgrade of a polling session. If the session no longer
// polls, or another upgrade is pending, it closes the new WebSocket and the
// connection does not change.
func (s *connection) tryUpgrade(conn net.Conn, reader *frameReader, response string) {
	w := newWSConn(s, &s.mu, &s.engine.cfg, conn)
	s.mu.Lock()
	pending := s.state == stateOpen && s.ws == nil && s.probe == nil
	if pending {
		s.probe = w
	}
	s.mu.Unlock()
	conn.SetWriteDeadline(time.Now().Add(s.engine.cfg.WriteTimeout))
	_, err := conn.Write([]byte(response))
	conn.SetWriteDeadline(time.Time{})
	if !pending {
		s.mu.Lock()
		w.close(closeNormal, "")
		s.mu.Unlock()
		go w.linger()
		return
	}
	if err != nil {
		s.endProbe(w, closeNormal)
		conn.Close()
		return
	}
	go s.readWebSocket(w, reader, false)
}

// answerProbe answers the probe of a WebSocket. It reports whether the upgrade is
// still pending.
func (s *connection) answerProbe(w *wsConn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.probe != w {
		return false
	}
	w.write(probeFrame)
	s.probed = true
	if s.poll != nil {
		s.noopSoon()
	}
	return true
}

// upgrade makes a WebSocket the session's transport. Packets that were queued for
// a poll are sent on it first. If the session is closing, the WebSocket is closed
// after them. It reports whether the upgrade succeeded.
func (s *connection) upgrade(w *wsConn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.probe != w || !s.probed || s.state == stateClosed {
		return false
	}
	s.ws, s.out, s.probe, s.probed = w, w, nil, false
	waiting := s.poll.take()
	s.poll.abandon()
	s.poll = nil
	s.engine.counters.upgraded.Add(1)
	s.engine.counters.webSockets.Add(1)
	if s.state == stateOpen {
		w.write(waiting...)
		return true
	}
	if n := len(waiting); n > 0 {
		w.write(waiting[:n-1]...) // the last one is the closing packet for polling
	}
	w.close(closeNormal, "")
	s.setCloseDeadline()
	return true
}

// endProbe cancels an upgrade and closes its WebSocket with a code. The session
// continues to poll.
func (s *connection) endProbe(w *wsConn, code uint16) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.probe == w {
		s.probe, s.probed = nil, false
	}
	if s.ws != w {
		w.close(code, "")
	}
}
