package httpserver

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/acme"
	"golang.org/x/crypto/acme/autocert"

	"wenzhen.example/server/datafolder"
)

// Issuer gets certificates from an ACME server (RFC 8555) for the configured
// domains only: at the first TLS handshake for a domain, and again a month before
// the certificate expires. It proves control of the domain over TLS (TLS-ALPN-01,
// RFC 8737) or, with --http-addr, over HTTP (HTTP-01). Keys and certificates are
// kept in the data folder, encrypted like the other secrets there.
type Issuer struct {
	manager *autocert.Manager
	domains []string
	log     *slog.Logger
	now     func() time.Time

	mu     sync.Mutex
	logged time.Time // when a failure was last logged
}

// failureEvery is the minimum time between two log messages about a missing
// certificate: without one, each handshake fails.
const failureEvery = time.Minute

// ACME configures an issuer.
type ACME struct {
	Domains   []string
	Email     string // contact address for the authority
	Directory string // its URL
	Roots     string // file of root certificates (PEM) for the directory's server; the system's if empty
	Folder    string // for keys and certificates
	// Secrets encrypts and decrypts keys and certificates. It is a function,
	// because the listeners are opened before the data folder. It is called during
	// TLS handshakes.
	Secrets   func() datafolder.Secrets
	UserAgent string
	Now       func() time.Time
	Log       *slog.Logger
}

// NewIssuer returns an issuer, or nil if there are no domains.
func NewIssuer(cfg ACME) (*Issuer, error) {
	if len(cfg.Domains) == 0 {
		return nil, nil
	}
	client := &acme.Client{DirectoryURL: cfg.Directory, UserAgent: cfg.UserAgent}
	if cfg.Roots != "" {
		pem, err := os.ReadFile(cfg.Roots)
		if err != nil {
			return nil, fmt.Errorf("configuration: --acme-roots: %w", err)
		}
		roots := x509.NewCertPool()
		if !roots.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("configuration: --acme-roots: no certificate in %s", cfg.Roots)
		}
		transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}
		client.HTTPClient = &http.Client{Timeout: 30 * time.Second, Transport: transport}
	}
	cache := &certificateCache{files: autocert.DirCache(cfg.Folder), secrets: cfg.Secrets, log: cfg.Log}
	return &Issuer{
		manager: &autocert.Manager{Prompt: autocert.AcceptTOS, Cache: cache,
			HostPolicy: autocert.HostWhitelist(cfg.Domains...), Email: cfg.Email, Client: client},
		domains: cfg.Domains, now: cfg.Now, log: cfg.Log}, nil
}

// certificateCache implements autocert.Cache. It stores the key of the account at
// the authority, and certificates with their keys.
type certificateCache struct {
	files   autocert.DirCache
	secrets func() datafolder.Secrets
	log     *slog.Logger
}

// Get implements autocert.Cache. A file that cannot be decrypted counts as
// missing, so that a new certificate is requested.
func (c *certificateCache) Get(ctx context.Context, name string) ([]byte, error) {
	stored, err := c.files.Get(ctx, name)
	if err != nil {
		return nil, err
	}
	text, err := c.secrets().Decrypt(certificateFile(name), strings.TrimSpace(string(stored)))
	if err != nil {
		c.log.Error("a certificate or its key cannot be decrypted; a new one is requested",
			"file", filepath.Join(string(c.files), name), "error", err)
		return nil, autocert.ErrCacheMiss
	}
	return []byte(text), nil
}

// Put implements autocert.Cache.
func (c *certificateCache) Put(ctx context.Context, name string, data []byte) error {
	return c.files.Put(ctx, name, []byte(c.secrets().Encrypted(certificateFile(name), string(data))))
}

// Delete implements autocert.Cache.
func (c *certificateCache) Delete(ctx context.Context, name string) error {
	return c.files.Delete(ctx, name)
}

// certificateFile returns the path of a file of the cache in the data folder.
func certificateFile(name string) string { return datafolder.CertificatesFolder + "/" + name }

// Config returns the TLS configuration of the public listener.
func (i *Issuer) Config() *tls.Config {
	c := i.manager.TLSConfig()
	c.MinVersion, c.GetCertificate = tls.VersionTLS12, i.get
	return c
}

// get is tls.Config.GetCertificate. A handshake for another domain is refused and
// not logged, because clients can send any name.
func (i *Issuer) get(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	if !slices.Contains(i.domains, strings.ToLower(strings.TrimSuffix(hello.ServerName, "."))) {
		return nil, errors.New("no certificate for this name")
	}
	cert, err := i.manager.GetCertificate(hello)
	if err != nil && !slices.Contains(hello.SupportedProtos, acme.ALPNProto) {
		i.logFailure(hello.ServerName, err)
	}
	return cert, err
}

// logFailure logs that there is no certificate, at most once in failureEvery.
func (i *Issuer) logFailure(domain string, err error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if now := i.now(); now.Sub(i.logged) >= failureEvery {
		i.logged = now
		i.log.Error("no certificate; check that the domain resolves to this machine and that the ACME server can reach it on port 443 or 80",
			"domain", domain, "error", err)
	}
}

// Challenges answers HTTP-01 challenges before next.
func (i *Issuer) Challenges(next http.Handler) http.Handler {
	if i == nil {
		return next
	}
	return i.manager.HTTPHandler(next)
}
