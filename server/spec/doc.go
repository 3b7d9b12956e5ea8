// Package spec writes down what clients can rely on, reflected from the
// commands, events and signals themselves: today TypeScript types for the
// frontend. A test fails when what is committed differs from what is generated;
// `go generate ./server/spec` brings it up to date.
package spec

//go:generate go test -run TestTypeScript -update .
