package edge

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"wenzhen.example/rooms/roomstest/prove"
)

// TestHonestPairsNoticeNothing lets pairs of clients send messages during all
// attacks of abuse_test.go at once: every client receives everything in order,
// every attacker is refused or disconnected, and memory does not grow.
func TestHonestPairsNoticeNothing(t *testing.T) {
	pairs := prove.Size(t, "pairs that send messages during the attacks", 25, 100)
	messages := prove.Size(t, "messages of each of them", 50, 100)
	v := serve(t, Config{BodyTimeout: 2 * time.Second}, handler{})
	ctx, stop := context.WithCancel(t.Context())
	room := v.edge.Namespace("/talk", handler{event: func(_ context.Context, s *Socket, name string, args []Arg, ack *Ack) {
		switch name {
		case "join":
			s.Join(string(args[0].JSON))
		case "slow":
			<-ctx.Done()
		}
		ack.Reply()
	}})
	connect := func() *wsClient {
		c := v.dial()
		c.send("40/talk,")
		c.next()
		return c
	}
	before := heapNow()
	attackers := attack(ctx, v, room, connect)
	talkInPairs(t, room, connect, pairs, messages)
	stop()
	attackers.Wait()
	grown(t, before, 32<<20) // includes the pairs' own buffers, on both ends
	eventually(t, "the stalled reader is closed", func() bool { return v.edge.Stats().SlowClosed == 1 })
	if attackers.refused != http.StatusRequestEntityTooLarge && attackers.refused != 0 {
		t.Errorf("300 MB were answered with %d", attackers.refused)
	}
	if attackers.floodCode != closeInvalid || attackers.bombCode != 1002 {
		t.Errorf("the attachment flood was closed with %d, the compressed frame with %d", attackers.floodCode, attackers.bombCode)
	}
}

// attackers are the running attacks, and their results after Wait.
type attackers struct {
	sync.WaitGroup
	refused             int // the status of the endless body
	floodCode, bombCode int // closing codes
}

// attack starts all attacks. They end when they are stopped by the server or ctx.
func attack(ctx context.Context, v *served, room *Namespace, connect func() *wsClient) *attackers {
	a := &attackers{}
	stalled := connect() // reads nothing from here on
	stalled.send(`42/talk,1["join","firehose"]`)
	a.Go(func() {
		big := json.RawMessage(`"` + strings.Repeat("x", 64<<10) + `"`)
		for ctx.Err() == nil && v.edge.Stats().SlowClosed == 0 {
			room.Broadcast([]string{`"firehose"`}, "big", big)
		}
	})
	slow := connect()
	a.Go(func() {
		for range 20_000 {
			slow.conn.SetWriteDeadline(time.Now().Add(200 * time.Millisecond))
			if slow.conn.WriteMessage(1, []byte(`42/talk,1["slow","`+strings.Repeat("x", 1000)+`"]`)) != nil {
				return
			}
		}
	})
	poller := v.joinPoll()
	a.Go(func() {
		if response, err := http.Post(poller.url(), "text/plain", io.LimitReader(&endless{}, 300<<20)); err == nil {
			response.Body.Close()
			a.refused = response.StatusCode
		}
	})
	flood, bomb := connect(), v.dialRaw("")
	a.Go(func() {
		flood.send(`4599999-/talk,["a"]`)
		a.floodCode = flood.closed()
	})
	a.Go(func() {
		bomb.conn.UnderlyingConn().Write([]byte{0xC1, 0x80, 0, 0, 0, 0}) // compressed, although compression was not negotiated
		a.bombCode = bomb.closed()
	})
	for range 50 {
		v.dialRaw("") // half-open: never joins anything
	}
	return a
}

// talkInPairs lets pairs of clients send messages to each other, and checks that all
// are received and acknowledged in order.
func talkInPairs(t *testing.T, room *Namespace, connect func() *wsClient, pairs, messages int) {
	var talk sync.WaitGroup
	for pair := range pairs {
		a, b := connect(), connect()
		name := fmt.Sprintf(`"pair-%d"`, pair)
		for _, c := range []*wsClient{a, b} {
			c.send(`42/talk,0["join",` + name + `]`)
			c.expect(`43/talk,0[]`)
		}
		talk.Go(func() {
			for n := range messages {
				room.Broadcast([]string{name}, "said", n)
				a.send(fmt.Sprintf(`42/talk,%d["said"]`, n+1))
			}
		})
		for _, c := range []*wsClient{a, b} {
			talk.Go(func() {
				for n, acks := 0, 0; n < messages || (c == a && acks < messages); {
					switch got := c.next(); {
					case got == fmt.Sprintf(`42/talk,["said",%d]`, n):
						n++
					case got == fmt.Sprintf(`43/talk,%d[]`, acks+1):
						acks++
					default:
						t.Errorf("after %d messages and %d answers: %s", n, acks, got)
						return
					}
				}
			})
		}
	}
	talk.Wait()
}
