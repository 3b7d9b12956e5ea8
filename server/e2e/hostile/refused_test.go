package hostile_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/server/app"
	"wenzhen.example/server/e2e"
)

// A client that sends a whole file before it reads, as browsers do, gets the
// error, with code and Retry-After, however much of the file is refused unread;
// and so does Go's client (D8).
func TestRefusedUploadsAreAnswered(t *testing.T) {
	t.Parallel()
	w := e2e.Start(t, func(c *app.Config) { c.AttachmentBytes = 12_000_000 })
	bo, wang, stranger := w.Patient("bo"), w.Doctor("wang"), w.Patient("stranger")
	id := bo.Consults(wang, "a headache")
	wang.Accepts(id)
	const boundary = "a-boundary-of-parts"
	content := "<!DOCTYPE html><script>alert(1)</script>" + strings.Repeat("x", 11_900_000)
	body := fmt.Sprintf("--%s\r\nContent-Disposition: form-data; name=\"file\"; filename=\"page.html\"\r\n\r\n%s\r\n--%s--\r\n", boundary, content, boundary)
	path := "/api/v1/consultations/" + string(id) + "/attachments"
	headers := func(token string) http.Header {
		return http.Header{"Content-Type": {"multipart/form-data; boundary=" + boundary}, "Authorization": {"Bearer " + token}}
	}
	sendsAll := func(token string) *http.Response {
		t.Helper()
		conn, err := net.DialTimeout("tcp", strings.TrimPrefix(w.Base, "http://"), 10*time.Second)
		e2e.Must(t, err)
		t.Cleanup(func() { _ = conn.Close() })
		e2e.Must(t, conn.SetDeadline(time.Now().Add(time.Minute)))
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.Base+path, strings.NewReader(body))
		e2e.Must(t, err)
		request.Header = headers(token)
		if err := request.Write(conn); err != nil {
			t.Fatalf("the file could not be sent: %v", err)
		}
		response, err := http.ReadResponse(bufio.NewReader(conn), request)
		e2e.Must(t, err)
		return response
	}
	sendsByGo := func(token string) *http.Response {
		t.Helper()
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.Base+path, bytes.NewReader([]byte(body)))
		e2e.Must(t, err)
		request.Header = headers(token)
		response, err := w.HTTP.Do(request)
		e2e.Must(t, err)
		return response
	}
	refused := func(response *http.Response) (p struct {
		Code  rooms.Code
		Field string
	}) {
		t.Helper()
		raw, err := io.ReadAll(response.Body)
		e2e.Must(t, err)
		e2e.Must(t, response.Body.Close())
		e2e.Must(t, json.Unmarshal(raw, &p))
		return p
	}
	for name, sends := range map[string]func(string) *http.Response{"all before it reads": sendsAll, "by Go's client": sendsByGo} {
		if p := refused(sends("nonsense")); p.Code != rooms.CodeUnauthenticated {
			t.Errorf("%s, without a login: %+v", name, p)
		}
		if p := refused(sends(stranger.Tokens().AccessToken)); p.Code != rooms.CodeNotFound {
			t.Errorf("%s, a stranger: %+v", name, p)
		}
	}
	token := bo.Tokens().AccessToken
	var response *http.Response
	for range 30 {
		if response = sendsByGo(token); response.StatusCode == http.StatusTooManyRequests {
			break
		}
		if p := refused(response); p.Code != rooms.CodeInvalid || p.Field != "file" {
			t.Fatalf("a page: %+v", p)
		}
	}
	for name, sends := range map[string]func(string) *http.Response{"all before it reads": sendsAll, "by Go's client": sendsByGo} {
		response := sends(token)
		if p := refused(response); response.StatusCode != http.StatusTooManyRequests || p.Code != rooms.CodeRateLimited || response.Header.Get("Retry-After") == "" {
			t.Errorf("%s, past the cap: %d %+v, Retry-After %q", name, response.StatusCode, p, response.Header.Get("Retry-After"))
		}
	}
	_, _ = io.Copy(io.Discard, response.Body)
	e2e.Must(t, response.Body.Close())
}
