package edge

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
)

// Engine is an Engine.IO 4 server: sessions over WebSocket and HTTP
// long-polling, with a heartbeat, an upgrade between the two, and limits.
// Server runs Socket.IO over one.
type Engine struct {
	cfg      Config
	proto    protocol
	counters counters
	limits   limits
	bodies   atomic.Int64 // bytes of polling bodies being read
	openTail string       // of the OPEN packet, after the session id

	mu          sync.RWMutex
	connections map[string]*connection
	from        sourceCounts // sessions; empty without a limit
	draining    bool
	closed      bool
	shutDown    map[string]bool // polling sessions that Close has closed
	empty       chan struct{}   // closed when closed and without sessions
	ended       sync.WaitGroup  // sessions whose end has not been handled yet, and Connect calls that run
}

func newEngine(cfg Config, proto protocol) *Engine {
	e := &Engine{cfg: cfg, proto: proto, connections: map[string]*connection{}, from: sourceCounts{}, empty: make(chan struct{})}
	e.limits.perAddress, e.limits.sources = cfg.RequestsPerAddress, cfg.Sources
	e.limits.heapCeiling = cfg.MemoryLimit
	e.limits.handshakes = newHandshakeLimiter(cfg.AcceptRate)
	e.openTail = fmt.Sprintf(`,"pingInterval":%d,"pingTimeout":%d,"maxPayload":%d}`,
		cfg.PingInterval.Milliseconds(), cfg.PingTimeout.Milliseconds(), cfg.MaxPayload)
	return e
}

// openFrame is the first packet of a session.
func (e *Engine) openFrame(s *connection, upgrades string) frame {
	return textFrame(`0{"sid":"` + s.id + `","upgrades":[` + upgrades + `]` + e.openTail)
}

// admit waits until AcceptRate allows another session. It returns immediately,
// with the reason, if another limit would refuse the session anyway.
func (e *Engine) admit(ctx context.Context, address string) *refusal {
	if why := e.checkLimits(address); why != nil {
		return why
	}
	if !e.limits.waitTurn(ctx) {
		return &errBusy
	}
	return e.checkLimits(address)
}

// checkLimits returns why another session of an address is refused, or nil.
func (e *Engine) checkLimits(address string) *refusal {
	e.mu.RLock()
	draining, n, full := e.draining, len(e.connections), e.addressFull(address)
	e.mu.RUnlock()
	switch {
	case draining:
		return &errDraining
	case e.cfg.MaxConnections > 0 && n >= e.cfg.MaxConnections, e.limits.heapFull():
		return &errBusy
	case full:
		return &errTooMany
	}
	return nil
}

// addressFull reports whether an address has reached its limit of sessions; mu is held.
func (e *Engine) addressFull(address string) bool {
	return e.cfg.ConnectionsPerAddress > 0 && e.from.full(e.cfg.Sources(address), e.cfg.ConnectionsPerAddress)
}

// add registers a session and starts it. It returns false if the limits allow
// no further session. It holds handleMu, so that no other event of the session
// is handled before its start.
func (e *Engine) add(s *connection) bool {
	s.handleMu.Lock()
	defer s.handleMu.Unlock()
	s.startHeartbeat()
	e.mu.Lock()
	if e.draining || (e.cfg.MaxConnections > 0 && len(e.connections) >= e.cfg.MaxConnections) || e.addressFull(s.peer.address) {
		e.mu.Unlock()
		s.timer.Stop()
		return false
	}
	e.connections[s.id] = s
	if e.cfg.ConnectionsPerAddress > 0 {
		e.from.enter(e.cfg.Sources(s.peer.address))
	}
	e.ended.Add(1)
	e.mu.Unlock()
	e.counters.accepted.Add(1)
	if s.ws != nil {
		e.counters.webSockets.Add(1)
	}
	s.protoState = e.proto.open(s)
	return true
}

// find returns the session with an id, or nil.
func (e *Engine) find(id string) *connection {
	e.mu.RLock()
	defer e.mu.RUnlock()
	return e.connections[id]
}

// closedByShutdown reports whether Close has ended a polling session with this id.
func (e *Engine) closedByShutdown(id string) bool {
	e.mu.RLock()
	defer e.mu.RUnlock()
	return e.shutDown[id]
}

// forget removes a session that has ended.
func (e *Engine) forget(s *connection) {
	transport, shutDown := s.transport(), s.closedByShutdown()
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.connections[s.id] != s {
		return
	}
	delete(e.connections, s.id)
	if shutDown && transport == "polling" {
		e.shutDown[s.id] = true
	}
	if transport == "websocket" {
		e.counters.webSockets.Add(-1)
	}
	if e.cfg.ConnectionsPerAddress > 0 {
		e.from.leave(e.cfg.Sources(s.peer.address))
	}
	if e.closed && len(e.connections) == 0 {
		close(e.empty)
	}
}

func (e *Engine) all() []*connection {
	e.mu.RLock()
	defer e.mu.RUnlock()
	list := make([]*connection, 0, len(e.connections))
	for _, s := range e.connections {
		list = append(list, s)
	}
	return list
}

// Drain refuses handshakes with 503 from now on. Existing connections stay open.
func (e *Engine) Drain() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.draining = true
}

// Close refuses handshakes and closes all connections with 1001 (going away),
// one after the other at Config.ClosePace. A connection is served until it is
// closed; the message that is being handled finishes, and what is queued is
// sent. Close returns when everything has ended. If ctx ends earlier, Close
// drops the remaining connections and returns the error of ctx.
func (e *Engine) Close(ctx context.Context) error {
	e.mu.Lock()
	if e.closed {
		e.mu.Unlock()
		return errors.New("edge: closed twice")
	}
	e.draining, e.closed, e.shutDown = true, true, map[string]bool{}
	if len(e.connections) == 0 {
		close(e.empty)
	}
	e.mu.Unlock()

	done := make(chan struct{})
	go func() {
		defer close(done)
		paced(ctx, e.all(), e.cfg.ClosePace, func(s *connection) {
			go func() {
				// After the message that is being handled, so that its
				// answer is still sent.
				s.handleMu.Lock()
				defer s.handleMu.Unlock()
				s.close(closeGoingAway, reasonShutdown)
			}()
		})
		<-e.empty
		e.ended.Wait()
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		for _, s := range e.all() {
			s.drop(reasonShutdown)
		}
		return ctx.Err()
	}
}

// Stats returns the current counts.
func (e *Engine) Stats() Stats {
	s := e.counters.snapshot()
	e.mu.RLock()
	s.Connections = len(e.connections)
	e.mu.RUnlock()
	return s
}
