package conformance

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"
)

// Serve serves a fake over TLS, and returns its address and a client that
// trusts who made its certificate.
func Serve(t testing.TB, handler http.Handler) (url string, client *http.Client) {
	return serve(t, handler, time.Now().AddDate(1, 0, 0))
}

// ServeExpired is the same with a certificate that has expired.
func ServeExpired(t testing.TB, handler http.Handler) (url string, client *http.Client) {
	return serve(t, handler, time.Now().AddDate(0, 0, -1))
}

// ServeEndless serves an answer of 64 MiB, whatever is asked. The test fails if
// all of it is read.
func ServeEndless(t testing.TB) (url string, client *http.Client) {
	return Serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		const most = 64 << 20
		w.Header().Set("Content-Type", "application/json")
		written, block := 0, bytes.Repeat([]byte{' '}, 64<<10)
		for written < most {
			n, err := w.Write(block)
			if err != nil {
				return
			}
			written += n
		}
		t.Errorf("all %d bytes of an answer were read", written)
	}))
}

// serverKey is that of all servers: making one takes a while.
var serverKey = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) })

func serve(t testing.TB, handler http.Handler, until time.Time) (string, *http.Client) {
	t.Helper()
	key, err := serverKey()
	if err != nil {
		t.Fatal(err)
	}
	cert, _ := Certificate(t, key, 1, until)
	s := httptest.NewUnstartedServer(handler)
	s.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{cert.Raw}, PrivateKey: key}}}
	s.StartTLS()
	t.Cleanup(s.Close)
	roots := x509.NewCertPool()
	roots.AddCert(cert)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, ServerName: "localhost"}}
	t.Cleanup(transport.CloseIdleConnections)
	return s.URL, &http.Client{Transport: transport, Timeout: 30 * time.Second}
}
