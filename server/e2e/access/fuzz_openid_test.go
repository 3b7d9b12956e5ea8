package access_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
	"wenzhen.example/server/e2e"
	"wenzhen.example/server/identity"
)

// These are the places where a provider, or an attacker in its name, can send
// wrong data: FuzzOpenID replaces one of them with its input. $iss, $aud,
// $nonce, $code, $state, $exp, $now and $token in the input stand for the
// correct values.
const (
	inCallback   = iota // the query that a browser comes back with
	inTokens            // the answer of the token endpoint
	inClaims            // the claims of an ID token, rightly signed
	inIDToken           // an ID token as it goes over the wire
	inKeys              // the provider's keys (JWKS)
	inLogout            // the claims of a logout token, rightly signed
	inLogoutForm        // the body with which a provider logs out
	inDiscovery         // what the provider says about itself
	parts
)

// FuzzOpenID: nobody is let in or logged out by what a provider did not say or
// sign, whatever comes in the place of one of its answers; and the server
// answers each with what is wrong.
func FuzzOpenID(f *testing.F) {
	p := newProvider(f)
	w, rung := e2e.Fuzzed(f, with(f, p.config("there")))
	for part, bodies := range untruths {
		for _, body := range bodies {
			f.Add(uint8(part), []byte(body))
		}
	}
	round := 0
	f.Fuzz(func(t *testing.T, part uint8, body []byte) {
		defer rung.Silent(t)
		p.becomes(t)
		round++
		l := &lie{t: t, w: w.In(t), p: p, body: string(body)}
		switch part % parts {
		case inLogout, inLogoutForm:
			l.logsOut(part%parts == inLogout)
		case inDiscovery:
			l.introduces()
		default:
			l.logsIn(part%parts, fmt.Sprint("key-", round))
		}
	})
}

// untruths are bodies to begin with, right and wrong, by the part they play.
var untruths = [parts][]string{
	inCallback: {"code=$code&state=$state&iss=$iss", "code=$code&state=$state", "state=$state&error=access_denied&iss=$iss", "code=&state=x", "code=$code&code=2&state=$state&iss=$iss", "%zz=1&state=$state"},
	inTokens: {`{"access_token":"a","token_type":"Bearer","expires_in":60,"id_token":"$token"}`, `{"access_token":"a","token_type":"mac","id_token":"$token"}`, `{"access_token":"a","expires_in":"60","id_token":5}`,
		`{"error":"invalid_grant"}`, `access_token=a&token_type=bearer`, `[]`, ``},
	inClaims: {`{"iss":"$iss","aud":"$aud","sub":"bo-there","nonce":"$nonce","exp":$exp,"iat":$now,"email":"bo@there.example","email_verified":true,"name":"Bo"}`,
		`{"iss":"$iss","aud":["x","$aud"],"azp":"$aud","sub":"bo-there","nonce":"$nonce","exp":$exp,"iat":$now,"email":"bo@there.example"}`,
		`{"iss":"$iss","aud":["x","$aud"],"sub":"bo-there","nonce":"$nonce","exp":$exp}`, `{"iss":"$iss","aud":"$aud","sub":"","nonce":"$nonce","exp":$exp}`,
		`{"iss":"$iss","aud":"$aud","sub":"bo-there","nonce":"$nonce","exp":1}`, `{"iss":"$iss","aud":"$aud","sub":"bo-there","exp":$exp}`,
		`{"iss":"$iss","aud":"$aud","sub":"bo-there","nonce":"$nonce","exp":1e99,"iat":-1,"nbf":$exp,"email":"x","name":"\u0000","locale":"??"}`, `null`, `[]`},
	inIDToken:    {"$token", "eyJhbGciOiJub25lIn0.e30.", "eyJhbGciOiJIUzI1NiJ9.e30.AAAA", "$token.x", "a.b.c", ""},
	inKeys:       {`{"keys":[$key]}`, `{"keys":[]}`, `{"keys":[{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}]}`, `{"keys":[{"kty":"oct","k":"AAAA","alg":"HS256"}]}`, `{"keys":[{"kty":"RSA","n":"","e":""}]}`, `{"keys":null}`, `x`},
	inLogout:     {`{"iss":"$iss","aud":"$aud","iat":$now,"exp":$exp,"sub":"nobody","jti":"$nonce","events":{"http://schemas.openid.net/event/backchannel-logout":{}}}`, `{"iss":"$iss","aud":"$aud","exp":$exp,"sid":"s","jti":"$nonce","nonce":"n","events":{"http://schemas.openid.net/event/backchannel-logout":{}}}`, `{"iss":"$iss","aud":"$aud","exp":$exp,"jti":"$nonce","events":[]}`, `{}`},
	inLogoutForm: {"logout_token=$token", "logout_token=a.b.c", "logout_token=%00&logout_token=2", "x", "logout_token=$token;%"},
	inDiscovery:  {`{"issuer":"$iss","authorization_endpoint":"$iss/authorize","token_endpoint":"$iss/token","jwks_uri":"$iss/keys"}`, `{"issuer":"https://elsewhere.example"}`, `{"issuer":"$iss","authorization_endpoint":"%zz"}`, `{"issuer":5}`, `{`},
}

// lie is one execution.
type lie struct {
	t    *testing.T
	w    *e2e.World
	p    *provider
	body string
}

// fill puts what would be right into the body.
func (l *lie) fill(pairs ...string) string {
	now := time.Now()
	return strings.NewReplacer(append(pairs, "$iss", l.p.URL, "$aud", clientID, "$exp", fmt.Sprint(now.Add(time.Minute).Unix()), "$now", fmt.Sprint(now.Unix()))...).Replace(l.body)
}

// logsIn goes to the provider and back with the lie in one place. Who is let
// in is bo, and only if it says what the provider would have.
func (l *lie) logsIn(part uint8, kid string) {
	l.p.rotate(l.t, kid) // so that the keys are fetched again
	n := newNavigator(l.w, l.t)
	right := false // it may let bo in
	l.p.mu.Lock()
	switch part {
	case inCallback:
		l.p.answer = func(q url.Values) {
			code, state, iss := q.Get("code"), q.Get("state"), q.Get("iss")
			came, err := url.ParseQuery(plainQuery(l.fill("$code", code, "$state", state)))
			right = came.Get("code") == code && came.Get("state") == state && came.Get("iss") == iss
			if err != nil { // what can be read of it counts
				came.Set("broken", "%")
			}
			clear(q)
			for name, values := range came {
				q[name] = values
			}
		}
	case inTokens:
		l.p.says["/token"] = func(honest []byte) []byte {
			var was struct {
				Token string `json:"id_token"`
			}
			_ = json.Unmarshal(honest, &was)
			body := l.fill("$token", was.Token)
			right = was.Token != "" && strings.Contains(body, was.Token)
			return []byte(body)
		}
	case inClaims:
		l.p.sign = func(honest map[string]any) string {
			body := l.fill("$nonce", fmt.Sprint(honest["nonce"]))
			c, meant := l.meant(body)
			right = meant && c.Subject != "" && c.Nonce != nil && *c.Nonce == honest["nonce"]
			return l.sign(body)
		}
	case inIDToken:
		l.p.sign = func(honest map[string]any) string {
			token := signed(l.t, jose.ES256, l.p.key, l.p.kid, honest)
			body := l.fill("$token", token)
			right = sameToken(strings.TrimSpace(body), token)
			return body
		}
	case inKeys:
		l.p.says["/keys"] = func(honest []byte) []byte {
			key := strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(string(honest)), `{"keys":[`), "]}")
			body := l.fill("$key", key)
			var own map[string]any
			_ = json.Unmarshal([]byte(key), &own)
			right = strings.Contains(body, fmt.Sprint(own["x"]))
			return []byte(body)
		}
	}
	l.p.mu.Unlock()
	page := n.visits(n.goes("there"))
	in := strings.Contains(page, "/login/finish?next=%2Fconsultations#")
	if !in {
		code, _, _ := strings.Cut(strings.TrimPrefix(page, n.base+"/login?problem="), "&")
		if !slices.Contains([]string{"unauthenticated", "forbidden", "unavailable", "invalid", "email_taken", "no_email"}, code) {
			l.t.Errorf("%q led to %s", l.body, page)
		}
		return
	}
	l.p.mu.Lock()
	let := right
	l.p.mu.Unlock()
	if !let {
		l.t.Errorf("%q lets in", l.body)
	}
	if login, err := n.finishes(page, ""); err == nil && part != inClaims && login.User.Email != "bo@there.example" {
		l.t.Errorf("%q opens the account of %s", l.body, login.User.Email)
	}
}

// claimed are the claims that count, as they are read from JSON.
type claimed struct {
	Issuer   string                     `json:"iss"`
	Audience any                        `json:"aud"`
	Expires  float64                    `json:"exp"`
	Subject  string                     `json:"sub"`
	Nonce    *string                    `json:"nonce"`
	ID       string                     `json:"jti"`
	SID      string                     `json:"sid"`
	Events   map[string]json.RawMessage `json:"events"`
}

// meant reports whether correctly signed claims are from the provider, for this
// client, and not expired.
func (l *lie) meant(body string) (claimed, bool) {
	var c claimed
	if json.Unmarshal([]byte(body), &c) != nil {
		return c, false
	}
	audience, several := c.Audience.([]any)
	if !several {
		audience = []any{c.Audience}
	}
	return c, c.Issuer == l.p.URL && slices.Contains(audience, any(clientID)) && c.Expires > float64(time.Now().Add(-time.Minute).Unix())
}

// sign signs any body with the provider's key; its lock is held.
func (l *lie) sign(body string) string {
	l.t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: l.p.key, KeyID: l.p.kid}}, nil)
	e2e.Must(l.t, err)
	object, err := signer.Sign([]byte(body))
	e2e.Must(l.t, err)
	token, err := object.CompactSerialize()
	e2e.Must(l.t, err)
	return token
}

// sameToken reports whether two tokens have the same content and signature. The
// unused last bits of the signature's encoding may differ.
func sameToken(a, b string) bool {
	i, j := strings.LastIndexByte(a, '.'), strings.LastIndexByte(b, '.')
	if i < 0 || a[:i] != b[:j] {
		return false
	}
	x, err := base64.RawURLEncoding.DecodeString(a[i+1:])
	y, _ := base64.RawURLEncoding.DecodeString(b[j+1:])
	return err == nil && bytes.Equal(x, y)
}

// logsOut sends what should be a logout token.
func (l *lie) logsOut(sign bool) {
	right := false
	l.p.mu.Lock()
	body := l.fill("$token", l.p.token(l.t, map[string]any{"nonce": "n"}), "$nonce", rooms.NewID(time.Now()))
	if sign {
		c, meant := l.meant(body)
		_, ends := c.Events["http://schemas.openid.net/event/backchannel-logout"]
		right = meant && ends && c.Nonce == nil && c.ID != "" && (c.Subject != "" || c.SID != "")
		body = url.Values{"logout_token": {l.sign(body)}}.Encode()
	}
	l.p.mu.Unlock()
	a := l.w.Ask(l.t, "POST", "/api/v1/auth/oidc/there/logout", "", body, "Content-Type", "application/x-www-form-urlencoded")
	switch {
	case a.Status == http.StatusOK && !right:
		l.t.Errorf("%q logs out", l.body)
	case a.Status != http.StatusOK && e2e.Refusals[a.Problem.Code] != a.Status:
		l.t.Errorf("%q is answered with %d %s", l.body, a.Status, a.Body)
	}
}

// introduces is what a provider that nobody has met yet says about itself.
func (l *lie) introduces() {
	own := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(l.body))
	}))
	defer own.Close()
	l.body = strings.ReplaceAll(l.body, "$iss", own.URL)
	c := l.p.config("new")
	c.Issuer = own.URL
	providers, err := identity.New([]identity.Config{c}, time.Now)
	e2e.Must(l.t, err)
	defer providers.Close()
	ask := account.AuthRequest{State: "the-state", Nonce: "the-nonce", Verifier: strings.Repeat("v", 43)}
	to, err := providers.Begin(l.t.Context(), "new", "https://wenzhen.example/back", ask)
	if err != nil {
		e2e.Code(l.t, err, rooms.CodeUnavailable)
		return
	}
	if !strings.Contains(to, "state=the-state") || !strings.Contains(to, "nonce=the-nonce") || !strings.Contains(to, "code_challenge=") || strings.Contains(to, ask.Verifier) {
		l.t.Errorf("%q sends to %s", l.body, to)
	}
}
