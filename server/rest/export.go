package rest

import (
	"context"
	"io"
	"mime"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"wenzhen.example/rooms"
)

// Exporter writes the archive of someone's data.
type Exporter interface {
	// Begin takes the right to make an archive for a user; end gives it back.
	Begin(user rooms.UserID) (end func(), err error)
	Write(ctx context.Context, actor rooms.Actor, w io.Writer) error
}

// exportTimeout bounds how long an export may take in all.
const exportTimeout = 30 * time.Minute

// export sends the archive as it is made. If it cannot be finished the
// connection breaks, so that what arrived is not taken for whole.
func (s *server) export(r Route, _ rooms.Handler) gin.HandlerFunc {
	return func(c *gin.Context) {
		ctx, cancel := context.WithTimeout(c.Request.Context(), exportTimeout)
		defer cancel()
		actor, err := s.actor(c, r)
		ctx, release := s.deps.Leases.Start(ctx, actor)
		defer release()
		var end func()
		if err == nil {
			end, err = s.deps.Exporter.Begin(actor.UserID)
		}
		if err == nil {
			defer end()
			_, err = s.deps.Catalogue.Answer(ctx, actor, r.Command, nil)
		}
		if err != nil {
			s.refuse(c, r.Command, err)
			return
		}
		h := c.Writer.Header()
		h.Set("Content-Type", "application/zip")
		h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": "wenzhen-" + s.deps.Now().Format("2006-01-02") + ".zip"}))
		h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
		c.Status(r.Status)
		w, done := s.writeSlowly(ctx, c.Writer)
		defer done()
		if err := s.deps.Exporter.Write(ctx, actor, w); err != nil {
			if ctx.Err() == nil { // otherwise the client went away, or their session has ended
				s.deps.Log.ErrorContext(ctx, "export failed", "traceId", traceID(c), "error", err)
			}
			panic(http.ErrAbortHandler)
		}
	}
}
