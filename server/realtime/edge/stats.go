package edge

import "sync/atomic"

// Stats has the current counts of an edge, and totals since it was created.
type Stats struct {
	Connections int // open Engine.IO sessions
	WebSockets  int // sessions on WebSocket; the others poll
	Sockets     int // sockets that are connected to namespaces

	Accepted   uint64 // handshakes that led to a session
	Refused    uint64 // handshakes refused: limits, draining, origin
	Upgraded   uint64 // changes from polling to WebSocket
	SlowClosed uint64 // connections closed because they read too slowly
	Malformed  uint64 // connections closed because of what they sent
	TimedOut   uint64 // connections closed because nothing was received
	Panics     uint64 // panics in handlers

	Traffic
}

// Traffic counts what was received and sent since an edge was created: events
// (acknowledgements count as sent events), or messages of bare WebSockets.
// Handshakes and heartbeats are not counted.
type Traffic struct {
	EventsIn, EventsOut, BytesIn, BytesOut uint64
}

type counters struct {
	webSockets, sockets                                                  atomic.Int64
	accepted, refused, upgraded, slowClosed, malformed, timedOut, panics atomic.Uint64
	in, out                                                              flow
}

// flow counts one direction. It fills a cache line, so that readers and
// writers do not slow each other down.
type flow struct {
	events, bytes atomic.Uint64
	_             [48]byte
}

func (f *flow) add(events, bytes int) {
	f.events.Add(uint64(events))
	f.bytes.Add(uint64(bytes))
}

func traffic(in, out *flow) Traffic {
	return Traffic{EventsIn: in.events.Load(), EventsOut: out.events.Load(), BytesIn: in.bytes.Load(), BytesOut: out.bytes.Load()}
}

func (c *counters) snapshot() Stats {
	return Stats{
		WebSockets: int(c.webSockets.Load()),
		Sockets:    int(c.sockets.Load()),
		Accepted:   c.accepted.Load(),
		Refused:    c.refused.Load(),
		Upgraded:   c.upgraded.Load(),
		SlowClosed: c.slowClosed.Load(),
		Malformed:  c.malformed.Load(),
		TimedOut:   c.timedOut.Load(),
		Panics:     c.panics.Load(),
		Traffic:    traffic(&c.in, &c.out),
	}
}
