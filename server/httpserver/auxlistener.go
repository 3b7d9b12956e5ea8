package httpserver

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// AuxListener is an optional extra HTTP listener: for metrics, or for the redirect
// to HTTPS. A nil AuxListener does nothing.
type AuxListener struct {
	listener net.Listener
	http     *http.Server
}

// ListenAux opens an extra listener; errors contain what, its purpose. It returns
// nil if there is no address.
func ListenAux(what, addr string, handler http.Handler, log *slog.Logger) (*AuxListener, error) {
	if addr == "" {
		return nil, nil
	}
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("listen for %s: %w", what, err)
	}
	return &AuxListener{listener: listener, http: &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 32 << 10, ErrorLog: ErrorLog(log)}}, nil
}

// URL returns the URL of the listener, or "".
func (l *AuxListener) URL() string {
	if l == nil {
		return ""
	}
	return "http://" + l.listener.Addr().String()
}

// Serve serves requests until Close.
func (l *AuxListener) Serve(log *slog.Logger) {
	if l == nil {
		return
	}
	if err := l.http.Serve(l.listener); !errors.Is(err, http.ErrServerClosed) {
		log.Error("a listener failed", "address", l.listener.Addr(), "error", err)
	}
}

// Close closes the listener and its connections.
func (l *AuxListener) Close() error {
	if l == nil {
		return nil
	}
	err := l.http.Close()
	_ = l.listener.Close() // closed already if it was served
	return err
}
