// Package server has the version of the server. The packages below it are the
// server: app composes one node of it, cli has the commands that need none.
package server

import (
	_ "embed"
	"strings"
)

//go:generate go test ./app -run TestSettingsAreDocumented -update

// file is the only place where the version is written; the rest is generated
// from it or checked against it.
//
//go:embed VERSION
var file string

// build names the commit of a build that is not the release. The linker sets it
// (make build).
var build = ""

// Release is the version of the release, such as 0.1.0, which the specifications
// and the npm package have too.
var Release = strings.TrimSpace(file)

// Version is Release, followed by the commit in a build that is not the release:
// 0.1.0+14c2de6.
var Version = version(Release, build)

func version(release, build string) string {
	if build == "" {
		return release
	}
	return release + "+" + build
}
