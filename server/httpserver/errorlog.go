package httpserver

import (
	"bytes"
	"context"
	"log"
	"log/slog"
	"regexp"
)

// ErrorLog returns a logger for http.Server. Messages about clients are logged at
// level debug, without addresses; a panic in a handler is logged as an error.
func ErrorLog(to *slog.Logger) *log.Logger { return log.New(complaints{to}, "", 0) }

type complaints struct{ to *slog.Logger }

// addresses follow these words in messages of net/http.
var addresses = regexp.MustCompile(`\b(from|serving|to) \S+:\d+`)

// Write implements io.Writer.
func (c complaints) Write(line []byte) (int, error) {
	level := slog.LevelDebug
	if bytes.HasPrefix(line, []byte("http: panic")) {
		level = slog.LevelError
	}
	c.to.Log(context.Background(), level, "http", "message", string(addresses.ReplaceAll(line, []byte("$1 a client"))))
	return len(line), nil
}
