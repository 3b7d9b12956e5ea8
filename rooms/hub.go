package rooms

import (
	"context"
	"encoding/json"
	"sync"
)

// Publication is a committed event on its way to listeners.
type Publication struct {
	Event
	// Also are further rooms that receive the event, which is in the log of
	// Event.Room only: for example the devices of a doctor whose queue grew.
	Also []RoomID
	// Lost are the users who lost their access to Event.Room in the transaction of
	// this event. Their connections leave the room before the event is delivered
	// there, and everything else that depends on the access ends.
	Lost []UserID
	// Damaged reports that the event cannot be read: it is not delivered, but
	// Lost takes effect.
	Damaged bool
	// Wire is the entry as JSON, encoded once for all listeners.
	Wire json.RawMessage
}

// Listener receives what happens. Its methods are called from one goroutine, in
// the order of commits (so in seq order within a room), and must not block.
type Listener interface {
	Published(Publication)
	Signalled(Signal)
}

// Hub carries committed events and signals to listeners.
//
// Publish blocks while the queue is full, so a slow listener slows writers
// down rather than losing an event; Signal drops instead, as a signal is worth
// nothing late.
type Hub struct {
	queue     chan delivery
	mu        sync.RWMutex
	listeners []Listener
	relay     func(Signal)
}

type delivery struct {
	ends         []Signal // of sessions
	publications []Publication
	signals      []Signal
	barrier      chan<- struct{}
}

// HubOptions say how much a hub holds, and who else receives its signals.
type HubOptions struct {
	// Depth is how many batches its queue holds.
	Depth int
	// Relay, if set, is called with each Signal too, for those who are connected to
	// other nodes. It must not block.
	Relay func(Signal)
}

// NewHub makes a hub.
func NewHub(o HubOptions) *Hub { return &Hub{queue: make(chan delivery, o.Depth), relay: o.Relay} }

// Listen adds listeners for all that is published from now on. They are called in
// the order in which they were added.
func (h *Hub) Listen(l ...Listener) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.listeners = append(h.listeners, l...)
}

// Publish hands over the events of one or more commits, and the signals that
// waited for them. The store calls it from one goroutine, in the order of
// commits. Sessions that have ended come first: none of them receives an event of
// the same batch.
func (h *Hub) Publish(batch []Publication, signals []Signal) {
	if len(batch)+len(signals) == 0 {
		return
	}
	d := delivery{publications: batch}
	d.ends, d.signals = SplitEnds(signals)
	h.queue <- d
}

// SplitEnds takes the signals that end a session out of the others.
func SplitEnds(signals []Signal) (ends, others []Signal) {
	for _, s := range signals {
		if s.EndsSession() {
			ends = append(ends, s)
		} else {
			others = append(others, s)
		}
	}
	return ends, others
}

// Signal passes s to the listeners of all nodes. It drops s if the queue is full.
func (h *Hub) Signal(s Signal) {
	if h.relay != nil {
		h.relay(s)
	}
	h.SignalHere(s)
}

// SignalHere passes s to the listeners of this node. It drops s if the queue is
// full.
func (h *Hub) SignalHere(s Signal) {
	select {
	case h.queue <- delivery{signals: []Signal{s}}:
	default:
	}
}

// Flush waits until everything handed over before has reached the listeners.
func (h *Hub) Flush(ctx context.Context) error {
	done := make(chan struct{})
	select {
	case h.queue <- delivery{barrier: done}:
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Run delivers until ctx ends, and then what is queued by then. Nothing may be
// published after ctx has ended.
func (h *Hub) Run(ctx context.Context) {
	for {
		select {
		case d := <-h.queue:
			h.deliver(d)
		case <-ctx.Done():
			for {
				select {
				case d := <-h.queue:
					h.deliver(d)
				default:
					return
				}
			}
		}
	}
}

func (h *Hub) deliver(d delivery) {
	if d.barrier != nil {
		close(d.barrier)
		return
	}
	h.mu.RLock()
	listeners := h.listeners
	h.mu.RUnlock()
	signal(listeners, d.ends)
	for i := range d.publications {
		p := &d.publications[i]
		if p.Wire == nil && !p.Damaged {
			p.Wire = p.wire()
		}
		for _, l := range listeners {
			l.Published(*p)
		}
	}
	signal(listeners, d.signals)
}

func signal(listeners []Listener, signals []Signal) {
	for _, s := range signals {
		for _, l := range listeners {
			l.Signalled(s)
		}
	}
}
