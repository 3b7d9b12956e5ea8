package edge

import (
	"context"
	"encoding/json"
	"io"
	"strconv"
	"strings"
	"sync"
	"testing"
)

var message = json.RawMessage(`{"consultationId":"0198c2c4-1f60-7c1e-9f4e-0a4a3b2c1d0e","kind":"text","text":"` +
	strings.Repeat("你好", 20) + `"}`)

func BenchmarkParse(b *testing.B) {
	text := []byte(`2/consultations,17["message:send",` + string(message) + `]`)
	b.ReportAllocs()
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		p, err := parsePacket(text, 10)
		if err != nil {
			b.Fatal(err)
		}
		if _, _, err := splitEvent(p.body, nil); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEncode(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := encodeEvent("/consultations", "message:created", []any{message}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkEcho measures one client that sends an event and waits for its ack.
func BenchmarkEcho(b *testing.B) {
	v := serve(b, Config{}, handler{event: echo})
	c := v.join()
	b.ReportAllocs()
	for b.Loop() {
		c.send(`421["x",` + string(message) + `]`)
		c.next()
	}
}

// BenchmarkFan measures broadcasts to a room; time and allocations are for one
// delivery, including those of the reading clients.
func BenchmarkFan(b *testing.B) {
	for _, n := range []int{10, 100, 1000} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			v := serve(b, Config{SendQueue: 64 << 20}, handler{connect: func(_ context.Context, s *Socket) error {
				s.Join("room")
				return nil
			}})
			var readers sync.WaitGroup
			var conns []io.Closer
			for range n {
				c := v.join()
				conns = append(conns, c.conn)
				readers.Go(func() { io.Copy(io.Discard, c.conn.NetConn()) })
			}
			b.ReportAllocs()
			b.ResetTimer()
			for i := 0; i < b.N; i += n {
				v.main.Broadcast([]string{"room"}, "said", message)
			}
			b.StopTimer()
			for _, c := range conns {
				c.Close()
			}
			readers.Wait()
		})
	}
}
