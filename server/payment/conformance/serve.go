package conformance

import (
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
