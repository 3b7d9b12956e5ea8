package mail_test

import (
	"mime"
	netmail "net/mail"
	"strings"
	"testing"
	"unicode/utf8"

	"wenzhen.example/server/mail"
	"wenzhen.example/server/mail/mailtest"
)

// Whatever someone is called gets the mail, and no program that reads its
// headers sees more than a name (FLD-11).
func TestAnyNameGetsMail(t *testing.T) {
	t.Parallel()
	server := mailtest.Start(t)
	s := sender(t, server.URL())
	for _, name := range []string{
		"", "王芳", "José María", `ends with \`, `\`, `"`, `a "quoted" name`, "=?utf-8?q?x?=", "=?utf-8?b?WA==?= =?utf-8?b?WA==?=", "a <b@c.example>", "a, b; c: d",
		"(comment)", "\u202egnp.exe", "\u200b", "https://evil.example/login", strings.Repeat("长", 100), strings.Repeat("x", 100), "tab\there", "bad \xff",
	} {
		m, err := mail.Letter{Locale: "en", Subject: "News"}.Message("0199-n", mail.Address{Name: name, Email: "bo@example.org"})
		if err != nil {
			t.Fatal(err)
		}
		before := len(server.Mails())
		if err := s.Send(t.Context(), m); err != nil {
			t.Errorf("%q got no mail: %v", name, err)
			continue
		}
		got := server.Mails()[before]
		to, err := netmail.ParseAddress(got.Header.Get("To"))
		if err != nil || to.Address != "bo@example.org" || got.To != "bo@example.org" {
			t.Errorf("%q: the header %q has another address: %v", name, got.Header.Get("To"), err)
			continue
		}
		// Programs that decode inside quotation marks, too, find no encoded word.
		if again, err := new(mime.WordDecoder).DecodeHeader(to.Name); err != nil || again != to.Name {
			t.Errorf("%q: %q decodes a second time to %q", name, to.Name, again)
		}
		if strings.ContainsAny(to.Name, "\\\u202e\u200b\t") || strings.Contains(to.Name, "://") || utf8.RuneCountInString(to.Name) > 60 || !utf8.ValidString(to.Name) {
			t.Errorf("%q went out as %q", name, to.Name)
		}
	}
}

// A mail does not say by which program it was sent (SEC-43).
func TestMailNamesNoSoftware(t *testing.T) {
	t.Parallel()
	server := mailtest.Start(t)
	m, err := letter.Message("0199-s", bo)
	if err != nil {
		t.Fatal(err)
	}
	if err := sender(t, server.URL()).Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	for key, values := range server.Mails()[0].Header {
		if key == "User-Agent" || key == "X-Mailer" || strings.Contains(strings.ToLower(strings.Join(values, " ")), "go-mail") {
			t.Errorf("%s: %q", key, values)
		}
	}
}

// A subject is one line that can be seen, of bounded length.
func TestSubjectIsShortAndVisible(t *testing.T) {
	t.Parallel()
	server := mailtest.Start(t)
	m, err := mail.Letter{Subject: "a\u202eb\u200b\x00 " + strings.Repeat("长", 500)}.Message("0199-v", bo)
	if err != nil {
		t.Fatal(err)
	}
	if err := sender(t, server.URL()).Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	got := server.Mails()[0].Subject
	if !strings.HasPrefix(got, "ab 长") || utf8.RuneCountInString(got) > 120 {
		t.Errorf("the subject is %q", got)
	}
}
