package edge

import "sync/atomic"

// Stats is a moment of an edge: what there is now, and what has happened
// since it was made.
type Stats struct {
	Connections int // open Engine.IO sessions
	Sockets     int // sockets joined to namespaces

	Accepted   uint64 // handshakes that led to a session
	Refused    uint64 // handshakes refused: limits, draining, origin
	Upgraded   uint64 // changes from polling to WebSocket
	SlowClosed uint64 // connections closed because they read too slowly
	Malformed  uint64 // connections closed because of what they sent
	TimedOut   uint64 // connections closed because nothing was heard
	Panics     uint64 // panics in handlers
}

type counters struct {
	sockets                                                              atomic.Int64
	accepted, refused, upgraded, slowClosed, malformed, timedOut, panics atomic.Uint64
}

func (c *counters) snapshot() Stats {
	return Stats{
		Sockets:    int(c.sockets.Load()),
		Accepted:   c.accepted.Load(),
		Refused:    c.refused.Load(),
		Upgraded:   c.upgraded.Load(),
		SlowClosed: c.slowClosed.Load(),
		Malformed:  c.malformed.Load(),
		TimedOut:   c.timedOut.Load(),
		Panics:     c.panics.Load(),
	}
}
