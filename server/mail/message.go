package mail

import (
	"errors"
	netmail "net/mail"
	"strings"

	gomail "github.com/wneessen/go-mail"

	"wenzhen.example/rooms"
)

// Address is whom a mail goes to: a name, which may be empty, and an address.
type Address struct{ Name, Email string }

// Message is a mail.
type Message struct {
	// ID becomes the Message-ID (RFC 5322 section 3.6.4) with the sender's
	// domain: give the same when the same message is sent again.
	ID      string
	To      Address
	Subject string
	// Text and HTML say the same; HTML may be empty.
	Text, HTML string
	// Invitation is an appointment for the recipient's calendar; nil for none.
	Invitation *Invitation
}

// Invitation is a calendar object as RFC 6047 sends it: beside the text, where
// mail programs offer to accept it, and as a file for those that do not.
type Invitation struct {
	// Method is that of the calendar (RFC 5546): REQUEST or CANCEL.
	Method string
	// Calendar is the iCalendar text (RFC 5545).
	Calendar string
}

// encode writes the message as MIME.
func (m Message) encode(from *netmail.Address) (*gomail.Msg, error) {
	if m.ID == "" || strings.ContainsAny(m.ID, "<>@ \r\n") {
		return nil, errors.New("the message has no usable id")
	}
	// Without the name, which nobody has checked; and the library and its
	// version are no business of who gets the mail.
	to, err := netmail.ParseAddress("<" + m.To.Email + ">")
	if err != nil {
		return nil, err
	}
	if m.To.Name != "" {
		to.Name = rooms.WithoutLinks(m.To.Name, nameMost)
	}
	msg := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	msg.FromMailAddress(from)
	msg.AddToMailAddress(to)
	msg.Subject(shortened(rooms.Visible(m.Subject), subjectMost))
	msg.SetMessageIDWithValue(m.ID + "@" + domainOf(from.Address))
	msg.SetDate()
	msg.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834: no out-of-office replies
	msg.SetBodyString(gomail.TypeTextPlain, m.Text)
	if m.HTML != "" {
		msg.AddAlternativeString(gomail.TypeTextHTML, m.HTML)
	}
	if m.Invitation != nil {
		method := gomail.ContentType("text/calendar; method=" + m.Invitation.Method)
		msg.AddAlternativeString(method, m.Invitation.Calendar)
		if err := msg.AttachReader("invite.ics", strings.NewReader(m.Invitation.Calendar), gomail.WithFileContentType("application/ics")); err != nil {
			return nil, err
		}
	}
	return msg, nil
}

// The most characters of a subject, and of a name beside an address.
const (
	subjectMost = 120
	nameMost    = 60
)

func shortened(s string, most int) string {
	if r := []rune(s); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return s
}

func domainOf(address string) string {
	_, domain, _ := strings.Cut(address, "@")
	return domain
}
