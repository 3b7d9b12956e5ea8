package client

import (
	"context"
	"encoding/json"
	"errors"

	"wenzhen/rooms"
	"wenzhen/rooms/account"
)

// Connect opens the socket and keeps it open, over as many connections as it
// takes, until Close or until the login ends. The error is that of the first
// attempt; there is only one.
func (c *Client) Connect(ctx context.Context) error {
	c.mu.Lock()
	switch {
	case c.err != nil:
		defer c.mu.Unlock()
		return c.err
	case c.started:
		defer c.mu.Unlock()
		return rooms.Conflict("", "connected already")
	}
	c.started = true
	c.mu.Unlock()
	l, err := c.open(ctx)
	if err == nil && !c.spawn(func() { c.keep(l) }) {
		l.ws.Close()
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

// open makes a link with a token that is good, refreshing it once if the
// server thinks otherwise.
func (c *Client) open(ctx context.Context) (*link, error) {
	for renewed := false; ; renewed = true {
		token, err := c.AccessToken(ctx)
		if err != nil {
			return nil, err
		}
		l, err := openLink(ctx, &c.dialer, c.socket, c.opts.to, token)
		var r refused
		if !errors.As(err, &r) || r.why.Code != rooms.CodeUnauthenticated || renewed {
			return l, err
		}
		if again := c.refresh(ctx, token); again != nil {
			return nil, again
		}
	}
}

// keep reads the link until it ends, and makes the next one.
func (c *Client) keep(l *link) {
	again := backoff{first: c.opts.first, most: c.opts.most}
	for {
		c.attach(l)
		revoked := false
		why := l.read(func(name string, data json.RawMessage) {
			revoked = revoked || name == account.SessionRevoked.Name
			c.hear(name, data)
		})
		c.detach()
		l.end() // after detach, so that nobody comes back to this link
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
		if l = c.reopen(&again); l == nil {
			return
		}
	}
}

// reopen tries until there is a link; nil when the Client has ended.
func (c *Client) reopen(again *backoff) *link {
	wait := again.next()
	for {
		if pause(c.life, wait) != nil {
			return nil
		}
		l, err := c.open(c.life)
		wait = again.next()
		var e *rooms.Error
		switch {
		case c.life.Err() != nil:
			if err == nil {
				l.ws.Close()
			}
			return nil
		case err == nil:
			return l
		case !errors.As(err, &e):
		case !e.Retryable:
			c.end(e)
			return nil
		default:
			wait = max(wait, after(e))
		}
	}
}

// attach makes l the link that commands go over, and lets rooms catch up.
func (c *Client) attach(l *link) {
	c.mu.Lock()
	if c.err != nil {
		c.mu.Unlock()
		l.ws.Close() // end has not seen it
		return
	}
	c.link = l
	stale := make([]*Room, 0, len(c.rooms))
	for _, r := range c.rooms {
		r.lost()
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
	if c.link != nil {
		c.link = nil
		c.online = make(chan struct{})
	}
}
