package app

import (
	"context"
	"encoding/json"
	"fmt"
	netmail "net/mail"
	"strings"

	"wenzhen.example/rooms/notification"
	"wenzhen.example/rooms/schedule"
	"wenzhen.example/server/mail"
)

// mailer writes notifications as mail. It is a notification.Mailer.
type mailer struct {
	sender *mail.Sender
	// from is the sender's address, which invitations are from, too.
	from string
	// url is where links lead; it is asked late, when the port is known.
	url func() string
}

// around are the words around a notification, by language.
var around = map[string]struct{ open, reason string }{
	"zh": {"在问诊中查看", "您收到此邮件，是因为您在问诊中开启了邮件通知。您可以在通知设置中关闭。"},
	"en": {"Open in Wenzhen", "You get this mail because e-mail notifications are on in Wenzhen. You can switch them off in the notification settings."},
}

// Send implements notification.Mailer.
func (m mailer) Send(ctx context.Context, o notification.Order) error {
	n := o.Notification
	language, _, _ := strings.Cut(o.User.Locale, "-")
	words, ok := around[language]
	if !ok {
		words = around["en"]
	}
	lines := []string{n.Title, n.Text}
	if n.Title == n.Subject {
		lines = lines[1:]
	}
	letter := mail.Letter{Locale: o.User.Locale, Subject: n.Subject, Lines: lines, Action: &mail.Action{Label: words.open, URL: m.url() + n.Path}, Reason: words.reason}
	msg, err := letter.Message(string(n.ID), mail.Address{Name: o.User.Name, Email: o.User.Email})
	if err != nil {
		return err
	}
	if msg.Invitation, err = m.invitation(o); err != nil {
		return err
	}
	return m.sender.Send(ctx, msg)
}

// invitation returns the calendar entry of a notification; nil if it has none.
func (m mailer) invitation(o notification.Order) (*mail.Invitation, error) {
	if !o.Notification.Invites() || o.Event.Name != schedule.AppointmentUpdated.Name {
		return nil, nil
	}
	var a schedule.Appointment
	if err := json.Unmarshal(o.Event.Data, &a); err != nil {
		return nil, fmt.Errorf("appointment of notification %s: %w", o.Notification.ID, err)
	}
	method, calendar := schedule.Invitation(a, o.User, m.from)
	return &mail.Invitation{Method: method, Calendar: calendar}, nil
}

// openMail makes what sends mail, if there is a server for it.
func (s *Server) openMail() (notification.Mailer, error) {
	if s.cfg.MailServer == "" {
		return nil, nil
	}
	sender, err := mail.New(mail.Config{Server: s.cfg.MailServer, From: s.cfg.MailFrom, Timeout: s.cfg.MailTimeout})
	if err != nil {
		return nil, err
	}
	from, err := netmail.ParseAddress(s.cfg.MailFrom)
	if err != nil {
		return nil, fmt.Errorf("mail sender: %w", err)
	}
	s.mail = sender
	return mailer{sender: sender, from: from.Address, url: s.publicURL}, nil
}
