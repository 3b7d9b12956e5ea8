package httpserver

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// A panic in a handler is logged as an error, without the client's address.
// Errors of clients are logged at level debug.
func TestErrorLog(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("a mistake") }))
	s.Config.ErrorLog = ErrorLog(slog.New(slog.NewTextHandler(&out, nil)))
	s.Start()
	if r, err := s.Client().Get(s.URL); err == nil {
		_, _ = io.Copy(io.Discard, r.Body)
		_ = r.Body.Close()
		t.Errorf("status %d", r.StatusCode)
	}
	s.Config.ErrorLog.Print("http: TLS handshake error from 192.0.2.1:4711: EOF")
	s.Close()
	logged := out.String()
	if !strings.Contains(logged, "level=ERROR") || !strings.Contains(logged, "a mistake") {
		t.Errorf("the panic is not in %q", logged)
	}
	if strings.Contains(logged, "127.0.0.1") || strings.Contains(logged, "handshake") {
		t.Errorf("the log has an address or an error of a client: %s", logged)
	}
}
