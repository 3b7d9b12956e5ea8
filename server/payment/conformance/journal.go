package conformance

import (
	"bytes"
	"log/slog"
	"strings"
	"sync"
)

// journal keeps what billing logs.
type journal struct {
	mu  sync.Mutex
	all bytes.Buffer
}

func (j *journal) logger() *slog.Logger {
	return slog.New(slog.NewJSONHandler(j, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// Write implements io.Writer.
func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.all.Write(p)
}

// take returns the lines since it was last called.
func (j *journal) take() []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	text := strings.TrimSpace(j.all.String())
	j.all.Reset()
	if text == "" {
		return nil
	}
	return strings.Split(text, "\n")
}
