package tracing

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	sdk "go.opentelemetry.io/otel/sdk/trace"
)

// Bounds of what waits for the collector. A batch that it does not take is
// tried again, at most tries times; meanwhile the queue fills, and what does
// not fit is dropped.
const (
	queueMost  = 4096
	batchMost  = 512
	sendEvery  = time.Second
	sendWithin = 5 * time.Second
	tries      = 5
	pauseFirst = 500 * time.Millisecond // doubles with every try
	pauseMost  = 10 * time.Second       // whatever the collector asks for
	sayEvery   = time.Minute
)

// Stats tells what has become of spans.
type Stats struct {
	Sent, Dropped uint64
	// Waiting are those in the queue.
	Waiting int
}

// queue is the spans that wait to be sent. It is an sdk.SpanProcessor, whose
// OnEnd never blocks.
type queue struct {
	send  func(context.Context, []sdk.ReadOnlySpan) error
	log   *slog.Logger
	spans chan sdk.ReadOnlySpan

	sent, dropped atomic.Uint64
	why           error     // the last batch was dropped; run alone knows
	said          time.Time // when the log was last told of drops, and
	told          uint64    // of how many

	closing func()        // once
	ending  chan struct{} // closed when nothing more comes
	life    context.Context
	kill    context.CancelFunc
	done    chan struct{}
}

func newQueue(send func(context.Context, []sdk.ReadOnlySpan) error, log *slog.Logger) *queue {
	q := &queue{send: send, log: log, spans: make(chan sdk.ReadOnlySpan, queueMost), ending: make(chan struct{}), done: make(chan struct{})}
	q.closing = sync.OnceFunc(func() { close(q.ending) })
	q.life, q.kill = context.WithCancel(context.Background())
	return q
}

func (q *queue) stats() Stats {
	return Stats{Sent: q.sent.Load(), Dropped: q.dropped.Load(), Waiting: len(q.spans)}
}

// OnStart implements sdk.SpanProcessor.
func (q *queue) OnStart(context.Context, sdk.ReadWriteSpan) {}

// OnEnd implements sdk.SpanProcessor.
func (q *queue) OnEnd(s sdk.ReadOnlySpan) {
	if !s.SpanContext().IsSampled() {
		return
	}
	select {
	case q.spans <- s:
	default:
		q.dropped.Add(1)
	}
}

// ForceFlush implements sdk.SpanProcessor. Nobody waits for spans but Shutdown.
func (q *queue) ForceFlush(context.Context) error { return nil }

// Shutdown implements sdk.SpanProcessor: what waits is sent until ctx ends, and
// dropped then.
func (q *queue) Shutdown(ctx context.Context) error {
	q.closing()
	stop := context.AfterFunc(ctx, q.kill)
	defer stop()
	<-q.done
	return nil
}

// run sends batches until Shutdown.
func (q *queue) run() {
	defer close(q.done)
	defer q.kill()
	tick := time.NewTicker(sendEvery)
	defer tick.Stop()
	batch := make([]sdk.ReadOnlySpan, 0, batchMost)
	for {
		select {
		case s := <-q.spans:
			if batch = append(batch, s); len(batch) < batchMost {
				continue
			}
		case <-tick.C:
		case <-q.ending:
			for len(batch)+len(q.spans) > 0 {
				batch = q.deliver(q.fill(batch))
			}
			q.report(true)
			return
		}
		batch = q.deliver(q.fill(batch))
		q.report(false)
	}
}

// fill adds to a batch what waits.
func (q *queue) fill(batch []sdk.ReadOnlySpan) []sdk.ReadOnlySpan {
	for len(batch) < batchMost && len(q.spans) > 0 {
		batch = append(batch, <-q.spans) // nobody else takes any
	}
	return batch
}

// deliver sends a batch, or drops it, and returns it empty.
func (q *queue) deliver(batch []sdk.ReadOnlySpan) []sdk.ReadOnlySpan {
	if len(batch) == 0 {
		return batch
	}
	lost := len(batch)
	var err error
	for try := range tries {
		err = q.once(batch)
		var some partly
		var again later
		switch {
		case err == nil:
			lost = 0
		case errors.As(err, &some):
			lost = int(min(some.rejected, int64(len(batch))))
		case errors.As(err, &again) && try+1 < tries && q.pause(max(pauseFirst<<try, min(again.after, pauseMost))):
			continue
		}
		break
	}
	q.sent.Add(uint64(len(batch) - lost))
	q.dropped.Add(uint64(lost))
	if err != nil {
		q.why = err
	}
	clear(batch) // they are big, and done with
	return batch[:0]
}

func (q *queue) once(batch []sdk.ReadOnlySpan) error {
	ctx, cancel := context.WithTimeout(q.life, sendWithin)
	defer cancel()
	return q.send(ctx, batch)
}

// pause waits before the next try: not at all once the end has come, as there
// is no later then. It is false when there is to be no further try.
func (q *queue) pause(d time.Duration) bool {
	wait := time.NewTimer(d)
	defer wait.Stop()
	select {
	case <-wait.C:
	case <-q.ending:
	}
	return q.life.Err() == nil
}

// report tells the log, once in a while, that spans were dropped.
func (q *queue) report(last bool) {
	dropped := q.dropped.Load()
	if dropped == q.told || !last && time.Since(q.said) < sayEvery {
		return
	}
	q.log.Warn("traces were dropped: the collector is away or slow, or refuses them", "spans", dropped-q.told, "error", q.why)
	q.told, q.said, q.why = dropped, time.Now(), nil
}
