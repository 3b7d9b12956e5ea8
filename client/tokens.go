package client

import (
	"context"
	"sync"
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
)

// refreshTimeout bounds one refresh. A refresh does not end with its caller's
// context: if the answer is lost, the login ends, because the old token has been
// used.
const refreshTimeout = 15 * time.Second

// tokens is the login of a Client.
type tokens struct {
	mu      sync.Mutex
	pair    account.Tokens
	stale   time.Time // when to refresh; zero if the expiry is unknown
	flight  *flight   // the running refresh
	renewal *time.Timer
}

// flight is a refresh that all callers share.
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

// Tokens returns the current pair, for WithTokens. The Client must be closed before
// another one uses the pair, because it may refresh the pair.
func (c *Client) Tokens() account.Tokens {
	c.tokens.mu.Lock()
	defer c.tokens.mu.Unlock()
	return c.tokens.pair
}

// AccessToken returns a token that is valid for some more time, for the caller's own
// requests; "" for a guest.
func (c *Client) AccessToken(ctx context.Context) (string, error) {
	c.tokens.mu.Lock()
	t := &c.tokens
	token := t.pair.AccessToken
	fresh := t.stale.IsZero() || time.Now().Before(t.stale) || t.pair.RefreshToken == ""
	c.tokens.mu.Unlock()
	if fresh {
		return token, nil
	}
	if err := c.refresh(ctx, token); err != nil {
		return "", err
	}
	return c.tokens.access(), nil
}

// refresh gets new tokens, unless used, the access token that was refused, has
// already been replaced. All callers share one refresh.
func (c *Client) refresh(ctx context.Context, used string) error {
	t := &c.tokens
	t.mu.Lock()
	switch {
	case t.pair.AccessToken != used:
		t.mu.Unlock()
		return nil
	case t.pair.RefreshToken == "":
		t.mu.Unlock()
		return rooms.Unauthenticated("the access token has expired and there is no refresh token")
	}
	f := t.flight
	if f == nil {
		f = &flight{done: make(chan struct{})}
		started := c.spawn(func() {
			f.err = c.exchange()
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

// exchange exchanges the refresh token for a new pair and sends the new access token
// over the socket.
func (c *Client) exchange() error {
	ctx, cancel := context.WithTimeout(context.Background(), refreshTimeout)
	defer cancel()
	pair, err := send(ctx, c, account.Refresh, account.RefreshInput{RefreshToken: c.Tokens().RefreshToken}, "")
	if err != nil {
		return err
	}
	c.tokens.set(pair)
	c.renewSoon()
	conn := c.connected()
	if conn == nil {
		return nil // the next connection uses the new token
	}
	_, err = conn.call(ctx, "auth:refresh", mustJSON(map[string]string{"token": pair.AccessToken}))
	if err != nil {
		conn.ws.Close() // the next connection uses the new token
	}
	return nil
}

// renewSoon schedules the next refresh of a connected client.
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
	case err == nil: // exchange has scheduled the next
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
