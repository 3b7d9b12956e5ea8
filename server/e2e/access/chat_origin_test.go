package access_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/gorilla/websocket"

	"wenzhen.example/server/app"
	"wenzhen.example/server/e2e"
)

// The plain chat lets pages in that Socket.IO lets in, and programs, which have
// no Origin.
func TestChatChecksOrigins(t *testing.T) {
	t.Parallel()
	w := e2e.Start(t, func(c *app.Config) {
		c.PublicURL, c.Origins = "https://clinic.example/", []string{"https://app.example/"} // as operators write them, too (FLD-20)
	})
	own := strings.Replace(w.Base, "http://", "", 1)
	for origin, allowed := range map[string]bool{"": true, "https://app.example": true, "https://clinic.example": true, "http://" + own: true,
		"https://evil.example": false, "https://app.example.evil.example": false, "http://app.example": false, "null": false} {
		header := http.Header{}
		if origin != "" {
			header.Set("Origin", origin)
		}
		ws, resp, err := websocket.DefaultDialer.DialContext(t.Context(), "ws://"+own+"/chat", header)
		if (err == nil) != allowed {
			t.Errorf("from %q: %v", origin, err)
		}
		if err == nil {
			e2e.Must(t, ws.Close())
		} else if resp == nil || resp.StatusCode != http.StatusForbidden {
			t.Errorf("from %q: %+v", origin, resp)
		}
	}
}
