package hostile_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/chat"
	"wenzhen.example/server/e2e"
)

// Whatever is asked over REST, the answer is a problem that says what is wrong.
func TestBadInputOverREST(t *testing.T) {
	t.Parallel()
	w := e2e.Start(t)
	bo, wang := w.Patient("bo"), w.Doctor("wang")
	id := bo.Consults(wang, "a headache")
	wang.Accepts(id)
	first := e2e.TextOf(id, "first")
	first.ClientID = "used-before"
	e2e.Do(bo, chat.Send, first)

	here := "/api/v1/consultations/" + string(id)
	message := func(fields string) string { return `{"kind":"text",` + fields + `}` }
	for _, c := range []struct {
		name, method, path, body string
		as                       *e2e.Person // bo by default
		header, value            string
		status                   int
		code                     rooms.Code
		field, state             string
	}{
		{name: "malformed JSON", method: "POST", path: here + "/messages", body: `{"kind":`, status: 400, code: rooms.CodeInvalid},
		{name: "malformed JSON without parameters", method: "POST", path: "/api/v1/consultations", body: `{"kind":`, status: 400, code: rooms.CodeInvalid},
		{name: "trailing junk", method: "POST", path: here + "/messages", body: `{} {}`, status: 400, code: rooms.CodeInvalid},
		{name: "array", method: "POST", path: here + "/messages", body: `[]`, status: 400, code: rooms.CodeInvalid},
		{name: "null", method: "POST", path: here + "/messages", body: `null`, status: 400, code: rooms.CodeInvalid},
		{name: "no body", method: "POST", path: here + "/messages", status: 400, code: rooms.CodeInvalid, field: "clientId"},
		{name: "not JSON", method: "POST", path: here + "/messages", body: "a=b", header: "Content-Type", value: "application/x-www-form-urlencoded", status: 400, code: rooms.CodeInvalid},
		{name: "wrong type", method: "POST", path: here + "/messages", body: message(`"clientId":"x","text":5`), status: 400, code: rooms.CodeInvalid, field: "text"},
		{name: "wrong type deep inside", method: "PATCH", path: "/api/v1/me/doctor", body: `{"services":[{"price":"free"}]}`, as: wang, status: 400, code: rooms.CodeInvalid, field: "services[0].price"},
		{name: "given twice", method: "POST", path: here + "/messages", body: message(`"clientId":"x","text":"one","text":"two"`), status: 400, code: rooms.CodeInvalid, field: "text"},
		{name: "given twice, without a parameter", method: "POST", path: "/api/v1/consultations", body: `{"complaint":"one","complaint":"two"}`, status: 400, code: rooms.CodeInvalid, field: "complaint"},
		{name: "given twice, by a browser", method: "POST", path: "/api/v1/auth/oidc/finish", body: `{"ticket":"any","browser":"one","browser":"two"}`, status: 400, code: rooms.CodeInvalid, field: "browser"},
		{name: "given twice, in a form", method: "POST", path: "/api/v1/auth/oidc/any/logout", body: "logout_token=one&logout_token=two", header: "Content-Type", value: "application/x-www-form-urlencoded", status: 400, code: rooms.CodeInvalid, field: "logout_token"},
		{name: "given twice, in a query", method: "GET", path: here + "/messages?limit=1&limit=2", status: 400, code: rooms.CodeInvalid, field: "limit"},
		{name: "2 MB", method: "POST", path: here + "/messages", body: message(`"clientId":"x","text":"` + strings.Repeat("x", 2<<20) + `"`), status: 413, code: rooms.CodeTooLarge},
		{name: "text of 100 kB", method: "POST", path: here + "/messages", body: message(`"clientId":"x","text":"` + strings.Repeat("x", 100_000) + `"`), status: 413, code: rooms.CodeTooLarge, field: "text"},
		{name: "invalid UTF-8", method: "POST", path: here + "/messages", body: message("\"clientId\":\"x\",\"text\":\"\xff\xfe\""), status: 400, code: rooms.CodeInvalid},
		{name: "client id used for something else", method: "POST", path: here + "/messages", body: message(`"clientId":"used-before","text":"second"`), status: 409, code: rooms.CodeConflict, field: "clientId"},
		{name: "state conflict", method: "POST", path: here + "/accept", as: wang, status: 409, code: rooms.CodeConflict, state: "active"},
		{name: "limit is no number", method: "GET", path: here + "/messages?limit=many", status: 400, code: rooms.CodeInvalid, field: "limit"},
		{name: "limit too high", method: "GET", path: here + "/messages?limit=201", status: 400, code: rooms.CodeInvalid, field: "limit"},
		{name: "number beyond all bounds", method: "GET", path: here + "/events?after=99999999999999999999", status: 400, code: rooms.CodeInvalid, field: "after"},
		{name: "negative after", method: "GET", path: here + "/events?after=-1", status: 400, code: rooms.CodeInvalid, field: "after"},
		{name: "someone else's cursor", method: "GET", path: "/api/v1/consultations?cursor=!", status: 400, code: rooms.CodeInvalid, field: "cursor"},
		{name: "unknown status", method: "GET", path: "/api/v1/consultations?status=asleep", status: 400, code: rooms.CodeInvalid, field: "status"},
		{name: "search for an empty text", method: "GET", path: "/api/v1/messages?q=%20", status: 400, code: rooms.CodeInvalid, field: "q"},
		{name: "unknown consultation", method: "GET", path: "/api/v1/consultations/none", status: 404, code: rooms.CodeNotFound},
		{name: "unknown attachment", method: "GET", path: "/api/v1/attachments/none", status: 404, code: rooms.CodeNotFound},
		{name: "U+0000 in a text", method: "POST", path: here + "/messages", body: message(`"clientId":"x","text":"a\u0000b"`), status: 400, code: rooms.CodeInvalid, field: "text"},
		{name: "U+0000 in a list", method: "PATCH", path: "/api/v1/me/doctor", body: `{"languages":["zh","\u0000"]}`, as: wang, status: 400, code: rooms.CodeInvalid, field: "languages[1]"},
		{name: "U+0000 in a path", method: "GET", path: "/api/v1/consultations/%00", status: 400, code: rooms.CodeInvalid, field: "consultationId"},
		{name: "U+0000 in a query", method: "GET", path: "/api/v1/messages?q=a%00b", status: 400, code: rooms.CodeInvalid, field: "q"},
		{name: "U+0000 in a file's path", method: "GET", path: "/api/v1/attachments/%00", status: 404, code: rooms.CodeNotFound},
		{name: "born in 2999", method: "POST", path: "/api/v1/me/patients", body: `{"name":"x","relation":"child","birthDate":"2999-12-31"}`, status: 400, code: rooms.CodeInvalid, field: "birthDate"},
		{name: "price that overflows", method: "PATCH", path: "/api/v1/me/doctor", body: `{"services":[{"service":"advice","medium":"text","price":92233720368547759,"currency":"CNY","minutes":15}]}`, as: wang, status: 400, code: rooms.CodeInvalid, field: "services[0].price"},
		{name: "unknown route", method: "GET", path: "/api/v1/none", status: 404, code: rooms.CodeNotFound},
		{name: "wrong method", method: "DELETE", path: "/api/v1/doctors", status: 405, code: rooms.CodeInvalid},
		{name: "upload that is none", method: "POST", path: here + "/attachments", body: `{}`, status: 400, code: rooms.CodeInvalid, field: "file"},
		{name: "nonsense for a token", method: "GET", path: "/api/v1/me", header: "Authorization", value: "Bearer nonsense", status: 401, code: rooms.CodeUnauthenticated},
		{name: "another scheme", method: "GET", path: "/api/v1/me", header: "Authorization", value: "Basic Ym86Ym8=", status: 401, code: rooms.CodeUnauthenticated},
		{name: "taken address", method: "POST", path: "/api/v1/auth/register", body: fmt.Sprintf(`{"role":"patient","name":"x","email":%q,"password":"violet harbour"}`, bo.User.Email), status: 409, code: rooms.CodeConflict, field: "email"},
		{name: "self-made admin", method: "POST", path: "/api/v1/auth/register", body: `{"role":"admin","name":"x","email":"x@wenzhen.example","password":"violet harbour"}`, status: 400, code: rooms.CodeInvalid, field: "role"},
		{name: "short password", method: "POST", path: "/api/v1/auth/register", body: `{"role":"patient","name":"x","email":"x@wenzhen.example","password":"1234567"}`, status: 400, code: rooms.CodeInvalid, field: "password"},
		{name: "no address", method: "POST", path: "/api/v1/auth/register", body: `{"role":"patient","name":"x","email":"x","password":"violet harbour"}`, status: 400, code: rooms.CodeInvalid, field: "email"},
	} {
		t.Run(c.name, func(t *testing.T) {
			who := bo
			if c.as != nil {
				who = c.as
			}
			got := w.Ask(t, c.method, c.path, who.Tokens().AccessToken, c.body, c.header, c.value)
			p := got.Problem
			if got.Status != c.status || p.Status != c.status || p.Code != c.code || p.Field != c.field || p.State != c.state || p.Detail == "" || p.TraceID == "" {
				t.Errorf("got %d %s\nwant %d, code %q, field %q, state %q", got.Status, got.Body, c.status, c.code, c.field, c.state)
			}
			if path, _, _ := strings.Cut(c.path, "?"); p.Instance != strings.ReplaceAll(path, "%00", "\x00") || p.Type == "" || p.Title != http.StatusText(c.status) {
				t.Errorf("not as RFC 9457 has it: %s", got.Body)
			}
		})
	}
	if n := len(e2e.Do(bo, chat.History, chat.HistoryInput{ConsultationID: id}).Items); n != 1 {
		t.Errorf("%d messages, want the first alone", n)
	}
}
