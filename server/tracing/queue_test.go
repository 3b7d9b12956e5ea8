package tracing

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
)

// span is one that was recorded.
func span() sdk.ReadOnlySpan {
	return tracetest.SpanStub{Name: "x", SpanContext: trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: trace.TraceID{1}, SpanID: trace.SpanID{1}, TraceFlags: trace.FlagsSampled})}.Snapshot()
}

// started is a queue that sends by send, and what it tells the log.
func started(send func(context.Context, []sdk.ReadOnlySpan) error) (*queue, *bytes.Buffer) {
	log := &bytes.Buffer{}
	q := newQueue(send, slog.New(slog.NewTextHandler(log, nil)))
	go q.run()
	return q, log
}

func (q *queue) ends(spans int) {
	for range spans {
		q.OnEnd(span())
	}
}

func is(t *testing.T, q *queue, want Stats) {
	t.Helper()
	synctest.Wait()
	if got := q.stats(); got != want {
		t.Errorf("the queue is %+v, want %+v", got, want)
	}
}

// Spans are sent every second, or as soon as there are enough of them.
func TestBatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, log := started(func(context.Context, []sdk.ReadOnlySpan) error { return nil })
		q.ends(batchMost + 1)
		is(t, q, Stats{Sent: batchMost})
		time.Sleep(sendEvery)
		is(t, q, Stats{Sent: batchMost + 1})
		q.OnEnd(tracetest.SpanStub{}.Snapshot()) // not sampled
		time.Sleep(sendEvery)
		is(t, q, Stats{Sent: batchMost + 1})
		q.ends(3)
		must(t, q.Shutdown(t.Context()))
		is(t, q, Stats{Sent: batchMost + 4})
		if log.Len() > 0 {
			t.Errorf("the log has %s", log)
		}
	})
}

// A collector that is away for a moment loses nothing; the pauses grow.
func TestCollectorComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var at []time.Time
		q, log := started(func(context.Context, []sdk.ReadOnlySpan) error {
			if at = append(at, time.Now()); len(at) < 3 {
				return later{error: errors.New("away"), after: 700 * time.Millisecond}
			}
			return nil
		})
		q.ends(5)
		time.Sleep(time.Minute)
		is(t, q, Stats{Sent: 5})
		if len(at) != 3 || at[1].Sub(at[0]) != 700*time.Millisecond || at[2].Sub(at[1]) != time.Second {
			t.Errorf("tried at %v", at)
		}
		must(t, q.Shutdown(t.Context()))
		if log.Len() > 0 {
			t.Errorf("the log has %s", log)
		}
	})
}

// What a collector does not take is dropped and counted, and told once a
// minute; who ends a span never waits.
func TestCollectorIsAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		times := 0
		q, log := started(func(context.Context, []sdk.ReadOnlySpan) error {
			times++
			return later{error: errors.New("nobody answers")}
		})
		q.ends(batchMost)
		synctest.Wait()
		q.ends(queueMost + 10) // while the first are tried again
		is(t, q, Stats{Dropped: 10, Waiting: queueMost})
		time.Sleep(2 * time.Minute)
		is(t, q, Stats{Dropped: batchMost + queueMost + 10})
		if times != tries*(1+queueMost/batchMost) {
			t.Errorf("it was tried %d times", times)
		}
		for range 120 { // two minutes
			q.ends(1)
			time.Sleep(sendEvery)
		}
		time.Sleep(time.Minute)
		must(t, q.Shutdown(t.Context()))
		if n := strings.Count(log.String(), "\n"); n < 3 || n > 7 || !strings.Contains(log.String(), "nobody answers") { // over five minutes
			t.Errorf("the log has %d lines:\n%s", n, log)
		}
	})
}

// A refusal that would come again is not tried again; of a batch that is taken
// in part the rest counts as dropped.
func TestCollectorRefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		answers := []error{errors.New("400 Bad Request"), partly{2}, nil}
		q, log := started(func(context.Context, []sdk.ReadOnlySpan) error {
			err := answers[0]
			answers = answers[1:]
			return err
		})
		for range 3 {
			q.ends(5)
			time.Sleep(sendEvery)
			synctest.Wait()
		}
		is(t, q, Stats{Sent: 8, Dropped: 7})
		must(t, q.Shutdown(t.Context()))
		if text := log.String(); !strings.Contains(text, "400 Bad Request") || !strings.Contains(text, "rejected 2") {
			t.Errorf("the log has %s", text)
		}
	})
}

// A shutdown waits for a collector that does not answer only so long.
func TestShutdownIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, log := started(func(ctx context.Context, _ []sdk.ReadOnlySpan) error {
			<-ctx.Done()
			return later{error: ctx.Err()}
		})
		q.ends(2*batchMost + 1)
		synctest.Wait()
		began := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		must(t, q.Shutdown(ctx))
		if took := time.Since(began); took != 3*time.Second {
			t.Errorf("it took %s", took)
		}
		is(t, q, Stats{Dropped: 2*batchMost + 1})
		if q.told != 2*batchMost+1 || !strings.Contains(log.String(), "context canceled") {
			t.Errorf("of %d spans the log has %s", q.told, log)
		}
		q.ends(queueMost + 1) // nobody is stopped by coming late
		must(t, q.Shutdown(t.Context()))
	})
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
