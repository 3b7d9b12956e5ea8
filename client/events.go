package client

import (
	"encoding/json"
	"fmt"
	"slices"
	"sync"

	"wenzhen/rooms"
)

// heardMost bounds what waits for the handlers of On.
const heardMost = 256

// heard are the handlers of a Client and what waits for them.
type heard struct {
	mu       sync.Mutex
	handlers map[string][]*handler
	queue    []func()
	running  bool
}

type handler struct{ hear func(json.RawMessage) }

// On calls hear with each signal that comes from now on, in order, until stop
// is called. Handlers run in one goroutine of the Client's, one at a time, and
// may send commands, but not Close the Client, which waits for them. While
// they are 256 behind, signals are dropped.
func On[D any](c *Client, signal rooms.SignalType[D], hear func(D)) (stop func()) {
	return c.on(signal.Name, func(data json.RawMessage) {
		var d D
		if json.Unmarshal(data, &d) == nil {
			hear(d)
		}
	})
}

// OnEvent calls hear with each event that reaches this connection live, also
// of rooms that were not joined: a doctor hears of new consultations. What
// happens while the connection is down is missed; join the room to miss
// nothing. Otherwise it is like On.
func OnEvent[D any](c *Client, event rooms.EventType[D], hear func(rooms.Event, D)) (stop func()) {
	return c.on(event.Name, func(data json.RawMessage) {
		var entry rooms.Event
		if json.Unmarshal(data, &entry) != nil {
			return
		}
		if d, err := Decode(event, entry); err == nil {
			hear(entry, d)
		}
	})
}

// Decode reads the data of an entry that is such an event.
func Decode[D any](event rooms.EventType[D], entry rooms.Event) (D, error) {
	var d D
	if entry.Name != event.Name {
		return d, fmt.Errorf("client: %s is no %s", entry.Name, event.Name)
	}
	return d, json.Unmarshal(entry.Data, &d)
}

func (c *Client) on(name string, hear func(json.RawMessage)) func() {
	h := &handler{hear}
	c.heard.mu.Lock()
	defer c.heard.mu.Unlock()
	if c.heard.handlers == nil {
		c.heard.handlers = map[string][]*handler{}
	}
	c.heard.handlers[name] = append(c.heard.handlers[name], h)
	return func() {
		c.heard.mu.Lock()
		defer c.heard.mu.Unlock()
		c.heard.handlers[name] = slices.DeleteFunc(slices.Clone(c.heard.handlers[name]), func(o *handler) bool { return o == h })
	}
}

// hear takes what the link reads; it never waits.
func (c *Client) hear(name string, data json.RawMessage) {
	c.toRoom(data)
	c.heard.mu.Lock()
	defer c.heard.mu.Unlock()
	for _, h := range c.heard.handlers[name] {
		if len(c.heard.queue) < heardMost {
			c.heard.queue = append(c.heard.queue, func() { h.hear(data) })
		}
	}
	if len(c.heard.queue) > 0 && !c.heard.running {
		c.heard.running = c.spawn(c.callHandlers)
	}
}

// toRoom hands an event of a joined room to it.
func (c *Client) toRoom(data json.RawMessage) {
	c.mu.Lock()
	none := len(c.rooms) == 0
	c.mu.Unlock()
	if none {
		return
	}
	var entry rooms.Event
	if json.Unmarshal(data, &entry) != nil || entry.Seq <= 0 {
		return // a signal
	}
	c.mu.Lock()
	r := c.rooms[entry.Room]
	c.mu.Unlock()
	if r != nil {
		r.live(entry)
	}
}

// callHandlers runs the handlers of the events that wait, including those that
// arrived before the client ended.
func (c *Client) callHandlers() {
	for {
		c.heard.mu.Lock()
		if len(c.heard.queue) == 0 {
			c.heard.queue, c.heard.running = nil, false
			c.heard.mu.Unlock()
			return
		}
		next := c.heard.queue[0]
		c.heard.queue = c.heard.queue[1:]
		c.heard.mu.Unlock()
		next()
	}
}
