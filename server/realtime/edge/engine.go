package edge

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
)

// Engine is an Engine.IO 4 server: sessions over WebSocket and HTTP
// long-polling, with a heartbeat, an upgrade between the two, and bounds on
// everything. Server speaks Socket.IO over one.
type Engine struct {
	cfg      Config
	proto    protocol
	counters counters
	limits   limits
	bodies   atomic.Int64 // bytes of polling bodies being read
	openTail string       // of the OPEN packet, after the session id

	mu       sync.RWMutex
	sessions map[string]*session
	from     census // sessions; empty without a limit
	draining bool
	closed   bool
	parted   map[string]bool // sessions that polled and were closed by Close
	empty    chan struct{}   // closed when closed and without sessions
	ended    sync.WaitGroup  // sessions whose end has not been handled yet
}

func newEngine(cfg Config, proto protocol) *Engine {
	e := &Engine{cfg: cfg, proto: proto, sessions: map[string]*session{}, from: census{}, empty: make(chan struct{})}
	e.limits.perAddress, e.limits.sources = cfg.RequestsPerAddress, cfg.Sources
	e.limits.heapCeiling = cfg.MemoryLimit
	e.limits.gate = newGate(cfg.AcceptRate)
	e.openTail = fmt.Sprintf(`,"pingInterval":%d,"pingTimeout":%d,"maxPayload":%d}`,
		cfg.PingInterval.Milliseconds(), cfg.PingTimeout.Milliseconds(), cfg.MaxPayload)
	return e
}

// openFrame is the first packet of a session.
func (e *Engine) openFrame(s *session, upgrades string) frame {
	return textFrame(`0{"sid":"` + s.id + `","upgrades":[` + upgrades + `]` + e.openTail)
}

// admit waits until another session of an address may come in. Who would be refused anyway
// does not wait.
func (e *Engine) admit(ctx context.Context, address string) *refusal {
	if why := e.room(address); why != nil {
		return why
	}
	if !e.limits.turn(ctx) {
		return &errBusy
	}
	return e.room(address)
}

// room judges whether there is room for another session of an address.
func (e *Engine) room(address string) *refusal {
	e.mu.RLock()
	draining, n, crowd := e.draining, len(e.sessions), e.crowded(address)
	e.mu.RUnlock()
	switch {
	case draining:
		return &errDraining
	case e.cfg.MaxConnections > 0 && n >= e.cfg.MaxConnections, e.limits.heapFull():
		return &errBusy
	case crowd:
		return &errTooMany
	}
	return nil
}

// crowded reports whether an address has all the sessions that it may; mu is held.
func (e *Engine) crowded(address string) bool {
	return e.cfg.ConnectionsPerAddress > 0 && e.from.full(e.cfg.Sources(address), e.cfg.ConnectionsPerAddress)
}

// add registers a session and starts it. It returns false if the limits allow
// no further session. It holds the lane, so that no other event of the session
// is handled before its start.
func (e *Engine) add(s *session) bool {
	s.lane.Lock()
	defer s.lane.Unlock()
	s.startHeartbeat()
	e.mu.Lock()
	if e.draining || (e.cfg.MaxConnections > 0 && len(e.sessions) >= e.cfg.MaxConnections) || e.crowded(s.peer.address) {
		e.mu.Unlock()
		s.timer.Stop()
		return false
	}
	e.sessions[s.id] = s
	if e.cfg.ConnectionsPerAddress > 0 {
		e.from.enter(e.cfg.Sources(s.peer.address))
	}
	e.ended.Add(1)
	e.mu.Unlock()
	e.counters.accepted.Add(1)
	if s.ws != nil {
		e.counters.webSockets.Add(1)
	}
	s.up = e.proto.open(s)
	return true
}

// find looks a session up.
func (e *Engine) find(id string) *session {
	e.mu.RLock()
	defer e.mu.RUnlock()
	return e.sessions[id]
}

// hasParted reports whether Close has ended a session that polled.
func (e *Engine) hasParted(id string) bool {
	e.mu.RLock()
	defer e.mu.RUnlock()
	return e.parted[id]
}

// forget takes a session out.
func (e *Engine) forget(s *session) {
	transport, parted := s.transport(), s.parted()
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.sessions[s.id] != s {
		return
	}
	delete(e.sessions, s.id)
	if parted && transport == "polling" {
		e.parted[s.id] = true
	}
	if transport == "websocket" {
		e.counters.webSockets.Add(-1)
	}
	if e.cfg.ConnectionsPerAddress > 0 {
		e.from.leave(e.cfg.Sources(s.peer.address))
	}
	if e.closed && len(e.sessions) == 0 {
		close(e.empty)
	}
}

func (e *Engine) all() []*session {
	e.mu.RLock()
	defer e.mu.RUnlock()
	list := make([]*session, 0, len(e.sessions))
	for _, s := range e.sessions {
		list = append(list, s)
	}
	return list
}

// Drain refuses new handshakes with 503 and keeps the present connections.
func (e *Engine) Drain() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.draining = true
}

// Close refuses new handshakes and closes all connections with 1001 (going
// away), one after the other at Config.ClosePace: until its turn comes a
// connection lives on, then the message that is being handled comes to its end
// and what is queued is sent. It returns when everything has ended. When ctx
// ends before, the rest is cut off and its error is returned.
func (e *Engine) Close(ctx context.Context) error {
	e.mu.Lock()
	if e.closed {
		e.mu.Unlock()
		return errors.New("edge: closed twice")
	}
	e.draining, e.closed, e.parted = true, true, map[string]bool{}
	if len(e.sessions) == 0 {
		close(e.empty)
	}
	e.mu.Unlock()

	done := make(chan struct{})
	go func() {
		defer close(done)
		paced(ctx, e.all(), e.cfg.ClosePace, func(s *session) {
			go func() {
				// Behind the message that is being handled, so that its
				// answer still goes out.
				s.lane.Lock()
				defer s.lane.Unlock()
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

// Stats tells what there is and what has happened.
func (e *Engine) Stats() Stats {
	s := e.counters.snapshot()
	e.mu.RLock()
	s.Connections = len(e.sessions)
	e.mu.RUnlock()
	return s
}
