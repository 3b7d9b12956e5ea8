package account

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"strings"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"wenzhen.example/rooms"
)

// passkeyLife is how long a browser may take over its part of a ceremony.
const passkeyLife = 5 * time.Minute

// passkeysMost bounds the passkeys of one user.
const passkeysMost = 20

// Passkey is a WebAuthn credential of a user. A passkey verifies its owner by
// itself (fingerprint, face, PIN), so it logs in alone: without a password and
// without a second factor.
type Passkey struct {
	ID         string       `json:"id"`
	UserID     rooms.UserID `json:"-"`
	Name       string       `json:"name"`
	CreatedAt  time.Time    `json:"createdAt"`
	LastUsedAt time.Time    `json:"lastUsedAt"`
	// Credential is the public half, as JSON of the webauthn library.
	Credential json.RawMessage `json:"-"`
}

// relyingParty is what passkeys are made for: the host of the public URL. nil
// where there is none.
func relyingParty(public string) (*webauthn.WebAuthn, error) {
	u, err := url.Parse(public)
	if err != nil || u.Hostname() == "" {
		return nil, err
	}
	return webauthn.New(&webauthn.Config{RPID: u.Hostname(), RPDisplayName: "Wenzhen", RPOrigins: []string{strings.TrimSuffix(public, "/")},
		AttestationPreference: protocol.PreferNoAttestation,
		AuthenticatorSelection: protocol.AuthenticatorSelection{
			ResidentKey: protocol.ResidentKeyRequirementRequired, UserVerification: protocol.VerificationRequired,
		}})
}

// owner is a user with passkeys, as the webauthn library asks for one.
type owner struct {
	user        User
	credentials []webauthn.Credential
}

// WebAuthnID implements webauthn.User.
func (o owner) WebAuthnID() []byte { return []byte(o.user.ID) }

// WebAuthnName implements webauthn.User.
func (o owner) WebAuthnName() string { return o.user.Email }

// WebAuthnDisplayName implements webauthn.User.
func (o owner) WebAuthnDisplayName() string { return o.user.Name }

// WebAuthnCredentials implements webauthn.User.
func (o owner) WebAuthnCredentials() []webauthn.Credential { return o.credentials }

func (s *Service) owner(ctx context.Context, id rooms.UserID) (owner, error) {
	user, err := s.store.User(ctx, id)
	if err != nil {
		return owner{}, err
	}
	list, err := s.store.Passkeys(ctx, id)
	if err != nil {
		return owner{}, err
	}
	o := owner{user: user}
	for _, p := range list {
		var c webauthn.Credential
		if err := json.Unmarshal(p.Credential, &c); err != nil {
			return owner{}, err
		}
		o.credentials = append(o.credentials, c)
	}
	return o, nil
}

// challenge keeps what a ceremony began with and tells the browser what to do.
func (s *Service) challenge(ctx context.Context, kind TicketKind, user rooms.UserID, options any, session *webauthn.SessionData, judge func(Tx) error) (PasskeyChallenge, error) {
	raw, err := json.Marshal(options)
	if err != nil {
		return PasskeyChallenge{}, err
	}
	session.Expires = s.now().Add(passkeyLife)
	return rooms.InTx(ctx, s.store, func(tx Tx) (PasskeyChallenge, error) {
		if err := judge(tx); err != nil {
			return PasskeyChallenge{}, err
		}
		ticket, err := s.newTicket(tx, kind, user, passkeyLife, session)
		return PasskeyChallenge{Ticket: ticket, Options: raw}, err
	})
}

func (s *Service) beginPasskey(ctx context.Context, actor rooms.Actor, _ rooms.Nothing) (PasskeyChallenge, error) {
	o, err := s.owner(ctx, actor.UserID)
	if err != nil {
		return PasskeyChallenge{}, err
	}
	if len(o.credentials) >= passkeysMost {
		return PasskeyChallenge{}, rooms.TooLarge("", "at most %d passkeys", passkeysMost)
	}
	have := make([]protocol.CredentialDescriptor, 0, len(o.credentials))
	for _, c := range o.credentials {
		have = append(have, c.Descriptor())
	}
	options, session, err := s.party.BeginRegistration(o, webauthn.WithExclusions(have))
	if err != nil {
		return PasskeyChallenge{}, err
	}
	return s.challenge(ctx, ticketNewPasskey, actor.UserID, options, session, func(tx Tx) error { return s.recentlyAuthenticated(tx, actor) })
}

// Validate implements rooms.Validator.
func (in NewPasskeyInput) Validate() error { return validName("name", in.Name) }

func (s *Service) addPasskey(ctx context.Context, actor rooms.Actor, in NewPasskeyInput) (Passkey, error) {
	session, err := s.ceremony(ctx, ticketNewPasskey, in.Ticket, actor.UserID)
	if err != nil {
		return Passkey{}, err
	}
	o, err := s.owner(ctx, actor.UserID)
	if err != nil {
		return Passkey{}, err
	}
	response, err := protocol.ParseCredentialCreationResponseBytes(in.Credential)
	if err != nil {
		return Passkey{}, rooms.Invalid("credential", "this is no passkey")
	}
	credential, err := s.party.CreateCredential(o, session, response)
	if err != nil {
		return Passkey{}, rooms.Invalid("credential", "this passkey cannot be taken")
	}
	raw, err := json.Marshal(credential)
	if err != nil {
		return Passkey{}, err
	}
	now := s.now()
	p := Passkey{ID: base64.RawURLEncoding.EncodeToString(credential.ID), UserID: actor.UserID, Name: strings.TrimSpace(in.Name),
		CreatedAt: now, LastUsedAt: now, Credential: raw}
	return rooms.InTx(ctx, s.store, func(tx Tx) (Passkey, error) {
		if err := s.changesLogin(tx, actor, AddPasskey.Name); err != nil {
			return Passkey{}, err
		}
		return p, tx.InsertPasskey(p)
	})
}

// ceremony uses up the ticket of a ceremony and returns what it began with.
func (s *Service) ceremony(ctx context.Context, kind TicketKind, secret string, user rooms.UserID) (webauthn.SessionData, error) {
	session, err := rooms.InTx(ctx, s.store, func(tx Tx) (webauthn.SessionData, error) {
		var session webauthn.SessionData
		t, err := s.takeTicket(tx, kind, secret, &session)
		if err == nil && t.UserID != user {
			return session, rooms.NotFound("ticket")
		}
		return session, err
	})
	if rooms.CodeOf(err) == rooms.CodeNotFound {
		return session, rooms.Invalid("ticket", "this took too long, or was done before; begin again")
	}
	session.Expires = time.Time{} // the ticket has seen to that, by our clock
	return session, err
}

func (s *Service) removePasskey(ctx context.Context, actor rooms.Actor, in PasskeyInput) (rooms.Nothing, error) {
	return rooms.Nothing{}, s.store.InTx(ctx, func(tx Tx) error {
		if err := s.changesLogin(tx, actor, RemovePasskey.Name); err != nil {
			return err
		}
		if err := tx.DeletePasskey(actor.UserID, in.PasskeyID); err != nil {
			return err
		}
		return s.waysLeft(tx, actor.UserID)
	})
}

// waysLeft refuses a transaction after which nobody could log in to an account.
func (s *Service) waysLeft(tx Tx, user rooms.UserID) error {
	n, err := tx.CountWaysIn(user)
	if err == nil && n == 0 {
		return rooms.Conflict("last", "this is the last way to log in to the account; add another first")
	}
	return err
}

// askPasskey begins a login with whichever passkey the browser has for us.
func (s *Service) askPasskey(ctx context.Context, actor rooms.Actor, _ rooms.Nothing) (PasskeyChallenge, error) {
	options, session, err := s.party.BeginDiscoverableLogin(webauthn.WithUserVerification(protocol.VerificationRequired))
	if err != nil {
		return PasskeyChallenge{}, err
	}
	return s.challenge(ctx, ticketPasskey, "", options, session, func(tx Tx) error {
		return attemptFrom(tx, "passkey", actor.Address, s.cfg.AddressFailures, s.cfg.LoginWindow, s.now())
	})
}

func (s *Service) usePasskey(ctx context.Context, actor rooms.Actor, in PasskeyLoginInput) (Login, error) {
	session, err := s.ceremony(ctx, ticketPasskey, in.Ticket, "")
	if err != nil {
		return Login{}, err
	}
	refused := rooms.Unauthenticated("this passkey opens no account here")
	response, err := protocol.ParseCredentialRequestResponseBytes(in.Credential)
	if err != nil {
		return Login{}, rooms.Invalid("credential", "this is no answer of a passkey")
	}
	var who owner
	find := func(_, handle []byte) (webauthn.User, error) {
		who, err = s.owner(ctx, rooms.UserID(handle))
		return who, err
	}
	_, credential, err := s.party.ValidatePasskeyLogin(find, session, response)
	// A counter that went back is a copy of the passkey.
	if err != nil || credential.Authenticator.CloneWarning {
		return Login{}, s.failed(ctx, rooms.Actor{Address: actor.Address}, who.user.ID, ByPasskey, refused)
	}
	if who.user.Suspended {
		return Login{}, s.failed(ctx, rooms.Actor{Address: actor.Address}, who.user.ID, ByPasskey, errSuspended())
	}
	raw, err := json.Marshal(credential)
	if err != nil {
		return Login{}, err
	}
	return rooms.InTx(ctx, s.store, func(tx Tx) (Login, error) {
		now := s.now()
		err := tx.UsePasskey(Passkey{ID: base64.RawURLEncoding.EncodeToString(credential.ID), UserID: who.user.ID, LastUsedAt: now, Credential: raw})
		if rooms.CodeOf(err) == rooms.CodeNotFound {
			return Login{}, refused // removed meanwhile
		} else if err != nil {
			return Login{}, err
		}
		if err := forgetFrom(tx, "passkey", actor.Address, now.Add(-s.cfg.LoginWindow)); err != nil {
			return Login{}, err
		}
		return s.enter(tx, who.user, actor, entrance{method: ByPasskey, device: in.Device})
	})
}
