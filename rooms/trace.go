package rooms

import "context"

// Tracer begins the span of a piece of work, as part of the trace that ctx
// belongs to: how long it took, and how it ended. It returns the context of
// what is done within the work, and what ends the span; that is nil where the
// span is not recorded. It must not block. A nil Tracer records nothing.
type Tracer func(ctx context.Context, s Span) (context.Context, EndSpan)

// Begin is the Tracer, which may be nil; then it costs nothing.
func (t Tracer) Begin(ctx context.Context, s Span) (context.Context, EndSpan) {
	if t == nil {
		return ctx, nil
	}
	return t(ctx, s)
}

// EndSpan ends a span. Of a failure only the code is recorded, not the message.
// The first call counts; it may come from any goroutine.
type EndSpan func(err error)

// With ends the span with the error of the work; a nil EndSpan does nothing.
func (e EndSpan) With(err error) {
	if e != nil {
		e(err)
	}
}

// Span says what a piece of work is. All of it are words of the program –
// names of commands, of tables, of parties –, never what somebody sent.
type Span struct {
	Kind SpanKind
	// Name is what is done. A statement's follows from its text when not given.
	Name string
	// Of is the group of names that a request's or a task's belongs to: a
	// namespace, "timer".
	Of string
	// System is with what it is done: the protocol of a request, the database
	// of a statement, the party of a call.
	System string
	// Statement is SQL, with $1 for the values.
	Statement string
}

// SpanKind tells which part a piece of work has in a trace.
type SpanKind uint8

// The kinds. Requests and tasks begin a trace where there is none; the others
// are recorded only as part of one.
const (
	SpanStep      SpanKind = iota // a part of other work
	SpanRequest                   // answers a client
	SpanTask                      // is done by itself, when it is time
	SpanStatement                 // asks the database
	SpanCall                      // asks another party
)

type traceKey struct{}

// WithTraceID puts the name of the trace that the work belongs to into its
// context.
func WithTraceID(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, traceKey{}, id)
}

// TraceID names the trace that ctx belongs to: 32 hexadecimal digits (W3C
// Trace Context), or "" where nothing is traced.
func TraceID(ctx context.Context) string {
	id, _ := ctx.Value(traceKey{}).(string)
	return id
}
