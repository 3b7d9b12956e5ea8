package server

import (
	"context"
	"log"
	"log/slog"
	"regexp"
)

// transportLog is where net/http complains: about clients, so for debugging,
// and without their addresses.
func transportLog(to *slog.Logger) *log.Logger { return log.New(complaints{to}, "", 0) }

type complaints struct{ to *slog.Logger }

// addresses follow these words in what net/http writes.
var addresses = regexp.MustCompile(`\b(from|serving|to) \S+:\d+`)

// Write implements io.Writer.
func (c complaints) Write(line []byte) (int, error) {
	c.to.DebugContext(context.Background(), "http", "says", string(addresses.ReplaceAll(line, []byte("$1 a client"))))
	return len(line), nil
}
