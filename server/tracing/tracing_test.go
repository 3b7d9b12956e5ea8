package tracing

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"testing"

	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"wenzhen.example/rooms"
)

// recorded are traces that go nowhere.
func recorded() (*Traces, *tracetest.SpanRecorder) {
	r := tracetest.NewSpanRecorder()
	return &Traces{tracer: sdk.NewTracerProvider(sdk.WithSpanProcessor(r)).Tracer("test")}, r
}

// A span is called by what is done and ends with the code of a failure, which
// is the server's own only where it could have done better.
func TestSpans(t *testing.T) {
	t.Parallel()
	late := fmt.Errorf("scan: %w", context.DeadlineExceeded)
	for _, c := range []struct {
		span rooms.Span
		err  error
		want string
	}{
		{rooms.Span{Kind: rooms.SpanRequest, Of: "/lobby", Name: "lobby:say"}, nil, "/lobby/lobby:say server Unset"},
		{rooms.Span{Kind: rooms.SpanRequest, Of: "/lobby", Name: "lobby:say"}, rooms.Invalid("text", "bad"), "/lobby/lobby:say server Unset invalid"},
		{rooms.Span{Kind: rooms.SpanRequest, Of: "/lobby", Name: "lobby:say"}, errors.New("bad"), "/lobby/lobby:say server Error internal"},
		{rooms.Span{Kind: rooms.SpanRequest, Of: "/lobby", Name: "lobby:say"}, late, "/lobby/lobby:say server Error unavailable"},
		{rooms.Span{Kind: rooms.SpanTask, Of: "timer", Name: "call"}, errors.New("bad"), "timer/call internal Error internal"},
		{rooms.Span{Name: "message:send"}, rooms.NotFound("message"), "message:send internal Error not_found"},
		{rooms.Span{Kind: rooms.SpanCall, System: "stripe", Name: "refund"}, nil, "stripe: refund client Unset"},
		{rooms.Span{Kind: rooms.SpanStatement, System: "sqlite", Statement: "DELETE FROM timers"}, late, "DELETE timers client Error context.deadlineExceededError"},
		{rooms.Span{Kind: rooms.SpanStatement, System: "sqlite", Name: "INSERT events"}, rooms.Invalid("", "NUL"), "INSERT events client Error invalid"},
	} {
		traces, r := recorded()
		ctx, root := traces.begin(t.Context(), rooms.Span{Kind: rooms.SpanTask, Of: "test", Name: "root"})
		if len(rooms.TraceID(ctx)) != 32 {
			t.Errorf("the trace is called %q", rooms.TraceID(ctx))
		}
		_, end := traces.begin(ctx, c.span)
		end(c.err)
		end(errors.New("twice"))
		root(nil)
		s := r.Ended()[0]
		got := fmt.Sprint(s.Name(), " ", s.SpanKind(), " ", s.Status().Code)
		for _, a := range s.Attributes() {
			if a.Key == "error.type" {
				got += " " + a.Value.AsString()
			}
		}
		if got != c.want || s.Parent().SpanID() != r.Ended()[1].SpanContext().SpanID() || s.Status().Description != "" {
			t.Errorf("got %s below %s, want %s", got, s.Parent().SpanID(), c.want)
		}
	}
}

// Parts of work are recorded within a trace alone, and nothing is where the
// ratio says so; what is asked has a name in the log all the same.
func TestWhatIsNotRecorded(t *testing.T) {
	t.Parallel()
	traces, r := recorded()
	for _, kind := range []rooms.SpanKind{rooms.SpanStep, rooms.SpanStatement, rooms.SpanCall} {
		if ctx, end := traces.begin(t.Context(), rooms.Span{Kind: kind, Name: "x"}); end != nil || rooms.TraceID(ctx) != "" {
			t.Errorf("kind %d begins a trace", kind)
		}
	}
	if n := len(r.Started()); n != 0 {
		t.Errorf("%d spans were recorded", n)
	}

	none, err := New(Config{Endpoint: "http://127.0.0.1:1", Ratio: 0, Log: slog.New(slog.DiscardHandler)})
	must(t, err)
	defer none.Close(t.Context())
	if ctx, end := none.begin(t.Context(), rooms.Span{Kind: rooms.SpanRequest, Name: "x"}); end != nil || len(rooms.TraceID(ctx)) != 32 {
		t.Errorf("with ratio 0 the trace %q is recorded", rooms.TraceID(ctx))
	}
	request := httptest.NewRequestWithContext(t.Context(), "GET", "/x", nil)
	request.Header.Set("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
	ctx, ended := none.request(request, "/x")
	ended(200, "")
	if rooms.TraceID(ctx) != "4bf92f3577b34da6a3ce929d0e0e4736" || none.Stats() != (Stats{}) {
		t.Errorf("a client has trace %q recorded in spite of the ratio: %+v", rooms.TraceID(ctx), none.Stats())
	}

	off, err := New(Config{})
	if err != nil || off.Tracer() != nil || off.Requests() != nil {
		t.Errorf("without an endpoint there is a tracer (%v)", err)
	}
	off.Close(t.Context())
}
