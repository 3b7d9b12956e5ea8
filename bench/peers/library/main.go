// Library is github.com/zishang520/socket.io/v2 as shipped, in memory, with
// the handlers that the other peers have. It is a module of its own, so that
// the product cannot come to depend on it here.
package main

import (
	"encoding/json"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"runtime"
	"runtime/debug"

	"github.com/zishang520/socket.io/v2/socket"
)

func main() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(200) // as the edge does
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	opts := socket.DefaultServerOptions()
	opts.SetServeClient(false)
	io := socket.NewServer(nil, opts)
	io.On("connection", func(args ...any) { talk(io, args[0].(*socket.Socket)) })
	mux := http.NewServeMux()
	mux.Handle("/socket.io/", io.ServeHandler(nil))
	mux.HandleFunc("/stats", func(w http.ResponseWriter, _ *http.Request) {
		debug.FreeOSMemory()
		json.NewEncoder(w).Encode(map[string]int{"goroutines": runtime.NumGoroutine()})
	})
	fmt.Printf("listening on http://%s\n", listener.Addr())
	log.Fatal(http.Serve(listener, mux))
}

func talk(io *socket.Server, s *socket.Socket) {
	s.On("join", func(args ...any) {
		if room, acknowledge := read(args); acknowledge != nil {
			s.Join(room)
			acknowledge([]any{true}, nil)
		}
	})
	s.On("say", func(args ...any) {
		if room, acknowledge := read(args); acknowledge != nil {
			io.To(room).Emit("said", args[0])
			acknowledge([]any{true}, nil)
		}
	})
	s.On("echo", func(args ...any) {
		if acknowledge, ok := args[len(args)-1].(socket.Ack); ok {
			acknowledge(args[:len(args)-1], nil)
		}
	})
}

func read(args []any) (socket.Room, socket.Ack) {
	if len(args) != 2 {
		return "", nil
	}
	in, _ := args[0].(map[string]any)
	room, _ := in["room"].(string)
	acknowledge, _ := args[1].(socket.Ack)
	return socket.Room(room), acknowledge
}
