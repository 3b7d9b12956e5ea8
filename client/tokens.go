package client

import (
	"context"
	"sync"
	"time"

	"wenzhen/rooms"
	"wenzhen/rooms/account"
)

// refreshTimeout bounds one refresh. It is not cut short when a caller gives
// up: an answer that is lost costs the login, for the old token is used up.
const refreshTimeout = 15 * time.Second

// tokens is the login that a Client speaks for.
type tokens struct {
	mu      sync.Mutex
	pair    account.Tokens
	stale   time.Time // when to refresh; zero if nobody said how long the token lives
	flight  *flight   // the refresh that is under way
	renewal *time.Timer
}

// flight is a refresh that everyone who needs one waits for.
type flight struct {
	done chan struct{}
	err  error
}

func (t *tokens) set(pair account.Tokens) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.pair, t.stale = pair, time.Time{}
	if pair.ExpiresIn > 0 {
		t.stale = time.Now().Add(time.Duration(pair.ExpiresIn) * time.Second * 4 / 5)
	}
}

func (t *tokens) access() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.pair.AccessToken
}

// Tokens is the present pair, to start from later (WithTokens). The Client
// must be closed by then, or the pair may have been traded for another.
func (c *Client) Tokens() account.Tokens {
	c.tokens.mu.Lock()
	defer c.tokens.mu.Unlock()
	return c.tokens.pair
}

// AccessToken is a token that is good for some time yet, for requests of the
// caller's own; "" for a guest.
func (c *Client) AccessToken(ctx context.Context) (string, error) {
	c.tokens.mu.Lock()
	token, fresh := c.tokens.pair.AccessToken, c.tokens.stale.IsZero() || time.Now().Before(c.tokens.stale) || c.tokens.pair.RefreshToken == ""
	c.tokens.mu.Unlock()
	if fresh {
		return token, nil
	}
	if err := c.refresh(ctx, token); err != nil {
		return "", err
	}
	return c.tokens.access(), nil
}

// refresh trades the tokens in, unless used, the access token that was found
// wanting, has been replaced already. All callers share one refresh.
func (c *Client) refresh(ctx context.Context, used string) error {
	t := &c.tokens
	t.mu.Lock()
	switch {
	case t.pair.AccessToken != used:
		t.mu.Unlock()
		return nil
	case t.pair.RefreshToken == "":
		t.mu.Unlock()
		return rooms.Unauthenticated("the login has run out and there is no refresh token")
	}
	f := t.flight
	if f == nil {
		f = &flight{done: make(chan struct{})}
		started := c.spawn(func() {
			f.err = c.trade()
			t.mu.Lock()
			t.flight = nil
			t.mu.Unlock()
			close(f.done)
		})
		if !started {
			t.mu.Unlock()
			return c.ended()
		}
		t.flight = f
	}
	t.mu.Unlock()
	select {
	case <-f.done:
		return f.err
	case <-ctx.Done():
		return rooms.Unavailable(ctx.Err(), "gave up waiting for new tokens")
	}
}

// trade gets a new pair and tells the socket.
func (c *Client) trade() error {
	ctx, cancel := context.WithTimeout(context.Background(), refreshTimeout)
	defer cancel()
	pair, err := send(ctx, c, account.Refresh, account.RefreshInput{RefreshToken: c.Tokens().RefreshToken}, "")
	if err != nil {
		return err
	}
	c.tokens.set(pair)
	c.renewSoon()
	l := c.connected()
	if l == nil {
		return nil // the next connection begins with the new token
	}
	_, err = l.ask(ctx, "auth:refresh", mustJSON(map[string]string{"token": pair.AccessToken}))
	if err != nil {
		l.ws.Close() // the next connection begins with the new token
	}
	return nil
}

// renewSoon plans the next refresh of a connected client.
func (c *Client) renewSoon() {
	t := &c.tokens
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.stale.IsZero() || t.pair.RefreshToken == "" {
		return
	}
	c.renewIn(time.Until(t.stale))
}

// renewIn sets the timer; the lock of tokens is held.
func (c *Client) renewIn(d time.Duration) {
	if c.tokens.renewal != nil {
		c.tokens.renewal.Stop()
	}
	c.tokens.renewal = time.AfterFunc(max(d, 10*time.Millisecond), func() { c.spawn(c.renew) })
}

const renewRetry = 5 * time.Second

func (c *Client) renew() {
	err := c.refresh(c.life, c.tokens.access())
	switch {
	case err == nil: // trade has planned the next
	case retryable(err):
		c.tokens.mu.Lock()
		c.renewIn(renewRetry)
		c.tokens.mu.Unlock()
	default:
		c.end(err)
	}
}

func (t *tokens) stop() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.renewal != nil {
		t.renewal.Stop()
	}
}
