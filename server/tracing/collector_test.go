package tracing

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
)

// How an answer of the collector is understood.
func TestAnswersOfTheCollector(t *testing.T) {
	t.Parallel()
	success := protowire.AppendTag(nil, 1, protowire.VarintType)
	success = protowire.AppendVarint(success, 3)
	response := protowire.AppendTag(nil, 7, protowire.VarintType) // something newer
	response = protowire.AppendVarint(response, 1)
	response = protowire.AppendTag(response, 1, protowire.BytesType)
	response = protowire.AppendBytes(response, success)

	var status int
	var header http.Header
	var body []byte
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for name := range header {
			w.Header().Set(name, header.Get(name))
		}
		w.WriteHeader(status)
		_, _ = w.Write(body)
	}))
	defer s.Close()
	c, err := newCollector(s.URL+"/otlp/", "")
	must(t, err)
	defer func() { must(t, c.Stop(t.Context())) }()
	if c.url != s.URL+"/otlp/v1/traces" {
		t.Errorf("it is sent to %s", c.url)
	}
	protobuf := http.Header{"Content-Type": {"application/x-protobuf"}}
	for _, a := range []struct {
		status int
		header http.Header
		body   []byte
		want   string
	}{
		{200, protobuf, nil, "<nil>"},
		{200, protobuf, response, "partly {3}"},
		{200, protobuf, []byte{0xff, 0xff}, "<nil>"},
		{200, http.Header{"Content-Type": {"application/json"}}, []byte("{}"), "<nil>"},
		{429, http.Header{"Retry-After": {"7"}}, nil, "later 7s"},
		{503, http.Header{"Retry-After": {"Fri, 31 Dec 2027 23:59:59 GMT"}}, nil, "later 0s"},
		{502, nil, nil, "later 0s"},
		{504, nil, nil, "later 0s"},
		{400, nil, nil, "the collector answers 400 Bad Request"},
		{401, nil, nil, "the collector answers 401 Unauthorized"},
		{302, http.Header{"Location": {"http://192.0.2.1/"}}, nil, "the collector answers 302 Found"},
	} {
		status, header, body = a.status, a.header, a.body
		err := c.UploadTraces(t.Context(), nil)
		got := fmt.Sprint(err)
		var some partly
		var again later
		if errors.As(err, &some) {
			got = fmt.Sprintf("partly {%d}", some.rejected)
		} else if errors.As(err, &again) {
			got = "later " + again.after.Round(time.Second).String()
		}
		if got != a.want {
			t.Errorf("%d %v is understood as %s, want %s", a.status, a.header, got, a.want)
		}
	}
	s.Close()
	var again later
	if err := c.UploadTraces(t.Context(), nil); !errors.As(err, &again) {
		t.Errorf("a collector that is gone: %v", err)
	}
}

func TestSettingsOfTheCollector(t *testing.T) {
	t.Parallel()
	for _, endpoint := range []string{"collector:4318", "ftp://collector", "http://", "http://user:secret@collector", "http://collector?key=secret", "http://collector#x", "://"} {
		if _, err := newCollector(endpoint, ""); err == nil {
			t.Errorf("%s is taken", endpoint)
		}
	}
	for _, headers := range []string{"x", "=x", "a=b,c"} {
		if _, err := newCollector("http://collector:4318", headers); err == nil {
			t.Errorf("headers %q are taken", headers)
		}
	}
	c, err := newCollector("https://collector", " Authorization = Basic YTpiPQ== ,X-Scope=a, ")
	must(t, err)
	if c.header.Get("Authorization") != "Basic YTpiPQ==" || c.header.Get("X-Scope") != "a" || c.url != "https://collector/v1/traces" {
		t.Errorf("%s %v", c.url, c.header)
	}
}

func TestSummaries(t *testing.T) {
	t.Parallel()
	for sql, want := range map[string]string{
		"SELECT 1":                                             "SELECT",
		"SELECT a FROM messages WHERE id = $1":                 "SELECT messages",
		"\n\tselect a\n\tFROM messages m":                      "SELECT messages",
		"SELECT EXISTS (SELECT 1 FROM messages WHERE id = $1)": "SELECT messages",
		"SELECT a FROM (SELECT b FROM waits) w":                "SELECT waits",
		"INSERT INTO rooms (id) VALUES ($1) ON CONFLICT (id) DO UPDATE SET a = excluded.a":   "INSERT rooms",
		"INSERT INTO rooms(id) SELECT id FROM waits":                                         "INSERT rooms",
		"UPDATE timers SET leased_until = $2":                                                "UPDATE timers",
		"DELETE FROM timers":                                                                 "DELETE timers",
		"WITH said AS (INSERT INTO log (id) VALUES ($1) RETURNING pos) SELECT pos FROM said": "INSERT log",
		"COMMIT":                      "COMMIT",
		"":                            "SQL",
		"SELECT pg_advisory_lock($1)": "SELECT",
	} {
		if got := summarized(sql); got != want {
			t.Errorf("%q is summarized as %q, want %q", sql, got, want)
		}
	}
}
