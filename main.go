// Command wenzhen is a self-hosted online doctor-consultation server.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"wenzhen.example/server/commandline"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(commandline.Run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
