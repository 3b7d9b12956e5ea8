package hostile_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/server/e2e"
)

// insists is request, and tries again where no answer came.
func insists(w *e2e.World, ctx context.Context, method, path, body string, headers ...string) (a e2e.Answered, err error) {
	err = again(func() error {
		a, err = w.Request(ctx, method, path, body, headers...)
		return err
	})
	return a, err
}

// raw sends a request as it stands and gives the whole answer.
func (s *siege) raw(ctx context.Context, n int, request string) (header http.Header, all []byte, status int, err error) {
	err = again(func() error {
		conn, err := s.knock(ctx, address(fromForgers, n))
		if err != nil {
			return err
		}
		defer conn.Close()
		if _, err := io.WriteString(conn, request); err != nil {
			return err
		}
		answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			return err
		}
		defer answer.Body.Close()
		header, status = answer.Header, answer.StatusCode
		all, err = io.ReadAll(answer.Body)
		return err
	})
	return header, all, status, err
}

// traversal: no path leads out of what is served, and no file out of its folder.
func (s *siege) traversal(ctx context.Context) error {
	token, err := s.mallory.AccessToken(ctx)
	if err != nil {
		return err
	}
	key, err := os.ReadFile(filepath.Join(s.Dir, "token.key"))
	if err != nil {
		return err
	}
	for n, up := range []string{"../../../../../../../..", "..%2f..%2f..%2f..%2f..%2f..", "%2e%2e/%2e%2e/%2e%2e/%2e%2e", "..%5c..%5c..%5c..", "....//....//....//....", "..%c0%af..%c0%af..%c0%af..", "/"} {
		for _, at := range []string{"/", "/assets/", "/fonts/", "/api/v1/attachments/", "/api/v1/fhir/R4/", "/calendar/", "/socket.io/", "/debug/"} {
			for _, file := range []string{"/etc/passwd", s.Dir + "/token.key"} {
				_, body, status, err := s.raw(ctx, n, "GET "+at+up+file+" HTTP/1.1\r\nHost: wenzhen\r\nAuthorization: Bearer "+token+"\r\nConnection: close\r\n\r\n")
				if err != nil {
					return fmt.Errorf("%s%s: %w", at, up, err)
				}
				if status >= 500 || bytes.Contains(body, []byte("root:")) || bytes.Contains(body, bytes.TrimSpace(key)) {
					return fmt.Errorf("%s%s%s: answered %d %.100s", at, up, file, status, body)
				}
			}
		}
	}
	return s.uploaded(ctx, "../../../../tmp/hostile.txt", []byte("out of its folder"), func(a e2e.Answered) error {
		var kept struct{ Name string }
		if err := json.Unmarshal(a.Body, &kept); err != nil || a.Status != http.StatusCreated || kept.Name != "hostile.txt" {
			return fmt.Errorf("answered %d %s", a.Status, a.Body)
		}
		return nil
	})
}

// uploaded uploads a file as mallory and judges the answer.
func (s *siege) uploaded(ctx context.Context, name string, content []byte, judge func(e2e.Answered) error) error {
	token, err := s.mallory.AccessToken(ctx)
	if err != nil {
		return err
	}
	const boundary = "a-boundary-that-nothing-has"
	body := "--" + boundary + "\r\nContent-Disposition: form-data; name=\"file\"; filename*=UTF-8''" + escaped(name) +
		"\r\nContent-Type: image/png\r\n\r\n" + string(content) + "\r\n--" + boundary + "--\r\n"
	a, err := insists(s.World.From(address(fromFiles, 0)), ctx, "POST", "/api/v1/consultations/"+string(s.id)+"/attachments", body,
		"Authorization", "Bearer "+token, "Content-Type", "multipart/form-data; boundary="+boundary)
	if err == nil {
		err = judge(a)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// escaped is a text as RFC 5987 has it.
func escaped(text string) string {
	var b strings.Builder
	for _, c := range []byte(text) {
		fmt.Fprintf(&b, "%%%02X", c)
	}
	return b.String()
}

// badFiles are what a browser would run, under names that say otherwise.
var badFiles = []struct{ name, content string }{
	{"photo.svg", `<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"><script>alert(1)</script></svg>`},
	{"photo.png", `<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>`},
	{"letter.html", `<!DOCTYPE html><html><body><script>alert(1)</script></body></html>`},
	{"letter.pdf", `<html><script>alert(1)</script></html>`},
	{"letter.txt", "\ufeff \n<script>alert(document.domain)</script>"},
	{"program.jpg", "MZ\x90\x00\x03\x00\x00\x00\x04\x00\x00\x00\xff\xff\x00\x00"},
}

// scripts: files that a browser would run are refused; one that is a picture
// and a script in one is never shown as a page of ours.
func (s *siege) scripts(ctx context.Context) error {
	for _, f := range badFiles {
		if err := s.uploaded(ctx, f.name, []byte(f.content), func(a e2e.Answered) error { return refusedWith(a, http.StatusBadRequest, rooms.CodeInvalid) }); err != nil {
			return err
		}
	}
	both := "GIF89a/*\x01\x00\x01\x00*/=1;<script>alert(1)</script>"
	return s.uploaded(ctx, "both\r\nInjected: yes.gif", []byte(both), func(a e2e.Answered) error {
		var kept struct{ ID string }
		if err := json.Unmarshal(a.Body, &kept); err != nil || a.Status != http.StatusCreated {
			return fmt.Errorf("answered %d %s", a.Status, a.Body)
		}
		token, err := s.mallory.AccessToken(ctx)
		if err != nil {
			return err
		}
		file, err := insists(s.World.From(address(fromFiles, 1)), ctx, "GET", "/api/v1/attachments/"+kept.ID, "", "Authorization", "Bearer "+token)
		if err != nil {
			return err
		}
		for name, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Content-Disposition": "attachment", "Content-Security-Policy": "sandbox", "Content-Type": "image/gif"} {
			if got := file.Header.Get(name); !strings.Contains(got, want) {
				return fmt.Errorf("%s is %q, want %q in it", name, got, want)
			}
		}
		if file.Header.Get("Injected") != "" {
			return errors.New("its name became a header")
		}
		return nil
	})
}

// injection: what a client sends becomes no header of an answer, and requests
// whose length can be read in two ways are refused.
func (s *siege) injection(ctx context.Context) error {
	const end = "Connection: close\r\n\r\n"
	for n, c := range []struct {
		request string
		status  int // 0 is any but a failure
	}{
		{"GET /api/v1/config HTTP/1.1\r\nHost: wenzhen\r\nX-Request-Id: a\rInjected: yes\r\n" + end, 400},
		{"GET /api/v1/config HTTP/1.1\r\nHost: wenzhen\r\nX-Request-Id: a%0d%0aInjected: yes\r\n" + end, 0},
		{"GET /api/v1/config%0d%0aInjected:%20yes HTTP/1.1\r\nHost: wenzhen\r\n" + end, 0},
		{"GET /api/v1/none?x=%0d%0aInjected:%20yes HTTP/1.1\r\nHost: wenzhen\r\n" + end, 0},
		{"GET //evil.example/%0d%0aInjected:%20yes HTTP/1.1\r\nHost: wenzhen\r\n" + end, 0},
		{"GET /api/v1/config HTTP/1.1\r\nHost: evil.example\r\nHost: wenzhen\r\n" + end, 400},
		{"GET /api/v1/config HTTP/1.1\r\nHost: wenzhen\r\nA header: yes\r\n" + end, 400},
		{"GET /socket.io/?EIO=4&transport=polling%0d%0aInjected:%20yes HTTP/1.1\r\nHost: wenzhen\r\n" + end, 400},
		{"POST /api/v1/auth/login HTTP/1.1\r\nHost: wenzhen\r\nContent-Length: 5\r\nContent-Length: 6\r\n" + end + "{}   ", 400},
		{"POST /api/v1/auth/login HTTP/1.1\r\nHost: wenzhen\r\nTransfer-Encoding: chunked, identity\r\n" + end + "0\r\n\r\n", 501},
	} {
		header, body, status, err := s.raw(ctx, n, c.request)
		if err != nil {
			return fmt.Errorf("%.100q: %w", c.request, err)
		}
		if header.Get("Injected") != "" || header.Get("Location") != "" || c.status != 0 && status != c.status || c.status == 0 && status >= 500 {
			return fmt.Errorf("%.100q: answered %d, %v, %.100s", c.request, status, header, body)
		}
	}
	return nil
}

// otherSites: a page of another site opens no socket in a user's browser, and
// reads no answer.
func (s *siege) otherSites(ctx context.Context) error {
	there := s.World.From(address(fromElsewhere, 0))
	for _, origin := range []string{"https://evil.example", "null", s.Base + ".evil.example", "https://" + s.process.Addr + "@evil.example"} {
		ws, answer, err := s.socket(ctx, address(fromElsewhere, 1), http.Header{"Origin": {origin}})
		if err == nil {
			return errors.Join(fmt.Errorf("a socket of %s was let in", origin), ws.Close())
		}
		if answer == nil || answer.StatusCode != http.StatusForbidden {
			return fmt.Errorf("%s: answered %+v, %w", origin, answer, err)
		}
		polls, err := insists(there, ctx, "GET", "/socket.io/?EIO=4&transport=polling", "", "Origin", origin)
		if err != nil {
			return err
		}
		if polls.Status != http.StatusForbidden {
			return fmt.Errorf("%s polls: answered %d %s", origin, polls.Status, polls.Body)
		}
		asks, err := insists(there, ctx, "GET", "/api/v1/config", "", "Origin", origin)
		if err != nil {
			return err
		}
		if allowed := asks.Header.Get("Access-Control-Allow-Origin"); allowed != "" {
			return fmt.Errorf("%s may read: %s", origin, allowed)
		}
	}
	return nil
}

// forgedTokens let nobody in, neither over REST nor over a socket.
func (s *siege) forgedTokens(ctx context.Context) error {
	token, err := s.mallory.AccessToken(ctx)
	if err != nil {
		return err
	}
	header, rest, _ := strings.Cut(token, ".")
	claims, signature, _ := strings.Cut(rest, ".")
	part := func(v any) string {
		raw, _ := json.Marshal(v) // maps of texts always encode
		return base64.RawURLEncoding.EncodeToString(raw)
	}
	var head, who map[string]any
	for encoded, into := range map[string]*map[string]any{header: &head, claims: &who} {
		raw, err := base64.RawURLEncoding.DecodeString(encoded)
		if err == nil {
			err = json.Unmarshal(raw, into)
		}
		if err != nil {
			return err
		}
	}
	admin := part(map[string]any{"iss": who["iss"], "sub": s.Admin.User.ID, "role": "admin", "sid": who["sid"], "iat": time.Now().Unix(), "exp": time.Now().Add(time.Hour).Unix()})
	signed := func(head map[string]any, key string) string {
		mac := hmac.New(sha256.New, []byte(key))
		text := part(head) + "." + admin
		mac.Write([]byte(text))
		return text + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
	}
	with := func(alg string, kid any) map[string]any {
		return map[string]any{"alg": alg, "typ": "JWT", "kid": kid}
	}
	there := s.World.From(address(fromForgers, 100))
	for name, forged := range map[string]string{
		"no algorithm":                   part(with("none", head["kid"])) + "." + admin + ".",
		"no algorithm, and a signature":  part(with("NONE", head["kid"])) + "." + admin + "." + signature,
		"other claims, same signature":   header + "." + admin + "." + signature,
		"an empty key":                   signed(with("HS256", head["kid"]), ""),
		"the name of the key as the key": signed(with("HS256", head["kid"]), fmt.Sprint(head["kid"])),
		"the attacker's key":             signed(with("HS256", "mine"), "mine"),
		"a file as the key":              signed(with("HS256", "../../../../dev/null"), ""),
		"a list as the key's name":       signed(with("HS256", []string{"x"}), ""),
		"another algorithm":              signed(with("HS512", head["kid"]), ""),
		"an asymmetric algorithm":        signed(with("RS256", head["kid"]), ""),
		"no name of a key":               signed(map[string]any{"alg": "HS256"}, ""),
		"a signature cut short":          token[:len(token)-4],
		"nothing":                        "..",
	} {
		a, err := insists(there, ctx, "GET", "/api/v1/me", "", "Authorization", "Bearer "+forged)
		if err == nil {
			err = refusedWith(a, http.StatusUnauthorized, rooms.CodeUnauthenticated)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		ws, _, err := s.socket(ctx, address(fromForgers, 101), nil)
		if err != nil {
			return err
		}
		err = say(ws, fmt.Sprintf(`40/admin,{"token":%q}`, forged))
		if err == nil {
			var packet string
			if packet, err = hear(ws, "4"); err == nil && (!strings.HasPrefix(packet, "44/admin,") || !strings.Contains(packet, `"unauthenticated"`)) {
				err = fmt.Errorf("answered %s", packet)
			}
		}
		if err = errors.Join(err, ws.Close()); err != nil {
			return fmt.Errorf("%s over a socket: %w", name, err)
		}
	}
	return nil
}

// sid opens a session by polling.
func sid(w *e2e.World, ctx context.Context) (string, error) {
	a, err := insists(w, ctx, "GET", "/socket.io/?EIO=4&transport=polling", "")
	if err != nil {
		return "", err
	}
	var open struct{ SID string }
	if err := json.Unmarshal(bytes.TrimPrefix(a.Body, []byte("0")), &open); err != nil || open.SID == "" {
		return "", fmt.Errorf("answered %d %s", a.Status, a.Body)
	}
	return open.SID, nil
}

// guessedSessions checks that neither random session ids nor variants of an own
// one are accepted.
func (s *siege) guessedSessions(ctx context.Context) error {
	there := s.World.From(address(fromForgers, 200))
	own, err := sid(there, ctx)
	if err != nil {
		return err
	}
	defer func() {
		_, _ = there.Request(ctx, "POST", "/socket.io/?EIO=4&transport=polling&sid="+own, "1", "Content-Type", "text/plain") // goodbye; it ends without, too
	}()
	guesses := []string{"0", strings.ToLower(own), own[:len(own)-1], own + "A", "%00" + own, "../" + own}
	for range 20 {
		guesses = append(guesses, rand.Text()[:24])
	}
	for _, guess := range guesses {
		for _, method := range []string{"GET", "POST"} {
			a, err := insists(there, ctx, method, "/socket.io/?EIO=4&transport=polling&sid="+guess, map[string]string{"POST": "40"}[method], "Content-Type", "text/plain")
			if err != nil {
				return err
			}
			if a.Status != http.StatusBadRequest || !bytes.Contains(a.Body, []byte(`"code":1`)) {
				return fmt.Errorf("%s of %s: answered %d %s", method, guess, a.Status, a.Body)
			}
		}
		ws, answer, err := s.webSocket(ctx, address(fromForgers, 201), "/socket.io/?EIO=4&transport=websocket&sid="+guess, nil)
		if err == nil {
			return errors.Join(fmt.Errorf("session %s was taken over", guess), ws.Close())
		}
		if answer == nil || answer.StatusCode != http.StatusBadRequest {
			return fmt.Errorf("a WebSocket for %s: answered %+v, %w", guess, answer, err)
		}
	}
	return nil
}
