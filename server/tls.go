package server

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"wenzhen/server/database"
)

// certificates is the certificate in two files. Whoever renews them just
// replaces them: they are looked at again, at most once a second, when
// somebody connects. Files that do not fit together, as when only one has been
// replaced yet, change nothing; they are told in the log and tried again as
// soon as one of them changes.
type certificates struct {
	files [2]string // certificate and key, PEM
	now   func() time.Time
	log   *slog.Logger

	mu     sync.Mutex
	pair   *tls.Certificate
	seen   [2]stamp // of the files, when they were read last
	looked time.Time
}

// stamp tells whether a file has changed.
type stamp struct {
	at   time.Time
	size int64
}

// lookEvery is how often files are looked at.
const lookEvery = time.Second

// readCertificates reads the files for the first time; they must be good.
func readCertificates(cert, key string, now func() time.Time, log *slog.Logger) (*certificates, error) {
	c := &certificates{files: [2]string{cert, key}, now: now, log: log, looked: now()}
	c.seen = c.stamps()
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		return nil, fmt.Errorf("configuration: --tls-cert and --tls-key: %w", err)
	}
	c.pair = &pair
	return c, nil
}

func (c *certificates) stamps() (s [2]stamp) {
	for i, path := range c.files {
		if info, err := os.Stat(path); err == nil {
			s[i] = stamp{info.ModTime(), info.Size()}
		}
	}
	return s
}

// get is tls.Config.GetCertificate.
func (c *certificates) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := c.now(); now.Sub(c.looked) >= lookEvery || now.Before(c.looked) {
		c.looked = now
		c.reload()
	}
	return c.pair, nil
}

func (c *certificates) reload() {
	now := c.stamps()
	if now == c.seen {
		return
	}
	c.seen = now
	pair, err := tls.LoadX509KeyPair(c.files[0], c.files[1])
	if err != nil {
		c.log.Error("the certificate's files have changed and cannot be used; the one before is kept", "error", err)
		return
	}
	c.pair = &pair
	c.log.Info("the certificate was read anew", "until", pair.Leaf.NotAfter)
}

// encrypt makes the server speak TLS, and HTTP/2, if there is a certificate.
func (s *Server) encrypt() error {
	if s.issuer != nil {
		s.http.TLSConfig = s.issuer.config()
		return nil
	}
	if s.cfg.TLSCert == "" {
		return nil
	}
	c, err := readCertificates(s.cfg.TLSCert, s.cfg.TLSKey, database.Now, s.log)
	if err != nil {
		return err
	}
	s.http.TLSConfig = &tls.Config{GetCertificate: c.get, MinVersion: tls.VersionTLS12}
	return nil
}

// scheme is that of the public listener.
func (s *Server) scheme() string {
	if s.cfg.TLSCert != "" || s.issuer != nil {
		return "https"
	}
	return "http"
}

// strict tells browsers to come by HTTPS only (RFC 6797), for a year, where
// they do: this server speaks TLS, or a proxy before it does.
func (s *Server) strict(next http.Handler) http.Handler {
	if !strings.HasPrefix(s.publicURL(), "https://") {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Strict-Transport-Security", "max-age=31536000")
		next.ServeHTTP(w, r)
	})
}

// onward sends browsers to the same page over HTTPS. What is no page is
// refused: a client that sends its data in the clear should be noticed.
func (s *Server) onward(w http.ResponseWriter, r *http.Request) {
	host, err := s.secureHost(r.Host)
	switch {
	case err != nil:
		http.Error(w, "which host?", http.StatusBadRequest)
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		http.Error(w, "use https", http.StatusForbidden)
	default:
		http.Redirect(w, r, "https://"+host+r.URL.RequestURI(), http.StatusPermanentRedirect)
	}
}

// PlainURL is where browsers are sent on to HTTPS from, or "".
func (s *Server) PlainURL() string { return s.plain.url() }

// secureHost is where the host that was asked for over HTTP speaks HTTPS.
func (s *Server) secureHost(asked string) (string, error) {
	if s.cfg.PublicURL != "" {
		u, err := url.Parse(s.cfg.PublicURL)
		if err != nil {
			return "", err
		}
		return u.Host, nil
	}
	host := asked
	if name, _, err := net.SplitHostPort(asked); err == nil {
		host = name
	}
	_, port, err := net.SplitHostPort(s.listener.Addr().String())
	if err != nil || host == "" {
		return "", fmt.Errorf("no host in %q", asked)
	}
	if port == "443" {
		return host, nil
	}
	return net.JoinHostPort(strings.Trim(host, "[]"), port), nil
}
