package account

import (
	"context"
	"errors"
	"net/mail"
	"strings"
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/audit"
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
	if err := validLocale(in.Locale); err != nil {
		return err
	}
	return validZone(in.TimeZone)
}

func (s *Service) register(ctx context.Context, actor rooms.Actor, in RegisterInput) (Registration, error) {
	now := s.now()
	err := s.store.InTx(ctx, func(tx Tx) error {
		return attemptFrom(tx, "register", actor.Address, s.cfg.Registrations, time.Minute, now)
	})
	if err != nil {
		return Registration{}, err
	}
	if s.cfg.ConfirmRegistration && s.cfg.Mail != nil {
		return Registration{Confirm: true}, s.applyFor(ctx, in)
	}
	user, err := s.create(ctx, actor, in, false)
	if err != nil {
		return Registration{}, err
	}
	login, err := s.start(ctx, user, actor, entrance{method: ByPassword})
	return Registration{User: login.User, AccessToken: login.AccessToken, RefreshToken: login.RefreshToken, ExpiresIn: login.ExpiresIn,
		Device: login.Device}, err
}

// adminCreated is the action in the audit log.
const adminCreated = "admin:create"

// CreateAdmin adds an account that administers. It is not a command: nobody
// becomes an admin over the network. Errors: invalid, conflict.
func (s *Service) CreateAdmin(ctx context.Context, name, email, password string) (User, error) {
	in := RegisterInput{Role: rooms.RolePatient, Name: name, Email: email, Password: password}
	if err := rooms.Check(in); err != nil {
		return User{}, err
	}
	in.Role = rooms.RoleAdmin
	return s.create(ctx, operator(), in, true)
}

// create adds an account with a password. One whose e-mail address nobody has
// vouched for is sent a mail to verify it.
func (s *Service) create(ctx context.Context, actor rooms.Actor, in RegisterInput, verified bool) (User, error) {
	if err := s.goodPassword(in.Password, in.Name, in.Email); err != nil {
		return User{}, err
	}
	hash, err := s.passwords.hash(ctx, in.Password)
	if err != nil {
		return User{}, err
	}
	user := s.newUser(in, verified)
	return rooms.InTx(ctx, s.store, func(tx Tx) (User, error) {
		return user, s.insert(tx, actor, Credentials{User: user, PasswordHash: hash})
	})
}

func (s *Service) newUser(in RegisterInput, verified bool) User {
	now := s.now()
	return User{ID: rooms.UserID(rooms.NewID(now)), Role: in.Role, Name: strings.TrimSpace(in.Name), Email: normalEmail(in.Email), EmailVerified: verified,
		Locale: or(in.Locale, "zh-CN"), TimeZone: or(in.TimeZone, "UTC"), CreatedAt: now}
}

// insert adds an account with what belongs to its role.
func (s *Service) insert(tx Tx, actor rooms.Actor, c Credentials) error {
	user := c.User
	if err := tx.InsertUser(c); err != nil {
		return err
	}
	action, by := adminCreated, actor
	if user.Role != rooms.RoleAdmin {
		action, by = Register.Name, rooms.Actor{UserID: user.ID, Role: user.Role, Address: actor.Address}
	}
	if err := s.enterInLog(tx, by, action, user.ID); err != nil {
		return err
	}
	if !user.EmailVerified {
		if err := s.postVerification(tx, user); err != nil {
			return err
		}
	}
	switch user.Role {
	case rooms.RoleDoctor:
		d := Doctor{ID: user.ID, Name: user.Name, Languages: []string{}, Services: []DoctorService{}}
		if err := tx.InsertDoctor(d); err != nil {
			return err
		}
		return s.askReview(tx, rooms.Actor{UserID: user.ID, Role: user.Role}, d)
	case rooms.RolePatient:
		return tx.InsertPatient(Patient{ID: PatientID(rooms.NewID(user.CreatedAt)), UserID: user.ID, Name: user.Name, Relation: "self"})
	}
	return nil
}

func (s *Service) logIn(ctx context.Context, actor rooms.Actor, in LoginInput) (Login, error) {
	known, err := s.store.Credentials(ctx, normalEmail(in.Email))
	if err != nil && rooms.CodeOf(err) != rooms.CodeNotFound {
		return Login{}, err
	}
	login, err := s.logInTo(ctx, actor, in, known)
	var e *rooms.Error
	if errors.As(err, &e) && (e.Code == rooms.CodeUnauthenticated || e.Code == rooms.CodeForbidden) && (e.Field != "otp" || in.OTP != "") {
		err = s.failed(ctx, rooms.Actor{Address: actor.Address}, known.User.ID, ByPassword, err)
	}
	return login, err
}

// failed enters in the audit log that an attempt to log in, or to confirm who
// has a session, was refused, and returns why it was. What was typed is not in
// the log: it may be a password in the wrong field.
func (s *Service) failed(ctx context.Context, actor rooms.Actor, user rooms.UserID, how Method, why error) error {
	subject := "user:" + string(user)
	if user == "" {
		subject = "user:unknown"
	}
	err := s.store.InTx(ctx, func(tx Tx) error {
		return audit.Append(tx, actor, s.now(), audit.LoginFailed, subject, func(e *audit.LogEntry) {
			e.Outcome, e.Reason = audit.Failed, string(how)
		})
	})
	if err != nil {
		return errors.Join(why, err)
	}
	return why
}

func (s *Service) logInTo(ctx context.Context, actor rooms.Actor, in LoginInput, known Credentials) (Login, error) {
	now, email := s.now(), normalEmail(in.Email)
	try := s.guess("login", email, known.User.ID, in.Device, actor)
	if err := s.count(ctx, try, now); err != nil {
		return Login{}, err
	}
	ok, err := s.passwords.matches(ctx, in.Password, known.PasswordHash)
	switch {
	case err != nil:
		return Login{}, err
	case !ok:
		return Login{}, rooms.Unauthenticated("e-mail or password is wrong")
	}
	if err := s.forget(ctx, try, now); err != nil {
		return Login{}, err
	}
	if known.User.Suspended {
		return Login{}, errSuspended()
	}
	if _, err := s.secondFactor(ctx, known.User.ID, in.OTP, in.Device); err != nil {
		return Login{}, err
	}
	return s.start(ctx, known.User, actor, entrance{method: ByPassword, device: in.Device})
}

// HasPassword reports whether there is an account with this e-mail address that
// is not suspended and has this password.
func (s *Service) HasPassword(ctx context.Context, email, password string) (bool, error) {
	known, err := s.store.Credentials(ctx, normalEmail(email))
	switch {
	case rooms.CodeOf(err) == rooms.CodeNotFound:
		return false, nil
	case err != nil || known.User.Suspended:
		return false, err
	}
	return s.passwords.matches(ctx, password, known.PasswordHash)
}

func errSuspended() error { return rooms.Forbidden("this account is suspended") }

func normalEmail(s string) string { return strings.ToLower(strings.TrimSpace(s)) }

func validEmail(s string) error {
	s = normalEmail(s)
	addr, err := mail.ParseAddress(s)
	if err != nil || addr.Address != s || len(s) > 254 {
		return rooms.Invalid("email", "this is not an e-mail address")
	}
	return nil
}
