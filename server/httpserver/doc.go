// Package httpserver has the parts of an HTTP server around its handlers:
// listeners, certificates, client addresses behind proxies, limits of idle
// connections, and refusing connections before a shutdown.
package httpserver
