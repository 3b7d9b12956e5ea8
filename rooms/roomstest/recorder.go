package roomstest

import (
	"sync"

	"wenzhen.example/rooms"
)

// Recorder is a listener that remembers what it received.
type Recorder struct {
	mu      sync.Mutex
	events  []rooms.Publication
	signals []rooms.Signal
}

// Published implements rooms.Listener.
func (r *Recorder) Published(p rooms.Publication) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, p)
}

// Signalled implements rooms.Listener.
func (r *Recorder) Signalled(n rooms.Signal) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.signals = append(r.signals, n)
}

// Count is how many signals a room was sent under a name.
func (r *Recorder) Count(room rooms.RoomID, name string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := 0
	for _, s := range r.signals {
		if s.Room == room && s.Name == name {
			n++
		}
	}
	return n
}

// Events are those published so far to a room, in the order of publishing.
func (w *World) Events(room rooms.RoomID) []rooms.Publication {
	w.T.Helper()
	w.must(w.DB.Announced(w.T.Context()))
	w.must(w.Hub.Flush(w.T.Context()))
	w.Received.mu.Lock()
	defer w.Received.mu.Unlock()
	var list []rooms.Publication
	for _, p := range w.Received.events {
		if p.Room == room {
			list = append(list, p)
		}
	}
	return list
}

// Signals are the signals sent so far to a room under a name.
func (w *World) Signals(room rooms.RoomID, name string) []rooms.Signal {
	w.T.Helper()
	w.must(w.DB.Announced(w.T.Context()))
	w.must(w.Hub.Flush(w.T.Context()))
	w.Received.mu.Lock()
	defer w.Received.mu.Unlock()
	var list []rooms.Signal
	for _, n := range w.Received.signals {
		if n.Room == room && n.Name == name {
			list = append(list, n)
		}
	}
	return list
}
