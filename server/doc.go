// Package server names the version of the server. The packages below it are the
// server: app composes one node of it, cli has the commands that need none.
package server

//go:generate go test ./app -run TestSettingsAreDocumented -update

// Version is set by the linker (make build).
var Version = "dev"
