// Edge is Wenzhen's realtime edge alone, in memory, with the handlers that the
// other peers have.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"runtime"
	"runtime/debug"

	"wenzhen/server/realtime/edge"
)

func main() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(200) // as `wenzhen serve` does
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("listening on http://%s\n", listener.Addr())
	log.Fatal(http.Serve(listener, handler()))
}

// handler serves Socket.IO and /stats.
func handler() http.Handler {
	server := edge.New(edge.Config{})
	chat := &talk{}
	chat.namespace = server.Namespace("/", chat)
	mux := http.NewServeMux()
	mux.Handle("/socket.io/", server)
	mux.HandleFunc("/stats", stats)
	return mux
}

// stats counts goroutines, with the memory given back that is not needed.
func stats(w http.ResponseWriter, _ *http.Request) {
	debug.FreeOSMemory()
	json.NewEncoder(w).Encode(map[string]int{"goroutines": runtime.NumGoroutine()})
}

// talk is the namespace.
type talk struct{ namespace *edge.Namespace }

// Connect lets anyone in.
func (*talk) Connect(context.Context, *edge.Socket) error { return nil }

// Event joins a room, says something in one, or echoes.
func (t *talk) Event(_ context.Context, s *edge.Socket, name string, args []edge.Arg, ack *edge.Ack) {
	if len(args) != 1 || ack == nil {
		return
	}
	if name == "echo" {
		if len(args[0].Attachments) == 1 {
			ack.Reply(args[0].Attachments[0])
		} else {
			ack.Reply(args[0].JSON)
		}
		return
	}
	var in struct {
		Room string `json:"room"`
	}
	if err := json.Unmarshal(args[0].JSON, &in); err != nil {
		ack.Reply(false)
		return
	}
	switch name {
	case "join":
		s.Join(in.Room)
	case "say":
		t.namespace.Broadcast([]string{in.Room}, "said", args[0].JSON)
	}
	ack.Reply(true)
}

// Disconnect has nothing to give back.
func (*talk) Disconnect(*edge.Socket, string) {}
