package app

import (
	"context"
	"log/slog"

	"wenzhen.example/rooms/account"
	"wenzhen.example/server/identity"
	"wenzhen.example/server/mail"
)

// accountOptions are those of the accounts, with the outside parties that they need:
// keys, OpenID providers, mail.
func (s *Server) accountOptions() (rules account.Options, err error) {
	cfg := s.cfg
	if s.providers, err = identity.New(s.logins, s.clock); err != nil {
		return rules, err
	}
	rules = account.Options{Hashing: s.hashing, Key: s.keys.token, KeyLife: cfg.TokenKeyLife, AccountKey: s.keys.account, PublicURL: s.publicURL(),
		OpenID:     s.providers,
		AccessLife: cfg.AccessLife, RefreshLife: cfg.RefreshLife, IdleLogOff: cfg.IdleLogOff,
		SecondFactor: account.SecondFactor(cfg.SecondFactor), ConfirmRegistration: cfg.ConfirmRegistration == "on" && !cfg.Demo,
		SecondFactorGuesses: cfg.SecondFactorGuesses, MailsADay: cfg.AccountMails,
		LoginFailures: cfg.LoginFailures, AddressFailures: cfg.LoginAddressFailures, LoginWindow: cfg.LoginWindow, Registrations: cfg.Registrations, KeepMessages: cfg.KeepMessages, KeepRecords: cfg.KeepRecords}
	if !cfg.Demo {
		rules.PublishedPassword = demoPassword
	}
	rules.Log = s.log
	if s.mail != nil {
		rules.Mail = letters{s.mail}
	}
	return rules, nil
}

// letters sends the letters of accounts by mail.
type letters struct{ sender *mail.Sender }

// Send implements account.Mail.
func (l letters) Send(ctx context.Context, in account.Letter) error {
	out := mail.Letter{Locale: "en", Subject: in.Subject, Lines: in.Lines, Reason: in.Reason}
	if in.Chinese {
		out.Locale = "zh-CN"
	}
	if in.URL != "" {
		out.Action = &mail.Action{Label: in.Label, URL: in.URL}
	}
	message, err := out.Message(in.ID, mail.Address{Name: in.To.Name, Email: in.To.Email})
	if err != nil {
		return err
	}
	return l.sender.Send(ctx, message)
}

// watchAccounts runs until ctx ends.
func watchAccounts(ctx context.Context, accounts *account.Service, log *slog.Logger) {
	accounts.Watch(ctx, func(err error) { log.Error("watch accounts", "error", err) })
}
