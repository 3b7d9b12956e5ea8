package rest

import (
	"context"
	"encoding/json"
	"mime"
	"net/http"
	"net/url"

	"github.com/gin-gonic/gin"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/record"
)

// Printer makes PDF of signed documents.
type Printer interface {
	Print(ctx context.Context, v record.Printout) ([]byte, error)
}

// FHIR answers the read API of FHIR R4.
type FHIR interface {
	// Answer answers GET [base]/path?query with a resource as JSON; path is
	// "metadata", "Type" or "Type/id".
	Answer(ctx context.Context, actor rooms.Actor, path string, query url.Values) ([]byte, error)
	// Outcome is an error as an OperationOutcome.
	Outcome(e *rooms.Error) []byte
}

// print answers with the PDF of what a command says is to be printed.
func (s *server) print(r Route, command rooms.Handler) gin.HandlerFunc {
	read := inputOf(r, command)
	return func(c *gin.Context) {
		ctx, cancel := context.WithTimeout(c.Request.Context(), s.deps.CommandTimeout)
		defer cancel()
		actor, err := s.actor(c, r)
		var in, out json.RawMessage
		if err == nil {
			in, err = read(c, actor)
		}
		if err == nil {
			out, err = s.deps.Catalogue.Answer(ctx, actor, r.Command, in)
		}
		var v record.Printout
		if err == nil {
			err = json.Unmarshal(out, &v)
		}
		var pdf []byte
		if err == nil {
			pdf, err = s.deps.Printer.Print(ctx, v)
		}
		if err != nil {
			s.refuse(c, r.Command, err)
			return
		}
		h := c.Writer.Header()
		h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": string(v.Kind) + "-" + string(v.Head().ID) + ".pdf"}))
		h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
		c.Data(r.Status, "application/pdf", pdf)
	}
}

// fhir answers the FHIR API. It has its own way of saying what went wrong.
func (s *server) fhir(c *gin.Context) {
	ctx, cancel := context.WithTimeout(c.Request.Context(), s.deps.CommandTimeout)
	defer cancel()
	actor, err := s.actor(c, Route{})
	status, body := http.StatusOK, []byte(nil)
	if err == nil {
		body, err = s.deps.FHIR.Answer(ctx, actor, c.Param("path")[1:], c.Request.URL.Query())
	}
	if err != nil {
		e := rooms.Refusal(ctx, s.deps.Log, "fhir", traceID(c), err)
		c.Set(codeKey, string(e.Code))
		status, body = statuses[e.Code], s.deps.FHIR.Outcome(e)
	}
	if status == http.StatusUnauthorized {
		c.Header("WWW-Authenticate", `Bearer realm="wenzhen"`)
	}
	c.Data(status, "application/fhir+json; charset=utf-8", body)
}
