package client

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"strings"
	"sync"

	"github.com/gorilla/websocket"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
)

// Client is one login of one user, or a guest. Its methods may be called from any
// goroutine.
type Client struct {
	base       string // without a slash at the end
	socket     string
	opts       options
	dialer     websocket.Dialer
	tokens     tokens
	dispatcher dispatcher

	life  context.Context // ends with the Client
	stop  context.CancelFunc
	done  chan struct{} // closed when the Client has ended
	tasks sync.WaitGroup

	mu      sync.Mutex
	conn    *socketConn   // nil while offline
	online  chan struct{} // closed while there is a connection
	started bool
	err     error // why it ended; nil before
	rooms   map[rooms.RoomID]*Room
}

// New returns a Client of the server at base, such as "http://localhost:8080". It
// uses REST; Connect opens the socket. Without WithTokens it is a guest until
// LogIn.
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
		dialer: websocket.Dialer{NetDialContext: o.netDial,
			ReadBufferSize: 1 << 10, WriteBufferSize: 1 << 10, WriteBufferPool: &writeBuffers}}
	u.Scheme = "ws" + strings.TrimPrefix(u.Scheme, "http")
	c.socket = u.String() + "/socket.io/?EIO=4&transport=websocket"
	c.life, c.stop = context.WithCancel(context.Background())
	c.tokens.set(o.tokens)
	return c, nil
}

// Login creates a Client and logs in.
func Login(ctx context.Context, base, email, password string, opts ...Option) (*Client, error) {
	c, err := New(base, opts...)
	if err != nil {
		return nil, err
	}
	_, err = c.LogIn(ctx, account.LoginInput{Email: email, Password: password})
	return c, err
}

// Dial creates a Client and connects it.
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

// Register opens an account and starts a session. If the server requires a verified
// address, the error is unauthenticated with the field email: the account is
// created when the user opens the link that is mailed, and can then log in.
func (c *Client) Register(ctx context.Context, in account.RegisterInput) (account.User, error) {
	made, err := Do(ctx, c, account.Register, in)
	if err != nil {
		return account.User{}, err
	}
	if made.Confirm {
		e := rooms.Unauthenticated("open the link in the mail that verifies the address, then log in")
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
	data, err := c.call(ctx, command.Name, raw)
	if err != nil {
		return out, asError(err)
	}
	if err := json.Unmarshal(data, &out); err != nil {
		return out, rooms.Internal(err)
	}
	return out, nil
}

// call sends a command over the current connection or the next one. It refreshes an
// expired access token once.
func (c *Client) call(ctx context.Context, name string, in []byte) (json.RawMessage, error) {
	renewed := false
	for {
		conn, err := c.wait(ctx)
		if err != nil {
			return nil, err
		}
		used := c.tokens.access()
		data, err := conn.call(ctx, name, in)
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

// wait returns the current connection, or waits for the next.
func (c *Client) wait(ctx context.Context) (*socketConn, error) {
	for {
		c.mu.Lock()
		conn, online, started, err := c.conn, c.online, c.started, c.err
		c.mu.Unlock()
		switch {
		case err != nil:
			return nil, err
		case conn != nil:
			return conn, nil
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

// connected returns the current connection, or nil.
func (c *Client) connected() *socketConn {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.conn
}

// spawn runs f in a goroutine that Close waits for. It returns false if the Client
// has ended.
func (c *Client) spawn(f func()) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return false
	}
	c.tasks.Go(f)
	return true
}

// Connected reports whether the Client is connected.
func (c *Client) Connected() bool { return c.connected() != nil }

// Done returns a channel that is closed when the Client has ended: by Close, or
// because its login has ended.
func (c *Client) Done() <-chan struct{} { return c.done }

// Err returns why the Client has ended, or nil if it has not.
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
	conn := c.conn
	c.mu.Unlock()
	c.tokens.stop()
	c.stop()
	close(c.done)
	if conn != nil {
		conn.ws.Close()
	}
	for _, r := range all {
		r.end(err)
	}
	c.opts.status(Ended, err)
}

// Close closes the connection and ends the Client's goroutines. It returns when
// they have ended, or with ctx's error. The login does not end.
func (c *Client) Close(ctx context.Context) error {
	if conn := c.connected(); conn != nil {
		conn.leave(ctx)
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

// asError converts err to an *rooms.Error.
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
