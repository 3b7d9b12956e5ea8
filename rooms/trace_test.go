package rooms

import (
	"context"
	"testing"
)

// Where nothing is traced, it costs no memory on the path of every command.
func TestNoTracerCostsNothing(t *testing.T) {
	ctx := context.Background()
	var none Tracer
	if n := testing.AllocsPerRun(100, func() {
		ctx, end := none.Begin(ctx, Span{Kind: SpanStatement, System: "sqlite", Statement: "SELECT 1"})
		if TraceID(ctx) != "" {
			t.Error("there is a trace")
		}
		end.With(nil)
	}); n != 0 {
		t.Errorf("it costs %v allocations", n)
	}
}
