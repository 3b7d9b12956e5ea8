// Edge is Wenzhen's realtime edge alone, in memory, with the events of the other
// peers.
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

	"wenzhen.example/server/realtime/edge"
)

func main() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(200) // like `wenzhen serve`
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

// stats returns unused memory to the operating system and reports the number of
// goroutines.
func stats(w http.ResponseWriter, _ *http.Request) {
	debug.FreeOSMemory()
	json.NewEncoder(w).Encode(map[string]int{"goroutines": runtime.NumGoroutine()})
}

// talk handles the namespace.
type talk struct{ namespace *edge.Namespace }

// Connect admits every client.
func (*talk) Connect(context.Context, *edge.Socket) error { return nil }

// Event joins a room, sends a message to one, or echoes.
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

// Disconnect does nothing.
func (*talk) Disconnect(*edge.Socket, string) {}
