package app

import (
	"context"
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/billing"
	"wenzhen.example/server"
	"wenzhen.example/server/tracing"
)

// openTraces begins to trace, if there is a collector to send to.
func (s *Server) openTraces(context.Context, *parts) (err error) {
	s.tracing, err = tracing.New(tracing.Config{Endpoint: s.cfg.OTLPEndpoint, Headers: s.cfg.OTLPHeaders, Ratio: s.cfg.TraceRatio, Version: server.Version, Log: s.log})
	return err
}

// flushLeast is how long the collector has for the last spans, if nothing is
// left of the time of a shutdown.
const flushLeast = time.Second

// flushTraces sends the last spans within the time of a shutdown.
func (s *Server) flushTraces() {
	by := time.Now().Add(flushLeast)
	if s.drained.After(by) {
		by = s.drained
	}
	ctx, cancel := context.WithDeadline(context.Background(), by)
	defer cancel()
	s.tracing.Close(ctx)
}

// tracedTimers are the timers of several features, each firing a trace.
func (s *Server) tracedTimers(features ...map[string]rooms.TimerFunc) map[string]rooms.TimerFunc {
	all, trace := rooms.MergeTimers(features...), s.tracing.Tracer()
	if trace == nil {
		return all
	}
	for kind, fire := range all {
		all[kind] = func(ctx context.Context, t rooms.Timer) error {
			ctx, end := trace.Begin(ctx, rooms.Span{Kind: rooms.SpanTask, Of: "timer", Name: kind})
			err := fire(ctx, t)
			end.With(err)
			return err
		}
	}
	return all
}

// tracedGateway is a gateway that is called as part of a trace.
type tracedGateway struct {
	billing.Gateway
	trace rooms.Tracer
}

func (g tracedGateway) begin(ctx context.Context, name string) (context.Context, rooms.EndSpan) {
	return g.trace.Begin(ctx, rooms.Span{Kind: rooms.SpanCall, System: g.Name(), Name: name})
}

// Open implements billing.Gateway.
func (g tracedGateway) Open(ctx context.Context, p billing.Payment, about billing.Purchase) (billing.Payment, error) {
	ctx, end := g.begin(ctx, "open payment")
	opened, err := g.Gateway.Open(ctx, p, about)
	end.With(err)
	return opened, err
}

// Query implements billing.Gateway.
func (g tracedGateway) Query(ctx context.Context, p billing.Payment) (billing.Standing, error) {
	ctx, end := g.begin(ctx, "query payment")
	at, err := g.Gateway.Query(ctx, p)
	end.With(err)
	return at, err
}

// Close implements billing.Gateway.
func (g tracedGateway) Close(ctx context.Context, p billing.Payment) (billing.Standing, error) {
	ctx, end := g.begin(ctx, "close payment")
	at, err := g.Gateway.Close(ctx, p)
	end.With(err)
	return at, err
}

// Refund implements billing.Gateway.
func (g tracedGateway) Refund(ctx context.Context, r billing.RefundRequest) (billing.RefundAnswer, error) {
	ctx, end := g.begin(ctx, "refund")
	answer, err := g.Gateway.Refund(ctx, r)
	end.With(err)
	return answer, err
}
