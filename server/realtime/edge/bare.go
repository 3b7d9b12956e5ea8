package edge

import (
	"context"
	"net/http"
	"strings"
	"sync"
)

// BareServer serves bare WebSockets: text messages in both directions, with the
// frame reader, the limits and the writer of Socket.IO connections. Compression
// is never negotiated. Of Config it uses PingInterval, PingTimeout, MaxPayload
// (of one message), SendQueue, MaxConnections, AcceptRate,
// ClosePace, MemoryLimit, Origins, Address, Sources,
// RequestsPerAddress (connections here), WriteTimeout, BodyTimeout and Log.
type BareServer struct {
	cfg     Config
	limits  limits
	in, out flow

	mu       sync.Mutex
	conns    map[*BareConn]struct{}
	reserved int // connections, including those that are being opened
	draining bool
	running  sync.WaitGroup
}

// NewBareServer returns a server of bare WebSockets. It starts no goroutine.
func NewBareServer(cfg Config) *BareServer {
	p := &BareServer{cfg: cfg.withDefaults(), conns: map[*BareConn]struct{}{}}
	p.limits.perAddress, p.limits.sources, p.limits.heapCeiling = p.cfg.RequestsPerAddress, p.cfg.Sources, p.cfg.MemoryLimit
	p.limits.handshakes = newHandshakeLimiter(p.cfg.AcceptRate)
	return p
}

// BareHandler handles one bare WebSocket. Its methods are called from the
// connection's goroutine.
type BareHandler interface {
	// Opened is called before anything is read.
	Opened(*BareConn)
	// Text is called with each text message, which is valid UTF-8.
	Text(ctx context.Context, text string)
	// Closed is called once, after the last Text has returned.
	Closed()
}

// Accept answers a WebSocket handshake; handler handles the connection.
// subprotocol, if not empty, is the chosen one. A request that is no handshake
// is answered with 426, one from a foreign origin with 403, and one above a limit
// with 429 or 503.
func (p *BareServer) Accept(w http.ResponseWriter, r *http.Request, subprotocol string, handler BareHandler) {
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
	c := newBareConn(p, conn, address, handler)
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

// reserve waits until AcceptRate allows another connection and counts it. It
// returns why the connection is refused, or nil.
func (p *BareServer) reserve(ctx context.Context) *refusal {
	if !p.limits.waitTurn(ctx) {
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

func (p *BareServer) release() {
	p.mu.Lock()
	p.reserved--
	p.mu.Unlock()
	p.running.Done()
}

// add registers a connection. It returns false if the server is draining.
func (p *BareServer) add(c *BareConn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.draining {
		return false
	}
	p.conns[c] = struct{}{}
	return true
}

func (p *BareServer) remove(c *BareConn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.conns, c)
}

// Connections returns the number of connections.
func (p *BareServer) Connections() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.reserved
}

// Traffic returns the counts of all connections together.
func (p *BareServer) Traffic() Traffic { return traffic(&p.in, &p.out) }

// Drain refuses handshakes from now on. Existing connections stay open.
func (p *BareServer) Drain() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.draining = true
}

// Close refuses handshakes and closes all connections with 1001 (going away), at
// Config.ClosePace; what was sent before is delivered. It returns when every
// Closed has returned. If ctx ends earlier, Close drops the remaining
// connections and returns the error of ctx.
func (p *BareServer) Close(ctx context.Context) error {
	p.Drain()
	all := func(pace int, end func(*BareConn)) {
		p.mu.Lock()
		conns := make([]*BareConn, 0, len(p.conns))
		for c := range p.conns {
			conns = append(conns, c)
		}
		p.mu.Unlock()
		paced(ctx, conns, pace, end)
	}
	all(p.cfg.ClosePace, func(c *BareConn) { c.Close(closeGoingAway, errDraining.Message) })
	done := make(chan struct{})
	go func() {
		p.running.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		all(0, (*BareConn).drop)
		return ctx.Err()
	}
}
