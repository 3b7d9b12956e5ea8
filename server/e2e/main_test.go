// Package e2e_test tests the whole server from outside: on real sockets,
// through package client, and through bare connections where a client would
// not do what the test wants.
package e2e_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"testing"

	"go.uber.org/goleak"

	"wenzhen/server"
)

// serveIn, in the environment, makes the test binary a server on this data
// folder: a real process that a test can kill.
const (
	serveIn = "WENZHEN_E2E_SERVE"
	serveAt = "WENZHEN_E2E_ADDR"
	serveOn = "WENZHEN_E2E_DATABASE"
	serveBy = "WENZHEN_E2E_REDIS"
	// serveStrictly, when set, keeps the limits that are a test's way otherwise.
	serveStrictly = "WENZHEN_E2E_STRICT"
)

func TestMain(m *testing.M) {
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
	read := settings
	if os.Getenv(serveStrictly) != "" {
		read = defaults
	}
	cfg, err := read(dir)
	if err != nil {
		return err
	}
	cfg.Addr, cfg.Database, cfg.Redis, cfg.Synchronous = addr, database, os.Getenv(serveBy), "full"
	s, err := server.New(context.Background(), cfg, slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})))
	if err != nil {
		return err
	}
	fmt.Println("ready")
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	return s.Run(ctx)
}

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))
