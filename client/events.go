package client

import (
	"encoding/json"
	"fmt"
	"slices"
	"sync"

	"wenzhen.example/rooms"
)

// dispatchMost bounds the queue of calls of handlers.
const dispatchMost = 256

// dispatcher has the handlers of a Client and the queue of calls of them.
type dispatcher struct {
	mu       sync.Mutex
	handlers map[string][]*handler
	queue    []func()
	running  bool
}

type handler struct{ call func(json.RawMessage) }

// On calls f with each signal that is received from now on, in order, until stop is
// called. Handlers run one at a time in a goroutine of the Client. They may send
// commands, but must not Close the Client, which waits for them. While 256 calls
// are queued, signals are dropped.
func On[D any](c *Client, signal rooms.SignalType[D], f func(D)) (stop func()) {
	return c.on(signal.Name, func(data json.RawMessage) {
		var d D
		if json.Unmarshal(data, &d) == nil {
			f(d)
		}
	})
}

// OnEvent calls f with each event that is received live, including those of rooms
// that were not joined: for example, a doctor receives new consultations. Events
// while the connection is down are missed; use Join to receive all events of a
// room. Otherwise it is like On.
func OnEvent[D any](c *Client, event rooms.EventType[D], f func(rooms.Event, D)) (stop func()) {
	return c.on(event.Name, func(data json.RawMessage) {
		var entry rooms.Event
		if json.Unmarshal(data, &entry) != nil {
			return
		}
		if d, err := Decode(event, entry); err == nil {
			f(entry, d)
		}
	})
}

// Decode decodes the data of an event of a type. It returns an error if entry has
// another type.
func Decode[D any](event rooms.EventType[D], entry rooms.Event) (D, error) {
	var d D
	if entry.Name != event.Name {
		return d, fmt.Errorf("client: the event is %s, not %s", entry.Name, event.Name)
	}
	return d, json.Unmarshal(entry.Data, &d)
}

func (c *Client) on(name string, call func(json.RawMessage)) func() {
	h := &handler{call}
	c.dispatcher.mu.Lock()
	defer c.dispatcher.mu.Unlock()
	if c.dispatcher.handlers == nil {
		c.dispatcher.handlers = map[string][]*handler{}
	}
	c.dispatcher.handlers[name] = append(c.dispatcher.handlers[name], h)
	return func() {
		c.dispatcher.mu.Lock()
		defer c.dispatcher.mu.Unlock()
		c.dispatcher.handlers[name] = slices.DeleteFunc(slices.Clone(c.dispatcher.handlers[name]), func(o *handler) bool { return o == h })
	}
}

// dispatch passes an event or signal to its room and handlers. It does not block.
func (c *Client) dispatch(name string, data json.RawMessage) {
	c.toRoom(data)
	c.dispatcher.mu.Lock()
	defer c.dispatcher.mu.Unlock()
	for _, h := range c.dispatcher.handlers[name] {
		if len(c.dispatcher.queue) < dispatchMost {
			c.dispatcher.queue = append(c.dispatcher.queue, func() { h.call(data) })
		}
	}
	if len(c.dispatcher.queue) > 0 && !c.dispatcher.running {
		c.dispatcher.running = c.spawn(c.callHandlers)
	}
}

// toRoom passes an event to its room, if it is joined.
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

// callHandlers runs the queued calls of handlers, including those that were queued
// before the Client ended.
func (c *Client) callHandlers() {
	for {
		c.dispatcher.mu.Lock()
		if len(c.dispatcher.queue) == 0 {
			c.dispatcher.queue, c.dispatcher.running = nil, false
			c.dispatcher.mu.Unlock()
			return
		}
		next := c.dispatcher.queue[0]
		c.dispatcher.queue = c.dispatcher.queue[1:]
		c.dispatcher.mu.Unlock()
		next()
	}
}
