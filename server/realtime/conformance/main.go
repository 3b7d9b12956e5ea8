// Conformance serves the fixtures that the official test suites of Engine.IO 4
// and Socket.IO 5 require, with the edge of the product:
//
//	go run ./server/realtime/conformance --addr 127.0.0.1:3000
//
// An Engine.IO server that echoes every message is at /engine.io/, the
// Socket.IO fixture at /socket.io/. The suites (test-suite/ in the
// repositories socketio/engine.io-protocol and socketio/socket.io-protocol)
// expect port 3000.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"time"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:3000", "where to listen")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *addr); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// run serves until ctx ends.
func run(ctx context.Context, addr string) error {
	engine, sockets := echoEngine(), fixture()
	mux := http.NewServeMux()
	mux.Handle("/engine.io/", engine)
	mux.Handle("/socket.io/", sockets)
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	fmt.Println("listening on", listener.Addr())

	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	end, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	return errors.Join(engine.Close(end), sockets.Close(end), server.Shutdown(end))
}
