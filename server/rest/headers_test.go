package rest

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"wenzhen.example/rooms"
)

// everything is a server whose commands answer nothing.
func everything(t *testing.T) (http.Handler, []string) {
	t.Helper()
	var commands []rooms.Handler
	for _, r := range Routes() {
		if !slices.ContainsFunc(commands, func(b rooms.Handler) bool { return b.Name == r.Command }) {
			commands = append(commands, rooms.Handler{Name: r.Command, In: reflect.TypeFor[rooms.Nothing](), Out: reflect.TypeFor[rooms.Nothing]()})
		}
	}
	g, err := router(Deps{Catalogue: rooms.NewCatalogue(rooms.CatalogueOptions{}, commands),
		Realtime: http.NotFoundHandler(), LobbyWebSocket: http.NotFoundHandler(),
		Documents: map[string][]byte{"openapi.json": []byte("{}"), "asyncapi.json": []byte("{}")}, Unbuilt: []byte("no page"), Public: map[string]string{},
		Address: func(*http.Request) string { return "192.0.2.1" }, Ready: func(context.Context) error { return nil },
		Troubles: func() map[string]string { return nil }, Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Now: time.Now,
		CommandTimeout: time.Minute, UploadTimeout: time.Minute, BodyTimeout: time.Minute,
		Requested: func(string, string, int) {}, Observe: func(string, rooms.Code, time.Duration) {}})
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, r := range g.Routes() {
		if !slices.Contains(realtimeRoutes, r.Path) && r.Path != "/chat" {
			all = append(all, r.Method+" "+regexp.MustCompile(`[:*]\w+`).ReplaceAllString(r.Path, "x"))
		}
	}
	return g, all
}

func answered(handler http.Handler, method, path string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, http.NoBody)
	r.Host = "clinic.example:8443"
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	return w
}

// No answer of any route may be kept by a cache, but those that are the same
// for everyone; and no route says otherwise for itself.
func TestNothingIsStored(t *testing.T) {
	t.Parallel()
	public := []string{"/api/openapi.json", "/api/asyncapi.json"}
	handler, routes := everything(t)
	for _, route := range append(routes, "GET /api/v1/nowhere", "POST /healthz") {
		method, path, _ := strings.Cut(route, " ")
		got := answered(handler, method, path).Header().Get("Cache-Control")
		if want := !slices.Contains(public, path); strings.Contains(got, "no-store") != want {
			t.Errorf("%s may be kept: %q", route, got)
		}
	}
}

// A HEAD is answered as its GET is (RFC 9110 9.1), but where the GET uses
// something up.
func TestHead(t *testing.T) {
	t.Parallel()
	handler, routes := everything(t)
	spent := []string{"/api/v1/me/export"}
	for _, r := range Routes() {
		if r.content == redirect || r.content == browser {
			spent = append(spent, "/api/v1"+regexp.MustCompile(`[:*]\w+`).ReplaceAllString(r.Path, "x"))
		}
	}
	for _, route := range routes {
		path, ok := strings.CutPrefix(route, "GET ")
		if !ok {
			continue
		}
		head := answered(handler, http.MethodHead, path).Code
		if slices.Contains(spent, path) {
			if head != http.StatusMethodNotAllowed {
				t.Errorf("HEAD %s is answered %d", path, head)
			}
			continue
		}
		if get := answered(handler, http.MethodGet, path).Code; head != get {
			t.Errorf("HEAD %s is answered %d, GET %d", path, head, get)
		}
	}
}

// Pages may connect to this host alone.
func TestPolicyNamesItsHost(t *testing.T) {
	t.Parallel()
	handler, _ := everything(t)
	policy := answered(handler, http.MethodGet, "/").Header().Get("Content-Security-Policy")
	if !strings.Contains(policy, " connect-src 'self' ws://clinic.example:8443 wss://clinic.example:8443; ") {
		t.Errorf("the policy is %s", policy)
	}
	for _, host := range []string{"", "a;script-src", "a,b", "*", "a'b", "a b"} {
		if policy := policyFor(host); !strings.Contains(policy, "connect-src 'self'; ") {
			t.Errorf("for the host %q the policy is %s", host, policy)
		}
	}
}
