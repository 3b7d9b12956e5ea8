package access_test

import (
	"io"
	"log/slog"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"
	"github.com/zitadel/oidc/v3/example/server/exampleop"
	"github.com/zitadel/oidc/v3/example/server/storage"

	"wenzhen.example/client"
	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
	"wenzhen.example/server/e2e"
	"wenzhen.example/server/identity"
)

// With a provider that others wrote: log in, with a second factor too, and log
// out on both sides.
func TestLogInWithARealProvider(t *testing.T) {
	addr := e2e.FreeAddress(t)
	_, port, _ := strings.Cut(addr, ":")
	base := "http://localhost:" + port
	op := httptest.NewUnstartedServer(nil)
	issuer := "http://" + op.Listener.Addr().String() + "/"
	storage.RegisterClients(storage.WebClient(clientID, clientSecret, base+"/api/v1/auth/oidc/zitadel/callback", base+"/login"))
	logger := slog.Default() // the example replaces it for the whole process
	op.Config.Handler = exampleop.SetupServer(issuer, storage.NewStorage(storage.NewUserStore(issuer)), slog.New(slog.NewTextHandler(io.Discard, nil)), false)
	slog.SetDefault(logger)
	op.Start()
	t.Cleanup(op.Close)
	w := e2e.NewWorld(t, t.TempDir())
	w.Change = append(w.Change, with(t, identity.Config{ID: "zitadel", Name: "Zitadel", Issuer: issuer, ClientID: clientID, ClientSecret: clientSecret}))
	w.Run(addr)

	n := newNavigator(w, t)
	form := regexp.MustCompile(`name="id" value="([^"]*)"`)
	enter := func() string {
		t.Helper()
		page := n.visits(n.visits(n.base + "/api/v1/auth/oidc/zitadel/start"))
		r, err := n.http.Get(page)
		e2e.Must(t, err)
		body, err := io.ReadAll(r.Body)
		e2e.Must(t, err)
		r.Body.Close()
		id := form.FindStringSubmatch(string(body))
		if id == nil {
			t.Fatalf("the provider shows %s", body)
		}
		r, err = n.http.PostForm(strings.Split(page, "?")[0], url.Values{"id": {id[1]}, "username": {"test-user2"}, "password": {"verysecure"}})
		e2e.Must(t, err)
		r.Body.Close()
		to, err := r.Location()
		e2e.Must(t, err)
		return n.visits(n.visits(to.String()))
	}
	login, err := n.finishes(enter(), "")
	if err != nil || login.User.Email != "test-user2@zitadel.ch" || !login.User.EmailVerified {
		t.Fatalf("logged in as %+v, %v", login.User, err)
	}
	bo := loggedIn(w, login)
	if list := e2e.Do(bo, account.Sessions, rooms.Nothing{}).Items; len(list) != 1 || list[0].Method != account.ByProvider {
		t.Errorf("sessions %+v", list)
	}
	setup := e2e.Do(bo, account.BeginTOTP, rooms.Nothing{})
	first, failed := totp.GenerateCode(setup.Secret, time.Now())
	e2e.Must(t, failed)
	codes := e2e.Do(bo, account.ConfirmTOTP, account.TOTPInput{OTP: first}).Codes

	page := enter()
	if _, err := n.finishes(page, ""); err == nil || err.Field != "otp" {
		t.Errorf("without the second factor: %v", err)
	}
	if _, err := n.finishes(page, "000000"); err == nil || err.Field != "otp" {
		t.Errorf("with a wrong code: %v", err)
	}
	again, err := n.finishes(page, codes[0])
	if err != nil || again.User.ID != login.User.ID {
		t.Fatalf("with a recovery code: %+v, %v", again.User, err)
	}
	if _, err := n.finishes(page, codes[1]); err == nil || err.Code != rooms.CodeInvalid {
		t.Errorf("finished twice: %v", err)
	}

	var out account.LogoutRedirect
	if err := n.posts("/auth/oidc/logout", account.RefreshInput{RefreshToken: again.RefreshToken}, &out); err != nil {
		t.Fatal(err)
	}
	to, failed := url.Parse(out.RedirectURL)
	e2e.Must(t, failed)
	q := to.Query()
	if q.Get("post_logout_redirect_uri") != base+"/login" {
		t.Errorf("log out at %s", out.RedirectURL)
	}
	q.Del("post_logout_redirect_uri") // the example knows none of its clients'
	to.RawQuery = q.Encode()
	if back := n.visits(to.String()); !strings.HasSuffix(back, "/logged-out") {
		t.Errorf("after the provider's logout: %s", back)
	}
	_, failed = client.Do(t.Context(), loggedIn(w, again).Client, account.Me, rooms.Nothing{})
	e2e.Code(t, failed, rooms.CodeUnauthenticated)
	e2e.Do(bo, account.Me, rooms.Nothing{}) // the other session lives
}
