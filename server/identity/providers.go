package identity

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
	"wenzhen.example/server/short"
)

// Timeout bounds one request to a provider.
const Timeout = 10 * time.Second

// Providers is the providers that people may log in with. It implements
// account.OpenID.
type Providers struct {
	byID  map[string]*provider
	order []account.IdentityProvider
}

// New makes the providers; none is asked anything before someone logs in. now
// is the clock by which tokens end. Errors say which provider is configured
// wrongly.
func New(list []Config, now func() time.Time) (*Providers, error) {
	p := &Providers{byID: map[string]*provider{}}
	client := short.Client(&http.Client{Timeout: Timeout, Transport: http.DefaultTransport.(*http.Transport).Clone()})
	for _, c := range list {
		if err := c.validate(); err != nil {
			return nil, fmt.Errorf("OpenID provider %s: %w", c.ID, err)
		}
		if p.byID[c.ID] != nil {
			return nil, fmt.Errorf("OpenID provider %s is there twice", c.ID)
		}
		if c.Name == "" {
			c.Name = c.ID
		}
		if len(c.Scopes) == 0 {
			c.Scopes = []string{oidc.ScopeOpenID, "profile", "email"}
		}
		p.byID[c.ID] = &provider{cfg: c, http: client, now: now}
		p.order = append(p.order, account.IdentityProvider{ID: c.ID, Name: c.Name, SignUp: !c.NoSignUp})
	}
	return p, nil
}

// Close lets go of connections that lie idle.
func (p *Providers) Close() {
	for _, one := range p.byID {
		one.http.CloseIdleConnections()
	}
}

// Providers implements account.OpenID.
func (p *Providers) Providers() []account.IdentityProvider { return slices.Clone(p.order) }

// found is a provider with what it says about itself.
func (p *Providers) found(ctx context.Context, id string) (*provider, *discovered, error) {
	one := p.byID[id]
	if one == nil {
		return nil, nil, rooms.NotFound("provider")
	}
	d, err := one.discover(ctx)
	if err != nil {
		return nil, nil, rooms.Unavailable(err, "%s cannot be reached; try again later", one.cfg.Name)
	}
	return one, d, nil
}

// Begin implements account.OpenID.
func (p *Providers) Begin(ctx context.Context, id, back string, ask account.AuthRequest) (string, error) {
	one, d, err := p.found(ctx, id)
	if err != nil {
		return "", err
	}
	return one.oauth(d, back).AuthCodeURL(ask.State, oidc.Nonce(ask.Nonce), oauth2.S256ChallengeOption(ask.Verifier)), nil
}

// Finish implements account.OpenID.
func (p *Providers) Finish(ctx context.Context, id, back string, ask account.AuthRequest, answer account.AuthResponse) (account.Claims, error) {
	one, d, err := p.found(ctx, id)
	if err != nil {
		return account.Claims{}, err
	}
	// RFC 9207: the issuer that answers is the one that we asked. A provider that says it
	// names itself always does.
	if answer.Issuer != d.Issuer && (answer.Issuer != "" || d.NamesItself) {
		return account.Claims{}, refused("another provider answered")
	}
	token, err := one.oauth(d, back).Exchange(one.context(ctx), answer.Code, oauth2.VerifierOption(ask.Verifier))
	var no *oauth2.RetrieveError
	switch {
	case errors.As(err, &no) && no.Response.StatusCode < 500:
		return account.Claims{}, refused("the provider does not take the code")
	case err != nil:
		return account.Claims{}, rooms.Unavailable(err, "%s cannot be reached; try again later", one.cfg.Name)
	}
	raw, _ := token.Extra("id_token").(string)
	idToken, err := one.verify(ctx, d, raw)
	if err != nil {
		return account.Claims{}, err
	}
	if subtle.ConstantTimeCompare([]byte(idToken.Nonce), []byte(ask.Nonce)) != 1 {
		return account.Claims{}, refused("the ID token was made for another login")
	}
	if idToken.AccessTokenHash != "" && idToken.VerifyAccessToken(token.AccessToken) != nil {
		return account.Claims{}, refused("the access token is not the ID token's")
	}
	return one.claims(ctx, d, idToken, raw, token)
}

func refused(why string) error { return rooms.Unauthenticated("%s", why) }

// verify checks an ID token's signature, issuer, audience and time.
func (one *provider) verify(ctx context.Context, d *discovered, raw string) (*oidc.IDToken, error) {
	idToken, err := d.oidc.VerifierContext(one.context(ctx), &oidc.Config{ClientID: one.cfg.ClientID, Now: one.now}).Verify(one.context(ctx), raw)
	if err != nil {
		return nil, refused("the ID token is not valid")
	}
	var more struct {
		Party string `json:"azp"`
	}
	// OpenID Connect Core 3.1.3.7: several audiences need to say who asked.
	if err := idToken.Claims(&more); err != nil || idToken.Subject == "" ||
		(more.Party != "" && more.Party != one.cfg.ClientID) || (len(idToken.Audience) > 1 && more.Party == "") {
		return nil, refused("the ID token was made for somebody else")
	}
	return idToken, nil
}

// profile is the standard claims that we use (OpenID Connect Core 5.1).
type profile struct {
	Email         string    `json:"email"`
	EmailVerified looseBool `json:"email_verified"`
	Name          string    `json:"name"`
	Locale        string    `json:"locale"`
	SID           string    `json:"sid"`
}

// looseBool is true for true and "true", which some providers send.
type looseBool bool

// UnmarshalJSON implements json.Unmarshaler.
func (b *looseBool) UnmarshalJSON(raw []byte) error {
	*b = looseBool(string(raw) == "true" || string(raw) == `"true"`)
	return nil
}

// claims are those of the ID token, and where it has no e-mail address those
// that the provider tells when asked.
func (one *provider) claims(ctx context.Context, d *discovered, idToken *oidc.IDToken, raw string, token *oauth2.Token) (account.Claims, error) {
	var p profile
	if err := idToken.Claims(&p); err != nil {
		return account.Claims{}, refused("the ID token's claims are not well-formed")
	}
	if p.Email == "" && d.oidc.UserInfoEndpoint() != "" {
		info, err := d.oidc.UserInfo(one.context(ctx), oauth2.StaticTokenSource(token))
		if err != nil {
			return account.Claims{}, rooms.Unavailable(err, "%s cannot be reached; try again later", one.cfg.Name)
		}
		if info.Subject != idToken.Subject {
			return account.Claims{}, refused("the provider told of somebody else")
		}
		sid := p.SID
		if err := info.Claims(&p); err != nil {
			return account.Claims{}, refused("the provider's claims are not well-formed")
		}
		p.SID = sid
	}
	return account.Claims{Issuer: idToken.Issuer, Subject: idToken.Subject, Email: p.Email, EmailVerified: bool(p.EmailVerified),
		Name: p.Name, Locale: p.Locale, SID: p.SID, IDToken: []byte(raw)}, nil
}

// EndSession implements account.OpenID (OpenID Connect RP-Initiated Logout 1.0).
func (p *Providers) EndSession(ctx context.Context, id, idToken, back string) (string, error) {
	one, d, err := p.found(ctx, id)
	if err != nil || d.EndSession == "" {
		return "", err
	}
	to, err := url.Parse(d.EndSession)
	if err != nil {
		return "", rooms.Unavailable(err, "%s says nothing sensible about logging out", one.cfg.Name)
	}
	q := to.Query()
	q.Set("id_token_hint", idToken)
	q.Set("client_id", one.cfg.ClientID)
	q.Set("post_logout_redirect_uri", back)
	to.RawQuery = q.Encode()
	return to.String(), nil
}

// logoutEvent is what makes a token a logout token.
const logoutEvent = "http://schemas.openid.net/event/backchannel-logout"

// LoggedOut implements account.OpenID (OpenID Connect Back-Channel Logout 1.0,
// section 2.6).
func (p *Providers) LoggedOut(ctx context.Context, id, raw string) (account.LoggedOut, error) {
	one, d, err := p.found(ctx, id)
	if err != nil {
		return account.LoggedOut{}, err
	}
	token, err := d.oidc.VerifierContext(one.context(ctx), &oidc.Config{ClientID: one.cfg.ClientID, Now: one.now}).Verify(one.context(ctx), raw)
	if err != nil {
		return account.LoggedOut{}, refused("the logout token is not valid")
	}
	var claims struct {
		SID    string                     `json:"sid"`
		ID     string                     `json:"jti"`
		Nonce  *string                    `json:"nonce"`
		Events map[string]json.RawMessage `json:"events"`
	}
	if err := token.Claims(&claims); err != nil {
		return account.LoggedOut{}, refused("the logout token's claims are not well-formed")
	}
	_, isLogout := claims.Events[logoutEvent]
	switch {
	case !isLogout || claims.Nonce != nil: // an ID token, say
		return account.LoggedOut{}, refused("this is no logout token")
	case claims.ID == "" || (token.Subject == "" && claims.SID == ""):
		return account.LoggedOut{}, refused("the logout token does not say who logged out")
	}
	return account.LoggedOut{Issuer: token.Issuer, Subject: token.Subject, SID: claims.SID, ID: claims.ID, Expires: token.Expiry}, nil
}
