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

	"wenzhen/server/datafolder"
)

// Issuer gets certificates from an ACME server (RFC 8555), for the domains of
// the configuration and no other: the first time somebody asks for one, and
// again a month before it ends. It proves that the domain is ours over TLS
// (TLS-ALPN-01, RFC 8737) or, with --http-addr, over HTTP (HTTP-01). Keys and
// certificates are kept in the data folder, sealed like the other secrets there.
type Issuer struct {
	manager *autocert.Manager
	domains []string
	log     *slog.Logger
	now     func() time.Time

	mu   sync.Mutex
	told time.Time // when a failure was logged
}

// failureEvery bounds how often it is logged that there is no certificate:
// each handshake fails.
const failureEvery = time.Minute

// ACME configures an issuer.
type ACME struct {
	Domains   []string
	Email     string // where the authority may write
	Directory string // its URL
	Roots     string // file of certificates (PEM) that the directory is trusted by; the system's when empty
	Folder    string // where keys and certificates are kept
	// Secrets gives what keys and certificates are sealed with. It is a function
	// since the listeners are opened before the data folder, and is called when
	// somebody asks for a certificate.
	Secrets   func() datafolder.Secrets
	UserAgent string
	Now       func() time.Time
	Log       *slog.Logger
}

// NewIssuer makes an issuer; nil without domains.
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
		client.HTTPClient = &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}}
	}
	cache := &certificateCache{files: autocert.DirCache(cfg.Folder), secrets: cfg.Secrets, log: cfg.Log}
	return &Issuer{
		manager: &autocert.Manager{Prompt: autocert.AcceptTOS, Cache: cache, HostPolicy: autocert.HostWhitelist(cfg.Domains...), Email: cfg.Email, Client: client},
		domains: cfg.Domains, now: cfg.Now, log: cfg.Log}, nil
}

// certificateCache implements autocert.Cache: the key of the account at the
// authority, and certificates with their keys.
type certificateCache struct {
	files   autocert.DirCache
	secrets func() datafolder.Secrets
	log     *slog.Logger
}

// Get implements autocert.Cache. What cannot be opened is not there: another is
// to be had from the authority.
func (c *certificateCache) Get(ctx context.Context, name string) ([]byte, error) {
	stored, err := c.files.Get(ctx, name)
	if err != nil {
		return nil, err
	}
	text, err := c.secrets().Open(certificateFile(name), strings.TrimSpace(string(stored)))
	if err != nil {
		c.log.Error("a certificate or its key cannot be decrypted; another one is asked for", "file", filepath.Join(string(c.files), name), "error", err)
		return nil, autocert.ErrCacheMiss
	}
	return []byte(text), nil
}

// Put implements autocert.Cache.
func (c *certificateCache) Put(ctx context.Context, name string, data []byte) error {
	return c.files.Put(ctx, name, []byte(c.secrets().Sealed(certificateFile(name), string(data))))
}

// Delete implements autocert.Cache.
func (c *certificateCache) Delete(ctx context.Context, name string) error {
	return c.files.Delete(ctx, name)
}

// certificateFile is the path of a file of the cache, in the data folder.
func certificateFile(name string) string { return datafolder.CertificatesFolder + "/" + name }

// Config is that of the public listener.
func (i *Issuer) Config() *tls.Config {
	c := i.manager.TLSConfig()
	c.MinVersion, c.GetCertificate = tls.VersionTLS12, i.get
	return c
}

// get is tls.Config.GetCertificate. Who asks for no domain of ours is refused
// without a word in the log: anyone can ask for anything.
func (i *Issuer) get(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	if !slices.Contains(i.domains, strings.ToLower(strings.TrimSuffix(hello.ServerName, "."))) {
		return nil, errors.New("no certificate for this name")
	}
	cert, err := i.manager.GetCertificate(hello)
	if err != nil && !slices.Contains(hello.SupportedProtos, acme.ALPNProto) {
		i.tell(hello.ServerName, err)
	}
	return cert, err
}

func (i *Issuer) tell(domain string, err error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if now := i.now(); now.Sub(i.told) >= failureEvery {
		i.told = now
		i.log.Error("there is no certificate; is the domain's address this machine, and can the ACME server reach it on port 443 or 80?", "domain", domain, "error", err)
	}
}

// Challenges answers HTTP-01 challenges before next.
func (i *Issuer) Challenges(next http.Handler) http.Handler {
	if i == nil {
		return next
	}
	return i.manager.HTTPHandler(next)
}
