package client

import (
	"context"
	"net"
	"net/http"
	"time"

	"wenzhen/rooms"
	"wenzhen/rooms/account"
)

// Option changes how a Client behaves.
type Option func(*options)

type options struct {
	tokens      account.Tokens
	to          entrance
	http        *http.Client
	netDial     func(ctx context.Context, network, address string) (net.Conn, error)
	first, most time.Duration
	status      func(Status, error)
}

func defaults() options {
	return options{to: entrance{namespace: rooms.Consultations}, http: http.DefaultClient, netDial: (&net.Dialer{}).DialContext,
		first: 200 * time.Millisecond, most: 15 * time.Second, status: func(Status, error) {}}
}

// WithTokens starts from tokens of an earlier login. A pair belongs to one
// Client: refreshing it in two would look like theft and end the login.
// Without a refresh token the Client ends when the access token does.
func WithTokens(t account.Tokens) Option { return func(o *options) { o.tokens = t } }

// InLobby connects to the chat hall instead of the consultations, as a guest
// unless there are tokens; "" is called guest-….
func InLobby(nickname string) Option {
	return func(o *options) { o.to = entrance{namespace: rooms.Lobby, nickname: nickname} }
}

// WithInbox connects to the user's notifications instead of the consultations:
// Call then takes the inbox's commands, and OnEvent hears it.
func WithInbox() Option {
	return func(o *options) { o.to = entrance{namespace: rooms.Notifications} }
}

// WithHTTPClient sends REST requests through h; http.DefaultClient by default.
func WithHTTPClient(h *http.Client) Option { return func(o *options) { o.http = h } }

// WithNetDial makes the socket's connections, for example from chosen local
// addresses: one address has some 28,000 ports.
func WithNetDial(dial func(ctx context.Context, network, address string) (net.Conn, error)) Option {
	return func(o *options) { o.netDial = dial }
}

// WithBackoff sets the pauses between attempts to reconnect: the first, and
// the longest. They double in between and are jittered by half.
func WithBackoff(first, most time.Duration) Option {
	return func(o *options) { o.first, o.most = first, most }
}

// Status is whether a Client is connected.
type Status int

// The states of the connection.
const (
	Offline Status = iota // a new connection is being made
	Online
	Ended // permanently: closed, or the login has ended
)

// WithStatus calls changed when the state of the connection changes, with the
// reason. It is called by goroutines of the Client, and must not block or call
// Close.
func WithStatus(changed func(Status, error)) Option {
	return func(o *options) { o.status = changed }
}
