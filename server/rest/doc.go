// Package rest is Wenzhen over HTTP: one line per route names the command
// that it asks for, and how path, query and body make its input. Errors are
// problems (RFC 9457) that carry the same code as everywhere.
package rest
