package client

import (
	"context"
	"net"
	"net/http"
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
)

// Option changes how a Client behaves.
type Option func(*options)

type options struct {
	tokens      account.Tokens
	to          destination
	http        *http.Client
	netDial     func(ctx context.Context, network, address string) (net.Conn, error)
	first, most time.Duration
	status      func(Status, error)
}

func defaults() options {
	return options{to: destination{namespace: rooms.Consultations}, http: http.DefaultClient, netDial: (&net.Dialer{}).DialContext,
		first: 200 * time.Millisecond, most: 15 * time.Second, status: func(Status, error) {}}
}

// WithTokens uses the tokens of an earlier login. A pair must be used by one Client
// only: if two refresh it, the server suspects theft and ends the login. Without a
// refresh token the Client ends when the access token expires.
func WithTokens(t account.Tokens) Option { return func(o *options) { o.tokens = t } }

// InLobby connects to the lobby instead of the consultations, as a guest unless
// there are tokens. Without a nickname the name is "guest-…".
func InLobby(nickname string) Option {
	return func(o *options) { o.to = destination{namespace: rooms.Lobby, nickname: nickname} }
}

// WithInbox connects to the user's notifications instead of the consultations:
// Call then accepts the inbox's commands, and OnEvent receives its events.
func WithInbox() Option {
	return func(o *options) { o.to = destination{namespace: rooms.Notifications} }
}

// WithHTTPClient sends REST requests with h; http.DefaultClient by default.
func WithHTTPClient(h *http.Client) Option { return func(o *options) { o.http = h } }

// WithNetDial opens the socket's connections with dial, for example from several
// local addresses: one address has some 28,000 ports.
func WithNetDial(dial func(ctx context.Context, network, address string) (net.Conn, error)) Option {
	return func(o *options) { o.netDial = dial }
}

// WithBackoff sets the pauses between attempts to reconnect: the first, and
// the longest. They double in between and are jittered by half.
func WithBackoff(first, most time.Duration) Option {
	return func(o *options) { o.first, o.most = first, most }
}

// Status is the state of a Client's connection.
type Status int

// The states of the connection.
const (
	Offline Status = iota // the Client reconnects
	Online
	Ended // permanently: closed, or the login has ended
)

// WithStatus calls changed when the state of the connection changes, with the
// reason. changed is called by goroutines of the Client, and must not block or call
// Close.
func WithStatus(changed func(Status, error)) Option {
	return func(o *options) { o.status = changed }
}
