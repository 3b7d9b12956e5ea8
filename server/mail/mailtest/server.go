// Package mailtest is a real SMTP server for tests: what it has taken can be
// read as a mailbox would show it.
package mailtest

import (
	"errors"
	"fmt"
	"io"
	"log"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	netmail "net/mail"
	"strings"
	"sync"
	"testing"
	"time"

	"encoding/base64"

	"github.com/emersion/go-smtp"
)

// Server is an SMTP server on a port of its own on this machine.
type Server struct {
	addr string

	mu     sync.Mutex
	mails  []Mail
	refuse func(to string) error
}

// Mail is a message that the server has taken.
type Mail struct {
	To      string // of the envelope
	Header  netmail.Header
	Subject string // decoded
	// Parts are the bodies, decoded, by their media type; Types are their
	// whole Content-Type, in order.
	Parts map[string]string
	Types []string
}

// ID is its Message-ID.
func (m Mail) ID() string { return m.Header.Get("Message-Id") }

// Start starts a server that the test ends. It speaks no TLS.
func Start(t testing.TB) *Server {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{addr: l.Addr().String()}
	server := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &session{server: s}, nil }))
	server.Domain, server.ReadTimeout, server.WriteTimeout = "mail.example", time.Minute, time.Minute
	server.ErrorLog = log.New(io.Discard, "", 0) // tests may kill the sender
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(l) // ends with the test
	}()
	t.Cleanup(func() {
		_ = server.Close()
		<-done
	})
	return s
}

// URL is what a mail.Config calls its Server.
func (s *Server) URL() string { return "smtp://" + s.addr + "?tls=off" }

// Mails are those taken so far, in their order.
func (s *Server) Mails() []Mail {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Mail(nil), s.mails...)
}

// To are the mails taken so far for one address.
func (s *Server) To(email string) []Mail {
	var list []Mail
	for _, m := range s.Mails() {
		if strings.EqualFold(m.To, email) {
			list = append(list, m)
		}
	}
	return list
}

// Refuse makes the server judge recipients from now on: nil takes the mail, an
// error of Reply refuses it with that code. Refuse(nil) takes everything.
func (s *Server) Refuse(judge func(to string) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refuse = judge
}

// Reply is a refusal: a code of 4xx is transient, 5xx is permanent (RFC 5321
// section 4.2.1).
func Reply(code int, text string) error {
	return &smtp.SMTPError{Code: code, EnhancedCode: smtp.NoEnhancedCode, Message: text}
}

type session struct {
	server *Server
	to     string
}

// Mail implements smtp.Session.
func (s *session) Mail(string, *smtp.MailOptions) error { return nil }

// Rcpt implements smtp.Session.
func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.server.mu.Lock()
	judge := s.server.refuse
	s.server.mu.Unlock()
	if judge != nil {
		if err := judge(to); err != nil {
			return err
		}
	}
	s.to = to
	return nil
}

// Data implements smtp.Session.
func (s *session) Data(r io.Reader) error {
	mail, err := read(r)
	if err != nil {
		return Reply(554, fmt.Sprint("not a message: ", err))
	}
	mail.To = s.to
	s.server.mu.Lock()
	defer s.server.mu.Unlock()
	s.server.mails = append(s.server.mails, mail)
	return nil
}

// Reset implements smtp.Session.
func (s *session) Reset() { s.to = "" }

// Logout implements smtp.Session.
func (s *session) Logout() error { return nil }

func read(r io.Reader) (Mail, error) {
	msg, err := netmail.ReadMessage(r)
	if err != nil {
		return Mail{}, err
	}
	m := Mail{Header: msg.Header, Parts: map[string]string{}}
	if m.Subject, err = new(mime.WordDecoder).DecodeHeader(msg.Header.Get("Subject")); err != nil {
		return m, err
	}
	return m, m.part(msg.Header.Get("Content-Type"), msg.Header.Get("Content-Transfer-Encoding"), msg.Body)
}

// part reads a body, and the bodies in it.
func (m *Mail) part(contentType, encoding string, body io.Reader) error {
	kind, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		return err
	}
	if strings.HasPrefix(kind, "multipart/") {
		for parts := multipart.NewReader(body, params["boundary"]); ; {
			p, err := parts.NextRawPart()
			if errors.Is(err, io.EOF) {
				return nil
			} else if err != nil {
				return err
			}
			if err := m.part(p.Header.Get("Content-Type"), p.Header.Get("Content-Transfer-Encoding"), p); err != nil {
				return err
			}
		}
	}
	switch strings.ToLower(encoding) {
	case "quoted-printable":
		body = quotedprintable.NewReader(body)
	case "base64":
		body = base64.NewDecoder(base64.StdEncoding, body)
	}
	text, err := io.ReadAll(body)
	m.Types = append(m.Types, contentType)
	m.Parts[kind] = string(text)
	return err
}
