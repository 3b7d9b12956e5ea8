package rooms

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// Timer is something that must happen at a time. It is a row, so that a
// restart loses none. There is at most one of a kind for a subject.
type Timer struct {
	Kind    string
	Subject string
	Due     time.Time
}

// TimerStore lends out timers that are due.
type TimerStore interface {
	// LeaseTimers returns up to limit timers due at now and hides them from
	// other workers until now+lease.
	LeaseTimers(ctx context.Context, now time.Time, lease time.Duration, limit int) ([]Timer, error)
}

// TimerFunc handles a timer that has expired. In one transaction it checks that
// the timer's cause still holds, does the work, and clears or moves the timer.
// Firing twice must do no harm.
type TimerFunc func(ctx context.Context, t Timer) error

// MergeTimers joins the timers of several features. It panics on a kind that
// two have, which is a mistake in the program.
func MergeTimers(features ...map[string]TimerFunc) map[string]TimerFunc {
	all := map[string]TimerFunc{}
	for _, timers := range features {
		for kind, fire := range timers {
			if all[kind] != nil {
				panic("rooms: timer " + kind + " belongs to two features")
			}
			all[kind] = fire
		}
	}
	return all
}

// timerLease is how long a worker may take over one timer before another may
// try; a worker that died holds nothing longer.
const timerLease = 30 * time.Second

// RunTimers fires due timers every period until ctx ends. A timer whose
// TimerFunc fails is tried again when its lease is over.
func RunTimers(ctx context.Context, store TimerStore, now func() time.Time, period time.Duration, fire map[string]TimerFunc, log *slog.Logger) {
	tick := time.NewTicker(period)
	defer tick.Stop()
	for {
		if err := FireDue(ctx, store, now(), fire, log); err != nil && ctx.Err() == nil {
			log.Error("timers", "error", err)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// FireDue fires what is due at now, all of it, once.
func FireDue(ctx context.Context, store TimerStore, now time.Time, fire map[string]TimerFunc, log *slog.Logger) error {
	const batch = 100
	for {
		due, err := store.LeaseTimers(ctx, now, timerLease, batch)
		if err != nil {
			return err
		}
		for _, t := range due {
			do, ok := fire[t.Kind]
			if !ok {
				log.Error("timer of an unknown kind", "kind", t.Kind, "subject", t.Subject)
				continue
			}
			if err := do(ctx, t); err != nil && ctx.Err() == nil {
				log.Error("timer failed", "kind", t.Kind, "subject", t.Subject, "error", err)
			}
		}
		if len(due) < batch {
			return nil
		}
	}
}

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
