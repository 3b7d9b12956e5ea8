package roomstest

import (
	"sync"

	"wenzhen/rooms"
)

// Recorder is a listener that remembers what it heard.
type Recorder struct {
	mu      sync.Mutex
	events  []rooms.Publication
	notices []rooms.Notice
}

// Published implements rooms.Listener.
func (r *Recorder) Published(p rooms.Publication) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, p)
}

// Signalled implements rooms.Listener.
func (r *Recorder) Signalled(n rooms.Notice) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.notices = append(r.notices, n)
}

// Count is how many signals a room was sent under a name.
func (r *Recorder) Count(room rooms.RoomID, name string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := 0
	for _, s := range r.notices {
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
	w.Heard.mu.Lock()
	defer w.Heard.mu.Unlock()
	var list []rooms.Publication
	for _, p := range w.Heard.events {
		if p.Room == room {
			list = append(list, p)
		}
	}
	return list
}

// Notices are the signals sent so far to a room under a name.
func (w *World) Notices(room rooms.RoomID, name string) []rooms.Notice {
	w.T.Helper()
	w.must(w.DB.Announced(w.T.Context()))
	w.must(w.Hub.Flush(w.T.Context()))
	w.Heard.mu.Lock()
	defer w.Heard.mu.Unlock()
	var list []rooms.Notice
	for _, n := range w.Heard.notices {
		if n.Room == room && n.Name == name {
			list = append(list, n)
		}
	}
	return list
}
