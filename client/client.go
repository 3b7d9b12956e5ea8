package client

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"strings"
	"sync"

	"github.com/gorilla/websocket"

	"wenzhen/rooms"
	"wenzhen/rooms/account"
)

// Client is one login of one person, or a guest. Its methods may be called
// from any goroutine.
type Client struct {
	base   string // without a slash at the end
	socket string
	opts   options
	dialer websocket.Dialer
	tokens tokens
	heard  heard

	life  context.Context // ends with the Client
	stop  context.CancelFunc
	done  chan struct{} // closed when the Client has ended
	tasks sync.WaitGroup

	mu      sync.Mutex
	link    *link         // nil while offline
	online  chan struct{} // closed while there is a link
	started bool
	err     error // why it ended; nil while it lives
	rooms   map[rooms.RoomID]*Room
}

// New makes a Client of the server at base, such as "http://localhost:8080".
// It asks over REST; Connect opens the socket. Without WithTokens it is a
// guest until LogIn.
func New(base string, opts ...Option) (*Client, error) {
	u, err := url.Parse(strings.TrimRight(base, "/"))
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return nil, rooms.Invalid("base", "the server's address must be like http://localhost:8080, not %q", base)
	}
	o := defaults()
	for _, opt := range opts {
		opt(&o)
	}
	c := &Client{base: u.String(), opts: o, online: make(chan struct{}), done: make(chan struct{}),
		dialer: websocket.Dialer{NetDialContext: o.netDial, ReadBufferSize: 1 << 10, WriteBufferSize: 1 << 10, WriteBufferPool: &writeBuffers}}
	u.Scheme = "ws" + strings.TrimPrefix(u.Scheme, "http")
	c.socket = u.String() + "/socket.io/?EIO=4&transport=websocket"
	c.life, c.stop = context.WithCancel(context.Background())
	c.tokens.set(o.tokens)
	return c, nil
}

// Login makes a Client and logs in.
func Login(ctx context.Context, base, email, password string, opts ...Option) (*Client, error) {
	c, err := New(base, opts...)
	if err != nil {
		return nil, err
	}
	_, err = c.LogIn(ctx, account.LoginInput{Email: email, Password: password})
	return c, err
}

// Dial makes a Client and connects it.
func Dial(ctx context.Context, base string, opts ...Option) (*Client, error) {
	c, err := New(base, opts...)
	if err != nil {
		return nil, err
	}
	return c, c.Connect(ctx)
}

// LogIn starts a session, whose tokens the Client keeps and refreshes.
func (c *Client) LogIn(ctx context.Context, in account.LoginInput) (account.User, error) {
	login, err := Do(ctx, c, account.LogIn, in)
	if err != nil {
		return account.User{}, err
	}
	c.tokens.set(login.Tokens)
	return login.User, nil
}

// Register opens an account and starts a session. Where the server confirms
// addresses first the error is unauthenticated with field email: the link of a
// mail makes the account, which can then be logged in to.
func (c *Client) Register(ctx context.Context, in account.RegisterInput) (account.User, error) {
	made, err := Do(ctx, c, account.Register, in)
	if err != nil {
		return account.User{}, err
	}
	if made.Confirm {
		e := rooms.Unauthenticated("follow the link of the mail that confirms the address, then log in")
		e.Field = "email"
		return account.User{}, e
	}
	c.tokens.set(made.Login().Tokens)
	return made.User, nil
}

// Call sends a command over the socket and returns its answer. While the socket
// is down it waits for the next one, until ctx ends. The error is an
// *rooms.Error. If it is retryable, the command may still have been executed
// before the connection broke, so only an idempotent command (with clientId or
// id) is safe to send again.
func Call[In, Out any](ctx context.Context, c *Client, command rooms.Command[In, Out], in In) (Out, error) {
	var out Out
	if command.Namespace == "" {
		return out, rooms.Invalid("", "%s is not for sockets; use Do", command.Name)
	}
	raw, err := json.Marshal(in)
	if err != nil {
		return out, rooms.Invalid("", "the input cannot be encoded: %v", err)
	}
	data, err := c.ask(ctx, command.Name, raw)
	if err != nil {
		return out, asError(err)
	}
	if err := json.Unmarshal(data, &out); err != nil {
		return out, rooms.Internal(err)
	}
	return out, nil
}

// ask sends a command over the present link or the next one. An access token
// that has run out is refreshed once.
func (c *Client) ask(ctx context.Context, name string, in []byte) (json.RawMessage, error) {
	renewed := false
	for {
		l, err := c.wait(ctx)
		if err != nil {
			return nil, err
		}
		used := c.tokens.access()
		data, err := l.ask(ctx, name, in)
		switch {
		case err == errGone:
			continue // not sent
		case rooms.CodeOf(err) == rooms.CodeUnauthenticated && !renewed:
			renewed = true
			if c.refresh(ctx, used) == nil {
				continue
			}
		}
		return data, err
	}
}

// wait is the present link, or the next.
func (c *Client) wait(ctx context.Context) (*link, error) {
	for {
		c.mu.Lock()
		l, online, started, err := c.link, c.online, c.started, c.err
		c.mu.Unlock()
		switch {
		case err != nil:
			return nil, err
		case l != nil:
			return l, nil
		case !started:
			return nil, &rooms.Error{Code: rooms.CodeUnavailable, Message: "Connect has not been called"}
		}
		select {
		case <-online:
		case <-c.done:
		case <-ctx.Done():
			return nil, rooms.Unavailable(ctx.Err(), "gave up waiting for a connection")
		}
	}
}

// connected is the present link, or nil.
func (c *Client) connected() *link {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.link
}

// spawn runs f in a goroutine that Close waits for; false after the end.
func (c *Client) spawn(f func()) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return false
	}
	c.tasks.Go(f)
	return true
}

// Connected reports whether there is a connection right now.
func (c *Client) Connected() bool { return c.connected() != nil }

// Done is closed when the Client has ended: by Close, or because its login has.
func (c *Client) Done() <-chan struct{} { return c.done }

// Err is why the Client has ended; nil while it lives.
func (c *Client) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

func (c *Client) ended() error {
	if err := c.Err(); err != nil {
		return err
	}
	return errClosed
}

var errClosed = &rooms.Error{Code: rooms.CodeUnavailable, Message: "the client is closed"}

// end closes the client; it does not reconnect.
func (c *Client) end(err error) {
	c.mu.Lock()
	if c.err != nil {
		c.mu.Unlock()
		return
	}
	c.err = err
	all := c.rooms
	c.rooms = nil
	l := c.link
	c.mu.Unlock()
	c.tokens.stop()
	c.stop()
	close(c.done)
	if l != nil {
		l.ws.Close()
	}
	for _, r := range all {
		r.end(err)
	}
	c.opts.status(Ended, err)
}

// Close says goodbye to the server and ends everything that the Client runs.
// It returns when that is over, or with ctx's error. The login lives on.
func (c *Client) Close(ctx context.Context) error {
	if l := c.connected(); l != nil {
		l.leave(ctx)
	}
	c.end(errClosed)
	over := make(chan struct{})
	go func() {
		c.tasks.Wait()
		close(over)
	}()
	select {
	case <-over:
		return nil
	case <-ctx.Done():
		return rooms.Unavailable(ctx.Err(), "gave up waiting for the client's goroutines")
	}
}

// asError makes every error an *rooms.Error.
func asError(err error) error {
	if err == nil || isError(err) {
		return err
	}
	return rooms.Unavailable(err, "the connection failed")
}

func isError(err error) bool {
	var e *rooms.Error
	return errors.As(err, &e)
}

func retryable(err error) bool {
	var e *rooms.Error
	return errors.As(err, &e) && e.Retryable
}

func mustJSON(v map[string]string) []byte {
	b, _ := json.Marshal(v) // strings always encode
	return b
}
