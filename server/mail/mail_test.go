package mail_test

import (
	"net"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"wenzhen.example/rooms"
	"wenzhen.example/server/mail"
	"wenzhen.example/server/mail/mailtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func sender(t *testing.T, server string) *mail.Sender {
	t.Helper()
	s, err := mail.New(mail.Config{Server: server, From: "问诊 <no-reply@clinic.example>", Timeout: 20 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

var letter = mail.Letter{Locale: "zh-CN", Subject: "王芳 <医生> 接诊了", Lines: []string{"您的问诊 & 复诊开始了。", "<script>alert(1)</script>"},
	Action: &mail.Action{Label: "打开", URL: "https://clinic.example/consultations/1?a=b&c=d"}, Reason: "因为您有账号。"}

var bo = mail.Address{Name: "张波", Email: "bo@example.org"}

// A letter arrives in text and in HTML, which nobody's words can break.
func TestLetter(t *testing.T) {
	t.Parallel()
	server := mailtest.Start(t)
	m, err := letter.Message("0199-a", bo)
	if err != nil {
		t.Fatal(err)
	}
	if err := sender(t, server.URL()).Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	got := server.To("bo@example.org")
	if len(got) != 1 {
		t.Fatalf("%d mails came", len(got))
	}
	if got[0].ID() != "<0199-a@clinic.example>" || got[0].Subject != letter.Subject || got[0].Header.Get("Auto-Submitted") != "auto-generated" {
		t.Errorf("headers: %v", got[0].Header)
	}
	for kind, wants := range map[string][]string{
		"text/plain": {"您的问诊 & 复诊开始了。", letter.Action.URL, "因为您有账号。", "请勿回复", letter.Lines[1]},
		"text/html":  {"您的问诊 &amp; 复诊开始了。", "https://clinic.example/consultations/1?a=b&amp;c=d", `lang="zh"`, "&lt;script&gt;"},
	} {
		for _, want := range wants {
			if !strings.Contains(got[0].Parts[kind], want) {
				t.Errorf("%s has no %q:\n%s", kind, want, got[0].Parts[kind])
			}
		}
	}
	if strings.Contains(got[0].Parts["text/html"], "<script>") {
		t.Error("words became markup")
	}
}

// An invitation comes where calendars look for it (RFC 6047), and as a file.
func TestInvitation(t *testing.T) {
	t.Parallel()
	server := mailtest.Start(t)
	m, err := letter.Message("0199-b", bo)
	if err != nil {
		t.Fatal(err)
	}
	calendar := "BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nSUMMARY:王芳\r\nEND:VCALENDAR\r\n"
	m.Invitation = &mail.Invitation{Method: "REQUEST", Calendar: calendar}
	if err := sender(t, server.URL()).Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	got := server.Mails()[0]
	if len(got.Types) != 4 || !strings.HasPrefix(got.Types[2], "text/calendar; method=REQUEST") {
		t.Errorf("parts: %q", got.Types)
	}
	if got.Parts["text/calendar"] != calendar || got.Parts["application/ics"] != calendar {
		t.Errorf("calendars: %q", got.Parts)
	}
}

// A name or a subject cannot add a header.
func TestHeadersStayOneLine(t *testing.T) {
	t.Parallel()
	server := mailtest.Start(t)
	m, err := mail.Letter{Subject: "hello\r\nBcc: all@example.org\r\n\r\nbody"}.Message("0199-c", mail.Address{Name: "Bo\r\nX-Evil: 1", Email: "bo@example.org"})
	if err != nil {
		t.Fatal(err)
	}
	if err := sender(t, server.URL()).Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	got := server.Mails()
	if len(got) != 1 || got[0].Header.Get("X-Evil") != "" || got[0].Header.Get("Bcc") != "" || !strings.HasPrefix(got[0].Subject, "hello") {
		t.Errorf("came: %+v", got)
	}
}

// The errors of Send distinguish what can be tried again from what cannot.
func TestRefusals(t *testing.T) {
	t.Parallel()
	server := mailtest.Start(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := "smtp://" + l.Addr().String() + "?tls=off"
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	m, err := letter.Message("0199-d", bo)
	if err != nil {
		t.Fatal(err)
	}
	for name, x := range map[string]struct {
		server string
		to     string
		code   rooms.Code
	}{
		"taken":           {server.URL(), "bo@example.org", ""},
		"mailbox full":    {server.URL(), "full@example.org", rooms.CodeUnavailable},
		"no such mailbox": {server.URL(), "nobody@example.org", rooms.CodeInvalid},
		"no address":      {server.URL(), "not an address", rooms.CodeInvalid},
		"no server":       {nobody, "bo@example.org", rooms.CodeUnavailable},
		"no TLS":          {strings.TrimSuffix(server.URL(), "?tls=off"), "bo@example.org", rooms.CodeUnavailable},
	} {
		server.Refuse(func(to string) error {
			switch to {
			case "full@example.org":
				return mailtest.Reply(452, "mailbox of "+to+" is full")
			case "nobody@example.org":
				return mailtest.Reply(550, "no such mailbox "+to)
			}
			return nil
		})
		m.To.Email = x.to
		err := sender(t, x.server).Send(t.Context(), m)
		if got := rooms.CodeOf(err); got != x.code {
			t.Errorf("%s: %q, want %q", name, got, x.code)
		}
		if err != nil && strings.Contains(err.Error(), x.to) { // errors are logged
			t.Errorf("%s names the recipient: %v", name, err)
		}
	}
}

func TestBadConfiguration(t *testing.T) {
	t.Parallel()
	for _, server := range []string{"", "mail.example:25", "http://mail.example", "smtp://", "smtp://u:secret@mail.example:x"} {
		_, err := mail.New(mail.Config{Server: server, From: "a@b.example"})
		if err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v", server, err)
		}
	}
	if _, err := mail.New(mail.Config{Server: "smtp://mail.example", From: "nobody"}); err == nil {
		t.Error("a sender without an address was taken")
	}
}
