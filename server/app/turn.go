package app

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/call"
	"wenzhen.example/server/turn"
)

// relay makes the relay for calls, which listens from now on.
func relay(cfg Config, key []byte, now func() time.Time, log *slog.Logger) (*turn.Server, error) {
	lowest, highest, err := turn.Ports(cfg.TurnPorts)
	if err != nil {
		return nil, fmt.Errorf("configuration: --turn-ports: %w", err)
	}
	c := turn.Config{Addr: cfg.TurnAddr, PublicIP: cfg.TurnPublicIP, Host: cfg.TurnHost, TLSAddr: cfg.TurnTLSAddr, MinPort: lowest, MaxPort: highest,
		AllowPrivate: cfg.TurnAllowPrivate, PerUser: cfg.TurnRelaysPerUser, Most: cfg.TurnRelays, Secret: key, Life: cfg.IceLife,
		External: cfg.IceServers, ExternalSecret: []byte(cfg.IceSecret), Now: now, Log: log}
	if cfg.Demo && c.Addr == "" {
		c.Addr, c.AllowPrivate = demoRelay(cfg.Addr), true
	}
	if cfg.TurnTLSCert != "" {
		certificate, err := tls.LoadX509KeyPair(cfg.TurnTLSCert, cfg.TurnTLSKey)
		if err != nil {
			return nil, fmt.Errorf("configuration: the relay's certificate: %w", err)
		}
		c.Certificate = &certificate
	}
	return turn.New(c)
}

// demoRelay is a free port beside the demo itself.
func demoRelay(addr string) string {
	host, _, err := net.SplitHostPort(addr)
	if ip := net.ParseIP(host); err != nil || ip == nil || ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, "0")
}

// permitsRelay reports whether a session may have a relay of a call.
func (s *Server) permitsRelay(ctx context.Context, actor rooms.Actor, id call.ID) bool {
	return s.services.Accounts.Lives(ctx, actor.SessionID, actor.UserID) == nil && s.services.Calls.Permits(ctx, actor.UserID, id)
}
