// Package spec writes down what clients can rely on, reflected from the
// commands, events and signals themselves: OpenAPI 3.1, AsyncAPI 3, and the
// TypeScript types that the frontend and the npm package use, and the Go client's
// table of routes.
//
// Commands are written down by being bound, events and signals by being
// declared (declared.go is generated from the sources), enums by the constants
// of their types. A test fails when what is committed differs from what is
// generated; `go generate ./server/spec` brings it up to date.
package spec

import _ "embed"

//go:generate go test ./source -run TestDeclared -update
//go:generate go test -run TestGolden -update .

// The documents as they are served, at /api/openapi.json and /api/asyncapi.json.
var (
	//go:embed openapi.json
	OpenAPI []byte
	//go:embed asyncapi.json
	AsyncAPI []byte
)
