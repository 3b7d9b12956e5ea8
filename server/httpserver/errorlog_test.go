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

// A panic in a handler is logged, without the client's address; what clients
// do wrong is for debugging.
func TestErrorLog(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("a mistake") }))
	s.Config.ErrorLog = ErrorLog(slog.New(slog.NewTextHandler(&out, nil)))
	s.Start()
	if r, err := s.Client().Get(s.URL); err == nil {
		_, _ = io.Copy(io.Discard, r.Body)
		_ = r.Body.Close()
		t.Errorf("it answers %d", r.StatusCode)
	}
	s.Config.ErrorLog.Print("http: TLS handshake error from 192.0.2.1:4711: EOF")
	s.Close()
	said := out.String()
	if !strings.Contains(said, "level=ERROR") || !strings.Contains(said, "a mistake") {
		t.Errorf("the panic is not in %q", said)
	}
	if strings.Contains(said, "127.0.0.1") || strings.Contains(said, "handshake") {
		t.Errorf("it says too much: %s", said)
	}
}
