package mail

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	netmail "net/mail"
	"net/url"
	"strconv"
	"time"

	gomail "github.com/wneessen/go-mail"

	"wenzhen/rooms"
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
	// TLS replaces the usual trust in certificates; nil for that.
	TLS *tls.Config
}

// Sender sends messages, each over a connection of its own. It may be used by
// many goroutines at once.
type Sender struct {
	host    string
	options []gomail.Option
	from    *netmail.Address
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
	port := server.Port()
	switch {
	case server.Query().Get("tls") == "off":
		s.options = append(s.options, gomail.WithTLSPolicy(gomail.NoTLS))
	case server.Scheme == "smtps":
		s.options = append(s.options, gomail.WithSSL())
	default:
		s.options = append(s.options, gomail.WithTLSPolicy(gomail.TLSMandatory))
	}
	if port == "" {
		port = map[string]string{"smtp": "587", "smtps": "465"}[server.Scheme]
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		return nil, fmt.Errorf("mail server: port %q: %w", port, err)
	}
	s.options = append(s.options, gomail.WithPort(number))
	if cfg.TLS != nil {
		s.options = append(s.options, gomail.WithTLSConfig(cfg.TLS))
	}
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
	client, err := gomail.NewClient(s.host, s.options...)
	if err != nil {
		return fmt.Errorf("mail server: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	if err := client.DialAndSendWithContext(ctx, msg); err != nil {
		var refused *gomail.SendError
		if errors.As(err, &refused) {
			// Its own words name the recipient, and errors are logged.
			err = fmt.Errorf("%v (code %d)", refused.Reason, refused.ErrorCode())
			if !refused.IsTemp() && refused.ErrorCode() >= 500 {
				return rooms.Invalid("to", "the mail server refuses it: %v", err)
			}
		}
		var unreachable net.Error
		if errors.As(err, &unreachable) {
			return rooms.Unavailable(err, "the mail server cannot be reached")
		}
		return rooms.Unavailable(err, "the mail server does not take it now")
	}
	return nil
}
