package mail

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	netmail "net/mail"
	"net/url"
	"slices"
	"strconv"
	"time"

	gomail "github.com/wneessen/go-mail"

	"wenzhen.example/rooms"
)

// Config says through which server mail goes.
type Config struct {
	// Server is the SMTP server's address: "smtp://user:password@host:587"
	// insists on STARTTLS (RFC 3207), "smtps://…:465" speaks TLS from the start
	// (RFC 8314), and "?tls=off" at the end of either speaks none.
	Server string
	// From is the sender: "Wenzhen <no-reply@clinic.example>" (RFC 5322).
	From string
	// Timeout bounds the sending of one message.
	Timeout time.Duration
	// TLS is the configuration of TLS connections; nil trusts the certificates
	// that the system trusts.
	TLS *tls.Config
}

// Sender sends messages, each over a connection of its own. It may be used by
// many goroutines at once.
type Sender struct {
	host    string
	options []gomail.Option
	from    *netmail.Address
	tls     *tls.Config // to speak it from the start; nil otherwise
	timeout time.Duration
}

// New reads the configuration; nothing is connected yet.
func New(cfg Config) (*Sender, error) {
	server, err := url.Parse(cfg.Server)
	if err != nil || server.Hostname() == "" || (server.Scheme != "smtp" && server.Scheme != "smtps") {
		return nil, errors.New("mail server: must be smtp://[user:password@]host:port or smtps://…") // not err: it repeats the password
	}
	from, err := netmail.ParseAddress(cfg.From)
	if err != nil {
		return nil, fmt.Errorf("mail sender %q: %w", cfg.From, err)
	}
	s := &Sender{host: server.Hostname(), from: from, timeout: cfg.Timeout,
		options: []gomail.Option{gomail.WithTimeout(cfg.Timeout), gomail.WithHELO(domainOf(from.Address)), gomail.WithoutNoop()}}
	trust := &tls.Config{MinVersion: tls.VersionTLS12}
	if cfg.TLS != nil {
		trust = cfg.TLS.Clone()
	}
	trust.ServerName = cmp.Or(trust.ServerName, s.host)
	policy := gomail.TLSMandatory
	switch {
	case server.Query().Get("tls") == "off":
		policy = gomail.NoTLS
	case server.Scheme == "smtps": // s dials with TLS; the library finds it there
		s.tls, policy = trust, gomail.TLSOpportunistic
	}
	port := server.Port()
	if port == "" {
		port = map[string]string{"smtp": "587", "smtps": "465"}[server.Scheme]
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		return nil, fmt.Errorf("mail server: port %q: %w", port, err)
	}
	s.options = append(s.options, gomail.WithTLSPolicy(policy), gomail.WithTLSConfig(trust), gomail.WithPort(number))
	if password, ok := server.User.Password(); ok {
		s.options = append(s.options, gomail.WithSMTPAuth(gomail.SMTPAuthAutoDiscover), gomail.WithUsername(server.User.Username()), gomail.WithPassword(password))
	}
	if _, err := gomail.NewClient(s.host, s.options...); err != nil {
		return nil, fmt.Errorf("mail server: %w", err)
	}
	return s, nil
}

// Send hands a message to the server and returns when the server has accepted
// it. A permanent refusal is an *rooms.Error of code invalid. A transient
// failure (no connection, a busy server, a deadline) is unavailable; the same
// message may be sent again.
func (s *Sender) Send(ctx context.Context, m Message) error {
	msg, err := m.encode(s.from)
	if err != nil {
		return rooms.Invalid("to", "the mail cannot be written; is the address one?") // not err, which repeats it
	}
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	var line *connection
	client, err := gomail.NewClient(s.host, append(slices.Clip(s.options), gomail.WithDialContextFunc(func(_ context.Context, network, address string) (net.Conn, error) {
		var err error
		line, err = dial(ctx, network, address) // the library's own context ends with the greeting
		if err != nil || s.tls == nil {
			return line, err
		}
		secure := tls.Client(line, s.tls)
		return secure, secure.HandshakeContext(ctx)
	}))...)
	if err != nil {
		return fmt.Errorf("mail server: %w", err)
	}
	defer func() {
		if line != nil {
			_ = line.Close() // the library leaves it open after some failures
		}
	}()
	smtp, err := client.DialToSMTPClientWithContext(ctx)
	if err == nil {
		err = client.SendWithSMTPClient(smtp, msg)
	}
	if err == nil || msg.IsDelivered() { // then it stays so, however the server takes the goodbye
		if smtp != nil {
			_ = line.SetDeadline(time.Now().Add(goodbye))
			_ = client.CloseWithSMTPClient(smtp)
		}
		return nil
	}
	return judged(err)
}

// judged is the error of Send for one of the library.
func judged(err error) error {
	var refused *gomail.SendError
	if errors.As(err, &refused) {
		// Its own words name the recipient, and errors are logged.
		said := fmt.Errorf("%v (code %d)", refused.Reason, refused.ErrorCode())
		if !refused.IsTemp() && refused.ErrorCode() >= 500 {
			return rooms.Invalid("to", "the mail server refuses it: %v", said)
		}
		return rooms.Unavailable(said, "the mail server does not take it now")
	}
	var unreachable net.Error
	said := fmt.Errorf("%.300q", err.Error()) // a server may answer at length
	if errors.As(err, &unreachable) {
		return rooms.Unavailable(said, "the mail server cannot be reached")
	}
	return rooms.Unavailable(said, "the mail server does not take it now")
}
