package account

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"wenzhen/rooms"
)

// signer makes and reads access tokens: JWTs (RFC 7519) signed with HMAC-SHA256.
type signer struct {
	key  []byte
	life time.Duration
	now  func() time.Time
}

const issuer = "wenzhen"

type claims struct {
	jwt.RegisteredClaims
	Role    rooms.Role      `json:"role"`
	Session rooms.SessionID `json:"sid"`
}

func (s signer) sign(actor rooms.Actor) (string, error) {
	now := s.now()
	// exp is in whole seconds; rounded up, the token lives as long as it says.
	expires := now.Add(s.life + time.Second - time.Nanosecond)
	return jwt.NewWithClaims(jwt.SigningMethodHS256, claims{
		RegisteredClaims: jwt.RegisteredClaims{
			Issuer: issuer, Subject: string(actor.UserID),
			IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(expires),
		},
		Role: actor.Role, Session: actor.SessionID,
	}).SignedString(s.key)
}

// read returns who the token speaks for and until when.
func (s signer) read(token string) (rooms.Actor, time.Time, error) {
	var c claims
	_, err := jwt.ParseWithClaims(token, &c, func(*jwt.Token) (any, error) { return s.key, nil },
		jwt.WithValidMethods([]string{"HS256"}), jwt.WithIssuer(issuer),
		jwt.WithExpirationRequired(), jwt.WithTimeFunc(s.now))
	switch {
	case errors.Is(err, jwt.ErrTokenExpired):
		return rooms.Actor{}, time.Time{}, rooms.Unauthenticated("the access token has expired")
	case err != nil, c.Subject == "", c.Session == "":
		return rooms.Actor{}, time.Time{}, rooms.Unauthenticated("the access token is not valid")
	}
	return rooms.Actor{UserID: rooms.UserID(c.Subject), Role: c.Role, SessionID: c.Session}, c.ExpiresAt.Time, nil
}

// newRefreshToken makes an opaque token of 256 random bits and its stored half.
func newRefreshToken() (token string, hash [32]byte) {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // never fails (crypto/rand)
	token = base64.RawURLEncoding.EncodeToString(b)
	return token, sha256.Sum256([]byte(token))
}
