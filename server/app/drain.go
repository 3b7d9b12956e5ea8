package app

import (
	"context"
	"errors"
	"net/http"
	"time"

	"wenzhen.example/server/httpserver"
)

// WithDrainNotice replaces the time for which a node that shuts down goes on
// answering, so that balancers notice (--drain-notice): noticed returns when
// they have, or when its context ends.
func WithDrainNotice(noticed func(context.Context)) Option {
	return func(s *Server) { s.noticed = noticed }
}

// WithLinger replaces the time that clients have to fetch what was sent to them
// before their connection was closed.
func WithLinger(d time.Duration) Option { return func(s *Server) { s.linger = d } }

// drain ends what Run serves. Until the last step requests are answered as
// ever, on new connections and on those that are kept open, and each answer
// asks the client to come back on another connection:
//
//  1. /readyz answers 503, and handshakes are refused with 503;
//  2. sockets are closed one after the other, each with what is queued for it;
//  3. balancers have the rest of the notice to find out;
//  4. nobody can connect any more, running requests finish.
//
// http.Server.Shutdown comes last, when no connection is left: it would close
// those that were accepted but whose request has not been read. served is
// closed when the server has stopped accepting connections.
func (s *Server) drain(served <-chan struct{}) error {
	ctx, cancel := context.WithTimeout(context.Background(), s.cfg.DrainTimeout)
	defer cancel()
	s.drained, _ = ctx.Deadline()
	s.draining.Store(true)
	noticed := make(chan struct{})
	go func() {
		defer close(noticed)
		s.noticed(ctx)
	}()
	s.realtime.Drain()
	// Sockets before requests: a long poll is a running request that only they end.
	err := s.realtime.Close(ctx)
	<-noticed
	httpserver.RefuseConnections(ctx, s.listener)
	err = errors.Join(err, s.listener.Close())
	<-served
	s.idle.End(ctx, s.balanced())
	if down := s.http.Shutdown(ctx); down != nil {
		err = errors.Join(err, down, s.http.Close())
	}
	return err
}

// balanced reports whether there are balancers before this node.
func (s *Server) balanced() bool { return len(s.cfg.TrustedProxies) > 0 }

// noticing waits for --drain-notice where there are balancers.
func (s *Server) noticing(ctx context.Context) {
	if !s.balanced() {
		return
	}
	notice := time.NewTimer(min(s.cfg.DrainNotice, s.cfg.DrainTimeout/2))
	defer notice.Stop()
	select {
	case <-notice.C:
	case <-ctx.Done():
	}
}

// parting has the answers of a server that shuts down end their connections, so
// that none is left that a client might be about to use when it is closed.
// HTTP/2 sends GOAWAY.
func (s *Server) parting(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.draining.Load() {
			w.Header().Set("Connection", "close")
		}
		next.ServeHTTP(w, r)
	})
}
