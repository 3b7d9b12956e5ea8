package mail_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/server/mail"
)

// hostile is a mail server that speaks as speak does, to one client at a time
// per connection, and counts what it could send.
type hostile struct {
	addr string
	sent atomic.Int64
}

func (h *hostile) Write(to net.Conn, text string) error {
	n, err := io.WriteString(to, text)
	h.sent.Add(int64(n))
	return err
}

func startHostile(t *testing.T, speak func(h *hostile, c net.Conn, lines *bufio.Reader)) *hostile {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	h, done := &hostile{addr: l.Addr().String()}, make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			speak(h, c, bufio.NewReader(c))
			_ = c.Close()
		}
	}()
	t.Cleanup(func() {
		_ = l.Close()
		<-done
	})
	return h
}

// forever repeats a text until the client has gone.
func forever(text string) func(h *hostile, c net.Conn, _ *bufio.Reader) {
	text = strings.Repeat(text, 1+4096/len(text))
	return func(h *hostile, c net.Conn, _ *bufio.Reader) {
		for h.Write(c, text) == nil {
		}
	}
}

// dialogue answers each command; after its last answer it goes on with end.
func dialogue(answers []string, end func(h *hostile, c net.Conn, lines *bufio.Reader)) func(h *hostile, c net.Conn, lines *bufio.Reader) {
	return func(h *hostile, c net.Conn, lines *bufio.Reader) {
		for i, answer := range answers {
			if i > 0 {
				if _, err := lines.ReadString('\n'); err != nil {
					return
				}
			}
			if h.Write(c, answer) != nil {
				return
			}
		}
		end(h, c, lines)
	}
}

// silent says nothing more until the client has gone.
func silent(_ *hostile, c net.Conn, lines *bufio.Reader) { _, _ = io.Copy(io.Discard, lines) }

// drip sends a byte whenever the client might lose its patience.
func drip(h *hostile, c net.Conn, _ *bufio.Reader) {
	for h.Write(c, "2") == nil {
		time.Sleep(10 * time.Millisecond) // the tempo of this server
	}
}

// Whatever a mail server answers, sending a mail ends: with what can be tried
// again, by its deadline, having read little. The deadline of most is so far off
// that the test would not end by it.
func TestHostileMailServers(t *testing.T) {
	t.Parallel()
	const far, near = time.Hour, 300 * time.Millisecond
	greeting := []string{"220 hello\r\n"}
	upToEHLO := append(greeting[:1:1], "250-me\r\n250 8BITMIME\r\n")
	upToRecipient := append(upToEHLO[:2:2], "250 ok\r\n", "250 ok\r\n")
	for name, c := range map[string]struct {
		patience time.Duration
		speak    func(h *hostile, c net.Conn, lines *bufio.Reader)
		says     string
	}{
		"a line without end":            {far, forever("2"), "more than"},
		"a greeting without end":        {far, forever("220-hello\r\n"), "more than"},
		"zeros":                         {far, forever("\x00"), "more than"},
		"extensions without end":        {far, dialogue(greeting, forever("250-X-MORE\r\n")), "more than"},
		"empty lines without end":       {far, dialogue(greeting, forever("250-\r\n")), "more than"},
		"an answer without end to MAIL": {far, dialogue(upToEHLO, forever("250-ok\r\n")), ""},
		"an answer without end to RCPT": {far, dialogue(upToRecipient[:3], forever("550-no\r\n")), ""},
		"nonsense":                      {far, dialogue([]string{"HTTP/1.1 400 Bad Request\r\n"}, silent), ""},
		"a long refusal":                {far, dialogue([]string{"554 " + strings.Repeat("no ", 1000) + "\r\n"}, silent), ""},
		"it hangs up":                   {far, dialogue(upToRecipient, func(*hostile, net.Conn, *bufio.Reader) {}), ""},
		"silence":                       {near, silent, "cannot be reached"},
		"silence after EHLO":            {near, dialogue(greeting, silent), "cannot be reached"},
		"silence after RCPT":            {near, dialogue(upToRecipient, silent), ""},
		"a byte at a time":              {near, drip, ""},
		"a byte at a time after RCPT":   {near, dialogue(upToRecipient, drip), ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := startHostile(t, c.speak)
			s, err := mail.New(mail.Config{Server: "smtp://" + h.addr + "?tls=off", From: "no-reply@clinic.example", Timeout: c.patience})
			if err != nil {
				t.Fatal(err)
			}
			m, err := letter.Message("0199-h", bo)
			if err != nil {
				t.Fatal(err)
			}
			err = s.Send(t.Context(), m)
			if rooms.CodeOf(err) != rooms.CodeUnavailable || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v", err)
			}
			if err != nil && len(err.Error()) > 600 {
				t.Errorf("an error of %d bytes", len(err.Error()))
			}
			// What is on its way in the kernel counts, too.
			if n := h.sent.Load(); n > 16<<20 {
				t.Errorf("%d bytes were taken", n)
			}
		})
	}
}

// Sending ends with its context, as when the server stops.
func TestSendingEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	h := startHostile(t, dialogue([]string{"220 hello\r\n"}, func(_ *hostile, c net.Conn, lines *bufio.Reader) {
		_, _ = lines.ReadString('\n')
		cancel()
		_, _ = io.Copy(io.Discard, lines)
	}))
	s, err := mail.New(mail.Config{Server: "smtp://" + h.addr + "?tls=off", From: "no-reply@clinic.example", Timeout: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	m, err := letter.Message("0199-k", bo)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Send(ctx, m); rooms.CodeOf(err) != rooms.CodeUnavailable {
		t.Errorf("got %v", err)
	}
}

// A mail that was taken is not sent again, however the server says goodbye.
func TestATakenMailIsSent(t *testing.T) {
	t.Parallel()
	taken := func(end func(h *hostile, c net.Conn, lines *bufio.Reader)) func(h *hostile, c net.Conn, lines *bufio.Reader) {
		return dialogue([]string{"220 hello\r\n", "250-me\r\n250 8BITMIME\r\n", "250 ok\r\n", "250 ok\r\n", "354 go on\r\n"}, func(h *hostile, c net.Conn, lines *bufio.Reader) {
			for line := ""; line != ".\r\n"; {
				var err error
				if line, err = lines.ReadString('\n'); err != nil {
					return
				}
			}
			if h.Write(c, "250 taken\r\n") == nil {
				end(h, c, lines)
			}
		})
	}
	for name, end := range map[string]func(h *hostile, c net.Conn, lines *bufio.Reader){
		"it hangs up":        func(*hostile, net.Conn, *bufio.Reader) {},
		"it refuses to quit": dialogue([]string{"", "500 what?\r\n"}, silent),
		"it talks on":        forever("250-ok\r\n"),
		"no goodbye":         dialogue([]string{"", "250 reset\r\n"}, silent),
	} {
		h := startHostile(t, taken(end))
		m, err := letter.Message("0199-i", bo)
		if err != nil {
			t.Fatal(err)
		}
		if err := sender(t, "smtp://"+h.addr+"?tls=off").Send(t.Context(), m); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TLS that is wrong ends the attempt; right TLS from the start reaches the
// server with the password, and answers are bounded in it.
func TestTLSOfMailServers(t *testing.T) {
	t.Parallel()
	web := httptest.NewTLSServer(nil) // for its certificate
	defer web.Close()
	trust := &tls.Config{RootCAs: x509.NewCertPool(), ServerName: "example.com"}
	trust.RootCAs.AddCert(web.Certificate())
	secure := func(speak func(h *hostile, c net.Conn, lines *bufio.Reader)) func(h *hostile, c net.Conn, lines *bufio.Reader) {
		return func(h *hostile, c net.Conn, _ *bufio.Reader) {
			s := tls.Server(c, &tls.Config{Certificates: web.TLS.Certificates})
			speak(h, s, bufio.NewReader(s))
		}
	}
	starts := []string{"220 hello\r\n", "250-me\r\n250 STARTTLS\r\n", "220 go on\r\n"}
	var seen atomic.Bool
	greets := secure(dialogue([]string{"220 hello\r\n", "250-me\r\n250 AUTH PLAIN\r\n"}, func(_ *hostile, c net.Conn, lines *bufio.Reader) {
		line, _ := lines.ReadString('\n')
		seen.Store(strings.HasPrefix(line, "AUTH PLAIN "))
	}))
	for name, c := range map[string]struct {
		scheme string
		trust  *tls.Config
		speak  func(h *hostile, c net.Conn, lines *bufio.Reader)
		passes bool
	}{
		"no TLS at all":                {"smtps", trust, dialogue([]string{"220 hello\r\n"}, silent), false},
		"a certificate of nobody":      {"smtps", nil, secure(silent), false},
		"noise after STARTTLS":         {"smtp", trust, dialogue(starts, forever("noise")), false},
		"a certificate after STARTTLS": {"smtp", nil, dialogue(starts, secure(silent)), false},
		"a line without end in TLS":    {"smtps", trust, secure(forever("2")), false},
		"right":                        {"smtps", trust, greets, true},
	} {
		h := startHostile(t, c.speak)
		s, err := mail.New(mail.Config{Server: fmt.Sprintf("%s://user:password@%s", c.scheme, h.addr), From: "no-reply@clinic.example", Timeout: time.Hour, TLS: c.trust})
		if err != nil {
			t.Fatal(err)
		}
		m, err := letter.Message("0199-j", bo)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Send(t.Context(), m); rooms.CodeOf(err) != rooms.CodeUnavailable || len(err.Error()) > 600 {
			t.Errorf("%s: %v", name, err)
		}
		if seen.Load() != c.passes {
			t.Errorf("%s: the password was seen: %v", name, seen.Load())
		}
		seen.Store(false)
	}
}
