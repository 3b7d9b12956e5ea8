package edge

import (
	"log/slog"
	"net"
	"net/http"
	"time"
)

// Config configures an edge. The zero value is usable: every field has
// a default.
type Config struct {
	// PingInterval and PingTimeout are the heartbeat of Engine.IO: the server
	// sends a PING every PingInterval and closes a connection from which
	// nothing was received for PingTimeout after it. 25 s and 20 s by default.
	PingInterval, PingTimeout time.Duration
	// ConnectTimeout is how long a connection may live without having joined
	// a namespace, and how long Handler.Connect may take. 45 s by default.
	ConnectTimeout time.Duration
	// MaxPayload bounds one incoming packet together with its binary
	// attachments, and one polling body. 1,000,000 bytes by default.
	MaxPayload int64
	// SendQueue bounds the bytes that are queued for one connection. A connection
	// that exceeds it reads too slowly and is closed; its client may reconnect and
	// request what it missed. 1 MiB by default: some thousand chat events,
	// and no more than 10 GiB if ten thousand connections stall at once. A
	// single packet larger than this is still sent if nothing else is queued.
	SendQueue int
	// MaxConnections bounds the connections; further handshakes are answered
	// with 503. 0 means no limit.
	MaxConnections int
	// AcceptRate limits the handshakes per second, so that clients that lost their
	// connection at the same moment do not all return at once. An earlier handshake
	// waits for up to two seconds; if that is not enough, the answer is 503. 0
	// means no limit.
	AcceptRate int
	// ClosePace is how many connections Close closes per second; more if at this
	// pace it would need more than half of the time that its context allows. 0 means
	// all at once.
	ClosePace int
	// ConnectionsPerAddress bounds the connections of one address; further
	// handshakes are answered with 429. 0 means no limit.
	ConnectionsPerAddress int
	// MemoryLimit is a ceiling for the heap in bytes, garbage that hasn't been
	// collected yet included: above it, handshakes are answered with 503
	// and existing connections stay open. Leave room for GOGC below GOMEMLIMIT.
	// 0 means no limit.
	MemoryLimit uint64
	// Origins are the values of the Origin header that are allowed besides the
	// server's own; "*" allows any.
	Origins []string
	// Address returns the client's address. The host part of RemoteAddr by
	// default; a server behind a proxy needs another one.
	Address func(*http.Request) string
	// Sources are the networks for which a connection from an address counts,
	// each with its multiple of the limits per address. An address counts for
	// itself by default.
	Sources func(address string) []Source
	// MaxAttachments bounds the binary attachments of one packet. 10 by
	// default.
	MaxAttachments int
	// Path is where the handler is mounted, "/socket.io" by default.
	Path string
	// Log receives errors and warnings for operators. slog.Default by default.
	Log *slog.Logger
	// OnPanic is called with the value and the stack of a panic in a Handler. By
	// default the panic is logged. The connection stays open, and the call that panicked
	// counts as finished.
	OnPanic func(value any, stack []byte)

	// WriteTimeout is how long one write to a client may take before the
	// connection is closed. 15 s by default.
	WriteTimeout time.Duration
	// BodyTimeout is how long a polling body or one WebSocket message may
	// take to arrive after its first byte. 20 s by default.
	BodyTimeout time.Duration
	// LingerTime is how long the client of a connection that the server closes
	// may take to read what was sent before. 3 s by default.
	LingerTime time.Duration
	// UpgradeTimeout is how long the change from polling to WebSocket may
	// take. 10 s by default.
	UpgradeTimeout time.Duration
	// RequestsPerAddress bounds the polling requests that one address may
	// have open at a time; further ones are answered with 429. 512 by
	// default, so that a clinic behind one address still fits.
	RequestsPerAddress int
	// BodyMemory bounds the bytes of all polling bodies that are being read
	// at a time; further ones are answered with 503. 64 MiB by default.
	BodyMemory int64
}

// withDefaults sets the fields that are zero to their defaults.
func (c Config) withDefaults() Config {
	orDuration(&c.PingInterval, 25*time.Second)
	orDuration(&c.PingTimeout, 20*time.Second)
	orDuration(&c.ConnectTimeout, 45*time.Second)
	orDuration(&c.WriteTimeout, 15*time.Second)
	orDuration(&c.BodyTimeout, 20*time.Second)
	orDuration(&c.LingerTime, 3*time.Second)
	orDuration(&c.UpgradeTimeout, 10*time.Second)
	if c.MaxPayload <= 0 {
		c.MaxPayload = 1_000_000
	}
	if c.SendQueue <= 0 {
		c.SendQueue = 1 << 20
	}
	if c.MaxAttachments <= 0 {
		c.MaxAttachments = 10
	}
	if c.RequestsPerAddress <= 0 {
		c.RequestsPerAddress = 512
	}
	if c.BodyMemory <= 0 {
		c.BodyMemory = 64 << 20
	}
	if c.Path == "" {
		c.Path = "/socket.io"
	}
	if c.Address == nil {
		c.Address = remoteHost
	}
	if c.Sources == nil {
		c.Sources = func(address string) []Source { return []Source{{address, 1}} }
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	if c.OnPanic == nil {
		log := c.Log
		c.OnPanic = func(value any, stack []byte) {
			log.Error("panic in a socket handler", "panic", value, "stack", string(stack))
		}
	}
	return c
}

func orDuration(d *time.Duration, fallback time.Duration) {
	if *d <= 0 {
		*d = fallback
	}
}

// remoteHost is the client's address without its port.
func remoteHost(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}
