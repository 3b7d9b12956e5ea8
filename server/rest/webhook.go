package rest

import (
	"context"
	"io"
	"net/http"

	"github.com/gin-gonic/gin"

	"wenzhen.example/rooms/billing"
)

// Payments takes what payment gateways call back with.
type Payments interface {
	Callback(ctx context.Context, gateway string, c billing.Callback) (contentType string, body []byte, err error)
}

// webhook hands a gateway's callback on, byte by byte as its signature covers
// it. Who calls is known by that signature alone.
func (s *server) webhook(c *gin.Context) {
	const command = "webhook"
	ctx, cancel := context.WithTimeout(c.Request.Context(), s.deps.CommandTimeout)
	defer cancel()
	body, err := io.ReadAll(http.MaxBytesReader(c.Writer, c.Request.Body, bodyBytes))
	if err != nil {
		s.refuse(c, command, bodyError("", err, bodyBytes))
		return
	}
	contentType, answer, err := s.deps.Payments.Callback(ctx, c.Param("gateway"), billing.Callback{Header: c.Request.Header, Body: body})
	if err != nil {
		s.refuse(c, command, err)
		return
	}
	c.Data(http.StatusOK, contentType, answer)
}
