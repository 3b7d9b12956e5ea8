package rest

import (
	"io/fs"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"wenzhen.example/rooms"
)

// frontend serves the built application: its files by their names, and its
// page for every other path that a browser asks for, as its router wants.
func (s *server) frontend() gin.HandlerFunc {
	files := http.FS(s.deps.App)
	return func(c *gin.Context) {
		path := strings.TrimPrefix(c.Request.URL.Path, "/")
		if (c.Request.Method != http.MethodGet && c.Request.Method != http.MethodHead) || strings.HasPrefix(path, "api/") {
			s.refuse(c, "-", rooms.NotFound("route"))
			return
		}
		if s.deps.App == nil {
			c.Data(http.StatusOK, "text/html; charset=utf-8", s.deps.Unbuilt)
			return
		}
		info, err := fs.Stat(s.deps.App, path)
		switch {
		case path != "" && err == nil && !info.IsDir():
			c.Header("Cache-Control", revalidate)
			if strings.HasPrefix(path, "assets/") { // their names change with their content
				c.Header("Cache-Control", "public, max-age=31536000, immutable")
			}
			c.FileFromFS(path, files)
		case strings.HasPrefix(path, "assets/"):
			c.Status(http.StatusNotFound)
		default:
			page, err := fs.ReadFile(s.deps.App, "index.html")
			if err != nil {
				s.refuse(c, "-", err)
				return
			}
			c.Header("Cache-Control", revalidate)
			c.Data(http.StatusOK, "text/html; charset=utf-8", page)
		}
	}
}
