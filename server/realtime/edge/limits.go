package edge

import (
	"runtime/metrics"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// heapSampleTime is the maximum age of a measurement of the heap.
const heapSampleTime = 100 * time.Millisecond

// Source is a network whose connections are counted together.
type Source struct {
	Name string
	// Times multiplies the limit of one address.
	Times int
}

// sourceCounts counts connections or requests by network.
type sourceCounts map[string]int

// full reports whether one of the networks has reached its limit: most times
// its Times.
func (c sourceCounts) full(sources []Source, most int) bool {
	for _, from := range sources {
		if c[from.Name] >= most*from.Times {
			return true
		}
	}
	return false
}

func (c sourceCounts) enter(sources []Source) {
	for _, from := range sources {
		c[from.Name]++
	}
}

func (c sourceCounts) leave(sources []Source) {
	for _, from := range sources {
		if c[from.Name]--; c[from.Name] <= 0 {
			delete(c, from.Name)
		}
	}
}

// limits limits handshakes and polling requests.
type limits struct {
	perAddress  int
	sources     func(address string) []Source
	heapCeiling uint64
	handshakes  *rate.Limiter // nil without a limit

	mu       sync.Mutex
	requests sourceCounts // polling requests open
	sampled  time.Time
	heap     uint64
}

// begin counts a polling request of an address. It returns false if the address
// has too many open. After true, the caller must call finish.
func (l *limits) begin(address string) bool {
	sources := l.sources(address)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.requests.full(sources, l.perAddress) {
		return false
	}
	if l.requests == nil {
		l.requests = sourceCounts{}
	}
	l.requests.enter(sources)
	return true
}

func (l *limits) finish(address string) {
	sources := l.sources(address)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.requests.leave(sources)
}

// heapFull reports whether the heap in use is above its ceiling.
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
