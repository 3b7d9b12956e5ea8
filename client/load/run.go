package load

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// Run runs a scenario and writes its result to out, and its progress unless
// Options.JSON or Quiet is set. The error is set if the scenario could not run;
// errors of the server are in the Result.
func Run(ctx context.Context, o Options, out io.Writer) (Result, error) {
	o, err := o.withDefaults()
	if err != nil {
		return Result{}, err
	}
	r := &run{Options: o, dialer: newDialer(o),
		result: Result{Scenario: o.Scenario, Server: o.Server, Started: time.Now().UTC()}}
	defer r.dialer.close()
	if !o.JSON && !o.Quiet {
		stop := r.showProgress(out)
		defer stop()
	}
	err = errors.Join(scenarios[o.Scenario](ctx, r), r.closeAll())
	r.result.Connections = o.Connections
	if err != nil {
		return r.result, err
	}
	return r.result, r.result.write(out, o.JSON)
}

var scenarios = map[string]func(context.Context, *run) error{
	"idle": idle, "connect": connect, "pair": pair, "fan": fan, "echo": echo,
	"durable": durable, "resume": resume, "whole": whole,
}

// run is a running scenario.
type run struct {
	Options
	dialer *dialer
	meter  meter
	result Result

	latency, acks histogram
	conns         []*conn // open connections

	stage     atomic.Pointer[string] // for progress
	done      atomic.Int64           // operations so far, for progress
	delivered atomic.Int64           // over all connections
	logged    atomic.Int64           // events of logs that members have received

	mu sync.Mutex // guards result.Problems and result.Refused
}

// problem counts a request that the server refused or did not answer.
func (r *run) problem(err error) {
	const most = 5
	r.mu.Lock()
	defer r.mu.Unlock()
	r.result.Refused++
	if len(r.result.Problems) < most {
		r.result.Problems = append(r.result.Problems, err.Error())
	}
}

// stageIs sets the text of the progress line.
func (r *run) stageIs(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	r.stage.Store(&text)
	r.done.Store(0)
}

// showProgress updates one line of the terminal until stop is called.
func (r *run) showProgress(out io.Writer) (stop func()) {
	end, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(200 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-end:
				fmt.Fprint(out, "\r\x1b[K")
				return
			case <-tick.C:
				if stage := r.stage.Load(); stage != nil {
					fmt.Fprintf(out, "\r\x1b[K%s: %s (%d)", r.Scenario, *stage, r.done.Load())
				}
			}
		}
	}()
	return sync.OnceFunc(func() {
		close(end)
		<-ended
	})
}

// each calls f for 0 … n-1, Dialers at a time.
func (r *run) each(ctx context.Context, n int, f func(ctx context.Context, i int) error) error {
	group, ctx := errgroup.WithContext(ctx)
	var next atomic.Int64
	for range min(r.Dialers, n) {
		group.Go(func() error {
			for {
				i := int(next.Add(1)) - 1
				if i >= n || ctx.Err() != nil {
					return ctx.Err()
				}
				if err := f(ctx, i); err != nil {
					return err
				}
				r.done.Add(1)
			}
		})
	}
	return group.Wait()
}

// Tries of openAll for one connection. Each failure counts as a problem.
const (
	openTries   = 5
	openTimeout = 5 * time.Second
)

// openAll opens Connections connections; setup returns the parameters of the i-th.
func (r *run) openAll(ctx context.Context, setup func(i int) (namespace, token string, onEvent func([]byte))) error {
	r.stageIs("connecting")
	r.conns = make([]*conn, r.Connections)
	return r.each(ctx, r.Connections, func(ctx context.Context, i int) error {
		namespace, token, onEvent := setup(i)
		for try := 1; ; try++ {
			limited, cancel := context.WithTimeout(ctx, openTimeout)
			c, err := r.dialer.open(limited, namespace, token, onEvent)
			cancel()
			if err == nil {
				r.conns[i] = c
				return nil
			}
			if try == openTries || ctx.Err() != nil {
				return err
			}
			r.problem(err)
		}
	})
}

// closeAll closes every connection. A connection that had ended before counts as a
// problem.
func (r *run) closeAll() error {
	r.stageIs("closing")
	conns := r.conns
	r.conns = nil
	return r.each(context.Background(), len(conns), func(_ context.Context, i int) error {
		if conns[i] == nil {
			return nil
		}
		if err := conns[i].close(); err != nil {
			r.problem(err)
		}
		return nil
	})
}

// received returns the number of bytes that closed connections have received.
func received(conns []*conn) (sum int64) {
	for _, c := range conns {
		sum += c.bytes
	}
	return sum
}

// waitUntil waits until arrived returns true, or nothing has been received for 10
// seconds.
func (r *run) waitUntil(ctx context.Context, arrived func() bool) {
	const patience = 10 * time.Second // reached only if something is lost or the machine is very busy
	last, since := int64(-1), time.Now()
	for !arrived() && ctx.Err() == nil {
		if n := r.delivered.Load() + r.logged.Load(); n != last {
			last, since = n, time.Now()
		} else if time.Since(since) > patience {
			return
		}
		time.Sleep(time.Millisecond)
	}
}
