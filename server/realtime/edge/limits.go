package edge

import (
	"runtime/metrics"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// heapSampleTime is how old a reading of the heap may be.
const heapSampleTime = 100 * time.Millisecond

// limits says who may come in.
type limits struct {
	perAddress  int
	heapCeiling uint64
	gate        *rate.Limiter // of handshakes; nil without a limit

	mu       sync.Mutex
	requests map[string]int // polling requests open, by address
	sampled  time.Time
	heap     uint64
}

// begin counts a polling request of an address; false says that it has too
// many open. Whoever was let in calls finish.
func (l *limits) begin(address string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.requests[address] >= l.perAddress {
		return false
	}
	if l.requests == nil {
		l.requests = map[string]int{}
	}
	l.requests[address]++
	return true
}

func (l *limits) finish(address string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.requests[address]--; l.requests[address] <= 0 {
		delete(l.requests, address)
	}
}

// heapFull says whether the heap in use is above its ceiling.
func (l *limits) heapFull() bool {
	if l.heapCeiling == 0 {
		return false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if now := time.Now(); now.Sub(l.sampled) > heapSampleTime {
		sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
		metrics.Read(sample)
		l.heap, l.sampled = sample[0].Value.Uint64(), now
	}
	return l.heap > l.heapCeiling
}
