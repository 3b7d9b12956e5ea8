// Gorilla is a hand-written server with gorilla/websocket: just enough of Engine.IO
// and Socket.IO for the benchmark, on WebSocket only, without limits, heartbeat
// timeouts or handling of unexpected packets. It is the practical lower bound of CPU
// time in Go.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"runtime"
	"runtime/debug"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

func main() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(200) // like the edge
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("listening on http://%s\n", listener.Addr())
	log.Fatal(http.Serve(listener, handler()))
}

func handler() http.Handler {
	server := &server{rooms: map[string][]*client{}, upgrader: websocket.Upgrader{ReadBufferSize: 512, WriteBufferSize: 512,
		WriteBufferPool: &sync.Pool{}, CheckOrigin: func(*http.Request) bool { return true }}}
	mux := http.NewServeMux()
	mux.Handle("/socket.io/", server)
	mux.HandleFunc("/stats", func(w http.ResponseWriter, _ *http.Request) {
		debug.FreeOSMemory()
		json.NewEncoder(w).Encode(map[string]int{"goroutines": runtime.NumGoroutine()})
	})
	return mux
}

type server struct {
	upgrader websocket.Upgrader
	mu       sync.RWMutex
	rooms    map[string][]*client
}

type client struct {
	ws   *websocket.Conn
	mu   sync.Mutex // held while writing
	ping *time.Timer
}

func (c *client) sendPing() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ws.WriteMessage(websocket.TextMessage, []byte("2")) == nil {
		c.ping.Reset(pingInterval)
	}
}

func (c *client) write(kind int, data []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ws.WriteMessage(kind, data)
}

func (c *client) writePrepared(m *websocket.PreparedMessage) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ws.WritePreparedMessage(m)
}

const (
	openPacket   = `0{"sid":"gorilla","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}`
	pingInterval = 25 * time.Second
)

// ServeHTTP serves one connection, in a new goroutine, so that the request's ends.
func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ws, err := s.upgrader.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	go s.serve(&client{ws: ws})
}

func (s *server) serve(c *client) {
	joined := map[string]bool{}
	defer func() {
		for room := range joined {
			s.leave(room, c)
		}
		c.ws.Close()
	}()
	if c.write(websocket.TextMessage, []byte(openPacket)) != nil {
		return
	}
	c.mu.Lock()
	c.ping = time.AfterFunc(pingInterval, c.sendPing)
	c.mu.Unlock()
	defer c.ping.Stop()
	var waiting []byte // the id of a binary echo whose attachment has not arrived
	for {
		kind, text, err := c.ws.ReadMessage()
		switch {
		case err != nil:
			return
		case kind == websocket.BinaryMessage:
			ack := fmt.Appendf(nil, `461-%s[{"_placeholder":true,"num":0}]`, waiting)
			if c.write(websocket.TextMessage, ack) != nil || c.write(kind, text) != nil {
				return
			}
		case bytes.Equal(text, []byte("40")):
			err = c.write(kind, []byte(`40{"sid":"gorilla"}`))
		case bytes.HasPrefix(text, []byte("42")):
			err = s.event(c, text[2:], joined)
		case bytes.HasPrefix(text, []byte("451-")):
			waiting, _ = splitID(text[4:])
			waiting = bytes.Clone(waiting)
		}
		if err != nil {
			return
		}
	}
}

func splitID(text []byte) (id, body []byte) {
	i := bytes.IndexByte(text, '[')
	if i < 0 {
		return nil, nil
	}
	return text[:i], text[i:]
}

func (s *server) event(c *client, text []byte, joined map[string]bool) error {
	id, body := splitID(text)
	var parts []json.RawMessage
	if err := json.Unmarshal(body, &parts); err != nil || len(parts) != 2 {
		return fmt.Errorf("not an event: %s", text)
	}
	if string(parts[0]) == `"echo"` {
		return c.write(websocket.TextMessage, fmt.Appendf(nil, `43%s[%s]`, id, parts[1]))
	}
	var in struct {
		Room string `json:"room"`
	}
	if err := json.Unmarshal(parts[1], &in); err != nil {
		return err
	}
	switch string(parts[0]) {
	case `"join"`:
		joined[in.Room] = true
		s.mu.Lock()
		s.rooms[in.Room] = append(s.rooms[in.Room][:len(s.rooms[in.Room]):len(s.rooms[in.Room])], c)
		s.mu.Unlock()
	case `"say"`:
		message, err := websocket.NewPreparedMessage(websocket.TextMessage, fmt.Appendf(nil, `42["said",%s]`, parts[1]))
		if err != nil {
			return err
		}
		s.mu.RLock()
		members := s.rooms[in.Room]
		s.mu.RUnlock()
		for _, member := range members {
			member.writePrepared(message)
		}
	}
	return c.write(websocket.TextMessage, fmt.Appendf(nil, `43%s[true]`, id))
}

func (s *server) leave(room string, c *client) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var left []*client
	for _, member := range s.rooms[room] {
		if member != c {
			left = append(left, member)
		}
	}
	if len(left) == 0 {
		delete(s.rooms, room)
	} else {
		s.rooms[room] = left
	}
}
