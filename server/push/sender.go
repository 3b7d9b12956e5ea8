package push

import (
	"context"
	"crypto/ecdh"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	webpush "github.com/SherClockHolmes/webpush-go"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/notification"
)

// Config is what a Sender signs with, and where it may send.
type Config struct {
	// Key is the private VAPID key: 32 bytes in hex. Changing it invalidates all
	// subscriptions, which are bound to it.
	Key string
	// Subject is how a push service reaches the operator of this server: an https
	// URL or an e-mail address (RFC 8292 section 2.1).
	Subject string
	// Allow are addresses ("host:port") that may be sent to although they are
	// not public, or do not speak TLS.
	Allow []string
}

// Sender sends pushes. It is a notification.Pusher.
type Sender struct {
	subject         string
	private, public string
	allow           []string
	client          *http.Client
}

// New reads the key.
func New(cfg Config) (*Sender, error) {
	raw, err := hex.DecodeString(cfg.Key)
	if err != nil {
		return nil, errors.New("push key: must be 64 hexadecimal digits")
	}
	key, err := ecdh.P256().NewPrivateKey(raw)
	if err != nil {
		return nil, errors.New("push key: is no key of P-256")
	}
	return &Sender{subject: cfg.Subject, private: base64.RawURLEncoding.EncodeToString(raw),
		public: base64.RawURLEncoding.EncodeToString(key.PublicKey().Bytes()), allow: cfg.Allow, client: newClient(cfg.Allow)}, nil
}

// PublicKey is what browsers subscribe with (applicationServerKey): the
// uncompressed point in base64url.
func (s *Sender) PublicKey() string { return s.public }

// Accepts implements notification.Pusher.
func (s *Sender) Accepts(endpoint string) error {
	u, err := url.Parse(endpoint)
	switch {
	case err != nil || u.Host == "" || u.User != nil:
		return rooms.Invalid("endpoint", "endpoint must be a URL")
	case slices.Contains(s.allow, u.Host):
		return nil
	case u.Scheme != "https":
		return rooms.Invalid("endpoint", "endpoint must be https")
	}
	return nil
}

// keepFor is how long a push service keeps a message for a browser that is off.
const keepFor = 24 * time.Hour

// urgencies say what may wake a phone (RFC 8030 section 5.3).
var urgencies = map[notification.Kind]webpush.Urgency{notification.Consultations: webpush.UrgencyHigh, notification.Messages: webpush.UrgencyHigh}

// Send implements notification.Pusher.
func (s *Sender) Send(ctx context.Context, sub notification.Subscription, p notification.Parcel) error {
	payload, err := json.Marshal(p)
	if err != nil {
		return err
	}
	urgency, ok := urgencies[p.Kind]
	if !ok {
		urgency = webpush.UrgencyNormal
	}
	// A message replaces the one that still waits under its topic (RFC 8030
	// section 5.4): 32 characters of base64url at most.
	topic := sha256.Sum256([]byte(p.Tag))
	response, err := webpush.SendNotificationWithContext(ctx, payload,
		&webpush.Subscription{Endpoint: sub.Endpoint, Keys: webpush.Keys{P256dh: sub.Keys.P256dh, Auth: sub.Keys.Auth}},
		&webpush.Options{HTTPClient: s.client, Subscriber: s.subject, TTL: int(keepFor.Seconds()), Urgency: urgency,
			Topic: base64.RawURLEncoding.EncodeToString(topic[:24]), VAPIDPublicKey: s.public, VAPIDPrivateKey: s.private})
	switch {
	case errors.Is(err, errNotPublic):
		return rooms.Invalid("endpoint", "the push service is at an address that is not public")
	case errors.Is(err, webpush.ErrMaxPadExceeded):
		return rooms.TooLarge("", "the notification is too long for a push")
	case err != nil:
		// Its own words have the endpoint in them: who knows it can push.
		if failed := (*url.Error)(nil); errors.As(err, &failed) {
			err = failed.Err
		}
		return rooms.Unavailable(err, "the push service cannot be reached")
	}
	defer response.Body.Close()
	said, _ := io.ReadAll(io.LimitReader(response.Body, 300)) // for the evidence only
	return refusal(response, said)
}

// refusal is what an answer of a push service means (RFC 8030 section 5).
func refusal(response *http.Response, said []byte) error {
	switch code := response.StatusCode; {
	case code >= 200 && code < 300:
		return nil
	case code == http.StatusNotFound, code == http.StatusGone:
		return rooms.NotFound("push subscription")
	case code == http.StatusTooManyRequests, code == http.StatusRequestTimeout, code >= 500:
		e := rooms.Unavailable(fmt.Errorf("%s: %q", response.Status, said), "the push service is busy")
		if seconds, err := strconv.Atoi(response.Header.Get("Retry-After")); err == nil && seconds > 0 {
			e.RetryAfterMs = int64(seconds) * 1000
		}
		return e
	}
	return rooms.Invalid("endpoint", "the push service refuses it: %s: %q", response.Status, said)
}
