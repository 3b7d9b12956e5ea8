package access_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"wenzhen.example/server/e2e"
	"wenzhen.example/server/rest"
)

// FuzzREST: whatever is asked of whatever route by whomever, it is answered as
// the route says or with a problem of RFC 9457 that names what the client did
// wrong; nothing fails on the server, and what is bo's reaches no stranger.
func FuzzREST(f *testing.F) {
	p := newProvider(f)
	w, rung := e2e.Fuzzed(f, with(f, p.config("there")))
	h := furnished(w, f)
	byName := map[string]rest.Route{}
	var routes []rest.Route
	for _, r := range append(rest.Routes(), otherRoutes...) {
		routes = append(routes, r)
		byName[r.Method+" "+r.Path] = r
	}
	for i, r := range routes {
		f.Add(r.Method+" "+r.Path, askers[i%len(askers)], "", h.sample(f, r))
	}
	for _, q := range []string{"limit=%2B5", "limit=007", "limit=-0", "unread=1&unread=x", "limit=99999999999999999999", "cursor=%00%ff", "after=2026-13-01T00:00:00Z"} {
		f.Add("GET /notifications", "bo", q, []byte(nil))
		f.Add("GET /appointments", "wang", q, []byte(nil))
	}
	for _, at := range []string{"9999-12-31T23:00:00-23:59", "0000-01-01T00:00:00+23:59", "2026-11-21T24:00:00Z", "2026-11-21T10:00:00.999999999Z"} {
		f.Add("POST /me/schedule/exceptions", "wang", "", []byte(`{"kind":"time_off","start":"`+at+`","end":"9999-12-31T23:30:00-23:59","note":"\u0000"}`))
		f.Add("POST /waitlist", "bo", "", []byte(`{"doctorId":"$doctor","from":"`+at+`","to":"9999-12-31T23:30:00-23:59","medium":"text","service":"advice","complaint":"x"}`))
	}
	f.Fuzz(func(t *testing.T, name, who, query string, body []byte) {
		r, known := byName[name]
		if !known {
			r = routes[int(hashOf(name))%len(routes)]
		}
		ask := func() e2e.Answered {
			here := &house{World: h.In(t), bo: h.bo, wang: h.wang, things: h.things, tokens: h.tokens}
			return here.asks(t, r, who, query, body)
		}
		a := ask()
		if a.Status == http.StatusUnauthorized && !r.Anonymous && h.token(who) != "" && w.Ask(t, "GET", "/api/v1/me", h.token(who), "").Status != http.StatusOK {
			// The login was given up, or its user was suspended: on with others.
			h = furnished(w.In(t), t)
			a = ask()
		}
		judged(t, r, a)
		if (who == "jing" || who == "guest") && bytes.Contains(a.Body, []byte(e2e.Secret)) {
			t.Errorf("%s receives bo's data: %s", who, a.Body)
		}
		if alive := w.Ask(t, "GET", "/readyz", "", ""); alive.Status != http.StatusOK {
			t.Errorf("afterwards the server is not ready: %d %s", alive.Status, alive.Body)
		}
		rung.Silent(t)
	})
}

// otherRoutes are routes that no command stands behind, or not as JSON.
var otherRoutes = []rest.Route{
	{Method: "POST", Path: "/webhooks/sandbox", Anonymous: true}, {Method: "POST", Path: "/webhooks/stripe", Anonymous: true},
	{Method: "GET", Path: "/fhir/R4/metadata"}, {Method: "GET", Path: "/fhir/R4/Patient"}, {Method: "GET", Path: "/fhir/R4/Slot"},
	{Method: "GET", Path: "/fhir/R4/Appointment"}, {Method: "GET", Path: "/fhir/R4/Communication"}, {Method: "GET", Path: "/fhir/R4/MedicationRequest"},
	{Method: "GET", Path: "/config"}, {Method: "GET", Path: "/nowhere"},
}

// askers are those who ask: bo and wang have a consultation, jing is a stranger.
var askers = []string{"bo", "wang", "admin", "jing", "guest"}

// token is that of an asker; "" for a guest.
func (h *house) token(who string) string {
	switch who {
	case "bo":
		return h.bo.Tokens().AccessToken
	case "wang":
		return h.wang.Tokens().AccessToken
	case "admin":
		return h.Admin.Tokens().AccessToken
	case "jing":
		return h.tokens[otherPatient]
	}
	return ""
}

// names are what inputs call things by: a corpus outlives the ids.
func (h *house) names() []string {
	b := h.things
	return []string{"$consultation", string(b.consultation), "$message", string(b.message), "$attachment", string(b.attachment), "$profile", string(b.profile),
		"$session", string(b.session), "$user", string(b.user), "$doctor", string(b.doctor), "$unverified", string(b.unverified), "$appointment", string(b.appointment),
		"$exception", string(b.exception), "$wait", string(b.wait), "$call", string(b.call), "$order", string(b.order), "$diagnosis", string(b.diagnosis),
		"$prescription", string(b.prescription), "$draft", string(b.draft), "$drugs", string(b.drugs), "$patient", string(b.patient), "$slot", b.slot.Format("2006-01-02T15:04:05Z")}
}

// sample is a body that makes sense to a route, without ids.
func (h *house) sample(t testing.TB, r rest.Route) []byte {
	t.Helper()
	c, there := h.Server.Catalogue().Command(r.Command)
	if !there {
		return nil
	}
	raw, err := json.Marshal(rowOf(c).in(h.things))
	e2e.Must(t, err)
	names := h.names()
	for i := 0; i < len(names); i += 2 {
		names[i], names[i+1] = names[i+1], names[i]
	}
	return []byte(strings.NewReplacer(append(names, e2e.Secret, "words")...).Replace(string(raw)))
}

// asks sends a body to a route whose path leads to bo's things.
func (h *house) asks(t testing.TB, r rest.Route, who, query string, body []byte) e2e.Answered {
	t.Helper()
	path := r.Path
	if c, there := h.Server.Catalogue().Command(r.Command); there {
		raw, err := json.Marshal(rowOf(c).in(h.things))
		e2e.Must(t, err)
		fields := map[string]any{}
		e2e.Must(t, json.Unmarshal(raw, &fields))
		for name, value := range fields {
			if name == "provider" {
				value = "there"
			}
			path = strings.ReplaceAll(path, ":"+name, url.PathEscape(fmt.Sprint(value)))
		}
	}
	real := strings.NewReplacer(h.names()...)
	contentType, _ := r.Media()
	switch contentType {
	case "":
		contentType = "application/json"
	case "multipart/form-data":
		contentType += "; boundary=b"
	}
	return h.Ask(t, r.Method, "/api/v1"+path+"?"+plainQuery(real.Replace(query)), h.token(who), real.Replace(string(body)), "Content-Type", contentType)
}

// plainQuery is a query that HTTP can carry.
func plainQuery(s string) string {
	var b strings.Builder
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c >= 0x7f || c == '#' {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

func hashOf(s string) uint32 {
	h := fnv.New32a()
	h.Write([]byte(s))
	return h.Sum32()
}

// judged makes sure that an answer is one of those that a route may give.
func judged(t testing.TB, r rest.Route, a e2e.Answered) {
	t.Helper()
	asked := r.Method + " " + r.Path
	kind, _, _ := strings.Cut(a.Header.Get("Content-Type"), ";")
	switch {
	case a.Status >= 500:
		t.Errorf("%s: %d %s", asked, a.Status, a.Body)
	case strings.HasPrefix(r.Path, "/fhir/"): // answers with resources, errors too
		if !json.Valid(a.Body) || kind != "application/fhir+json" {
			t.Errorf("%s: %d is answered with %s %q", asked, a.Status, kind, a.Body)
		}
	case a.Status >= 400:
		p := a.Problem
		if kind != "application/problem+json" || e2e.Refusals[p.Code] != a.Status || p.Status != a.Status || p.Title != http.StatusText(a.Status) ||
			p.Type != "urn:wenzhen:problem:"+string(p.Code) || p.Detail == "" || p.TraceID == "" || !strings.HasPrefix(p.Instance, "/api/v1/") {
			t.Errorf("%s: %d is no problem as RFC 9457 has it: %s %q", asked, a.Status, kind, a.Body)
		}
	case r.Command == "":
	case a.Status != r.Status:
		t.Errorf("%s: %d, want %d", asked, a.Status, r.Status)
	case a.Status == http.StatusNoContent:
		if len(a.Body) > 0 {
			t.Errorf("%s: %d with a body: %q", asked, a.Status, a.Body)
		}
	case kind == "application/json" && !json.Valid(a.Body):
		t.Errorf("%s: the answer is no JSON: %q", asked, a.Body)
	}
}
