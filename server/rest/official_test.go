package rest

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/gin-gonic/gin"
)

// The files of the official client are served as Node.js does: by all of its
// names, with a tag, compressed; all other requests are for the realtime server.
func TestOfficialClient(t *testing.T) {
	t.Parallel()
	script := strings.Repeat("console.log('hello');", 100)
	s := &server{deps: Deps{App: fstest.MapFS{"index.html": {Data: []byte("page")},
		"socket.io/socket.io.min.js": {Data: []byte(script)}, "socket.io/socket.io.min.js.map": {Data: []byte("{}")}}}}
	gin.SetMode(gin.TestMode)
	g := gin.New()
	g.Any("/socket.io/*any", s.socketIO(func(c *gin.Context) { c.String(http.StatusTeapot, "realtime") }))
	ask := func(method, path string, headers ...string) *httptest.ResponseRecorder {
		request := httptest.NewRequestWithContext(t.Context(), method, path, nil)
		for i := 0; i < len(headers); i += 2 {
			request.Header.Set(headers[i], headers[i+1])
		}
		answer := httptest.NewRecorder()
		g.ServeHTTP(answer, request)
		return answer
	}
	const file = "/socket.io/socket.io.min.js"
	plain := ask("GET", file)
	tag := plain.Header().Get("ETag")
	if plain.Code != http.StatusOK || plain.Body.String() != script || !strings.HasPrefix(plain.Header().Get("Content-Type"), "text/javascript") || tag == "" || plain.Header().Get("Cache-Control") == "" {
		t.Errorf("answered %d %v", plain.Code, plain.Header())
	}
	zipped := ask("GET", file, "Accept-Encoding", "gzip, deflate, br")
	z, err := gzip.NewReader(zipped.Body)
	if err != nil || zipped.Header().Get("Content-Encoding") != "gzip" {
		t.Fatalf("compressed: %v, %v", zipped.Header(), err)
	}
	if got, err := io.ReadAll(z); err != nil || string(got) != script {
		t.Errorf("compressed it is %d bytes, %v", len(got), err)
	}
	if head := ask("HEAD", file); head.Code != http.StatusOK || head.Body.Len() > 0 || head.Header().Get("ETag") != tag {
		t.Errorf("HEAD: %d %v", head.Code, head.Header())
	}
	for _, same := range []string{tag, strings.TrimPrefix(tag, "W/"), "*"} {
		if again := ask("GET", file, "If-None-Match", same); again.Code != http.StatusNotModified || again.Body.Len() > 0 {
			t.Errorf("If-None-Match %s: %d", same, again.Code)
		}
	}
	if m := ask("GET", file+".map"); m.Code != http.StatusOK || !strings.HasPrefix(m.Header().Get("Content-Type"), "application/json") {
		t.Errorf("the map: %d %v", m.Code, m.Header())
	}
	for method, path := range map[string]string{"POST": file, "GET": "/socket.io/?EIO=4&transport=polling", "HEAD": "/socket.io/socket.io.unknown.js", "OPTIONS": file} {
		if got := ask(method, path); got.Code != http.StatusTeapot {
			t.Errorf("%s %s: %d", method, path, got.Code)
		}
	}
}
