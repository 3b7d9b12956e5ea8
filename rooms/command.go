package rooms

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
)

// Socket.IO namespaces on which commands are offered.
const (
	Consultations = "/consultations"
	Schedules     = "/schedules"
	Notifications = "/notifications"
	Lobby         = "/lobby"
	Admin         = "/admin"
)

// Command declares what can be asked: its name on the wire, who may try, and
// the types of its input and answer, from which the specifications and the
// frontend's types are made.
type Command[In, Out any] struct {
	Name string // noun:verb
	Doc  string
	// Namespace offers the command on Socket.IO; "" leaves it to REST alone.
	Namespace string
	// For and Access are the policy: the catalogue refuses actors outside the
	// audience, and the method decides about access to the resource. The
	// authorization table of the end-to-end tests is derived from both.
	For    Audience
	Access Access
	// Rate bounds the command more tightly than all commands together: it costs
	// more, or reaches others. Zero sets no bound of its own.
	Rate Rate
}

// Rate is how often a user may send a command: so many a second, and so many at
// once.
type Rate struct {
	PerSecond float64
	Burst     int
}

// Validator is an input that can judge its own shape, beyond its limits (see
// Limit), which hold already. The error is an *Error
// of code invalid or too_large that names the field.
type Validator interface{ Validate() error }

// Bind joins the command to the method that runs it.
func (c Command[In, Out]) Bind(do func(ctx context.Context, actor Actor, in In) (Out, error)) Handler {
	bounded := checksOf(reflect.TypeFor[In]())
	return Handler{
		Name: c.Name, Doc: c.Doc, Namespace: c.Namespace, For: c.For, Access: c.Access, Rate: c.Rate,
		In: reflect.TypeFor[In](), Out: reflect.TypeFor[Out](),
		answer: func(ctx context.Context, actor Actor, raw json.RawMessage) (json.RawMessage, error) {
			var in In
			if err := decode(raw, &in); err != nil {
				return nil, err
			}
			if err := judge(bounded, in); err != nil {
				return nil, err
			}
			out, err := do(ctx, actor, in)
			if err != nil {
				return nil, err
			}
			data, err := json.Marshal(out)
			if err != nil {
				return nil, fmt.Errorf("encode answer of %s: %w", c.Name, err)
			}
			return data, nil
		},
	}
}

// Handler is a command with the method that runs it.
type Handler struct {
	Name, Doc, Namespace string
	For                  Audience
	Access               Access
	Rate                 Rate
	In, Out              reflect.Type

	answer func(context.Context, Actor, json.RawMessage) (json.RawMessage, error)
}

// Nothing is the input or answer of a command that has none.
type Nothing struct{}
