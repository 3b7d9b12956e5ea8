package app

import (
	"context"
	"errors"
	"slices"
	"sync"

	"wenzhen.example/rooms"
	"wenzhen.example/server/memory"
)

// task runs beside the answering of requests.
type task struct {
	name string
	// run returns when its context has ended, or, if there is a stop, after that.
	run  func(context.Context)
	stop func() error
}

// tasks are all that runs beside the answering of requests, in the order in which
// they are started. They stop in the reverse order, so that each of them finds
// what it needs until it has ended.
func (s *Server) tasks() []task {
	return []task{
		// First, and so stopped last: the shutdown can be measured.
		{"metrics", func(context.Context) { s.private.Serve(s.log) }, s.private.Close},
		{"redirect to HTTPS", func(context.Context) { s.httpsRedirect.Serve(s.log) }, s.httpsRedirect.Close},
		// Other nodes see that this one runs as long as any of the following does.
		{"heartbeat", func(ctx context.Context) { beat(ctx, s.db, s.enrolled, s.log) }, nil},
		// It writes the reads that are not in the audit log yet once more at its end.
		{"audit of reads", s.reads.run, nil},
		{"end of the audit log", func(ctx context.Context) { watchEnds(ctx, s.ends) }, nil},
		{"audit log", func(ctx context.Context) { watchAudit(ctx, s.db, s.services.Audits, s.log) }, nil},
		{"files", func(ctx context.Context) { sweepFiles(ctx, s.db, s.blobs, s.clock, s.log) }, nil},
		{"encryption", func(ctx context.Context) { encryptAnew(ctx, s.db, s.blobs, s.log) }, nil},
		{"memory", func(ctx context.Context) { memory.Release(ctx, s.realtime.Connections) }, nil},
		{"sockets", s.realtime.Watch, nil},
		{"accounts", func(ctx context.Context) { watchAccounts(ctx, s.services.Accounts, s.log) }, nil},
		{"lobby", s.services.Lobby.Run, nil},
		{"dashboard", s.dashboard.Run, nil},
		{"notifications", s.services.Notifications.Run, nil},
		{"letters", s.services.Accounts.SendLetters, nil},
		{"billing", s.services.Billing.Run, nil},
		// Last, and so stopped first: timers hand work to billing and letters.
		{"timers", func(ctx context.Context) { rooms.RunTimers(ctx, s.db, s.clock, timersEvery, s.timers, s.log) }, nil},
	}
}

// start starts tasks in their order. What it returns stops them in the reverse
// order, each after the one that was started after it has ended.
func start(tasks []task) (stop func() error) {
	var stops []func() error
	for _, t := range tasks {
		ctx, end := context.WithCancel(context.Background())
		var running sync.WaitGroup
		running.Go(func() { t.run(ctx) })
		stops = append(stops, func() (err error) {
			end()
			if t.stop != nil {
				err = t.stop()
			}
			running.Wait()
			return err
		})
	}
	return func() error {
		var errs []error
		for _, stop := range slices.Backward(stops) {
			errs = append(errs, stop())
		}
		return errors.Join(errs...)
	}
}
