package main

import (
	"context"
	"encoding/json"
	"time"

	"wenzhen.example/server/realtime/edge"
)

// config is the configuration that the test suites expect.
func config() edge.Config {
	return edge.Config{
		PingInterval: 300 * time.Millisecond,
		PingTimeout:  200 * time.Millisecond,
		// The suite keeps a session without a namespace open for three PINGs,
		// 900 ms. One second would be too close to that on a slow machine.
		ConnectTimeout: 1500 * time.Millisecond,
		MaxPayload:     1_000_000,
		Origins:        []string{"*"},
	}
}

// echoEngine returns the Engine.IO fixture, which echoes every message.
func echoEngine() *edge.Engine {
	return edge.NewEngine(config(), func(c *edge.Conn, data []byte, binary bool) {
		c.Send(data, binary)
	})
}

// fixture returns the Socket.IO fixture: the main namespace and /custom.
func fixture() *edge.Server {
	s := edge.New(config())
	s.Namespace("/", suite{})
	s.Namespace("/custom", suite{})
	return s
}

// suite handles the namespaces as the test suites expect.
type suite struct{}

// pause is the delay of "auth" after CONNECT. The suite waits for one message at
// a time and misses the second of two that arrive in one read.
const pause = 10 * time.Millisecond

// Connect sends the client's auth back as "auth".
func (suite) Connect(_ context.Context, s *edge.Socket) error {
	time.AfterFunc(pause, func() { s.Emit("auth", s.Auth()) })
	return nil
}

// Event answers "message" with "message-back" and "message-with-ack" with an
// acknowledgement, both with the same arguments.
func (suite) Event(_ context.Context, s *edge.Socket, name string, args []edge.Arg, ack *edge.Ack) {
	switch {
	case name == "message":
		s.Emit("message-back", values(args)...)
	case name == "message-with-ack" && ack != nil:
		ack.Reply(values(args)...)
	}
}

func (suite) Disconnect(*edge.Socket, string) {}

// values converts received arguments to arguments to send.
func values(args []edge.Arg) []any {
	list := make([]any, len(args))
	for i, arg := range args {
		var p struct {
			Placeholder bool `json:"_placeholder"`
			Num         int  `json:"num"`
		}
		if json.Unmarshal(arg.JSON, &p) == nil && p.Placeholder {
			list[i] = arg.Attachments[p.Num]
		} else {
			list[i] = arg.JSON
		}
	}
	return list
}
