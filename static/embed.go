// Package static is the Vue application that shows Wenzhen in a browser. Vite
// builds it into dist/app; the binary carries whatever was there at build time.
package static

import (
	"bytes"
	"compress/gzip"
	"embed"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"sync"
)

//go:embed all:dist
var dist embed.FS

// Unbuilt is the page to serve in place of an application that is not built.
//
//go:embed unbuilt.html
var Unbuilt []byte

// Fonts are the TrueType fonts that documents are printed with, in the order in
// which a character is looked for (server/document/fonts); none when this
// binary was built without them. All have the SIL Open Font License 1.1, which
// lets programs carry them. They are unpacked once, and must not be changed.
func Fonts() ([][]byte, error) { return fonts() }

var fonts = sync.OnceValues(func() ([][]byte, error) {
	files, err := fs.Glob(dist, "dist/fonts/*.ttf*")
	if err != nil {
		return nil, err
	}
	var all [][]byte
	for _, name := range files {
		raw, err := dist.ReadFile(name)
		if err == nil && strings.HasSuffix(name, ".gz") {
			raw, err = unpacked(raw)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		all = append(all, raw)
	}
	return all, nil
})

func unpacked(raw []byte) ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(r)
}

// App is the built application with index.html at its root; false when this
// binary was built without it.
func App() (fs.FS, bool) {
	app, err := fs.Sub(dist, "dist/app")
	if err != nil {
		return nil, false
	}
	if _, err := fs.Stat(app, "index.html"); err != nil {
		return nil, false
	}
	return app, true
}
