// Package e2e is what end-to-end tests share. The packages below it test the
// whole server from outside: on real sockets, through package client, and
// through bare connections where a client would not do what the test wants.
//
// A test goes where its reader would look for it: access (who may do what, and
// how people log in), consultations (what people do with each other), cluster
// (several nodes, faults, lost connections), hostile (attacks and bad input) or
// operation (what an operator does and sees).
package e2e

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"wenzhen.example/server/app"
)

// Variables of a test binary that is to be a server, in a process that a test
// can kill. serveIn is its data folder.
const (
	serveIn = "WENZHEN_E2E_SERVE"
	serveAt = "WENZHEN_E2E_ADDR"
	serveOn = "WENZHEN_E2E_DATABASE"
	serveBy = "WENZHEN_E2E_REDIS"
	// ServeStrictly, when set, keeps the limits that most tests put out of their way.
	ServeStrictly = "WENZHEN_E2E_STRICT"
)

// Main is the TestMain of these packages. It fails when goroutines are left.
func Main(m *testing.M) {
	if dir := os.Getenv(serveIn); dir != "" {
		if err := serve(dir, os.Getenv(serveAt), os.Getenv(serveOn)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	goleak.VerifyTestMain(m)
}

// serve runs until the process is killed.
func serve(dir, addr, database string) error {
	read := Settings
	if os.Getenv(ServeStrictly) != "" {
		read = defaults
	}
	cfg, err := read(dir)
	if err != nil {
		return err
	}
	cfg.Addr, cfg.Database, cfg.Redis, cfg.Synchronous = addr, database, os.Getenv(serveBy), "full"
	s, err := app.New(context.Background(), cfg, slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})), app.WithHashing(cheap))
	if err != nil {
		return err
	}
	fmt.Println("ready")
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	return s.Run(ctx)
}

// Quiet is the log of servers that nobody reads.
var Quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

// Settled waits until no more than so many goroutines and bytes of heap are in
// use, and returns what there is.
func Settled(t *testing.T, goroutines int, heap uint64) (int, uint64) {
	t.Helper()
	var m runtime.MemStats
	for end := time.Now().Add(Patience); ; time.Sleep(20 * time.Millisecond) {
		runtime.GC()
		runtime.GC() // what pools hold goes with the second
		runtime.ReadMemStats(&m)
		n := runtime.NumGoroutine()
		if n <= goroutines && m.HeapAlloc <= heap {
			return n, m.HeapAlloc
		}
		if time.Now().After(end) {
			buf := make([]byte, 1<<20)
			t.Fatalf("%d goroutines, not %d; %d bytes of heap, not %d\n%s", n, goroutines, m.HeapAlloc, heap, buf[:runtime.Stack(buf, true)])
		}
	}
}
