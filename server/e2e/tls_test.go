package e2e_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"wenzhen/rooms"
	"wenzhen/rooms/schedule"
	"wenzhen/server"
)

// certify writes a certificate for this machine, signed by itself, and its key.
func certify(t testing.TB, dir string, serial int64) *x509.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	template := x509.Certificate{SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "wenzhen"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, &template, &template, key.Public(), key)
	must(t, err)
	cert, err := x509.ParseCertificate(der)
	must(t, err)
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	must(t, err)
	must(t, os.WriteFile(filepath.Join(dir, "cert.pem"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	must(t, os.WriteFile(filepath.Join(dir, "key.pem"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}), 0o600))
	return cert
}

// encrypted is a world over TLS, whose certificate is in the folder.
func encrypted(t *testing.T, change ...func(*server.Config)) (w *world, dir string, trusted *x509.CertPool) {
	t.Helper()
	dir, trusted = t.TempDir(), x509.NewCertPool()
	trusted.AddCert(certify(t, dir, 1))
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: trusted}, ForceAttemptHTTP2: true}
	t.Cleanup(transport.CloseIdleConnections)
	w = newWorld(t, t.TempDir())
	w.http = &http.Client{Transport: transport, Timeout: patience, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	w.change = append(change, func(c *server.Config) {
		c.TLSCert, c.TLSKey = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	})
	w.run("127.0.0.1:0")
	w.enterAdmin()
	return w, dir, trusted
}

// With a certificate the same server speaks HTTPS and HTTP/2, sockets too, and
// tells browsers to come no other way.
func TestTLS(t *testing.T) {
	t.Parallel()
	w, _, trusted := encrypted(t)
	if !strings.HasPrefix(w.base, "https://") {
		t.Fatalf("the server is at %s", w.base)
	}
	response, err := w.http.Get(w.base + "/api/v1/config")
	must(t, err)
	must(t, response.Body.Close())
	if response.ProtoMajor != 2 || response.StatusCode != http.StatusOK {
		t.Errorf("it answers %s, %s", response.Proto, response.Status)
	}
	for path, status := range map[string]int{"/api/v1/config": 200, "/api/v1/me": 401, "/nowhere": 200, "/socket.io/?EIO=4&transport=polling": 200, "/socket.io/?EIO=3": 400} {
		a := w.ask(t, "GET", path, "", "")
		if a.status != status || !strings.Contains(a.header.Get("Strict-Transport-Security"), "max-age=31536000") {
			t.Errorf("%s answers %d with %v", path, a.status, a.header)
		}
	}

	bo := w.patient("bo")
	dialer := websocket.Dialer{TLSClientConfig: &tls.Config{RootCAs: trusted}, HandshakeTimeout: patience}
	ws, _, err := dialer.DialContext(t.Context(), strings.Replace(w.base, "https", "wss", 1)+"/socket.io/?EIO=4&transport=websocket", nil)
	must(t, err)
	b := bareOn(t, ws, rooms.Consultations)
	if got := b.connect(bo.Tokens().AccessToken); !strings.HasPrefix(got, joined) {
		t.Errorf("CONNECT over wss is answered by %q", got)
	}

	_, err = tls.Dial("tcp", strings.TrimPrefix(w.base, "https://"), &tls.Config{RootCAs: trusted, MaxVersion: tls.VersionTLS11})
	if err == nil {
		t.Error("TLS 1.1 was spoken")
	}
	if plain := start(t).ask(t, "GET", "/api/v1/config", "", ""); plain.header.Get("Strict-Transport-Security") != "" {
		t.Error("a server without TLS asks for it")
	}
	proxied := start(t, func(c *server.Config) { c.PublicURL = "https://clinic.example" })
	if a := proxied.ask(t, "GET", "/api/v1/config", "", ""); a.header.Get("Strict-Transport-Security") == "" {
		t.Error("behind a proxy that speaks TLS it does not ask for it")
	}
}

// A renewed certificate is served without a restart; one that cannot be used
// is not.
func TestCertificateIsRenewed(t *testing.T) {
	t.Parallel()
	w, dir, _ := encrypted(t)
	serial := func() int64 {
		conn, err := tls.Dial("tcp", strings.TrimPrefix(w.base, "https://"), &tls.Config{InsecureSkipVerify: true})
		must(t, err)
		defer conn.Close()
		return conn.ConnectionState().PeerCertificates[0].SerialNumber.Int64()
	}
	if got := serial(); got != 1 {
		t.Fatalf("the first certificate is number %d", got)
	}
	certify(t, dir, 2)
	eventually(t, "the second certificate", func() bool { return serial() == 2 })
	must(t, os.WriteFile(filepath.Join(dir, "cert.pem"), []byte("half a certif"), 0o600))
	for end := time.Now().Add(2 * time.Second); time.Now().Before(end); time.Sleep(100 * time.Millisecond) { // past when it is looked at
		if got := serial(); got != 2 {
			t.Fatalf("with a broken file it serves certificate %d", got)
		}
	}
	certify(t, dir, 3)
	eventually(t, "the third certificate", func() bool { return serial() == 3 })
}

// Over plain HTTP one is sent on, and nothing else.
func TestHTTPLeadsToHTTPS(t *testing.T) {
	t.Parallel()
	w, _, _ := encrypted(t, func(c *server.Config) { c.HTTPAddr = "127.0.0.1:0" })
	plain := *w
	plain.base = w.server.PlainURL()
	if a := plain.ask(t, "GET", "/consultations/x?y=1", "", ""); a.status != http.StatusPermanentRedirect || a.header.Get("Location") != w.base+"/consultations/x?y=1" {
		t.Errorf("a page: %d to %q", a.status, a.header.Get("Location"))
	}
	if a := plain.ask(t, "GET", "//elsewhere.example/", "", ""); !strings.HasPrefix(a.header.Get("Location"), w.base+"/") {
		t.Errorf("a path that looks like a host: %d to %q", a.status, a.header.Get("Location"))
	}
	if a := plain.ask(t, "POST", "/api/v1/auth/login", "", `{"email":"a@example.org","password":"in the clear"}`); a.status != http.StatusForbidden || a.header.Get("Location") != "" {
		t.Errorf("a login: %d to %q", a.status, a.header.Get("Location"))
	}
}

// Files that are no certificate are told before anything is served.
func TestBadCertificate(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cfg, err := settings(t.TempDir())
	must(t, err)
	cfg.TLSCert, cfg.TLSKey = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	if _, err := server.New(t.Context(), cfg, quiet); err == nil || !strings.Contains(err.Error(), "--tls-cert") {
		t.Errorf("without files: %v", err)
	}
	cfg.TLSKey = ""
	if _, err := server.New(t.Context(), cfg, quiet); err == nil || !strings.Contains(err.Error(), "--tls-key") {
		t.Errorf("without a key: %v", err)
	}
}

// Every page and answer carries the headers that keep others' scripts out.
func TestSecurityHeaders(t *testing.T) {
	t.Parallel()
	w := start(t)
	for _, path := range []string{"/", "/consultations/x", "/api/v1/config", "/api/v1/me", "/api/v1/nowhere", "/api/openapi.json", "/healthz", "/../etc/passwd"} {
		a := w.ask(t, "GET", path, "", "")
		policy := a.header.Get("Content-Security-Policy")
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
			if a.header.Get(name) != want {
				t.Errorf("%s: %s is %q", path, name, a.header.Get(name))
			}
		}
		if cookies := a.header.Values("Set-Cookie"); len(cookies) > 0 {
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
		w := start(t, func(c *server.Config) {
			c.CommandRate, c.CommandBurst = 0.001, burst
			if trusted {
				c.TrustedProxies = []string{"127.0.0.0/8"}
			}
		})
		guest := func(from string) func() rooms.Code {
			ws, _, err := websocket.DefaultDialer.DialContext(t.Context(), strings.Replace(w.base, "http", "ws", 1)+"/socket.io/?EIO=4&transport=websocket",
				http.Header{"X-Forwarded-For": {from}})
			must(t, err)
			b := bareOn(t, ws, rooms.Schedules)
			b.connect("")
			asked := 0
			return func() rooms.Code {
				asked++
				answer := b.ask(asked, schedule.Unwatch.Name, schedule.DoctorRef{})
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
	w := start(t, func(c *server.Config) {
		c.PublicURL, c.Origins = "https://clinic.example", []string{"https://app.example"}
	})
	own := strings.Replace(w.base, "http://", "", 1)
	for origin, allowed := range map[string]bool{"https://app.example": true, "https://clinic.example": true, "http://" + own: true,
		"https://evil.example": false, "https://app.example.evil.example": false, "http://app.example": false, "null": false} {
		rest := w.ask(t, "GET", "/api/v1/config", "", "", "Origin", origin)
		if got := rest.status == http.StatusOK; got != allowed {
			t.Errorf("REST from %s: %d", origin, rest.status)
		}
		polling := w.ask(t, "GET", "/socket.io/?EIO=4&transport=polling", "", "", "Origin", origin)
		if got := polling.status == http.StatusOK; got != allowed {
			t.Errorf("polling from %s: %d", origin, polling.status)
		}
		ws, _, err := websocket.DefaultDialer.DialContext(t.Context(), "ws://"+own+"/socket.io/?EIO=4&transport=websocket", http.Header{"Origin": {origin}})
		if (err == nil) != allowed {
			t.Errorf("a socket from %s: %v", origin, err)
		}
		if err == nil {
			must(t, ws.Close())
		}
	}
}
