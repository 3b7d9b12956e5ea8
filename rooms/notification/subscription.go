package notification

import (
	"context"
	"crypto/ecdh"
	"encoding/base64"
	"net/url"
	"time"

	"wenzhen.example/rooms"
)

// SubscriptionID names a browser that is pushed to.
type SubscriptionID string

// SubscribeInput is a PushSubscription as the browser's toJSON() writes it
// (W3C Push API).
type SubscribeInput struct {
	Endpoint string           `json:"endpoint" limit:"1..2000"`
	Keys     SubscriptionKeys `json:"keys"`
}

// SubscriptionKeys are what pushes are encrypted for (RFC 8291), in base64url.
type SubscriptionKeys struct {
	P256dh string `json:"p256dh"` // a point on P-256, uncompressed
	Auth   string `json:"auth"`   // 16 bytes
}

// Validate implements rooms.Validator.
func (in SubscribeInput) Validate() error {
	if u, err := url.Parse(in.Endpoint); err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") {
		return rooms.Invalid("endpoint", "endpoint must be a URL")
	}
	point, err := base64.RawURLEncoding.DecodeString(in.Keys.P256dh)
	if err == nil {
		_, err = ecdh.P256().NewPublicKey(point)
	}
	if err != nil {
		return rooms.Invalid("keys.p256dh", "keys.p256dh must be a point on P-256 in base64url")
	}
	if auth, err := base64.RawURLEncoding.DecodeString(in.Keys.Auth); err != nil || len(auth) != 16 {
		return rooms.Invalid("keys.auth", "keys.auth must be 16 bytes in base64url")
	}
	return nil
}

// Subscription is a browser that is pushed to. What a push is encrypted with
// stays on the server.
type Subscription struct {
	ID        SubscriptionID   `json:"id"`
	CreatedAt time.Time        `json:"createdAt"`
	UserID    rooms.UserID     `json:"-"`
	SessionID rooms.SessionID  `json:"-"`
	Endpoint  string           `json:"-"`
	Keys      SubscriptionKeys `json:"-"`
}

// SubscriptionInput names one of the caller's subscriptions.
type SubscriptionInput struct {
	SubscriptionID SubscriptionID `json:"subscriptionId"`
}

// subscriptionsMost bounds the browsers of one user.
const subscriptionsMost = 20

// subscribe keeps a subscription for the login that asks. A browser that was
// subscribed before, by whomever, is now this login's.
func (s *Service) subscribe(ctx context.Context, actor rooms.Actor, in SubscribeInput) (Subscription, error) {
	if s.cfg.Push == nil {
		return Subscription{}, rooms.Conflict("", "this server does not push")
	}
	if err := s.cfg.Push.Accepts(in.Endpoint); err != nil {
		return Subscription{}, err
	}
	fresh := Subscription{ID: SubscriptionID(rooms.NewID(s.now())), CreatedAt: s.now(), UserID: actor.UserID, SessionID: actor.SessionID, Endpoint: in.Endpoint, Keys: in.Keys}
	return rooms.InTx(ctx, s.store, func(tx Tx) (Subscription, error) {
		have, err := tx.Subscriptions(actor.UserID, s.now())
		if err != nil {
			return Subscription{}, err
		}
		others := 0
		for _, other := range have {
			if other.Endpoint != in.Endpoint {
				others++
			}
		}
		if others >= subscriptionsMost {
			return Subscription{}, rooms.TooLarge("", "at most %d browsers can be pushed to", subscriptionsMost)
		}
		return tx.SaveSubscription(fresh)
	})
}

func (s *Service) unsubscribe(ctx context.Context, actor rooms.Actor, in SubscriptionInput) (rooms.Nothing, error) {
	return rooms.Nothing{}, s.store.InTx(ctx, func(tx Tx) error {
		return tx.DeleteSubscription(actor.UserID, in.SubscriptionID)
	})
}
