package app

import (
	"context"
	"errors"
	"net"
)

// closing is a part of the server that Close closes.
type closing struct {
	name string
	// made is false of a part that there is none of: one that the settings do not
	// ask for, or that New has not come to.
	made  bool
	close func() error
}

// closings are the parts that Close closes, in this order.
func (s *Server) closings() []closing {
	return []closing{
		// First what is reached from outside: nothing new comes in.
		{"listener", s.listener != nil, s.closeListener},
		{"metrics", s.private != nil, s.private.Close},
		{"redirect to HTTPS", s.httpsRedirect != nil, s.httpsRedirect.Close},
		{"sockets", s.realtime != nil && !s.draining.Load(), s.closeSockets},
		{"relay", s.turn != nil, s.turn.Close},
		{"cluster", s.node != nil, s.node.Close},
		{"login providers", s.providers != nil, func() error { s.providers.Close(); return nil }},
		// Nothing asks for anything any more: what waits is written.
		{"enrolment", s.db != nil, s.leave},
		{"database", s.db != nil, s.closeDatabase},
		// After the last commit, so that it is still announced.
		{"hub", true, func() error { s.stopHub(); <-s.hubDone; return nil }},
		{"push", s.push != nil, func() error { s.push.Close(); return nil }},
		{"attachments", s.blobs != nil, s.blobs.Close},
		{"traces", true, func() error { s.flushTraces(); return nil }},
		// Last: it unlocks the data folder.
		{"data folder", s.folder != nil, s.folder.Close},
	}
}

// closeAll closes the parts that were made, in their order. One that fails does
// not keep the next open.
func closeAll(parts []closing) error {
	var errs []error
	for _, p := range parts {
		if p.made {
			errs = append(errs, p.close())
		}
	}
	return errors.Join(errs...)
}

func (s *Server) closeListener() error {
	if err := s.listener.Close(); !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}

func (s *Server) closeSockets() error {
	ctx, cancel := context.WithTimeout(context.Background(), s.cfg.DrainTimeout)
	defer cancel()
	return s.realtime.Close(ctx)
}

func (s *Server) closeDatabase() error {
	if s.ends == nil {
		return s.db.Close()
	}
	ctx, cancel := context.WithTimeout(context.Background(), s.cfg.CommandTimeout)
	defer cancel()
	return s.ends.close(ctx)
}
