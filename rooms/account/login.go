package account

import (
	"context"
	"crypto/sha256"
	"errors"
	"net/mail"
	"strings"
	"time"
	"unicode/utf8"

	"wenzhen/rooms"
)

// Validate implements rooms.Validator.
func (in RegisterInput) Validate() error {
	if in.Role != rooms.RolePatient && in.Role != rooms.RoleDoctor {
		return rooms.Invalid("role", "role must be patient or doctor")
	}
	if err := validName("name", in.Name); err != nil {
		return err
	}
	if err := validEmail(in.Email); err != nil {
		return err
	}
	if err := validPassword(in.Password); err != nil {
		return err
	}
	if err := validLocale(in.Locale); err != nil {
		return err
	}
	return validZone(in.TimeZone)
}

func (s *Service) register(ctx context.Context, actor rooms.Actor, in RegisterInput) (Login, error) {
	now := s.now()
	err := s.store.InTx(ctx, func(tx Tx) error {
		return attempt(tx, "register:"+actor.Address, s.cfg.Registrations, time.Minute, now)
	})
	if err != nil {
		return Login{}, err
	}
	user, err := s.create(ctx, in)
	if err != nil {
		return Login{}, err
	}
	return s.start(ctx, user, actor)
}

// CreateAdmin adds an account that administers. It is not a command: nobody
// becomes an admin over the network. Errors: invalid, conflict.
func (s *Service) CreateAdmin(ctx context.Context, name, email, password string) (User, error) {
	in := RegisterInput{Role: rooms.RolePatient, Name: name, Email: email, Password: password}
	if err := in.Validate(); err != nil {
		return User{}, err
	}
	in.Role = rooms.RoleAdmin
	return s.create(ctx, in)
}

func (s *Service) create(ctx context.Context, in RegisterInput) (User, error) {
	hash, err := s.passwords.hash(ctx, in.Password)
	if err != nil {
		return User{}, err
	}
	now := s.now()
	user := User{ID: rooms.UserID(rooms.NewID(now)), Role: in.Role, Name: strings.TrimSpace(in.Name), Email: normalEmail(in.Email),
		Locale: or(in.Locale, "zh-CN"), TimeZone: or(in.TimeZone, "UTC"), CreatedAt: now}
	return user, s.store.InTx(ctx, func(tx Tx) error {
		if err := tx.InsertUser(Credentials{User: user, PasswordHash: hash}); err != nil {
			return err
		}
		switch user.Role {
		case rooms.RoleDoctor:
			return tx.InsertDoctor(Doctor{ID: user.ID, Name: user.Name, Languages: []string{}, Services: []DoctorService{}})
		case rooms.RolePatient:
			return tx.InsertPatient(Patient{ID: PatientID(rooms.NewID(now)), UserID: user.ID, Name: user.Name, Relation: "self"})
		}
		return nil
	})
}

func (s *Service) logIn(ctx context.Context, actor rooms.Actor, in LoginInput) (Login, error) {
	now, email := s.now(), normalEmail(in.Email)
	byAccount, byAddress := "login:"+email, "login-from:"+actor.Address
	// The attempt is counted before the password is looked at, so that many
	// guesses at once cannot all slip through; a success takes it back.
	err := s.store.InTx(ctx, func(tx Tx) error {
		if err := attempt(tx, byAccount, s.cfg.LoginFailures, s.cfg.LoginWindow, now); err != nil {
			return err
		}
		return attempt(tx, byAddress, s.cfg.AddressFailures, s.cfg.LoginWindow, now)
	})
	if err != nil {
		return Login{}, err
	}
	known, err := s.store.Credentials(ctx, email)
	if err != nil && rooms.CodeOf(err) != rooms.CodeNotFound {
		return Login{}, err
	}
	ok, err := s.passwords.matches(ctx, in.Password, known.PasswordHash)
	switch {
	case err != nil:
		return Login{}, err
	case !ok:
		return Login{}, rooms.Unauthenticated("e-mail or password is wrong")
	case known.User.Suspended:
		return Login{}, rooms.Forbidden("this account is suspended")
	}
	err = s.store.InTx(ctx, func(tx Tx) error {
		if err := tx.ForgetAttempts(byAccount, now.Add(-s.cfg.LoginWindow)); err != nil {
			return err
		}
		return tx.ForgetAttempts(byAddress, now)
	})
	if err != nil {
		return Login{}, err
	}
	return s.start(ctx, known.User, actor)
}

// attempt counts one more try on subject, or refuses it.
func attempt(tx Tx, subject string, most int, window time.Duration, now time.Time) error {
	n, err := tx.CountAttempts(subject, now.Add(-window))
	if err != nil {
		return err
	}
	if n >= most {
		return rooms.RateLimited(window, "too many attempts; wait a while")
	}
	return tx.AddAttempt(subject, now)
}

// start opens a session for user.
func (s *Service) start(ctx context.Context, user User, actor rooms.Actor) (Login, error) {
	now := s.now()
	session := Session{ID: rooms.SessionID(rooms.NewID(now)), UserID: user.ID, CreatedAt: now, LastUsedAt: now,
		ExpiresAt: now.Add(s.cfg.RefreshLife), UserAgent: cut(actor.Agent, 200), Address: actor.Address}
	var tokens Tokens
	err := s.store.InTx(ctx, func(tx Tx) error {
		if err := tx.InsertSession(session); err != nil {
			return err
		}
		var err error
		tokens, err = s.issue(tx, user, session.ID)
		return err
	})
	return Login{User: user, Tokens: tokens}, err
}

func (s *Service) issue(tx Tx, user User, session rooms.SessionID) (Tokens, error) {
	access, err := s.signer.sign(rooms.Actor{UserID: user.ID, Role: user.Role, SessionID: session})
	if err != nil {
		return Tokens{}, err
	}
	refresh, hash := newRefreshToken()
	err = tx.InsertRefreshToken(RefreshToken{Hash: hash, SessionID: session, ExpiresAt: s.now().Add(s.cfg.RefreshLife)})
	return Tokens{AccessToken: access, RefreshToken: refresh, ExpiresIn: int(s.cfg.AccessLife.Seconds())}, err
}

// errReused rolls nothing back: the session must end although the refresh is refused.
var errReused = errors.New("refresh token used twice")

func (s *Service) refresh(ctx context.Context, _ rooms.Actor, in RefreshInput) (Tokens, error) {
	now, hash := s.now(), sha256.Sum256([]byte(in.RefreshToken))
	refused := rooms.Unauthenticated("the refresh token is not valid; log in again")
	var (
		tokens  Tokens
		revoked []rooms.SessionID
		outcome error
	)
	err := s.store.InTx(ctx, func(tx Tx) error {
		old, err := tx.UseRefreshToken(hash)
		if rooms.CodeOf(err) == rooms.CodeNotFound {
			outcome = refused
			return nil
		} else if err != nil {
			return err
		}
		owner, err := tx.SessionOwner(old.SessionID)
		if rooms.CodeOf(err) == rooms.CodeNotFound || !old.ExpiresAt.After(now) {
			outcome = refused // revoked meanwhile, or too old
			return nil
		} else if err != nil {
			return err
		}
		if old.Used {
			outcome = errReused
			revoked, err = tx.RevokeSessions(owner, old.SessionID, now)
			return err
		}
		user, err := tx.User(owner)
		if err != nil {
			return err
		}
		if user.Suspended {
			outcome = refused
			return nil
		}
		if err := tx.TouchSession(old.SessionID, now, now.Add(s.cfg.RefreshLife)); err != nil {
			return err
		}
		tokens, err = s.issue(tx, user, old.SessionID)
		return err
	})
	if err != nil {
		return Tokens{}, err
	}
	s.announceRevoked(revoked)
	if errors.Is(outcome, errReused) {
		return Tokens{}, rooms.Unauthenticated("this refresh token was used before; its session has been ended, log in again")
	}
	return tokens, outcome
}

func (s *Service) logOut(ctx context.Context, _ rooms.Actor, in RefreshInput) (rooms.Nothing, error) {
	var revoked []rooms.SessionID
	err := s.store.InTx(ctx, func(tx Tx) error {
		token, err := tx.UseRefreshToken(sha256.Sum256([]byte(in.RefreshToken)))
		if rooms.CodeOf(err) == rooms.CodeNotFound {
			return nil // logged out already, or never in: the wish is fulfilled
		} else if err != nil {
			return err
		}
		owner, err := tx.SessionOwner(token.SessionID)
		if rooms.CodeOf(err) == rooms.CodeNotFound {
			return nil
		} else if err != nil {
			return err
		}
		revoked, err = tx.RevokeSessions(owner, token.SessionID, s.now())
		return err
	})
	s.announceRevoked(revoked)
	return rooms.Nothing{}, err
}

func (s *Service) sessions(ctx context.Context, actor rooms.Actor, _ rooms.Nothing) (SessionList, error) {
	list, err := s.store.Sessions(ctx, actor.UserID, s.now())
	for i := range list {
		list[i].Current = list[i].ID == actor.SessionID
	}
	return SessionList{Items: orEmpty(list)}, err
}

func (s *Service) revokeSession(ctx context.Context, actor rooms.Actor, in SessionInput) (rooms.Nothing, error) {
	if in.SessionID == "" {
		return rooms.Nothing{}, rooms.Invalid("sessionId", "sessionId is missing")
	}
	var revoked []rooms.SessionID
	err := s.store.InTx(ctx, func(tx Tx) (err error) {
		revoked, err = tx.RevokeSessions(actor.UserID, in.SessionID, s.now())
		if err == nil && len(revoked) == 0 {
			return rooms.NotFound("session")
		}
		return err
	})
	if err == nil {
		s.announceRevoked(revoked)
	}
	return rooms.Nothing{}, err
}

func normalEmail(s string) string { return strings.ToLower(strings.TrimSpace(s)) }

func validEmail(s string) error {
	s = normalEmail(s)
	addr, err := mail.ParseAddress(s)
	if err != nil || addr.Address != s || len(s) > 254 {
		return rooms.Invalid("email", "this is not an e-mail address")
	}
	return nil
}

func validPassword(s string) error {
	if n := utf8.RuneCountInString(s); n < 8 || n > 128 {
		return rooms.Invalid("password", "a password has 8 to 128 characters")
	}
	return nil
}
