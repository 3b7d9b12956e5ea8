package turn

import (
	"fmt"
	"log/slog"

	"github.com/pion/logging"
)

// logger passes messages of pion to slog, all at level debug: any client can cause
// warnings and errors.
type logger struct{ log *slog.Logger }

// NewLogger implements logging.LoggerFactory.
func (l logger) NewLogger(scope string) logging.LeveledLogger {
	return logger{l.log.With("scope", scope)}
}

func (l logger) Trace(string)          {}
func (l logger) Tracef(string, ...any) {}
func (l logger) Debug(m string)        { l.log.Debug(m) }
func (l logger) Debugf(f string, a ...any) {
	l.log.Debug(fmt.Sprintf(f, a...))
}
func (l logger) Info(m string)             { l.log.Debug(m) }
func (l logger) Infof(f string, a ...any)  { l.Debugf(f, a...) }
func (l logger) Warn(m string)             { l.log.Debug(m) }
func (l logger) Warnf(f string, a ...any)  { l.Debugf(f, a...) }
func (l logger) Error(m string)            { l.log.Debug(m) }
func (l logger) Errorf(f string, a ...any) { l.Debugf(f, a...) }
