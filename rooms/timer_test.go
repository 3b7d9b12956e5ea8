package rooms_test

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"wenzhen.example/rooms"
)

// leases are timers that are always due.
type leases []rooms.Timer

func (l leases) LeaseTimers(context.Context, time.Time, time.Duration, int) ([]rooms.Timer, error) {
	return l, nil
}

// Jobs that hang keep neither timers nor other jobs waiting, and none is done
// twice at a time or after its lease.
func TestJobs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		began, fired := map[string]int{}, 0
		jobs := rooms.NewJobs(func(ctx context.Context, t rooms.Timer) {
			mu.Lock()
			began[t.Subject]++
			mu.Unlock()
			if t.Subject != "quick" {
				<-ctx.Done()
			}
		})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			jobs.Run(ctx)
			close(done)
		}()
		fire := map[string]rooms.TimerFunc{"slow": jobs.Hand, "other": func(context.Context, rooms.Timer) error { fired++; return nil }}
		pass := func(due ...rooms.Timer) {
			if err := rooms.FireDue(ctx, leases(due), time.Now(), fire, slog.New(slog.DiscardHandler)); err != nil {
				t.Error(err)
			}
			synctest.Wait()
		}
		other, quick := rooms.Timer{Kind: "other"}, rooms.Timer{Kind: "slow", Subject: "quick"}
		stuck := func(n int) rooms.Timer { return rooms.Timer{Kind: "slow", Subject: fmt.Sprint("stuck-", n)} }
		pass(stuck(0), stuck(1), stuck(2), quick, other)
		pass(stuck(0), quick, other) // a lease is over
		if fired != 2 || began["quick"] != 2 || began["stuck-0"] != 1 {
			t.Errorf("the timer fired %d times, jobs began: %v", fired, began)
		}
		pass(stuck(3), quick) // now all workers are busy
		time.Sleep(time.Minute)
		cancel()
		<-done
		jobs.Drain(t.Context())
		if began["quick"] != 2 {
			t.Error("a job began when its lease was over")
		}
		if pass(quick); began["quick"] != 2 {
			t.Error("nobody works, and a job began")
		}
		if jobs.Drain(t.Context()); began["quick"] != 3 {
			t.Error("a job that was left out was not taken again")
		}
	})
}
