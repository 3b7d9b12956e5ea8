package rest

import (
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/gin-gonic/gin"

	"wenzhen.example/rooms"
)

// statuses maps the codes of errors to HTTP.
var statuses = map[rooms.Code]int{
	rooms.CodeInvalid:         http.StatusBadRequest,
	rooms.CodeUnauthenticated: http.StatusUnauthorized,
	rooms.CodePaymentRequired: http.StatusPaymentRequired,
	rooms.CodeForbidden:       http.StatusForbidden,
	rooms.CodeNotFound:        http.StatusNotFound,
	rooms.CodeConflict:        http.StatusConflict,
	rooms.CodeClosed:          http.StatusConflict,
	rooms.CodeTooLarge:        http.StatusRequestEntityTooLarge,
	rooms.CodeRateLimited:     http.StatusTooManyRequests,
	rooms.CodeInternal:        http.StatusInternalServerError,
	rooms.CodeUnavailable:     http.StatusServiceUnavailable,
}

// Problem is an error as RFC 9457 writes it, with ours as extension members.
type Problem struct {
	Type     string `json:"type"`
	Title    string `json:"title"`
	Status   int    `json:"status"`
	Detail   string `json:"detail"`
	Instance string `json:"instance"`

	Code         rooms.Code `json:"code"`
	Field        string     `json:"field,omitempty"`
	Retryable    bool       `json:"retryable"`
	RetryAfterMs int64      `json:"retryAfterMs,omitempty"`
	TraceID      string     `json:"traceId"`
	// State is the present state of what a conflict is about.
	State string `json:"state,omitempty"`
	// Warnings are what a prescription was refused for.
	Warnings json.RawMessage `json:"warnings,omitempty"`
}

// refuse ends the request with err as a problem.
func (s *server) refuse(c *gin.Context, command string, err error) {
	e := rooms.Refusal(c.Request.Context(), s.deps.Log, command, traceID(c), err)
	c.Set(codeKey, string(e.Code))
	s.problem(c, statuses[e.Code], e)
}

func (s *server) problem(c *gin.Context, status int, e *rooms.Error) {
	if e.RetryAfterMs > 0 {
		c.Header("Retry-After", strconv.FormatInt((e.RetryAfterMs+999)/1000, 10))
	}
	if e.Code == rooms.CodeInvalid && e.Warnings != nil {
		status = http.StatusUnprocessableEntity // the input is well formed, and the prescription is not safe
	}
	if status == http.StatusUnauthorized {
		c.Header("WWW-Authenticate", `Bearer realm="wenzhen"`)
	}
	c.Header("Content-Type", "application/problem+json")
	c.AbortWithStatusJSON(status, Problem{
		Type: "urn:wenzhen:problem:" + string(e.Code), Title: http.StatusText(status), Status: status, Detail: e.Message, Instance: c.Request.URL.Path,
		Code: e.Code, Field: e.Field, Retryable: e.Retryable, RetryAfterMs: e.RetryAfterMs, TraceID: traceID(c), State: e.Status, Warnings: e.Warnings,
	})
}
