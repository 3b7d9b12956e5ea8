// Package static is the Vue application that shows Wenzhen in a browser. Vite
// builds it into dist/app; the binary carries whatever was there at build time.
package static

import (
	"embed"
	"io/fs"
)

//go:embed all:dist
var dist embed.FS

// Unbuilt is the page to serve in place of an application that is not built.
//
//go:embed unbuilt.html
var Unbuilt []byte

// Fonts are the TrueType fonts that documents are printed with, in the order in
// which a character is looked for (Noto Sans SC, SIL Open Font License 1.1,
// which lets programs carry it); none when this binary was built without them.
func Fonts() [][]byte {
	font, err := dist.ReadFile("dist/fonts/NotoSansSC-Regular.ttf")
	if err != nil {
		return nil
	}
	return [][]byte{font}
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
