package account

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"wenzhen.example/rooms"
)

// signer makes and reads access tokens: JWTs (RFC 7519) signed with
// HMAC-SHA256 by one of several keys, which the header names (kid).
type signer struct {
	keys *keyring
	life time.Duration
	now  func() time.Time
}

const issuer = "wenzhen"

// How far a token's times may be off. Its times are whole seconds, which adds up
// to two to its life. Clocks of nodes differ, and a clock may be set back: past
// a day that ends access tokens (no logins), since nothing distinguishes a token from the
// future from one that someone made up.
const (
	lifeSlack   = 2 * time.Second
	futureSlack = 24 * time.Hour
)

type claims struct {
	jwt.RegisteredClaims
	Role    rooms.Role      `json:"role"`
	Session rooms.SessionID `json:"sid"`
}

func (s signer) sign(actor rooms.Actor) (string, error) {
	key, ok := s.keys.current()
	if !ok {
		return "", errors.New("account: there is no signing key; Open was not called")
	}
	now := s.now()
	// exp is in whole seconds; rounded up, the token lives as long as it says.
	expires := now.Add(s.life + time.Second - time.Nanosecond)
	token := jwt.NewWithClaims(jwt.SigningMethodHS256, claims{
		RegisteredClaims: jwt.RegisteredClaims{
			Issuer: issuer, Subject: string(actor.UserID),
			IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(expires),
		},
		Role: actor.Role, Session: actor.SessionID,
	})
	token.Header["kid"] = key.ID
	return token.SignedString(s.keys.secret(key.ID))
}

// read returns who the token speaks for and until when.
func (s signer) read(token string) (rooms.Actor, time.Time, error) {
	var c claims
	_, err := jwt.ParseWithClaims(token, &c, s.keyOf,
		jwt.WithValidMethods([]string{"HS256"}), jwt.WithIssuer(issuer),
		jwt.WithExpirationRequired(), jwt.WithTimeFunc(s.now))
	switch {
	case errors.Is(err, jwt.ErrTokenExpired):
		return rooms.Actor{}, time.Time{}, rooms.Unauthenticated("the access token has expired")
	case err != nil, c.Subject == "", c.Session == "", !s.plausible(c):
		return rooms.Actor{}, time.Time{}, rooms.Unauthenticated("the access token is not valid")
	}
	return rooms.Actor{UserID: rooms.UserID(c.Subject), Role: c.Role, SessionID: c.Session}, c.ExpiresAt.Time, nil
}

// plausible reports whether this server would have given c its times: nobody who
// has got hold of a key makes a token that outlives it by years.
func (s signer) plausible(c claims) bool {
	if c.IssuedAt == nil {
		return false
	}
	issued := c.IssuedAt.Time
	return c.ExpiresAt.Sub(issued) <= s.life+lifeSlack && !issued.After(s.now().Add(futureSlack))
}

// keyOf is the key that a token says it was signed with.
func (s signer) keyOf(token *jwt.Token) (any, error) {
	id, _ := token.Header["kid"].(string)
	if !s.keys.known(id) {
		return nil, errors.New("unknown signing key")
	}
	return s.keys.secret(id), nil
}

// newRefreshToken makes an opaque token of 256 random bits.
func newRefreshToken() string {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // never fails (crypto/rand)
	return base64.RawURLEncoding.EncodeToString(b)
}

// successor is the token that a refresh token is traded for: always the same,
// so that asking again after an answer that was lost gives that answer. Nobody
// can tell it from the old one without the account key.
func (s *Service) successor(token string) string {
	mac := hmac.New(sha256.New, s.secret("refresh token"))
	mac.Write([]byte(token))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// hashed is the half of a refresh token that is stored.
func hashed(token string) [32]byte { return sha256.Sum256([]byte(token)) }
