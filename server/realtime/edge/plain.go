package edge

import (
	"context"
	"net/http"
	"strings"
	"sync"
)

// Plain serves bare WebSockets: text messages in, text messages out, with the
// same frame reader, the same bounds and the same writer as Socket.IO has.
// Compression is never negotiated. Of Config it heeds the heartbeat,
// MaxPayload (of one message), SendQueue, MaxConnections, AcceptRate,
// ClosePace, MemoryLimit, Origins, Address, Sources,
// RequestsPerAddress (connections here), WriteTimeout, BodyTimeout and Log.
type Plain struct {
	cfg     Config
	limits  limits
	in, out flow

	mu       sync.Mutex
	conns    map[*PlainConn]struct{}
	reserved int // connections, those included that are being made
	draining bool
	running  sync.WaitGroup
}

// NewPlain makes a server of bare WebSockets. It starts nothing.
func NewPlain(cfg Config) *Plain {
	p := &Plain{cfg: cfg.withDefaults(), conns: map[*PlainConn]struct{}{}}
	p.limits.perAddress, p.limits.sources, p.limits.heapCeiling = p.cfg.RequestsPerAddress, p.cfg.Sources, p.cfg.MemoryLimit
	p.limits.gate = newGate(p.cfg.AcceptRate)
	return p
}

// Line is who listens to a bare connection. Its methods are called from the
// connection's one goroutine.
type Line interface {
	// Opened is called before anything is read.
	Opened(*PlainConn)
	// Text is called with each text message, which is valid UTF-8.
	Text(ctx context.Context, text string)
	// Closed is called once, after the last Text has returned.
	Closed()
}

// Accept answers a WebSocket handshake, for which line listens from then on.
// subprotocol, if not empty, is the one that is chosen. A request that is no
// handshake is answered with 426, one from a foreign page with 403, one for
// which there is no room with 429 or 503.
func (p *Plain) Accept(w http.ResponseWriter, r *http.Request, subprotocol string, line Line) {
	if !isUpgrade(r) || r.Method != http.MethodGet {
		w.Header().Set("Upgrade", "websocket")
		refuse(w, refusal{http.StatusUpgradeRequired, 3, "This is a WebSocket"})
		return
	}
	if !p.cfg.allowed(r) {
		refuse(w, errForbidden)
		return
	}
	response, ok := switching(r)
	if !ok {
		w.Header().Set("Sec-WebSocket-Version", "13")
		refuse(w, errBadRequest)
		return
	}
	address := strings.Clone(p.cfg.Address(r))
	if !p.limits.begin(address) {
		refuse(w, errTooMany)
		return
	}
	if why := p.reserve(r.Context()); why != nil {
		p.limits.finish(address)
		refuse(w, *why)
		return
	}
	release := func() {
		p.limits.finish(address)
		p.release()
	}
	conn, early, err := hijack(w)
	if err != nil {
		release()
		p.cfg.Log.Error("websocket handshake", "err", err)
		refuse(w, errBadRequest)
		return
	}
	c := newPlainConn(p, conn, address, line)
	if !c.reader.preload(early) {
		release()
		conn.Close()
		return
	}
	if subprotocol != "" {
		response += "Sec-WebSocket-Protocol: " + subprotocol + "\r\n"
	}
	go func() {
		defer release()
		c.run(response + "\r\n")
	}()
}

// reserve waits until another connection may come in and takes a place for it.
func (p *Plain) reserve(ctx context.Context) *refusal {
	if !p.limits.turn(ctx) {
		return &errBusy
	}
	full := p.limits.heapFull()
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.draining:
		return &errDraining
	case full || (p.cfg.MaxConnections > 0 && p.reserved >= p.cfg.MaxConnections):
		return &errBusy
	}
	p.reserved++
	p.running.Add(1)
	return nil
}

func (p *Plain) release() {
	p.mu.Lock()
	p.reserved--
	p.mu.Unlock()
	p.running.Done()
}

// add takes a connection in; false when it comes too late.
func (p *Plain) add(c *PlainConn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.draining {
		return false
	}
	p.conns[c] = struct{}{}
	return true
}

func (p *Plain) remove(c *PlainConn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.conns, c)
}

// Connections is how many there are.
func (p *Plain) Connections() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.reserved
}

// Traffic is what was said and heard over all of them.
func (p *Plain) Traffic() Traffic { return traffic(&p.in, &p.out) }

// Drain refuses new handshakes; present connections live on.
func (p *Plain) Drain() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.draining = true
}

// Close refuses new handshakes and closes all connections with 1001 (going
// away), what was sent before included, at Config.ClosePace. It returns when
// every Closed has returned. When ctx ends before, the rest is cut off and its
// error returned.
func (p *Plain) Close(ctx context.Context) error {
	p.Drain()
	all := func(pace int, end func(*PlainConn)) {
		p.mu.Lock()
		conns := make([]*PlainConn, 0, len(p.conns))
		for c := range p.conns {
			conns = append(conns, c)
		}
		p.mu.Unlock()
		paced(ctx, conns, pace, end)
	}
	all(p.cfg.ClosePace, func(c *PlainConn) { c.Close(closeGoingAway, errDraining.Message) })
	done := make(chan struct{})
	go func() {
		p.running.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		all(0, (*PlainConn).drop)
		return ctx.Err()
	}
}
