package httpserver

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"
)

// Certificates is a certificate and its key in two files. To renew them, replace
// the files: at TLS handshakes, at most once a second, they are checked and read
// again if they have changed. If the files do not fit together, for example when
// only one has been replaced, this is logged, the certificate stays as it was, and
// the files are read again after their next change.
type Certificates struct {
	files [2]string // certificate and key, PEM
	now   func() time.Time
	log   *slog.Logger

	mu      sync.Mutex
	pair    *tls.Certificate
	seen    [2]stamp // of the files, when they were last read
	checked time.Time
}

// stamp is compared to detect that a file has changed.
type stamp struct {
	at   time.Time
	size int64
}

// checkEvery is the minimum time between two checks of the files.
const checkEvery = time.Second

// ReadCertificates reads the files. They must be valid.
func ReadCertificates(cert, key string, now func() time.Time, log *slog.Logger) (*Certificates, error) {
	c := &Certificates{files: [2]string{cert, key}, now: now, log: log, checked: now()}
	c.seen = c.stamps()
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		return nil, fmt.Errorf("configuration: --tls-cert and --tls-key: %w", err)
	}
	c.pair = &pair
	return c, nil
}

func (c *Certificates) stamps() (s [2]stamp) {
	for i, path := range c.files {
		if info, err := os.Stat(path); err == nil {
			s[i] = stamp{info.ModTime(), info.Size()}
		}
	}
	return s
}

// Config returns the TLS configuration of a listener with this certificate.
func (c *Certificates) Config() *tls.Config {
	return &tls.Config{GetCertificate: c.get, MinVersion: tls.VersionTLS12}
}

// get is tls.Config.GetCertificate.
func (c *Certificates) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := c.now(); now.Sub(c.checked) >= checkEvery || now.Before(c.checked) {
		c.checked = now
		c.reload()
	}
	return c.pair, nil
}

func (c *Certificates) reload() {
	now := c.stamps()
	if now == c.seen {
		return
	}
	c.seen = now
	pair, err := tls.LoadX509KeyPair(c.files[0], c.files[1])
	if err != nil {
		c.log.Error("the certificate's files have changed and cannot be used; the previous certificate is kept", "error", err)
		return
	}
	c.pair = &pair
	c.log.Info("the certificate was reloaded", "until", pair.Leaf.NotAfter)
}
