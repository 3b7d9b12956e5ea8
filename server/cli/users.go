package cli

import (
	"context"
	"errors"
	"log/slog"

	"wenzhen.example/rooms/account"
	"wenzhen.example/rooms/audit"
	"wenzhen.example/rooms/call"
	"wenzhen.example/rooms/chat"
	"wenzhen.example/rooms/consultation"
	accountstore "wenzhen.example/rooms/store/account"
	callstore "wenzhen.example/rooms/store/call"
	chatstore "wenzhen.example/rooms/store/chat"
	consultationstore "wenzhen.example/rooms/store/consultation"
	"wenzhen.example/rooms/store/engine"
	"wenzhen.example/server/database"
)

// usersAtOnce is how many accounts are read at a time.
const usersAtOnce = 100

// ListUsers calls each for every account of a database that fits a filter, the
// latest first, whether or not a server runs on it.
func ListUsers(ctx context.Context, at Place, filter account.UserFilter, log *slog.Logger, each func(account.User) error) error {
	filter.Limit = usersAtOnce
	return at.administer(ctx, log, account.Users.Name, func(accounts *account.Service) error {
		for {
			page, err := accounts.ListUsers(ctx, filter)
			if err != nil {
				return err
			}
			for _, user := range page.Items {
				if err := each(user); err != nil {
					return err
				}
			}
			if filter.Cursor = page.NextCursor; filter.Cursor == "" {
				return nil
			}
		}
	})
}

// FindUser finds an account by its id or its e-mail address.
func FindUser(ctx context.Context, at Place, who string, log *slog.Logger) (r account.UserRecord, err error) {
	err = at.administer(ctx, log, audit.UserShown, func(accounts *account.Service) error {
		r, err = accounts.FindUser(ctx, who)
		return err
	})
	return r, err
}

// AdministerUser suspends an account, verifies a doctor, takes either back, or
// resets a second factor, by the name of the command that does so over the network, and returns the
// account as it is then.
func AdministerUser(ctx context.Context, at Place, command, who, reason string, log *slog.Logger) (r account.UserRecord, err error) {
	err = at.administer(ctx, log, "", func(accounts *account.Service) error {
		if r, err = accounts.FindUser(ctx, who); err != nil {
			return err
		}
		if err := accounts.Administer(ctx, command, r.User.ID, reason); err != nil {
			return err
		}
		r, err = accounts.FindUser(ctx, string(r.User.ID))
		return err
	})
	return r, err
}

// administer does work on the accounts of a database. What only reads is entered
// in the audit log first, as an action; what changes something enters itself.
func (p Place) administer(ctx context.Context, log *slog.Logger, reads string, work func(*account.Service) error) error {
	return p.with(ctx, log, func(db *engine.DB) error {
		if reads != "" {
			if err := database.EnterAtConsole(ctx, db, reads, "users"); err != nil {
				return err
			}
		}
		// A second doctor who is no longer verified leaves consultations, and the calls
		// in them, in the same transaction.
		notes := chat.New(chat.Options{Store: chatstore.Store{DB: db}, Now: database.Now})
		calls := call.New(call.Options{Store: callstore.Store{DB: db}, Notes: notes, Now: database.Now})
		consultations := consultation.New(consultation.Options{Store: consultationstore.Store{DB: db}, Now: database.Now,
			Followers: func() []consultation.Follower { return []consultation.Follower{calls} }})
		accounts, err := account.New(account.Options{Store: accountstore.Store{DB: db}, Now: database.Now, Mail: postponed{},
			VerificationObserver: func() account.VerificationObserver { return consultations }})
		if err != nil {
			return err
		}
		return work(accounts)
	})
}

// hangUp takes a login that ends out of a call, in the same transaction. The server
// knows how long a member may be silent: this makes its timer fire at once, and it
// sets the next.
func hangUp(tx call.Tx, id call.ID) error {
	notes := chat.New(chat.Options{Store: chatstore.Store{}, Now: database.Now})
	return call.New(call.Options{Notes: notes, Now: database.Now}).HangUp(tx, id)
}

// postponed leaves letters where the server finds them.
type postponed struct{}

// Send implements account.Mail; a command sends nothing itself.
func (postponed) Send(context.Context, account.Letter) error {
	return errors.New("the server sends it")
}
