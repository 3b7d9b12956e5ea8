package rest

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"sync"
	"time"

	"github.com/gin-gonic/gin"
)

// clientFile is a file of the official Socket.IO client, which the frontend was
// built with.
type clientFile struct {
	contentType   string
	tag           string
	plain, zipped []byte
}

func newClientFile(name string, content []byte) clientFile {
	hash := sha256.Sum256(content)
	f := clientFile{contentType: "text/javascript; charset=utf-8", tag: `W/"` + hex.EncodeToString(hash[:8]) + `"`, plain: content}
	if path.Ext(name) == ".map" {
		f.contentType = "application/json; charset=utf-8"
	}
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write(content) // neither fails: b takes everything
	_ = z.Close()
	f.zipped = b.Bytes()
	return f
}

// socketIO serves the official client beside what it talks to, under the names
// that Node.js serves it under, for pages without a bundler:
// <script src="/socket.io/socket.io.js">.
func (s *server) socketIO(realtime gin.HandlerFunc) gin.HandlerFunc {
	files := map[string]func() clientFile{}
	if s.deps.App != nil {
		names, _ := fs.Glob(s.deps.App, "socket.io/*") // the pattern is well-formed
		for _, name := range names {
			files[strings.TrimPrefix(name, "socket.io")] = sync.OnceValue(func() clientFile {
				content, _ := fs.ReadFile(s.deps.App, name) // embedded in the binary
				return newClientFile(name, content)
			})
		}
	}
	return func(c *gin.Context) {
		file, ok := files[c.Param("any")]
		if !ok || c.Request.Method != http.MethodGet && c.Request.Method != http.MethodHead {
			realtime(c)
			return
		}
		f, h := file(), c.Writer.Header()
		h.Set("Access-Control-Allow-Origin", "*")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cache-Control", "public, max-age=0")
		h.Set("Vary", "Accept-Encoding")
		h.Set("Content-Type", f.contentType)
		h.Set("ETag", f.tag)
		content := f.plain
		if strings.Contains(c.GetHeader("Accept-Encoding"), "gzip") {
			h.Set("Content-Encoding", "gzip")
			content = f.zipped
		}
		http.ServeContent(c.Writer, c.Request, "", time.Time{}, bytes.NewReader(content))
	}
}
