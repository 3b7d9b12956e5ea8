package access_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"wenzhen.example/server/app"
	"wenzhen.example/server/e2e"
	"wenzhen.example/server/identity"
)

const clientID, clientSecret = "wenzhen", "a client secret of 32 characters"

// provider is an OpenID provider that does what a test wants it to, right or
// wrong. Everyone who comes is who it says.
type provider struct {
	*httptest.Server

	mu     sync.Mutex
	t      testing.TB
	key    *ecdsa.PrivateKey
	kid    string
	who    map[string]any // claims of the user who logs in
	spoil  func(claims map[string]any)
	sign   func(claims map[string]any) string // instead of a right signature
	answer func(q url.Values)                 // changes what a browser brings back
	noID   bool
	says   map[string]func(honest []byte) []byte // changes what is answered, by path
	logins map[string]url.Values                 // by code
}

func newProvider(t testing.TB) *provider {
	p := &provider{t: t, logins: map[string]url.Values{}, who: map[string]any{"sub": "bo-there", "email": "bo@there.example", "email_verified": true, "name": "Bo There"}}
	p.rotate(t, "first")
	mux := http.NewServeMux()
	p.Server = httptest.NewServer(p.changed(mux))
	t.Cleanup(p.Close)
	mux.HandleFunc("/.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, map[string]any{"issuer": p.URL, "authorization_endpoint": p.URL + "/authorize", "token_endpoint": p.URL + "/token", "jwks_uri": p.URL + "/keys",
			"id_token_signing_alg_values_supported": []string{"ES256"}, "response_types_supported": []string{"code"}, "subject_types_supported": []string{"public"},
			"authorization_response_iss_parameter_supported": true})
	})
	mux.HandleFunc("/keys", func(w http.ResponseWriter, _ *http.Request) {
		p.mu.Lock()
		defer p.mu.Unlock()
		writeJSON(w, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: p.key.Public(), KeyID: p.kid, Algorithm: "ES256", Use: "sig"}}})
	})
	mux.HandleFunc("/authorize", func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		defer p.mu.Unlock()
		asked := r.URL.Query()
		code := rand.Text()
		p.logins[code] = asked
		q := url.Values{"code": {code}, "state": {asked.Get("state")}, "iss": {p.URL}}
		if p.answer != nil {
			p.answer(q)
		}
		http.Redirect(w, r, asked.Get("redirect_uri")+"?"+q.Encode(), http.StatusFound)
	})
	mux.HandleFunc("/token", func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		defer p.mu.Unlock()
		asked, known := p.logins[r.FormValue("code")]
		delete(p.logins, r.FormValue("code"))
		sum := sha256.Sum256([]byte(r.FormValue("code_verifier")))
		id, secret, _ := r.BasicAuth()
		if !known || asked.Get("code_challenge") != base64.RawURLEncoding.EncodeToString(sum[:]) || asked.Get("code_challenge_method") != "S256" ||
			id != clientID || secret != url.QueryEscape(clientSecret) || asked.Get("redirect_uri") != r.FormValue("redirect_uri") {
			w.WriteHeader(http.StatusBadRequest)
			writeJSON(w, map[string]string{"error": "invalid_grant"})
			return
		}
		out := map[string]any{"access_token": rand.Text(), "token_type": "Bearer", "expires_in": 60}
		if !p.noID {
			out["id_token"] = p.token(p.t, map[string]any{"nonce": asked.Get("nonce")})
		}
		writeJSON(w, out)
	})
	return p
}

// becomes is an honest provider again, in the test that is given.
func (p *provider) becomes(t testing.TB) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.t, p.spoil, p.sign, p.answer, p.noID, p.says = t, nil, nil, nil, false, map[string]func([]byte) []byte{}
}

// changed answers as honest does, but for what a test has it say instead.
func (p *provider) changed(honest http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		change := p.says[r.URL.Path]
		p.mu.Unlock()
		if change == nil {
			honest.ServeHTTP(w, r)
			return
		}
		answer := httptest.NewRecorder()
		honest.ServeHTTP(answer, r)
		p.mu.Lock()
		body := change(answer.Body.Bytes())
		p.mu.Unlock()
		w.Header().Set("Content-Type", answer.Header().Get("Content-Type"))
		w.WriteHeader(answer.Code)
		_, _ = w.Write(body)
	})
}

func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v)
}

// token signs the claims of the current user together with more. The lock is
// held.
func (p *provider) token(t testing.TB, more map[string]any) string {
	claims := map[string]any{"iss": p.URL, "aud": clientID, "iat": time.Now().Unix(), "exp": time.Now().Add(time.Minute).Unix()}
	maps.Copy(claims, p.who)
	maps.Copy(claims, more)
	if p.spoil != nil {
		p.spoil(claims)
	}
	if p.sign != nil {
		return p.sign(claims)
	}
	return signed(t, jose.ES256, p.key, p.kid, claims)
}

func signed(t testing.TB, alg jose.SignatureAlgorithm, key any, kid string, claims map[string]any) string {
	t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: jose.JSONWebKey{Key: key, KeyID: kid}}, nil)
	e2e.Must(t, err)
	body, err := json.Marshal(claims)
	e2e.Must(t, err)
	object, err := signer.Sign(body)
	e2e.Must(t, err)
	out, err := object.CompactSerialize()
	e2e.Must(t, err)
	return out
}

// unsigned is a token of alg none.
func unsigned(claims map[string]any) string {
	body, _ := json.Marshal(claims)
	b64 := base64.RawURLEncoding.EncodeToString
	return b64([]byte(`{"alg":"none","typ":"JWT"}`)) + "." + b64(body) + "."
}

func (p *provider) rotate(t testing.TB, kid string) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	e2e.Must(t, err)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.key, p.kid = key, kid
}

// public is the public key as a file would have it.
func (p *provider) public(t testing.TB) []byte {
	der, err := x509.MarshalPKIXPublicKey(crypto.PublicKey(p.key.Public()))
	e2e.Must(t, err)
	return der
}

// with is the setting that has these providers, "there" first.
func with(t testing.TB, list ...identity.Config) func(*app.Config) {
	t.Helper()
	content, err := json.Marshal(list)
	e2e.Must(t, err)
	path := filepath.Join(t.TempDir(), "providers.json")
	e2e.Must(t, os.WriteFile(path, content, 0o600))
	return func(c *app.Config) { c.IdentityProviders = path }
}

func (p *provider) config(id string) identity.Config {
	return identity.Config{ID: id, Name: "There", Issuer: p.URL, ClientID: clientID, ClientSecret: clientSecret}
}
