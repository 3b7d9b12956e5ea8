package e2e_test

import (
	"context"
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
	if token != "" {
		headers = append([]string{"Authorization", "Bearer " + token}, headers...)
	}
	a, err := w.request(t.Context(), method, path, body, headers...)
	must(t, err)
	return a
}

// request is ask outside of a test's own goroutine.
func (w *world) request(ctx context.Context, method, path, body string, headers ...string) (a answered, err error) {
	request, err := http.NewRequestWithContext(ctx, method, w.base+path, strings.NewReader(body))
	if err != nil {
		return a, err
	}
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		if headers[i] != "" {
			request.Header.Set(headers[i], headers[i+1])
		}
	}
	response, err := w.http.Do(request)
	if err != nil {
		return a, err
	}
	defer response.Body.Close()
	a = answered{status: response.StatusCode, header: response.Header}
	if a.body, err = io.ReadAll(response.Body); err == nil && response.Header.Get("Content-Type") == "application/problem+json" {
		err = json.Unmarshal(a.body, &a.problem)
	}
	return a, err
}
