package rooms

import (
	"context"
	"sync"
	"time"
)

// Bounds of jobs.
const (
	jobsMost    = 64
	jobsAtATime = 4
	// jobsWait is how long a job may wait for a worker. After that its timer may
	// be due again before it is done, here or on another node.
	jobsWait = timerLease / 3
)

// Jobs are timers whose work is slow, because it asks another server. They have
// workers of their own, so that a server that hangs holds up no other timer.
type Jobs struct {
	do    func(ctx context.Context, t Timer)
	queue chan job
	mu    sync.Mutex
	known map[[2]string]bool // kind and subject of what is queued or being done
}

type job struct {
	timer Timer
	since time.Time
}

// NewJobs makes jobs that do does.
func NewJobs(do func(ctx context.Context, t Timer)) *Jobs {
	return &Jobs{do: do, queue: make(chan job, jobsMost), known: map[[2]string]bool{}}
}

// Hand is a TimerFunc: it gives a timer to the workers. One that finds them all
// busy is due again when its lease is over.
func (j *Jobs) Hand(_ context.Context, t Timer) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if key := [2]string{t.Kind, t.Subject}; !j.known[key] {
		select {
		case j.queue <- job{t, time.Now()}:
			j.known[key] = true
		default:
		}
	}
	return nil
}

// Run does what is handed over, until ctx ends.
func (j *Jobs) Run(ctx context.Context) {
	var workers sync.WaitGroup
	for range jobsAtATime {
		workers.Go(func() {
			for {
				select {
				case next := <-j.queue:
					j.work(ctx, next)
				case <-ctx.Done():
					return
				}
			}
		})
	}
	workers.Wait()
}

// Drain does what is queued now. Tests that control the clock call it instead
// of Run.
func (j *Jobs) Drain(ctx context.Context) {
	for {
		select {
		case next := <-j.queue:
			j.work(ctx, next)
		default:
			return
		}
	}
}

func (j *Jobs) work(ctx context.Context, next job) {
	defer func() {
		j.mu.Lock()
		defer j.mu.Unlock()
		delete(j.known, [2]string{next.timer.Kind, next.timer.Subject})
	}()
	if time.Since(next.since) < jobsWait {
		j.do(ctx, next.timer)
	}
}
