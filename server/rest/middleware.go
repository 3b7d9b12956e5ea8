package rest

import (
	"cmp"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net/http"
	"regexp"
	"runtime/debug"
	"time"

	"github.com/gin-gonic/gin"

	"wenzhen.example/rooms"
)

// Keys of what a request's handlers leave for what runs around them.
const (
	requestIDKey = "requestId"
	codeKey      = "code" // of the failure
)

// traced makes what a request asks for part of a trace. Probes come every few
// seconds and files of the frontend are requested all the time: neither is worth a trace.
func (s *server) traced(c *gin.Context) {
	route := c.FullPath()
	switch route {
	case "", "/healthz", "/readyz":
		return
	}
	ctx, end := s.deps.Trace(c.Request, route)
	c.Request = c.Request.WithContext(ctx)
	defer func() { end(c.Writer.Status(), rooms.Code(c.GetString(codeKey))) }()
	c.Next()
}

// requestID gives every request a name, which its answer and its log line
// carry. A sane one that the client gives is kept.
func (s *server) requestID(c *gin.Context) {
	id := c.GetHeader("X-Request-Id")
	if !rooms.ValidID(id) {
		id = rooms.TraceID(c.Request.Context())
	}
	if id == "" {
		var b [8]byte
		_, _ = rand.Read(b[:]) // never fails (crypto/rand)
		id = hex.EncodeToString(b[:])
	}
	c.Set(requestIDKey, id)
	c.Header("X-Request-Id", id)
	c.Next()
}

// traceID is the traceId of a problem: the trace's, or the name of the request
// where nothing is traced.
func traceID(c *gin.Context) string {
	return cmp.Or(rooms.TraceID(c.Request.Context()), c.GetString(requestIDKey))
}

// logged writes one line per request, without who asked and what was said.
func (s *server) logged(c *gin.Context) {
	start := time.Now()
	c.Next()
	route := c.FullPath()
	if route == "" {
		route = "-"
	}
	s.deps.Requested(c.Request.Method, route, c.Writer.Status())
	log := s.deps.Log
	if id := rooms.TraceID(c.Request.Context()); id != "" {
		log = log.With("traceId", id)
	}
	log.DebugContext(c.Request.Context(), "request", "method", c.Request.Method, "route", route,
		"status", c.Writer.Status(), "bytes", c.Writer.Size(), "took", time.Since(start), "requestId", c.GetString(requestIDKey))
}

// observed tells how a command went.
func (s *server) observed(r Route) gin.HandlerFunc {
	return func(c *gin.Context) {
		began, code := s.deps.Now(), rooms.CodeInternal // unless a panic passes by
		defer func() { s.deps.Observe(r.Command, code, s.deps.Now().Sub(began)) }()
		c.Next()
		code = rooms.Code(c.GetString(codeKey))
	}
}

// recovered answers a panic like any other failure.
func (s *server) recovered(c *gin.Context) {
	defer func() {
		switch p := recover(); p {
		case nil:
		case http.ErrAbortHandler:
			panic(p)
		default:
			s.refuse(c, c.FullPath(), fmt.Errorf("panic: %v\n%s", p, debug.Stack()))
		}
	}()
	c.Next()
}

// policy lets pages load from us alone, and run no inline script or style.
// Pictures and sounds of a consultation are blobs: they are fetched with the
// access token. Sockets of our own host are named because older browsers do not
// count them as 'self'.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; font-src 'self'; " +
	"connect-src 'self'%s; manifest-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

// plainHost is a host and port without a character that means something in a policy.
var plainHost = regexp.MustCompile(`^[A-Za-z0-9.:\[\]_-]+$`)

// policyFor is the policy for pages of a host.
func policyFor(host string) string {
	sockets := ""
	if plainHost.MatchString(host) {
		sockets = " ws://" + host + " wss://" + host
	}
	return fmt.Sprintf(policy, sockets)
}

// secured sets what holds for every answer that says nothing else: pages may do
// little, and nothing is kept by caches, because most answers have personal data.
func secured(c *gin.Context) {
	h := c.Writer.Header()
	h.Set("Cache-Control", noStore)
	h.Set("Content-Security-Policy", policyFor(c.Request.Host))
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(self), microphone=(self), display-capture=(self), geolocation=()")
	c.Next()
}

// noStore keeps an answer out of every cache; public ones are asked for anew.
const (
	noStore    = "private, no-store"
	revalidate = "no-cache"
)
