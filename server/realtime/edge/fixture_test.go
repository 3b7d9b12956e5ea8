package edge

import (
	"context"
	"encoding/json"
	"math"
	"strconv"
	"sync/atomic"
	"time"
)

// fixtureHandler has the events of shippedSocket, for the edge.
type fixtureHandler struct{ slow bool }

// fixtureBusy counts the handlers that sleep.
var fixtureBusy atomic.Int64

func (h fixtureHandler) Connect(_ context.Context, s *Socket) error {
	if h.slow {
		time.Sleep(5 * time.Millisecond)
	}
	s.SetData(&[]int{})
	return nil
}

func (h fixtureHandler) Event(ctx context.Context, s *Socket, name string, args []Arg, ack *Ack) {
	order := s.Data().(*[]int)
	switch name {
	case "echo":
		echo(ctx, s, name, args, ack)
	case "burst":
		for i := range 100 {
			s.namespace.Broadcast(nil, "b", i)
		}
	case "n":
		n, _ := strconv.Atoi(string(args[0].JSON))
		*order = append(*order, n)
	case "inversions":
		n := 0
		for i := 1; i < len(*order); i++ {
			if (*order)[i] < (*order)[i-1] {
				n++
			}
		}
		ack.Reply(len(*order), n)
	case "sleep":
		fixtureBusy.Add(1)
		defer fixtureBusy.Add(-1)
		select {
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
		}
	case "kick":
		s.Kick()
	case "panic":
		panic("handler")
	case "nan":
		s.Emit("nan", math.NaN())
	case "who":
		ack.Reply(json.RawMessage(s.Auth()), s.Address())
	}
}

func (h fixtureHandler) Disconnect(*Socket, string) {}
