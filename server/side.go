package server

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// side is a listener beside the public one. A nil side does nothing.
type side struct {
	listener net.Listener
	http     *http.Server
}

// listenBeside opens a listener for what it is for; it is nil without an address.
func listenBeside(what, addr string, handler http.Handler, log *slog.Logger) (*side, error) {
	if addr == "" {
		return nil, nil
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("listen for %s: %w", what, err)
	}
	return &side{listener: l, http: &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 32 << 10,
		ErrorLog: transportLog(log)}}, nil
}

// url is where it is, or "".
func (s *side) url() string {
	if s == nil {
		return ""
	}
	return "http://" + s.listener.Addr().String()
}

// serve answers until close.
func (s *side) serve(log *slog.Logger) {
	if s == nil {
		return
	}
	if err := s.http.Serve(s.listener); !errors.Is(err, http.ErrServerClosed) {
		log.Error("a listener failed", "address", s.listener.Addr(), "error", err)
	}
}

// close ends it, and what it is answering.
func (s *side) close() error {
	if s == nil {
		return nil
	}
	err := s.http.Close()
	_ = s.listener.Close() // closed already if it was served
	return err
}
