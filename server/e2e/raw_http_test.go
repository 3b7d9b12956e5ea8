package e2e_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"wenzhen/rooms"
)

// answered is what came back over HTTP.
type answered struct {
	status  int
	header  http.Header
	body    []byte
	problem problem
}

// problem is RFC 9457 with our members.
type problem struct {
	Type, Title, Detail, Instance string
	Status                        int
	Code                          rooms.Code
	Field, State, TraceID         string
	Retryable                     bool
	RetryAfterMs                  int64
}

// ask sends a request that no client would, as whom the token says.
func (w *world) ask(t testing.TB, method, path, token, body string, headers ...string) answered {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, w.base+path, strings.NewReader(body))
	must(t, err)
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		if headers[i] != "" {
			request.Header.Set(headers[i], headers[i+1])
		}
	}
	response, err := w.http.Do(request)
	must(t, err)
	defer response.Body.Close()
	a := answered{status: response.StatusCode, header: response.Header}
	a.body, err = io.ReadAll(response.Body)
	must(t, err)
	if response.Header.Get("Content-Type") == "application/problem+json" {
		must(t, json.Unmarshal(a.body, &a.problem))
	}
	return a
}
