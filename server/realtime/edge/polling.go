package edge

import "time"

// noopDelay is how long a poll stays open after a WebSocket has probed before it
// is answered with a NOOP. A client that completes the upgrade immediately has no
// poll open and is not delayed by this.
const noopDelay = 20 * time.Millisecond

// polling is the sending half of a session on HTTP long-polling: packets are
// queued here for the client's next GET. It is guarded by the session's mu.
type polling struct {
	limit   int // of the bytes in out
	out     []frame
	size    int
	pending *pendingPoll // the GET that waits for packets
	posted  bool         // a POST is being read
}

// pendingPoll is a GET that waits for packets. Before ready is closed, frames is set,
// or left nil to end the request without packets.
type pendingPoll struct {
	ready  chan struct{}
	frames []frame
}

// write queues frames and answers the GET that waits. It returns false if the
// queue is full.
func (p *polling) write(frames ...frame) bool {
	for _, f := range frames {
		if p.size > 0 && p.size+len(f.wire) > p.limit {
			return false
		}
		p.out = append(p.out, f)
		p.size += len(f.wire)
	}
	p.answer()
	return true
}

// answer answers the GET that waits with what is queued.
func (p *polling) answer() {
	if p.pending == nil || len(p.out) == 0 {
		return
	}
	p.pending.frames = p.next()
	close(p.pending.ready)
	p.pending = nil
}

// idle reports whether no GET waits and no packet is queued.
func (p *polling) idle() bool { return p.pending == nil && len(p.out) == 0 }

// next removes and returns the packets for one GET: all that are queued, except
// that the packet that ends the session is sent alone. A client that receives it
// after a DISCONNECT in one payload mistakes the disconnection for a lost
// connection and reconnects.
func (p *polling) next() []frame {
	frames := p.take()
	if n := len(frames); n > 1 && &frames[n-1].wire[0] == &closePoll.wire[0] {
		p.out = frames[n-1:]
		frames = frames[:n-1]
	}
	return frames
}

// take empties the queue.
func (p *polling) take() []frame {
	frames := p.out
	p.out, p.size = nil, 0
	return frames
}

// finish queues the last packet.
func (p *polling) finish(last frame) {
	p.out = append(p.out, last)
	p.answer()
}

// abandon drops what is queued and ends the GET that waits without packets.
func (p *polling) abandon() {
	p.take()
	if p.pending != nil {
		close(p.pending.ready)
		p.pending = nil
	}
}

// noopSoon answers the GET that waits with a NOOP after noopDelay, unless the
// upgrade has completed. mu of the session is held.
func (s *connection) noopSoon() {
	pending := s.poll.pending
	if pending == nil || !s.probed {
		return
	}
	time.AfterFunc(noopDelay, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.poll != nil && s.poll.pending == pending && s.probed {
			s.poll.finish(noopPoll)
		}
	})
}
