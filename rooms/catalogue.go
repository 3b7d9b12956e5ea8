package rooms

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"log/slog"
)

// Guard checks a command before it is executed, for example that the session is
// alive and the actor within the limits. It returns nil or an *Error.
type Guard func(ctx context.Context, actor Actor, command string) error

// Catalogue is the one door through which every transport asks.
type Catalogue struct {
	options  CatalogueOptions
	commands []Handler
	byName   map[string]int
}

// Answered is called after each successful command, before it is answered, with
// the actor, the command's name and its input. An error is returned instead of
// the answer.
type Answered func(ctx context.Context, actor Actor, command string, input json.RawMessage) error

// CatalogueOptions say what happens before and after each command.
type CatalogueOptions struct {
	// Guards judge each command, in this order.
	Guards []Guard
	// Trace is the tracer of the commands; nil traces nothing.
	Trace Tracer
	// Answered, if set, is called after each successful command.
	Answered Answered
}

// NewCatalogue collects bound commands. It panics on a name given twice,
// which is a mistake in the program.
func NewCatalogue(o CatalogueOptions, features ...[]Handler) *Catalogue {
	c := &Catalogue{options: o, byName: map[string]int{}}
	for _, commands := range features {
		for _, b := range commands {
			if _, twice := c.byName[b.Name]; twice {
				panic("rooms: command " + b.Name + " is bound twice")
			}
			c.byName[b.Name] = len(c.commands)
			c.commands = append(c.commands, b)
		}
	}
	return c
}

// All yields every command, in the order in which features were given.
func (c *Catalogue) All() iter.Seq[Handler] {
	return func(yield func(Handler) bool) {
		for _, b := range c.commands {
			if !yield(b) {
				return
			}
		}
	}
}

// Command finds a command by its name.
func (c *Catalogue) Command(name string) (Handler, bool) {
	i, ok := c.byName[name]
	if !ok {
		return Handler{}, false
	}
	return c.commands[i], true
}

// Answer executes one command: guards, audience, decoding, validation, the
// feature's method, encoding of its answer. raw is the input as one JSON
// object. The error is the one that the feature returned; Refusal turns it into
// what a client may see.
func (c *Catalogue) Answer(ctx context.Context, actor Actor, name string, raw json.RawMessage) (json.RawMessage, error) {
	b, ok := c.Command(name)
	if !ok {
		return nil, Invalid("", "there is no command %q", name)
	}
	ctx, end := c.options.Trace.Begin(ctx, Span{Name: name})
	err := c.Allow(ctx, actor, b)
	var out json.RawMessage
	if err == nil {
		out, err = b.answer(ctx, actor, raw)
	}
	if err == nil && c.options.Answered != nil {
		if err = c.options.Answered(ctx, actor, name, raw); err != nil {
			out = nil
		}
	}
	end.With(err)
	return out, err
}

// Allow is the part of Answer that comes before the input is read: guards and
// audience. Uploads and downloads, which have no JSON input, pass it too.
func (c *Catalogue) Allow(ctx context.Context, actor Actor, b Handler) error {
	for _, guard := range c.options.Guards {
		if err := guard(ctx, actor, b.Name); err != nil {
			return err
		}
	}
	switch {
	case b.For.Has(actor.Role):
		return nil
	case actor.Guest():
		return Unauthenticated("log in first")
	}
	return Forbidden("%s is not for a %s", b.Name, actor.Role)
}

// Refusal is what a client may see of err: an *Error as it is, a deadline or
// a cancelled wait as unavailable, everything else as internal. It carries
// traceID, under which what is internal is logged here, once.
func Refusal(ctx context.Context, log *slog.Logger, command, traceID string, err error) *Error {
	var known *Error
	switch {
	case errors.As(err, &known):
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		known = Unavailable(err, "the server did not get to it in time")
	default:
		known = Internal(err)
	}
	e := *known
	e.TraceID = traceID
	if e.Code == CodeInternal {
		log.ErrorContext(ctx, "command failed", "command", command, "traceId", traceID, "error", err)
	}
	return &e
}
