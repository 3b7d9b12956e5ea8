package operation_test

import (
	"crypto/tls"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gorilla/websocket"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/schedule"
	"wenzhen.example/server/app"
	"wenzhen.example/server/e2e"
)

// With a certificate the same server speaks HTTPS and HTTP/2, sockets too, and
// tells browsers to come no other way.
func TestTLS(t *testing.T) {
	t.Parallel()
	w, _, trusted := e2e.Encrypted(t)
	if !strings.HasPrefix(w.Base, "https://") {
		t.Fatalf("the server is at %s", w.Base)
	}
	response, err := w.HTTP.Get(w.Base + "/api/v1/config")
	e2e.Must(t, err)
	e2e.Must(t, response.Body.Close())
	if response.ProtoMajor != 2 || response.StatusCode != http.StatusOK {
		t.Errorf("it answers %s, %s", response.Proto, response.Status)
	}
	for path, status := range map[string]int{"/api/v1/config": 200, "/api/v1/me": 401, "/nowhere": 200, "/socket.io/?EIO=4&transport=polling": 200, "/socket.io/?EIO=3": 400} {
		a := w.Ask(t, "GET", path, "", "")
		if a.Status != status || !strings.Contains(a.Header.Get("Strict-Transport-Security"), "max-age=31536000") {
			t.Errorf("%s answers %d with %v", path, a.Status, a.Header)
		}
	}

	bo := w.Patient("bo")
	dialer := websocket.Dialer{TLSClientConfig: &tls.Config{RootCAs: trusted}, HandshakeTimeout: e2e.Patience}
	ws, _, err := dialer.DialContext(t.Context(), strings.Replace(w.Base, "https", "wss", 1)+"/socket.io/?EIO=4&transport=websocket", nil)
	e2e.Must(t, err)
	b := e2e.BareOn(t, ws, rooms.Consultations)
	if got := b.Connect(bo.Tokens().AccessToken); !strings.HasPrefix(got, e2e.Joined) {
		t.Errorf("CONNECT over wss is answered by %q", got)
	}

	_, err = tls.Dial("tcp", strings.TrimPrefix(w.Base, "https://"), &tls.Config{RootCAs: trusted, MaxVersion: tls.VersionTLS11})
	if err == nil {
		t.Error("TLS 1.1 was spoken")
	}
	if plain := e2e.Start(t).Ask(t, "GET", "/api/v1/config", "", ""); plain.Header.Get("Strict-Transport-Security") != "" {
		t.Error("a server without TLS asks for it")
	}
	proxied := e2e.Start(t, func(c *app.Config) { c.PublicURL = "https://clinic.example" })
	if a := proxied.Ask(t, "GET", "/api/v1/config", "", ""); a.Header.Get("Strict-Transport-Security") == "" {
		t.Error("behind a proxy that speaks TLS it does not ask for it")
	}
}

// A renewed certificate is served without a restart; one that cannot be used
// is not.
func TestCertificateIsRenewed(t *testing.T) {
	t.Parallel()
	w, dir, _ := e2e.Encrypted(t)
	e2e.Must(t, w.Stop())
	var log e2e.Recorder
	w.Log = slog.New(slog.NewTextHandler(&log, nil))
	w.Run("127.0.0.1:0")
	serial := func() int64 {
		conn, err := tls.Dial("tcp", strings.TrimPrefix(w.Base, "https://"), &tls.Config{InsecureSkipVerify: true})
		e2e.Must(t, err)
		defer conn.Close()
		return conn.ConnectionState().PeerCertificates[0].SerialNumber.Int64()
	}
	if got := serial(); got != 1 {
		t.Fatalf("the first certificate is number %d", got)
	}
	e2e.Certify(t, dir, 2)
	e2e.Eventually(t, "the second certificate", func() bool { return serial() == 2 })
	e2e.Must(t, os.WriteFile(filepath.Join(dir, "cert.pem"), []byte("half a certif"), 0o600))
	e2e.Eventually(t, "the broken file is read", func() bool {
		if got := serial(); got != 2 {
			t.Fatalf("with a broken file it serves certificate %d", got)
		}
		return strings.Contains(log.String(), "the previous certificate is kept")
	})
	if got := serial(); got != 2 {
		t.Errorf("with a broken file it serves certificate %d", got)
	}
	e2e.Certify(t, dir, 3)
	e2e.Eventually(t, "the third certificate", func() bool { return serial() == 3 })
}

// Over plain HTTP one is sent on, and nothing else.
func TestHTTPLeadsToHTTPS(t *testing.T) {
	t.Parallel()
	w, _, _ := e2e.Encrypted(t, func(c *app.Config) { c.HTTPAddr = "127.0.0.1:0" })
	plain := *w
	plain.Base = w.Server.RedirectURL()
	if a := plain.Ask(t, "GET", "/consultations/x?y=1", "", ""); a.Status != http.StatusPermanentRedirect || a.Header.Get("Location") != w.Base+"/consultations/x?y=1" {
		t.Errorf("a page: %d to %q", a.Status, a.Header.Get("Location"))
	}
	if a := plain.Ask(t, "GET", "//elsewhere.example/", "", ""); !strings.HasPrefix(a.Header.Get("Location"), w.Base+"/") {
		t.Errorf("a path that looks like a host: %d to %q", a.Status, a.Header.Get("Location"))
	}
	if a := plain.Ask(t, "POST", "/api/v1/auth/login", "", `{"email":"a@example.org","password":"in the clear"}`); a.Status != http.StatusForbidden || a.Header.Get("Location") != "" {
		t.Errorf("a login: %d to %q", a.Status, a.Header.Get("Location"))
	}
}

// Files that are not a certificate are reported before anything is served.
func TestBadCertificate(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cfg, err := e2e.Settings(t.TempDir())
	e2e.Must(t, err)
	cfg.TLSCert, cfg.TLSKey = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	if _, err := app.New(t.Context(), cfg, e2e.Quiet); err == nil || !strings.Contains(err.Error(), "--tls-cert") {
		t.Errorf("without files: %v", err)
	}
	cfg.TLSKey = ""
	if _, err := app.New(t.Context(), cfg, e2e.Quiet); err == nil || !strings.Contains(err.Error(), "--tls-key") {
		t.Errorf("without a key: %v", err)
	}
}

// Every page and answer carries the headers that keep others' scripts out.
func TestSecurityHeaders(t *testing.T) {
	t.Parallel()
	w := e2e.Start(t)
	for _, path := range []string{"/", "/consultations/x", "/api/v1/config", "/api/v1/me", "/api/v1/nowhere", "/api/openapi.json", "/healthz", "/../etc/passwd"} {
		a := w.Ask(t, "GET", path, "", "")
		policy := a.Header.Get("Content-Security-Policy")
		for _, want := range []string{"default-src 'none'", "script-src 'self'", "base-uri 'none'", "frame-ancestors 'none'"} {
			if !strings.Contains(policy, want) {
				t.Errorf("%s lacks %s: %q", path, want, policy)
			}
		}
		for _, never := range []string{"unsafe-inline", "unsafe-eval", "*"} {
			if strings.Contains(policy, never) {
				t.Errorf("%s allows %s: %q", path, never, policy)
			}
		}
		for name, want := range map[string]string{"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "no-referrer", "Cross-Origin-Opener-Policy": "same-origin"} {
			if a.Header.Get(name) != want {
				t.Errorf("%s: %s is %q", path, name, a.Header.Get(name))
			}
		}
		if cookies := a.Header.Values("Set-Cookie"); len(cookies) > 0 {
			t.Errorf("%s sets %v", path, cookies)
		}
	}
}

// Behind a proxy limits count for the clients that it names, over sockets too;
// who is no proxy names nobody.
func TestTrustedProxies(t *testing.T) {
	t.Parallel()
	const burst = 5
	for _, trusted := range []bool{true, false} {
		w := e2e.Start(t, func(c *app.Config) {
			c.CommandRate, c.CommandBurst = 0.001, burst
			if trusted {
				c.TrustedProxies = []string{"127.0.0.0/8"}
			}
		})
		guest := func(from string) func() rooms.Code {
			ws, _, err := websocket.DefaultDialer.DialContext(t.Context(), strings.Replace(w.Base, "http", "ws", 1)+"/socket.io/?EIO=4&transport=websocket",
				http.Header{"X-Forwarded-For": {from}})
			e2e.Must(t, err)
			b := e2e.BareOn(t, ws, rooms.Schedules)
			b.Connect("")
			asked := 0
			return func() rooms.Code {
				asked++
				answer := b.Ask(asked, schedule.Unwatch.Name, schedule.DoctorRef{})
				if answer.Error == nil {
					return ""
				}
				return answer.Error.Code
			}
		}
		one, other := guest("192.0.2.1"), guest("192.0.2.2")
		for range burst {
			one()
		}
		if got := one(); got != rooms.CodeRateLimited {
			t.Errorf("past its burst a guest gets %q", got)
		}
		if got := other(); (got == rooms.CodeRateLimited) == trusted {
			t.Errorf("with the proxy trusted: %v, another guest gets %q", trusted, got)
		}
	}
}

// Pages of other sites get in by one setting, over REST and sockets alike.
func TestOrigins(t *testing.T) {
	t.Parallel()
	w := e2e.Start(t, func(c *app.Config) {
		c.PublicURL, c.Origins = "https://clinic.example", []string{"https://app.example"}
	})
	own := strings.Replace(w.Base, "http://", "", 1)
	for origin, allowed := range map[string]bool{"https://app.example": true, "https://clinic.example": true, "http://" + own: true,
		"https://evil.example": false, "https://app.example.evil.example": false, "http://app.example": false, "null": false} {
		rest := w.Ask(t, "GET", "/api/v1/config", "", "", "Origin", origin)
		if got := rest.Status == http.StatusOK; got != allowed {
			t.Errorf("REST from %s: %d", origin, rest.Status)
		}
		polling := w.Ask(t, "GET", "/socket.io/?EIO=4&transport=polling", "", "", "Origin", origin)
		if got := polling.Status == http.StatusOK; got != allowed {
			t.Errorf("polling from %s: %d", origin, polling.Status)
		}
		ws, _, err := websocket.DefaultDialer.DialContext(t.Context(), "ws://"+own+"/socket.io/?EIO=4&transport=websocket", http.Header{"Origin": {origin}})
		if (err == nil) != allowed {
			t.Errorf("a socket from %s: %v", origin, err)
		}
		if err == nil {
			e2e.Must(t, ws.Close())
		}
	}
}
