package access_test

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"wenzhen.example/client"
	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
	"wenzhen.example/rooms/audit"
	"wenzhen.example/server/e2e"
)

// navigator is a browser that is sent from page to page.
type navigator struct {
	t    testing.TB
	w    *e2e.World
	base string
	http *http.Client
}

func newNavigator(w *e2e.World, t testing.TB) *navigator {
	jar, err := cookiejar.New(nil)
	e2e.Must(t, err)
	return &navigator{t: t, w: w, base: w.Server.URL(), http: &http.Client{Jar: jar, Transport: w.HTTP.Transport, Timeout: e2e.Patience,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// visits a page and returns where it leads.
func (n *navigator) visits(at string) string {
	n.t.Helper()
	r, err := n.http.Get(at)
	e2e.Must(n.t, err)
	defer r.Body.Close()
	if r.StatusCode != http.StatusFound {
		body, _ := io.ReadAll(r.Body)
		n.t.Fatalf("GET %s: %d %s", at, r.StatusCode, body)
	}
	to, err := r.Location()
	e2e.Must(n.t, err)
	return to.String()
}

// goes to a provider and comes back with what it says: the callback's address.
func (n *navigator) goes(id string) string {
	n.t.Helper()
	return n.visits(n.visits(n.base + "/api/v1/auth/oidc/" + id + "/start?next=/consultations"))
}

// posts JSON and reads the answer.
func (n *navigator) posts(path string, in, out any) *rooms.Error {
	n.t.Helper()
	raw, err := json.Marshal(in)
	e2e.Must(n.t, err)
	r, err := n.http.Post(n.base+"/api/v1"+path, "application/json", bytes.NewReader(raw))
	e2e.Must(n.t, err)
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	e2e.Must(n.t, err)
	if r.StatusCode < 300 {
		if len(body) > 0 {
			e2e.Must(n.t, json.Unmarshal(body, out))
		}
		return nil
	}
	var problem struct {
		Code   rooms.Code
		Field  string
		Detail string
	}
	e2e.Must(n.t, json.Unmarshal(body, &problem))
	return &rooms.Error{Code: problem.Code, Field: problem.Field, Message: problem.Detail}
}

// finishes a login with the ticket of the page that the callback led to.
func (n *navigator) finishes(page, otp string) (account.Login, *rooms.Error) {
	n.t.Helper()
	_, ticket, ok := strings.Cut(page, "#")
	if !ok || !strings.Contains(page, "/login/finish") {
		n.t.Fatalf("this page finishes nothing: %s", page)
	}
	var login account.Login
	err := n.posts("/auth/oidc/finish", account.FinishInput{Ticket: ticket, OTP: otp}, &login)
	return login, err
}

// links an identity at a provider to someone's account, and returns the page
// that this leads to.
func (n *navigator) links(who *e2e.Person, provider string) string {
	n.t.Helper()
	r, err := http.NewRequestWithContext(n.t.Context(), http.MethodPost, n.base+"/api/v1/me/identities/"+provider, nil)
	e2e.Must(n.t, err)
	r.Header.Set("Authorization", "Bearer "+who.Tokens().AccessToken)
	answer, err := n.http.Do(r)
	e2e.Must(n.t, err)
	defer answer.Body.Close()
	var to account.ProviderRedirect
	e2e.Must(n.t, json.NewDecoder(answer.Body).Decode(&to))
	if to.Browser != "" {
		n.t.Error("the browser's secret is in the answer")
	}
	return n.visits(n.visits(to.RedirectURL))
}

// loggedIn is the person that a login is.
func loggedIn(w *e2e.World, login account.Login) *e2e.Person {
	w.T.Helper()
	return &e2e.Person{Client: w.Client(client.WithTokens(login.Tokens)), World: w, User: login.User}
}

// A provider, a network or another site that lies opens no account.
func TestHostileProviders(t *testing.T) {
	t.Parallel()
	p, other := newProvider(t), newProvider(t)
	other.who = map[string]any{"sub": "mallory"}
	w := e2e.Start(t, with(t, p.config("there"), other.config("other")))
	honest := newNavigator(w, t)
	first, err := honest.finishes(honest.visits(honest.goes("there")), "")
	if err != nil {
		t.Fatalf("an honest login: %v", err)
	}
	claim := func(name string, value any) func(*provider) {
		return func(p *provider) {
			p.spoil = func(c map[string]any) {
				if c[name] = value; value == nil {
					delete(c, name)
				}
			}
		}
	}
	sign := func(f func(map[string]any) string) func(*provider) { return func(p *provider) { p.sign = f } }
	bring := func(f func(url.Values)) func(*provider) { return func(p *provider) { p.answer = f } }
	stranger := newProvider(t)
	for name, c := range map[string]struct {
		spoil func(*provider)
		want  string // the problem that the page says
	}{
		"wrong nonce":                          {claim("nonce", "another"), "unauthenticated"},
		"no nonce":                             {claim("nonce", nil), "unauthenticated"},
		"wrong audience":                       {claim("aud", "someone-else"), "unauthenticated"},
		"several audiences, nobody asked":      {claim("aud", []string{clientID, "x"}), "unauthenticated"},
		"asked for by somebody else":           {claim("azp", "someone-else"), "unauthenticated"},
		"wrong issuer":                         {claim("iss", "https://elsewhere.example"), "unauthenticated"},
		"another configured issuer":            {claim("iss", other.URL), "unauthenticated"},
		"expired":                              {claim("exp", time.Now().Add(-time.Hour).Unix()), "unauthenticated"},
		"no subject":                           {claim("sub", nil), "unauthenticated"},
		"alg none":                             {sign(unsigned), "unauthenticated"},
		"HMAC with the client secret":          {sign(func(m map[string]any) string { return signed(t, jose.HS256, []byte(clientSecret), p.kid, m) }), "unauthenticated"},
		"HMAC with the public key":             {sign(func(m map[string]any) string { return signed(t, jose.HS256, p.public(t), p.kid, m) }), "unauthenticated"},
		"another key of the same name":         {sign(func(m map[string]any) string { return signed(t, jose.ES256, stranger.key, p.kid, m) }), "unauthenticated"},
		"a key that is not published":          {sign(func(m map[string]any) string { return signed(t, jose.ES256, stranger.key, "new", m) }), "unauthenticated"},
		"no ID token":                          {func(p *provider) { p.noID = true }, "unauthenticated"},
		"mixed-up provider (RFC 9207)":         {bring(func(q url.Values) { q.Set("iss", other.URL) }), "unauthenticated"},
		"a provider that does not name itself": {bring(func(q url.Values) { q.Del("iss") }), "unauthenticated"},
		"a state that was made up":             {bring(func(q url.Values) { q.Set("state", "made.up") }), "unauthenticated"},
		"a code that was made up":              {bring(func(q url.Values) { q.Set("code", "made-up") }), "unauthenticated"},
		"the user said no":                     {bring(func(q url.Values) { q.Del("code"); q.Set("error", "access_denied") }), "forbidden"},
	} {
		p.mu.Lock()
		c.spoil(p)
		p.mu.Unlock()
		n := newNavigator(w, t)
		page := n.visits(n.goes("there"))
		if !strings.Contains(page, "/login?problem="+c.want+"&") {
			t.Errorf("%s: led to %s", name, page)
		}
		p.mu.Lock()
		p.spoil, p.sign, p.answer, p.noID = nil, nil, nil, false
		p.mu.Unlock()
	}

	refused := func(name, page string) {
		t.Helper()
		if !strings.Contains(page, "/login?problem=unauthenticated&") {
			t.Errorf("%s: led to %s", name, page)
		}
	}
	n := newNavigator(w, t)
	back := n.goes("there")
	if page := n.visits(back); !strings.Contains(page, "/login/finish?next=%2Fconsultations#") {
		t.Errorf("once: led to %s", page)
	}
	refused("state replayed", n.visits(back))
	refused("another browser's", newNavigator(w, t).visits(n.goes("there")))
	refused("at another provider's callback", n.visits(strings.Replace(n.goes("there"), "/oidc/there/", "/oidc/other/", 1)))
	// A code of one login, put into another (PKCE).
	stolen, err1 := url.Parse(n.goes("there"))
	e2e.Must(t, err1)
	victim := newNavigator(w, t)
	own, err2 := url.Parse(victim.goes("there"))
	e2e.Must(t, err2)
	q := own.Query()
	q.Set("code", stolen.Query().Get("code"))
	own.RawQuery = q.Encode()
	refused("an injected code", victim.visits(own.String()))
	// Who sees the page that finishes cannot finish it in another browser.
	page := n.visits(n.goes("there"))
	if _, err := newNavigator(w, t).finishes(page, ""); err == nil || err.Code != rooms.CodeInvalid {
		t.Errorf("finished in another browser: %v", err)
	}

	// Keys that rotate are no lie: the new one is fetched, the old one forgotten.
	old := p.key
	p.rotate(t, "second")
	n = newNavigator(w, t)
	again, err := n.finishes(n.visits(n.goes("there")), "")
	if err != nil || again.User.ID != first.User.ID {
		t.Errorf("after the keys rotated: %+v, %v", again.User, err)
	}
	p.mu.Lock()
	p.sign = func(m map[string]any) string { return signed(t, jose.ES256, old, "first", m) }
	p.mu.Unlock()
	refused("a key that was withdrawn", n.visits(n.goes("there")))
}

// An account is opened by the identities that were linked to it and by no
// other, whatever e-mail address they come with.
func TestNoTakeoverByEmail(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	w := e2e.Start(t, with(t, p.config("there")))
	for name, c := range map[string]struct{ here, there bool }{
		"verified nowhere":  {false, false},
		"verified there":    {false, true},
		"verified here":     {true, false},
		"verified on sides": {true, true},
	} {
		victim := w.Patient("victim")
		if c.here {
			victim = w.Admin // whose address an operator vouched for
		}
		p.mu.Lock()
		p.who = map[string]any{"sub": "attacker " + name, "email": strings.ToUpper(victim.User.Email), "email_verified": c.there, "name": "Mallory"}
		p.mu.Unlock()
		n := newNavigator(w, t)
		if page := n.visits(n.goes("there")); !strings.Contains(page, "/login?problem=email_taken&provider=there") {
			t.Errorf("%s: led to %s", name, page)
		}
		if s := e2e.Do(victim, account.ReadSecurity, rooms.Nothing{}); len(s.Identities) > 0 {
			t.Errorf("%s: the account has %+v", name, s.Identities)
		}
	}
	// An address that the provider has not seen to is not verified here either.
	p.mu.Lock()
	p.who = map[string]any{"sub": "new", "email": e2e.NewEmail(), "email_verified": "false", "name": "New"}
	p.mu.Unlock()
	n := newNavigator(w, t)
	login, err := n.finishes(n.visits(n.goes("there")), "")
	if err != nil || login.User.EmailVerified || login.User.Role != rooms.RolePatient {
		t.Errorf("a new account: %+v, %v", login.User, err)
	}
	// Without an address there is no account.
	p.mu.Lock()
	p.who = map[string]any{"sub": "nobody"}
	p.mu.Unlock()
	if page := n.visits(n.goes("there")); !strings.Contains(page, "problem=no_email") {
		t.Errorf("without an address: led to %s", page)
	}
}

// Linked, an identity opens the account; unlinked, it does not. Nobody can
// link what is another's, or remove the last way in.
// entered demands that the audit log has an action of somebody's account, and in
// which login and from where it was done.
func entered(w *e2e.World, t *testing.T, user rooms.UserID, action string) {
	t.Helper()
	list := e2e.Do(w.Admin, audit.List, audit.LogFilter{Subject: "user:" + string(user), Action: action}).Items
	if len(list) == 0 || list[0].Address == "" || list[0].SessionID == "" {
		t.Errorf("%s: the audit log has %+v", action, list)
	}
}

func TestLinkAndUnlink(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	w := e2e.Start(t, with(t, p.config("there")))
	bo, jing := w.Patient("bo"), w.Patient("jing")
	n := newNavigator(w, t)
	for range 2 { // the second time changes nothing
		if page := n.links(bo, "there"); !strings.HasSuffix(page, "/account?linked=there") {
			t.Fatalf("linking led to %s", page)
		}
	}
	if page := newNavigator(w, t).links(jing, "there"); !strings.Contains(page, "/account?problem=linked") {
		t.Errorf("another's identity: led to %s", page)
	}
	login, err := n.finishes(n.visits(n.goes("there")), "")
	if err != nil || login.User.ID != bo.User.ID {
		t.Fatalf("logged in as %+v, %v", login.User, err)
	}
	identities := e2e.Do(bo, account.ReadSecurity, rooms.Nothing{}).Identities
	if len(identities) != 1 || identities[0].Provider != "there" {
		t.Fatalf("identities %+v", identities)
	}
	e2e.Do(bo, account.Unlink, account.IdentityInput{IdentityID: identities[0].ID})
	for _, action := range []string{account.LinkProvider.Name, audit.LoggedIn, account.Unlink.Name} {
		entered(w, t, bo.User.ID, action)
	}

	// Now the identity is nobody's, and opens an account of its own, which has
	// no other way in.
	fresh, err := n.finishes(n.visits(n.goes("there")), "")
	if err != nil || fresh.User.ID == bo.User.ID || fresh.User.Email != "bo@there.example" || !fresh.User.EmailVerified {
		t.Fatalf("logged in as %+v, %v", fresh.User, err)
	}
	there := loggedIn(w, fresh)
	s := e2e.Do(there, account.ReadSecurity, rooms.Nothing{})
	_, failed := client.Do(t.Context(), there.Client, account.Unlink, account.IdentityInput{IdentityID: s.Identities[0].ID})
	e2e.Code(t, failed, rooms.CodeConflict)
	if s.Password {
		t.Error("it has a password")
	}
	// Suspended, it is closed to the provider too.
	e2e.Do(w.Admin, account.SuspendUser, account.UserInput{UserID: fresh.User.ID})
	if page := n.visits(n.goes("there")); !strings.Contains(page, "problem=forbidden") {
		t.Errorf("suspended: led to %s", page)
	}
}

// Identities at several providers open one account, each by itself, also where
// both call their user the same; unlinking one leaves the other.
func TestSeveralProviders(t *testing.T) {
	t.Parallel()
	p, q := newProvider(t), newProvider(t)
	w := e2e.Start(t, with(t, p.config("there"), q.config("elsewhere")))
	bo := w.Patient("bo")
	enters := func(provider string) account.Login {
		t.Helper()
		n := newNavigator(w, t)
		login, err := n.finishes(n.visits(n.goes(provider)), "")
		if err != nil {
			t.Fatalf("through %s: %v", provider, err)
		}
		return login
	}
	for _, provider := range []string{"there", "elsewhere"} {
		if page := newNavigator(w, t).links(bo, provider); !strings.HasSuffix(page, "/account?linked="+provider) {
			t.Fatalf("linking led to %s", page)
		}
	}
	for _, provider := range []string{"there", "elsewhere"} {
		if login := enters(provider); login.User.ID != bo.User.ID {
			t.Errorf("%s opens %+v", provider, login.User)
		}
	}
	for _, identity := range e2e.Do(bo, account.ReadSecurity, rooms.Nothing{}).Identities {
		if identity.Provider == "there" {
			e2e.Do(bo, account.Unlink, account.IdentityInput{IdentityID: identity.ID})
		}
	}
	if login := enters("elsewhere"); login.User.ID != bo.User.ID {
		t.Errorf("the one that is left opens %+v", login.User)
	}
	if login := enters("there"); login.User.ID == bo.User.ID {
		t.Error("the one that was unlinked still opens the account")
	}
}

// What a provider ends is ended here, its sockets cut; a token that proves
// nothing ends nothing.
func TestBackChannelLogout(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	w := e2e.Start(t, with(t, p.config("there")))
	p.who["sid"] = "session-1"
	n := newNavigator(w, t)
	login, failed := n.finishes(n.visits(n.goes("there")), "")
	if failed != nil {
		t.Fatal(failed)
	}
	bo := loggedIn(w, login).Online()
	logout := func(change func(map[string]any)) map[string]any {
		claims := map[string]any{"iss": p.URL, "aud": clientID, "iat": time.Now().Unix(), "exp": time.Now().Add(time.Minute).Unix(), "sub": "bo-there", "sid": "session-1",
			"jti": rooms.NewID(time.Now()), "events": map[string]any{"http://schemas.openid.net/event/backchannel-logout": map[string]any{}}}
		change(claims)
		return claims
	}
	send := func(token string) int {
		t.Helper()
		r, err := n.http.PostForm(n.base+"/api/v1/auth/oidc/there/logout", url.Values{"logout_token": {token}})
		e2e.Must(t, err)
		defer r.Body.Close()
		return r.StatusCode
	}
	stranger := newProvider(t)
	for name, claims := range map[string]map[string]any{
		"another audience": logout(func(c map[string]any) { c["aud"] = "x" }),
		"another issuer":   logout(func(c map[string]any) { c["iss"] = stranger.URL }),
		"with a nonce":     logout(func(c map[string]any) { c["nonce"] = "n" }),
		"no event":         logout(func(c map[string]any) { delete(c, "events") }),
		"about nobody":     logout(func(c map[string]any) { delete(c, "sub"); delete(c, "sid") }),
		"no name":          logout(func(c map[string]any) { delete(c, "jti") }),
		"expired":          logout(func(c map[string]any) { c["exp"] = time.Now().Add(-time.Hour).Unix() }),
	} {
		if status := send(signed(t, jose.ES256, p.key, p.kid, claims)); status != http.StatusBadRequest {
			t.Errorf("%s: %d", name, status)
		}
	}
	right := logout(func(map[string]any) {})
	if status := send(signed(t, jose.ES256, stranger.key, p.kid, right)); status != http.StatusBadRequest {
		t.Errorf("another's signature: %d", status)
	}
	if status := send(unsigned(right)); status != http.StatusBadRequest {
		t.Errorf("no signature: %d", status)
	}
	elsewhere := maps.Clone(right)
	elsewhere["sid"], elsewhere["jti"] = "session-2", "other"
	if status := send(signed(t, jose.ES256, p.key, p.kid, elsewhere)); status != http.StatusOK {
		t.Errorf("another session: %d", status)
	}
	e2e.Do(bo, account.Me, rooms.Nothing{}) // still in
	token := signed(t, jose.ES256, p.key, p.kid, right)
	if status := send(token); status != http.StatusOK {
		t.Errorf("the right one: %d", status)
	}
	e2e.Await(t, "the end of the client", bo.Done())
	e2e.Code(t, bo.Err(), rooms.CodeUnauthenticated)
	entered(w, t, login.User.ID, account.BackChannelLogout.Name)
	if status := send(token); status != http.StatusBadRequest {
		t.Errorf("replayed: %d", status)
	}
}
