package account

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"net/url"
	"strings"
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/audit"
)

const (
	// awayLife is how long someone may take at a provider.
	awayLife = 10 * time.Minute
	// finishLife is how long a browser that came back may take to finish, with
	// a second factor to be typed.
	finishLife = 5 * time.Minute
)

// OpenID is the providers that people may log in with (OpenID Connect Core).
// A provider that is not there is an *rooms.Error of code not_found; one that
// cannot be reached, unavailable; an answer that proves nothing, unauthenticated.
type OpenID interface {
	// Providers are those that are configured, in their order.
	Providers() []IdentityProvider
	// Begin is where to send a browser that is to come back to back with ask.State.
	Begin(ctx context.Context, provider, completedLogin string, ask AuthRequest) (string, error)
	// Finish trades what a browser came back with for who it is.
	Finish(ctx context.Context, provider, completedLogin string, ask AuthRequest, answer AuthResponse) (Claims, error)
	// EndSession is where to send a browser to log out at the provider as
	// well; "" where the provider offers nothing of the kind.
	EndSession(ctx context.Context, provider, idToken, completedLogin string) (string, error)
	// LoggedOut reads a logout token (OpenID Connect Back-Channel Logout).
	LoggedOut(ctx context.Context, provider, token string) (LoggedOut, error)
}

// IdentityProvider is a provider as the login page shows it.
type IdentityProvider struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	// SignUp reports whether a user without an account gets one.
	SignUp bool `json:"-"`
}

// AuthRequest is what one login at a provider must come back with: secrets of 128
// random bits and more.
type AuthRequest struct {
	State, Nonce string
	Verifier     string // of PKCE (RFC 7636)
}

// AuthResponse is what a browser brought back from a provider.
type AuthResponse struct {
	Code   string
	Issuer string // RFC 9207; "" when there was none
}

// Claims is what a provider vouches for. Issuer and Subject together are who
// someone is; an e-mail address is not.
type Claims struct {
	Issuer, Subject string
	Email           string
	EmailVerified   bool
	Name, Locale    string
	SID             string // the provider's name of the session
	IDToken         []byte
}

// LoggedOut is what a provider has ended: all of a subject, or one session.
type LoggedOut struct {
	Issuer, Subject, SID string
	ID                   string // of the token, which is good once
	Expires              time.Time
}

// LinkedIdentity is who a user is at a provider.
type LinkedIdentity struct {
	ID       string       `json:"id"`
	UserID   rooms.UserID `json:"-"`
	Provider string       `json:"provider"`
	Issuer   string       `json:"-"`
	Subject  string       `json:"-"`
	Email    string       `json:"email"` // as the provider last called it
	LinkedAt time.Time    `json:"linkedAt"`
}

// ProviderSession joins a session to the one at the provider it began with.
type ProviderSession struct {
	SessionID       rooms.SessionID
	Provider        string
	Issuer, Subject string
	SID             string
	IDToken         []byte // sealed
}

// pendingLogin is the data of a ticketProvider: a browser that went to a provider.
type pendingLogin struct {
	Provider string
	Ask      AuthRequest
	Browser  [32]byte // SHA-256 of the secret in its cookie
	Next     string   // the page to go on with
	Link     bool     // whether it went to link, not to log in
	Session  rooms.SessionID
}

// completedLogin is the data of a ticketLogin: a browser that came back and was known.
type completedLogin struct {
	Browser [32]byte
	Session ProviderSession
	IDToken []byte // sealed
}

// startProvider sends a browser to a provider to log in.
func (s *Service) startProvider(ctx context.Context, actor rooms.Actor, in ProviderInput) (ProviderRedirect, error) {
	next := in.Next
	if !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") || strings.Contains(next, `\`) {
		next = ""
	}
	return s.startLogin(ctx, actor, in, pendingLogin{Next: next})
}

// linkProvider sends a browser to a provider whose identity is to open the
// actor's account from then on.
func (s *Service) linkProvider(ctx context.Context, actor rooms.Actor, in ProviderInput) (ProviderRedirect, error) {
	return s.startLogin(ctx, actor, in, pendingLogin{Link: true, Session: actor.SessionID})
}

func (s *Service) startLogin(ctx context.Context, actor rooms.Actor, in ProviderInput, a pendingLogin) (ProviderRedirect, error) {
	if s.cfg.OpenID == nil {
		return ProviderRedirect{}, rooms.NotFound("provider")
	}
	out := ProviderRedirect{Browser: in.Browser}
	if len(out.Browser) < 26 {
		out.Browser = rand.Text()
	}
	a.Provider, a.Browser = in.Provider, sha256.Sum256([]byte(out.Browser))
	a.Ask = AuthRequest{Nonce: rand.Text(), Verifier: rand.Text() + rand.Text()}
	state, err := rooms.InTx(ctx, s.store, func(tx Tx) (string, error) {
		if a.Link {
			if err := s.recentlyAuthenticated(tx, actor); err != nil {
				return "", err
			}
		} else if err := attemptFrom(tx, "provider", actor.Address, s.cfg.AddressFailures, s.cfg.LoginWindow, s.now()); err != nil {
			return "", err
		}
		return s.newTicket(tx, ticketProvider, actor.UserID, awayLife, a)
	})
	if err != nil {
		return ProviderRedirect{}, err
	}
	ask := a.Ask
	ask.State = state
	out.RedirectURL, err = s.cfg.OpenID.Begin(ctx, in.Provider, s.callbackURL(in.Provider), ask)
	return out, err
}

// callbackURL is where a provider sends browsers back to.
func (s *Service) callbackURL(provider string) string {
	return s.cfg.PublicURL + "/api/v1/auth/oidc/" + url.PathEscape(provider) + "/callback"
}

// returningLogin is who comes back from a provider; the user only where an identity is to
// be linked.
type returningLogin struct {
	pendingLogin
	user rooms.UserID
}

// callback receives a browser from a provider, once, and only the one that was
// sent. It always leads to a page: one that finishes, or says what went wrong.
func (s *Service) callback(ctx context.Context, actor rooms.Actor, in CallbackInput) (ProviderRedirect, error) {
	returned, err := rooms.InTx(ctx, s.store, func(tx Tx) (returningLogin, error) {
		var c returningLogin
		t, err := s.takeTicket(tx, ticketProvider, in.State, &c.pendingLogin)
		c.user = t.UserID
		return c, err
	})
	a := returned.pendingLogin
	browser := sha256.Sum256([]byte(in.Browser))
	if rooms.CodeOf(err) == rooms.CodeNotFound || (err == nil && (a.Provider != in.Provider || subtle.ConstantTimeCompare(a.Browser[:], browser[:]) != 1)) {
		return problemAt("/login", rooms.Unauthenticated("stale"), in.Provider), nil
	} else if err != nil {
		return ProviderRedirect{}, err
	}
	page := "/login"
	if a.Link {
		page = "/account"
	}
	if in.Error != "" || in.Code == "" {
		return problemAt(page, rooms.Forbidden("denied"), in.Provider), nil
	}
	a.Ask.State = in.State
	claims, err := s.cfg.OpenID.Finish(ctx, a.Provider, s.callbackURL(a.Provider), a.Ask, AuthResponse{Code: in.Code, Issuer: in.Issuer})
	if err == nil && a.Link {
		err = s.link(ctx, actor, returned.user, a, claims)
		if err == nil {
			return ProviderRedirect{RedirectURL: "/account?linked=" + url.QueryEscape(a.Provider)}, nil
		}
	}
	var ticket string
	if err == nil {
		ticket, err = s.signInWith(ctx, actor, a, claims)
	}
	if err != nil {
		return problemAt(page, err, in.Provider), nil
	}
	finish := "/login/finish"
	if a.Next != "" {
		finish += "?next=" + url.QueryEscape(a.Next)
	}
	return ProviderRedirect{RedirectURL: finish + "#" + ticket}, nil
}

// problemAt leads to a page that says what went wrong.
func problemAt(page string, err error, provider string) ProviderRedirect {
	problem := string(rooms.CodeOf(err))
	if e, ok := err.(*rooms.Error); ok && e.Status != "" {
		problem = e.Status
	}
	return ProviderRedirect{RedirectURL: page + "?" + url.Values{"problem": {problem}, "provider": {provider}}.Encode()}
}

// link lets an identity open the account of a user who is logged in.
func (s *Service) link(ctx context.Context, from rooms.Actor, user rooms.UserID, a pendingLogin, claims Claims) error {
	return s.store.InTx(ctx, func(tx Tx) error {
		if owner, err := tx.SessionOwner(a.Session); err != nil || owner != user {
			return rooms.Unauthenticated("the session that asked for this has ended")
		}
		owner, err := tx.User(user)
		if err != nil {
			return err
		}
		by := rooms.Actor{UserID: user, Role: owner.Role, SessionID: a.Session, Address: from.Address}
		known, err := tx.Identity(claims.Issuer, claims.Subject)
		switch {
		case err == nil && known.UserID == user:
			return nil
		case err == nil:
			return rooms.Conflict("linked", "this identity opens another account")
		case rooms.CodeOf(err) != rooms.CodeNotFound:
			return err
		}
		if err := audit.Append(tx, by, s.now(), LinkProvider.Name, "user:"+string(user), nil); err != nil {
			return err
		}
		return tx.InsertIdentity(s.identity(user, a.Provider, claims))
	})
}

func (s *Service) identity(user rooms.UserID, provider string, c Claims) LinkedIdentity {
	return LinkedIdentity{ID: rooms.NewID(s.now()), UserID: user, Provider: provider, Issuer: c.Issuer, Subject: c.Subject, Email: c.Email, LinkedAt: s.now()}
}

// signInWith finds the account that an identity opens, or makes one, and
// returns the ticket with which the browser can finish its login.
//
// An identity opens the account that it was linked to and no other. That its
// e-mail address is an account's, verified or not, opens nothing: who has
// that account links the identity from inside.
func (s *Service) signInWith(ctx context.Context, actor rooms.Actor, a pendingLogin, claims Claims) (string, error) {
	return rooms.InTx(ctx, s.store, func(tx Tx) (string, error) {
		known, err := tx.Identity(claims.Issuer, claims.Subject)
		if rooms.CodeOf(err) == rooms.CodeNotFound {
			known, err = s.signUp(tx, actor, a.Provider, claims)
		}
		if err != nil {
			return "", err
		}
		user, err := tx.User(known.UserID)
		if err != nil {
			return "", err
		}
		if user.Suspended {
			return "", errSuspended()
		}
		return s.newTicket(tx, ticketLogin, user.ID, finishLife, completedLogin{Browser: a.Browser,
			Session: ProviderSession{Provider: a.Provider, Issuer: claims.Issuer, Subject: claims.Subject, SID: claims.SID},
			IDToken: s.encrypt("id token", string(user.ID), claims.IDToken)})
	})
}

// signUp opens an account for someone whom a provider vouches for: a patient's.
// Its e-mail address is verified if the provider says so, and free.
func (s *Service) signUp(tx Tx, actor rooms.Actor, provider string, claims Claims) (LinkedIdentity, error) {
	for _, p := range s.cfg.OpenID.Providers() {
		if p.ID == provider && !p.SignUp {
			return LinkedIdentity{}, rooms.Conflict("no_account", "this identity is linked to no account")
		}
	}
	email := normalEmail(claims.Email)
	if validEmail(email) != nil {
		return LinkedIdentity{}, rooms.Conflict("no_email", "the provider gives no e-mail address")
	}
	if _, err := tx.UserByEmail(email); err == nil {
		return LinkedIdentity{}, rooms.Conflict("email_taken", "there is an account with this e-mail address")
	} else if rooms.CodeOf(err) != rooms.CodeNotFound {
		return LinkedIdentity{}, err
	}
	name := strings.TrimSpace(claims.Name)
	if rooms.Check(MeInput{Name: &name}) != nil {
		name, _, _ = strings.Cut(email, "@")
	}
	locale := claims.Locale
	if validLocale(locale) != nil {
		locale = ""
	}
	now := s.now()
	user := User{ID: rooms.UserID(rooms.NewID(now)), Role: rooms.RolePatient, Name: name, Email: email, EmailVerified: claims.EmailVerified,
		Locale: or(locale, "zh-CN"), TimeZone: "UTC", CreatedAt: now}
	if err := s.insert(tx, actor, Credentials{User: user}); err != nil {
		return LinkedIdentity{}, err
	}
	identity := s.identity(user.ID, provider, claims)
	return identity, tx.InsertIdentity(identity)
}

// finishProvider turns the ticket of a browser that came back into a login.
// A wrong code of the second factor leaves the ticket good.
func (s *Service) finishProvider(ctx context.Context, actor rooms.Actor, in FinishInput) (Login, error) {
	stale := rooms.Invalid("ticket", "this login took too long, or was finished before; begin again")
	id, ok := s.ticketID(ticketLogin, in.Ticket)
	if !ok {
		return Login{}, stale
	}
	t, err := s.store.Ticket(ctx, id)
	if rooms.CodeOf(err) == rooms.CodeNotFound {
		return Login{}, stale
	} else if err != nil {
		return Login{}, err
	}
	if _, err := s.secondFactor(ctx, t.UserID, in.OTP, in.Device); err != nil {
		if rooms.CodeOf(err) == rooms.CodeUnauthenticated && in.OTP != "" {
			err = s.failed(ctx, rooms.Actor{Address: actor.Address}, t.UserID, ByProvider, err)
		}
		return Login{}, err
	}
	return rooms.InTx(ctx, s.store, func(tx Tx) (Login, error) {
		var b completedLogin
		t, err := s.takeTicket(tx, ticketLogin, in.Ticket, &b)
		if rooms.CodeOf(err) == rooms.CodeNotFound {
			return Login{}, stale
		} else if err != nil {
			return Login{}, err
		}
		browser := sha256.Sum256([]byte(in.Browser))
		if subtle.ConstantTimeCompare(b.Browser[:], browser[:]) != 1 {
			return Login{}, stale
		}
		user, err := tx.User(t.UserID)
		if err != nil {
			return Login{}, err
		}
		if user.Suspended {
			return Login{}, errSuspended()
		}
		if b.Session.IDToken, err = s.decrypt("id token", string(user.ID), b.IDToken); err != nil {
			return Login{}, stale // of another account key
		}
		return s.enter(tx, user, actor, entrance{method: ByProvider, device: in.Device, provider: &b.Session})
	})
}

func (s *Service) unlink(ctx context.Context, actor rooms.Actor, in IdentityInput) (rooms.Nothing, error) {
	return rooms.Nothing{}, s.store.InTx(ctx, func(tx Tx) error {
		if err := s.changesLogin(tx, actor, Unlink.Name); err != nil {
			return err
		}
		if err := tx.DeleteIdentity(actor.UserID, in.IdentityID); err != nil {
			return err
		}
		return s.waysLeft(tx, actor.UserID)
	})
}

// logOutProvider ends a session, and tells where to end the one that it began
// with at a provider (OpenID Connect RP-Initiated Logout).
func (s *Service) logOutProvider(ctx context.Context, actor rooms.Actor, in RefreshInput) (LogoutRedirect, error) {
	session, err := s.endSession(ctx, actor, LogOutProvider.Name, in.RefreshToken)
	if err != nil || session == "" || s.cfg.OpenID == nil {
		return LogoutRedirect{}, err
	}
	p, err := s.store.ProviderSession(ctx, session)
	if rooms.CodeOf(err) == rooms.CodeNotFound {
		return LogoutRedirect{}, nil
	} else if err != nil {
		return LogoutRedirect{}, err
	}
	token, err := s.decrypt("id token", string(session), p.IDToken)
	if err != nil {
		token = nil // of another account key: the provider asks whom to log out
	}
	// It is logged out here, whatever the provider is up to.
	out, _ := s.cfg.OpenID.EndSession(ctx, p.Provider, string(token), s.cfg.PublicURL+"/login")
	return LogoutRedirect{RedirectURL: out}, nil
}

// backChannelLogout ends what a provider says has ended there.
func (s *Service) backChannelLogout(ctx context.Context, actor rooms.Actor, in LogoutTokenInput) (rooms.Nothing, error) {
	if s.cfg.OpenID == nil {
		return rooms.Nothing{}, rooms.NotFound("provider")
	}
	out, err := s.cfg.OpenID.LoggedOut(ctx, in.Provider, in.LogoutToken)
	if rooms.CodeOf(err) == rooms.CodeUnauthenticated {
		return rooms.Nothing{}, rooms.Invalid("logout_token", "the logout token is not valid")
	} else if err != nil {
		return rooms.Nothing{}, err
	}
	revoked, err := rooms.InTx(ctx, s.store, func(tx Tx) ([]rooms.SessionID, error) {
		// Its id is kept for as long as it could be used again.
		sum := sha256.Sum256([]byte(out.Issuer + "\n" + out.ID))
		err := tx.InsertTicket(Ticket{ID: base64.RawURLEncoding.EncodeToString(sum[:]), Kind: ticketLogoutToken, Data: []byte("{}"), Expires: out.Expires})
		if rooms.CodeOf(err) == rooms.CodeConflict {
			return nil, rooms.Invalid("logout_token", "this logout token was used before")
		} else if err != nil {
			return nil, err
		}
		sessions, err := tx.ProviderSessions(out.Issuer, out.Subject, out.SID)
		if err != nil {
			return nil, err
		}
		var revoked []rooms.SessionID
		for _, p := range sessions {
			owner, err := tx.SessionOwner(p)
			if rooms.CodeOf(err) == rooms.CodeNotFound {
				continue
			} else if err != nil {
				return nil, err
			}
			ended, err := tx.RevokeSessions(owner, p, s.now())
			if err != nil {
				return nil, err
			}
			if err := s.enterEnd(tx, rooms.Actor{Address: actor.Address, SessionID: p}, BackChannelLogout.Name, owner, ""); err != nil {
				return nil, err
			}
			revoked = append(revoked, ended...)
		}
		return revoked, nil
	})
	s.forgetAll(revoked)
	return rooms.Nothing{}, err
}
