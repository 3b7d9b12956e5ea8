package commandline

import (
	"fmt"
	"io"
	"log/slog"
	"runtime/debug"
	"strings"

	"wenzhen.example/server/app"
)

type serveCommand struct {
	app.Config `embed:""`
}

// Run serves until its context ends.
func (c *serveCommand) Run(on console) error {
	debug.SetGCPercent(c.GOGC)
	s, err := app.New(on.ctx, c.Config, logger(c.Config, on.errors))
	if err != nil {
		return err
	}
	fmt.Fprintf(on.out, "Wenzhen is at %s\n", s.URL())
	for _, a := range s.Demo() {
		fmt.Fprintf(on.out, "  demo %-8s %-22s %s\n", a.Role, a.Email, a.Password)
	}
	return s.Run(on.ctx)
}

func logger(c app.Config, w io.Writer) *slog.Logger {
	var level slog.Level
	_ = level.UnmarshalText([]byte(strings.ToUpper(c.LogLevel))) // one of the flag's enum
	options := &slog.HandlerOptions{Level: level}
	if c.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}
