package client

import (
	"context"
	"encoding/json"
	"errors"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
)

// Connect opens the socket. The Client reconnects until Close or until the login
// ends. Connect makes one attempt and returns its error.
func (c *Client) Connect(ctx context.Context) error {
	c.mu.Lock()
	switch {
	case c.err != nil:
		defer c.mu.Unlock()
		return c.err
	case c.started:
		defer c.mu.Unlock()
		return rooms.Conflict("", "already connected")
	}
	c.started = true
	c.mu.Unlock()
	conn, err := c.open(ctx)
	if err == nil && !c.spawn(func() { c.keep(conn) }) {
		conn.ws.Close()
		err = c.ended()
	}
	if err != nil {
		c.mu.Lock()
		c.started = false
		c.mu.Unlock()
		return asError(err)
	}
	c.renewSoon()
	_, err = c.wait(ctx)
	return err
}

// open opens a connection. If the server refuses the access token, it refreshes the
// token once.
func (c *Client) open(ctx context.Context) (*socketConn, error) {
	for renewed := false; ; renewed = true {
		token, err := c.AccessToken(ctx)
		if err != nil {
			return nil, err
		}
		conn, err := openConn(ctx, &c.dialer, c.socket, c.opts.to, token)
		var r refused
		if !errors.As(err, &r) || r.why.Code != rooms.CodeUnauthenticated || renewed {
			return conn, err
		}
		if again := c.refresh(ctx, token); again != nil {
			return nil, again
		}
	}
}

// keep reads the connection until it ends, and opens the next one.
func (c *Client) keep(conn *socketConn) {
	again := backoff{first: c.opts.first, most: c.opts.most}
	for {
		c.attach(conn)
		revoked := false
		why := conn.read(func(name string, data json.RawMessage) {
			revoked = revoked || name == account.SessionRevoked.Name
			c.dispatch(name, data)
		})
		c.detach()
		conn.end() // after detach, so that no command waits for this connection again
		switch {
		case c.life.Err() != nil:
			return
		case revoked:
			c.end(rooms.Unauthenticated("this login has ended"))
			return
		case errors.Is(why, errKicked):
			c.end(rooms.Unauthenticated("the server ended this connection; do not reconnect"))
			return
		}
		c.opts.status(Offline, why)
		again.reset()
		if conn = c.reopen(&again); conn == nil {
			return
		}
	}
}

// reopen tries until there is a connection. It returns nil if the Client has ended.
func (c *Client) reopen(again *backoff) *socketConn {
	wait := again.next()
	for {
		if pause(c.life, wait) != nil {
			return nil
		}
		conn, err := c.open(c.life)
		wait = again.next()
		var e *rooms.Error
		switch {
		case c.life.Err() != nil:
			if err == nil {
				conn.ws.Close()
			}
			return nil
		case err == nil:
			return conn
		case !errors.As(err, &e):
		case !e.Retryable:
			c.end(e)
			return nil
		default:
			wait = max(wait, after(e))
		}
	}
}

// attach makes conn the current connection and lets rooms catch up.
func (c *Client) attach(conn *socketConn) {
	c.mu.Lock()
	if c.err != nil {
		c.mu.Unlock()
		conn.ws.Close() // end did not close it
		return
	}
	c.conn = conn
	stale := make([]*Room, 0, len(c.rooms))
	for _, r := range c.rooms {
		r.markStale()
		stale = append(stale, r)
	}
	close(c.online)
	c.mu.Unlock()
	c.opts.status(Online, nil)
	if len(stale) > 0 {
		c.spawn(func() {
			for _, r := range stale {
				r.resume()
			}
		})
	}
}

func (c *Client) detach() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.conn != nil {
		c.conn = nil
		c.online = make(chan struct{})
	}
}
