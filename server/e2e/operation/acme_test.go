package operation_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/acme"

	"wenzhen.example/server/app"
	"wenzhen.example/server/e2e"
)

// authority is an ACME server (RFC 8555). It issues a certificate to a client
// that proves control of the domain with the one challenge that it offers. It
// refuses unsigned requests and used nonces.
type authority struct {
	t         *testing.T
	http      *httptest.Server
	challenge string // tls-alpn-01 or http-01
	key       *ecdsa.PrivateKey
	root      *x509.Certificate
	secure    func() string // host and port where the domain speaks TLS
	plain     func() string // its URL over HTTP

	mu      sync.Mutex
	account *ecdsa.PublicKey
	nonces  map[string]bool
	domain  string
	proved  bool
	issued  []byte
	orders  int
}

const challengeToken = "a-token-of-the-authority"

func newAuthority(t *testing.T, challenge string) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	e2e.Must(t, err)
	template := x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority"}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, &template, &template, key.Public(), key)
	e2e.Must(t, err)
	root, err := x509.ParseCertificate(der)
	e2e.Must(t, err)
	a := &authority{t: t, challenge: challenge, key: key, root: root, nonces: map[string]bool{}}
	a.http = httptest.NewTLSServer(a)
	t.Cleanup(a.http.Close)
	return a
}

// ServeHTTP implements http.Handler.
func (a *authority) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	nonce := rand.Text()
	a.nonces[nonce] = true
	w.Header().Set("Replay-Nonce", nonce)
	at := func(path string) string { return a.http.URL + path }
	answer := func(status int, v any) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(v)
	}
	if r.URL.Path == "/directory" {
		answer(200, map[string]string{"newNonce": at("/nonce"), "newAccount": at("/account"), "newOrder": at("/order"), "revokeCert": at("/no"), "keyChange": at("/no")})
		return
	}
	if r.URL.Path == "/nonce" {
		return
	}
	payload, err := a.signed(r)
	if err != nil {
		answer(400, map[string]string{"type": "urn:ietf:params:acme:error:malformed", "detail": err.Error()})
		return
	}
	status := func(yes, no string) string {
		if a.proved {
			return yes
		}
		return no
	}
	order := func() map[string]any {
		o := map[string]any{"status": status("ready", "pending"), "identifiers": []any{map[string]string{"type": "dns", "value": a.domain}},
			"authorizations": []string{at("/authorization")}, "finalize": at("/finalize")}
		if a.issued != nil {
			o["status"], o["certificate"] = "valid", at("/certificate")
		}
		return o
	}
	challenge := func() map[string]any {
		return map[string]any{"type": a.challenge, "url": at("/challenge"), "token": challengeToken, "status": status("valid", "pending")}
	}
	switch r.URL.Path {
	case "/account":
		w.Header().Set("Location", at("/account/1"))
		answer(201, map[string]string{"status": "valid"})
	case "/order":
		var in struct{ Identifiers []struct{ Value string } }
		e2e.Must(a.t, json.Unmarshal(payload, &in))
		a.domain, a.proved, a.issued = in.Identifiers[0].Value, false, nil
		a.orders++
		w.Header().Set("Location", at("/order/1"))
		answer(201, order())
	case "/order/1":
		answer(200, order())
	case "/authorization":
		answer(200, map[string]any{"status": status("valid", "pending"), "identifier": map[string]string{"type": "dns", "value": a.domain}, "challenges": []any{challenge()}})
	case "/challenge":
		if err := a.prove(); err != nil {
			a.t.Errorf("the challenge: %v", err)
		} else {
			a.proved = true
		}
		answer(200, challenge())
	case "/finalize":
		var in struct{ CSR string }
		e2e.Must(a.t, json.Unmarshal(payload, &in))
		e2e.Must(a.t, a.issue(in.CSR))
		w.Header().Set("Location", at("/order/1"))
		answer(200, order())
	case "/certificate":
		w.Header().Set("Content-Type", "application/pem-certificate-chain")
		_, _ = w.Write(a.issued)
	default:
		answer(404, map[string]string{"type": "urn:ietf:params:acme:error:malformed", "detail": r.URL.Path})
	}
}

// placed is how many orders there were.
func (a *authority) placed() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.orders
}

// signed reads a request that is signed with the account's key (RFC 7515).
func (a *authority) signed(r *http.Request) ([]byte, error) {
	var jws struct{ Protected, Payload, Signature string }
	if err := json.NewDecoder(r.Body).Decode(&jws); err != nil {
		return nil, err
	}
	decode := base64.RawURLEncoding.DecodeString
	protected, err := decode(jws.Protected)
	if err != nil {
		return nil, err
	}
	var head struct {
		Alg, Nonce, URL, KID string
		JWK                  *struct{ X, Y string }
	}
	if err := json.Unmarshal(protected, &head); err != nil {
		return nil, err
	}
	if !a.nonces[head.Nonce] || head.URL != a.http.URL+r.URL.Path || head.Alg != "ES256" {
		return nil, fmt.Errorf("the head is wrong: %+v", head)
	}
	delete(a.nonces, head.Nonce)
	if head.JWK != nil {
		x, errX := decode(head.JWK.X)
		y, errY := decode(head.JWK.Y)
		if errX != nil || errY != nil {
			return nil, fmt.Errorf("no key: %w %w", errX, errY)
		}
		if a.account, err = ecdsa.ParseUncompressedPublicKey(elliptic.P256(), append(append([]byte{4}, x...), y...)); err != nil {
			return nil, err
		}
	}
	signature, err := decode(jws.Signature)
	if err != nil || len(signature) != 64 || a.account == nil {
		return nil, fmt.Errorf("the signature has %d bytes: %w", len(signature), err)
	}
	digest := sha256.Sum256([]byte(jws.Protected + "." + jws.Payload))
	if !ecdsa.Verify(a.account, digest[:], new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])) {
		return nil, fmt.Errorf("the signature is wrong")
	}
	return decode(jws.Payload)
}

// prove looks whether the domain answers the challenge (RFC 8555 section 8.3,
// RFC 8737 section 3).
func (a *authority) prove() error {
	thumbprint, err := acme.JWKThumbprint(a.account)
	if err != nil {
		return err
	}
	answer := challengeToken + "." + thumbprint
	if a.challenge == "http-01" {
		request, err := http.NewRequest(http.MethodGet, a.plain()+"/.well-known/acme-challenge/"+challengeToken, nil)
		if err != nil {
			return err
		}
		request.Host = a.domain
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return err
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		if err != nil || string(bytes.TrimSpace(body)) != answer {
			return fmt.Errorf("over HTTP: %q, %w", body, err)
		}
		return nil
	}
	conn, err := tls.Dial("tcp", a.secure(), &tls.Config{ServerName: a.domain, NextProtos: []string{acme.ALPNProto}, InsecureSkipVerify: true})
	if err != nil {
		return err
	}
	defer conn.Close()
	digest := sha256.Sum256([]byte(answer))
	want, err := asn1.Marshal(digest[:])
	if err != nil {
		return err
	}
	state := conn.ConnectionState()
	for _, e := range state.PeerCertificates[0].Extensions {
		if e.Id.Equal(asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 1, 31}) && e.Critical && bytes.Equal(e.Value, want) && state.NegotiatedProtocol == acme.ALPNProto {
			return nil
		}
	}
	return fmt.Errorf("over TLS: no proof in the certificate, protocol %q", state.NegotiatedProtocol)
}

func (a *authority) issue(request string) error {
	der, err := base64.RawURLEncoding.DecodeString(request)
	if err != nil {
		return err
	}
	csr, err := x509.ParseCertificateRequest(der)
	if err != nil || csr.CheckSignature() != nil || len(csr.DNSNames) != 1 || csr.DNSNames[0] != a.domain || !a.proved {
		return fmt.Errorf("a request for %v: %w", csr.DNSNames, err)
	}
	template := x509.Certificate{SerialNumber: big.NewInt(time.Now().UnixNano()), DNSNames: csr.DNSNames, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(90 * 24 * time.Hour)}
	leaf, err := x509.CreateCertificate(rand.Reader, &template, a.root, csr.PublicKey, a.key)
	if err != nil {
		return err
	}
	for _, der := range [][]byte{leaf, a.root.Raw} {
		a.issued = append(a.issued, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
	}
	return nil
}

// A server with a domain and no certificate gets one when somebody comes,
// keeps it through a restart, and asks for no other domain's.
func TestCertificatesAreIssued(t *testing.T) {
	t.Parallel()
	for _, challenge := range []string{"tls-alpn-01", "http-01"} {
		t.Run(challenge, func(t *testing.T) {
			t.Parallel()
			const domain = "clinic.example"
			a := newAuthority(t, challenge)
			roots := filepath.Join(t.TempDir(), "roots.pem")
			e2e.Must(t, os.WriteFile(roots, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.http.Certificate().Raw}), 0o600))
			w := e2e.NewWorld(t, t.TempDir())
			w.Change = append(w.Change, func(c *app.Config) {
				c.AcmeDomains, c.AcmeDirectory, c.AcmeRoots, c.PublicURL = []string{domain}, a.http.URL+"/directory", roots, "https://"+domain
				c.HTTPAddr = "127.0.0.1:0"
			})
			w.Run("127.0.0.1:0")
			host := func() string { return strings.TrimPrefix(w.Base, "https://") }
			a.secure, a.plain = host, func() string { return w.Server.RedirectURL() }
			trusted := x509.NewCertPool()
			trusted.AddCert(a.root)
			comes := func(name string) (*x509.Certificate, error) {
				conn, err := tls.DialWithDialer(&net.Dialer{Timeout: e2e.Patience}, "tcp", host(), &tls.Config{ServerName: name, RootCAs: trusted, NextProtos: []string{"h2", "http/1.1"}})
				if err != nil {
					return nil, err
				}
				defer conn.Close()
				if got := conn.ConnectionState().NegotiatedProtocol; got != "h2" {
					t.Errorf("it speaks %q", got)
				}
				return conn.ConnectionState().PeerCertificates[0], nil
			}
			if _, err := comes("elsewhere.example"); err == nil || a.placed() != 0 {
				t.Errorf("another domain: %v, %d orders", err, a.placed())
			}
			first, err := comes(domain)
			if err != nil {
				t.Fatal(err)
			}
			e2e.Must(t, first.VerifyHostname(domain))
			if response, err := http.DefaultTransport.RoundTrip(mustRequest(t, w.Server.RedirectURL()+"/login")); err != nil || response.StatusCode != http.StatusPermanentRedirect || response.Header.Get("Location") != "https://"+domain+"/login" {
				t.Errorf("over HTTP: %v, %v", response, err)
			} else {
				e2e.Must(t, response.Body.Close())
			}
			e2e.Must(t, w.Stop())
			w.Run("127.0.0.1:0")
			again, err := comes(domain)
			e2e.Must(t, err)
			if again.SerialNumber.Cmp(first.SerialNumber) != 0 || a.placed() != 1 {
				t.Errorf("after a restart it is another certificate, of %d orders", a.placed())
			}
		})
	}
}

// The key of the account at the authority, and those of certificates, are sealed
// when there is an encryption key, those from before too; the certificate stays.
func TestCertificateKeysAreEncrypted(t *testing.T) {
	t.Parallel()
	const domain = "clinic.example"
	a := newAuthority(t, "tls-alpn-01")
	roots := filepath.Join(t.TempDir(), "roots.pem")
	e2e.Must(t, os.WriteFile(roots, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.http.Certificate().Raw}), 0o600))
	w := e2e.OnSQLite(t)
	w.Change = append(w.Change, func(c *app.Config) {
		c.AcmeDomains, c.AcmeDirectory, c.AcmeRoots, c.PublicURL = []string{domain}, a.http.URL+"/directory", roots, "https://"+domain
	})
	a.secure = func() string { return strings.TrimPrefix(w.Base, "https://") }
	again := func(change ...func(*app.Config)) {
		t.Helper()
		e2e.Must(t, w.Stop())
		w.Change = append(w.Change, change...)
		w.Run("127.0.0.1:0")
	}
	comes := func() (serial string) {
		t.Helper()
		conn, err := tls.Dial("tcp", a.secure(), &tls.Config{ServerName: domain, InsecureSkipVerify: true})
		e2e.Must(t, err)
		defer conn.Close()
		return conn.ConnectionState().PeerCertificates[0].SerialNumber.String()
	}
	clear := func() (n int) {
		t.Helper()
		files, err := os.ReadDir(filepath.Join(w.Dir, "acme"))
		e2e.Must(t, err)
		if len(files) < 2 {
			t.Errorf("in the folder are %v", files)
		}
		for _, f := range files {
			content, err := os.ReadFile(filepath.Join(w.Dir, "acme", f.Name()))
			e2e.Must(t, err)
			if bytes.Contains(content, []byte("PRIVATE KEY")) {
				n++
			}
		}
		return n
	}
	again()
	first := comes()
	if n := clear(); n == 0 {
		t.Error("without an encryption key nothing lies in the clear: the search means nothing")
	}
	again(atRest)
	if n := clear(); n > 0 {
		t.Errorf("%d keys lie in the clear", n)
	}
	if comes() != first || a.placed() != 1 {
		t.Errorf("once it is sealed it is another certificate, of %d orders", a.placed())
	}
	e2e.Must(t, w.Stop())
	e2e.Must(t, os.WriteFile(filepath.Join(w.Dir, "acme", domain), []byte("wz1$deadbeefdeadbeef$AAAA"), 0o600))
	w.Run("127.0.0.1:0")
	if comes() == first || a.placed() != 2 {
		t.Errorf("what cannot be opened is not asked for again: %d orders", a.placed())
	}
	if n := clear(); n > 0 {
		t.Errorf("%d new keys lie in the clear", n)
	}
}

func mustRequest(t testing.TB, url string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	e2e.Must(t, err)
	return r
}
