package e2e

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"wenzhen.example/rooms"
)

// Answered is what came back over HTTP.
type Answered struct {
	Status  int
	Header  http.Header
	Body    []byte
	Problem problem
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

// Ask sends a request that no client would, as whom the token says.
func (w *World) Ask(t testing.TB, method, path, token, body string, headers ...string) Answered {
	t.Helper()
	if token != "" {
		headers = append([]string{"Authorization", "Bearer " + token}, headers...)
	}
	a, err := w.Request(t.Context(), method, path, body, headers...)
	Must(t, err)
	return a
}

// Request is ask outside of a test's own goroutine.
func (w *World) Request(ctx context.Context, method, path, body string, headers ...string) (a Answered, err error) {
	request, err := http.NewRequestWithContext(ctx, method, w.Base+path, strings.NewReader(body))
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
	response, err := w.HTTP.Do(request)
	if err != nil {
		return a, err
	}
	defer response.Body.Close()
	a = Answered{Status: response.StatusCode, Header: response.Header}
	if a.Body, err = io.ReadAll(response.Body); err == nil && response.Header.Get("Content-Type") == "application/problem+json" {
		err = json.Unmarshal(a.Body, &a.Problem)
	}
	return a, err
}
