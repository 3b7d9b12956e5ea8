// Package pushtest is a push service for tests: it takes what is sent to its
// endpoints, checks who signed it (RFC 8292) and decrypts it as the browser
// would (RFC 8291, RFC 8188), by its own reading of the standards.
package pushtest

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/golang-jwt/jwt/v5"

	"wenzhen.example/rooms/notification"
)

// Service is a push service with the browsers that it serves.
type Service struct {
	t      testing.TB
	server *httptest.Server

	mu       sync.Mutex
	browsers map[string]*Browser // by path
}

// Browser is a subscription, and what has been pushed to it.
type Browser struct {
	Endpoint string
	key      *ecdh.PrivateKey
	auth     []byte

	mu     sync.Mutex
	taken  []Push
	answer func(http.ResponseWriter) // instead of taking
}

// Push is a message that a browser has decrypted.
type Push struct {
	notification.Parcel
	Header http.Header
	// Key is the public key that it was signed with, in base64url.
	Key string
	// Subject is how the sender can be reached.
	Subject string
}

// Start starts a push service that the test ends.
func Start(t testing.TB) *Service {
	s := &Service{t: t, browsers: map[string]*Browser{}}
	s.server = httptest.NewServer(s)
	t.Cleanup(s.server.Close)
	return s
}

// Host is what has to be allowed for a server to send here.
func (s *Service) Host() string { return s.server.Listener.Addr().String() }

// Browser subscribes a browser.
func (s *Service) Browser() *Browser {
	s.t.Helper()
	key, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		s.t.Fatal(err)
	}
	b := &Browser{key: key, auth: make([]byte, 16)}
	_, _ = rand.Read(b.auth) // never fails (crypto/rand)
	s.mu.Lock()
	defer s.mu.Unlock()
	path := fmt.Sprintf("/push/%d", len(s.browsers)+1)
	b.Endpoint = s.server.URL + path
	s.browsers[path] = b
	return b
}

// Subscription is what the browser tells its application.
func (b *Browser) Subscription() notification.SubscribeInput {
	encode := base64.RawURLEncoding.EncodeToString
	return notification.SubscribeInput{Endpoint: b.Endpoint, Keys: notification.SubscriptionKeys{P256dh: encode(b.key.PublicKey().Bytes()), Auth: encode(b.auth)}}
}

// Pushes are those taken so far.
func (b *Browser) Pushes() []Push {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]Push(nil), b.taken...)
}

// Answer makes the service answer with something else than taking the push;
// nil takes it again.
func (b *Browser) Answer(with func(http.ResponseWriter)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.answer = with
}

// ServeHTTP implements http.Handler.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	b := s.browsers[r.URL.Path]
	s.mu.Unlock()
	if b == nil {
		http.NotFound(w, r)
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.answer != nil {
		b.answer(w)
		return
	}
	push, err := b.open(r, s.server.URL)
	if err != nil {
		s.t.Errorf("a push that is not what the standards say: %v", err)
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	b.taken = append(b.taken, push)
	w.WriteHeader(http.StatusCreated)
}

// open checks and decrypts a push.
func (b *Browser) open(r *http.Request, audience string) (Push, error) {
	p := Push{Header: r.Header}
	if r.Method != http.MethodPost || r.Header.Get("TTL") == "" || r.Header.Get("Content-Encoding") != "aes128gcm" {
		return p, fmt.Errorf("%s with headers %v", r.Method, r.Header)
	}
	if err := p.verify(r.Header.Get("Authorization"), audience); err != nil {
		return p, fmt.Errorf("vapid: %w", err)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return p, err
	}
	text, err := b.decrypt(body)
	if err != nil {
		return p, fmt.Errorf("decrypt: %w", err)
	}
	return p, json.Unmarshal(text, &p.Parcel)
}

// verify reads "vapid t=<JWT>, k=<key>" (RFC 8292 section 3).
func (p *Push) verify(authorization, audience string) error {
	rest, ok := strings.CutPrefix(authorization, "vapid ")
	if !ok {
		return errors.New("no vapid")
	}
	params := map[string]string{}
	for _, part := range strings.Split(rest, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		params[name] = value
	}
	point, err := base64.RawURLEncoding.DecodeString(params["k"])
	if err != nil {
		return fmt.Errorf("key %q: %w", params["k"], err)
	}
	key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point)
	if err != nil {
		return fmt.Errorf("key %q: %w", params["k"], err)
	}
	p.Key = params["k"]
	var claims jwt.RegisteredClaims
	_, err = jwt.ParseWithClaims(params["t"], &claims, func(*jwt.Token) (any, error) { return key, nil },
		jwt.WithValidMethods([]string{"ES256"}), jwt.WithAudience(audience), jwt.WithExpirationRequired())
	p.Subject = claims.Subject
	return err
}

// decrypt reads one aes128gcm record (RFC 8188) with the keys of RFC 8291.
func (b *Browser) decrypt(body []byte) ([]byte, error) {
	if len(body) < 21 || len(body) < 21+int(body[20]) {
		return nil, errors.New("no header")
	}
	salt, size, sender, sealed := body[:16], binary.BigEndian.Uint32(body[16:20]), body[21:21+int(body[20])], body[21+int(body[20]):]
	if len(sealed) > int(size) {
		return nil, errors.New("more than one record")
	}
	theirs, err := ecdh.P256().NewPublicKey(sender)
	if err != nil {
		return nil, err
	}
	shared, err := b.key.ECDH(theirs)
	if err != nil {
		return nil, err
	}
	info := "WebPush: info\x00" + string(b.key.PublicKey().Bytes()) + string(sender)
	secret, err := hkdf.Key(sha256.New, shared, b.auth, info, 32)
	if err != nil {
		return nil, err
	}
	key, err := hkdf.Key(sha256.New, secret, salt, "Content-Encoding: aes128gcm\x00", 16)
	if err != nil {
		return nil, err
	}
	nonce, err := hkdf.Key(sha256.New, secret, salt, "Content-Encoding: nonce\x00", 12)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	text, err := gcm.Open(nil, nonce, sealed, nil)
	if err != nil {
		return nil, err
	}
	text = bytes.TrimRight(text, "\x00")
	if len(text) == 0 || text[len(text)-1] != 2 {
		return nil, errors.New("no delimiter of a last record")
	}
	return text[:len(text)-1], nil
}
