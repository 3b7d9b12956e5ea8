package tracing

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"wenzhen.example/rooms"
)

// Config says where traces go.
type Config struct {
	// Endpoint is the collector's base address, http://host:4318; "" traces nothing.
	Endpoint string
	// Headers of every request to it: name=value, with commas between several.
	Headers string
	// Ratio is the share of traces that are recorded, 0 to 1.
	Ratio float64
	// Version is the server's.
	Version string
	Log     *slog.Logger
}

// Traces records traces. A nil Traces records none.
type Traces struct {
	tracer   trace.Tracer
	provider *sdk.TracerProvider
	queue    *queue
	to       *collector
}

// New starts sending to the collector, which need not be there yet; nil
// without an endpoint. The error is a setting that makes no sense.
func New(cfg Config) (*Traces, error) {
	if cfg.Endpoint == "" {
		return nil, nil
	}
	to, err := newCollector(cfg.Endpoint, cfg.Headers)
	if err != nil {
		return nil, err
	}
	q := newQueue(otlptrace.NewUnstarted(to).ExportSpans, cfg.Log)
	// Who asks may say that nothing is to be recorded, and what the trace is
	// called; that it is recorded is for the ratio to say.
	share := sdk.TraceIDRatioBased(cfg.Ratio)
	provider := sdk.NewTracerProvider(sdk.WithSpanProcessor(q),
		sdk.WithSampler(sdk.ParentBased(share, sdk.WithRemoteParentSampled(share))),
		sdk.WithResource(resource.NewWithAttributes(semconv.SchemaURL,
			semconv.ServiceName("wenzhen"), semconv.ServiceVersion(cfg.Version), semconv.ServiceInstanceID(rooms.NewID(time.Now())))))
	go q.run()
	return &Traces{tracer: provider.Tracer("wenzhen", trace.WithInstrumentationVersion(cfg.Version), trace.WithSchemaURL(semconv.SchemaURL)),
		provider: provider, queue: q, to: to}, nil
}

// Tracer is what records spans; nil where nothing is traced.
func (t *Traces) Tracer() rooms.Tracer {
	if t == nil {
		return nil
	}
	return t.begin
}

// Stats tells what has become of spans so far.
func (t *Traces) Stats() Stats { return t.queue.stats() }

// Close sends what waits, until ctx ends; the rest is dropped, and logged.
func (t *Traces) Close(ctx context.Context) {
	if t == nil {
		return
	}
	_ = t.provider.Shutdown(ctx) // the queue has told of what could not be sent
	_ = t.to.Stop(ctx)           // never fails
}

func (t *Traces) begin(ctx context.Context, s rooms.Span) (context.Context, rooms.EndSpan) {
	root := s.Kind == rooms.SpanRequest || s.Kind == rooms.SpanTask
	if !root && !trace.SpanFromContext(ctx).IsRecording() {
		return ctx, nil
	}
	name, kind, attributes := described(s)
	ctx, span := t.tracer.Start(ctx, name, trace.WithSpanKind(kind), trace.WithAttributes(attributes...))
	if root {
		ctx = rooms.WithTraceID(ctx, span.SpanContext().TraceID().String())
	}
	if !span.IsRecording() {
		return ctx, nil
	}
	return ctx, func(err error) {
		if err != nil {
			span.SetAttributes(failure(s.Kind, err))
			if s.Kind != rooms.SpanRequest || ours(codeOf(err)) {
				span.SetStatus(codes.Error, "")
			}
		}
		span.End()
	}
}

// described are the name, the kind and the attributes of a span.
func described(s rooms.Span) (string, trace.SpanKind, []attribute.KeyValue) {
	switch s.Kind {
	case rooms.SpanRequest:
		method := s.Of + "/" + s.Name
		return method, trace.SpanKindServer, []attribute.KeyValue{semconv.RPCSystemNameKey.String(s.System), semconv.RPCMethod(method)}
	case rooms.SpanTask:
		return s.Of + "/" + s.Name, trace.SpanKindInternal, nil
	case rooms.SpanCall:
		return s.System + ": " + s.Name, trace.SpanKindClient, []attribute.KeyValue{semconv.ServicePeerName(s.System)}
	case rooms.SpanStatement:
		summary, attributes := statement(s)
		return summary, trace.SpanKindClient, attributes
	}
	return s.Name, trace.SpanKindInternal, nil
}

// failure is the error.type of a span: a code of ours, or the driver's type of
// a statement that failed in the database.
func failure(kind rooms.SpanKind, err error) attribute.KeyValue {
	var e *rooms.Error
	if kind == rooms.SpanStatement && !errors.As(err, &e) {
		return semconv.ErrorType(err)
	}
	return semconv.ErrorTypeKey.String(string(codeOf(err)))
}

// codeOf returns the code of the error that a client receives (rooms.Refusal).
func codeOf(err error) rooms.Code {
	var e *rooms.Error
	if !errors.As(err, &e) && (errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)) {
		return rooms.CodeUnavailable
	}
	return rooms.CodeOf(err)
}

// ours reports whether the server failed, and not the client. Only then is the
// span of a request marked as failed.
func ours(code rooms.Code) bool { return code == rooms.CodeInternal || code == rooms.CodeUnavailable }

// Requests begins spans of HTTP requests (rest.Deps.Trace), in the trace that
// the client names by traceparent (W3C Trace Context); nil where nothing is
// traced. Its tracestate is not passed on: anything could be in it.
func (t *Traces) Requests() func(r *http.Request, route string) (context.Context, func(int, rooms.Code)) {
	if t == nil {
		return nil
	}
	return t.request
}

func (t *Traces) request(r *http.Request, route string) (context.Context, func(int, rooms.Code)) {
	ctx := r.Context()
	if from := trace.SpanContextFromContext((propagation.TraceContext{}).Extract(ctx, propagation.HeaderCarrier(r.Header))); from.IsValid() {
		ctx = trace.ContextWithRemoteSpanContext(ctx, from.WithTraceState(trace.TraceState{}))
	}
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	ctx, span := t.tracer.Start(ctx, r.Method+" "+route, trace.WithSpanKind(trace.SpanKindServer), trace.WithAttributes(
		semconv.HTTPRequestMethodKey.String(r.Method), semconv.HTTPRoute(route), semconv.URLScheme(scheme)))
	ctx = rooms.WithTraceID(ctx, span.SpanContext().TraceID().String())
	return ctx, func(status int, code rooms.Code) {
		span.SetAttributes(semconv.HTTPResponseStatusCode(status))
		if code != "" {
			span.SetAttributes(semconv.ErrorTypeKey.String(string(code)))
		}
		if status >= http.StatusInternalServerError {
			span.SetStatus(codes.Error, "")
		}
		span.End()
	}
}

// setting is a setting that makes no sense.
func setting(format string, args ...any) error {
	return fmt.Errorf("configuration: "+format, args...)
}
