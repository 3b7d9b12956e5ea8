package rest

import (
	"context"
	"io"
	"mime"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"wenzhen/rooms"
)

// Exporter writes the archive of someone's data.
type Exporter interface {
	// Begin takes the right to make an archive for a user; end gives it back.
	Begin(user rooms.UserID) (end func(), err error)
	Write(ctx context.Context, actor rooms.Actor, w io.Writer) error
}

// Bounds of an export: how long it may take in all, and how long a client may
// leave what was written unread.
const (
	exportTimeout = 30 * time.Minute
	exportStalled = time.Minute
)

// export sends the archive as it is made. If it cannot be finished the
// connection breaks, so that what arrived is not taken for whole.
func (s *server) export(r Route, _ rooms.Bound) gin.HandlerFunc {
	return func(c *gin.Context) {
		ctx, cancel := context.WithTimeout(c.Request.Context(), exportTimeout)
		defer cancel()
		actor, err := s.actor(c, r)
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
		h.Set("Cache-Control", "private, no-store")
		c.Status(r.Status)
		to := &patient{to: c.Writer, control: http.NewResponseController(c.Writer)}
		if err := s.deps.Exporter.Write(ctx, actor, to); err != nil {
			if c.Request.Context().Err() == nil { // otherwise it is the client who went away
				s.deps.Log.ErrorContext(ctx, "export failed", "traceId", traceID(c), "error", err)
			}
			panic(http.ErrAbortHandler)
		}
		_ = to.control.SetWriteDeadline(time.Time{}) // the connection may be used again; if it cannot, it breaks by itself
	}
}

// patient writes to a client that may take its time, but must not stand still.
type patient struct {
	to      io.Writer
	control *http.ResponseController
}

// Write implements io.Writer.
func (p *patient) Write(b []byte) (int, error) {
	if err := p.control.SetWriteDeadline(time.Now().Add(exportStalled)); err != nil {
		return 0, err
	}
	return p.to.Write(b)
}
