// Package httpserver has what surrounds the handlers of an HTTP server:
// listeners, certificates, the addresses behind proxies, idle connections, and
// how connections are refused before a shutdown.
package httpserver
