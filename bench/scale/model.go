package main

import (
	"math/rand/v2"
	"slices"
)

// Clinic is a number of users on a number of nodes, and the costs of their operations
// on one node. Times are seconds of one core.
type Clinic struct {
	Users, Nodes int
	PerUser      float64 // messages per second of one user
	Cores        int     // of a node

	Memory   float64 // bytes of a connection
	Send     float64 // a durable message through the whole product
	Deliver  float64 // sending an event to one more socket
	ReadLog  float64 // reading an event of the log without subscribers on the node
	Accept   float64 // handshakes per second that a node admits, per core (--accept-rate)
	EventLen float64 // bytes of an event in the log
	First    float64 // the pause of our clients before they reconnect, jittered by half
}

// measured is a million users who each send a message every five minutes, with the
// figures of bench/RESULTS.md and of BenchmarkReadLog on the machine of the tests (2
// cores, shared).
var measured = Clinic{Users: 1_000_000, PerUser: 1.0 / 300, Cores: 8,
	Memory: 17.4e3, Send: 340e-6, Deliver: 3.4e-6, ReadLog: 8e-6, Accept: 4000, EventLen: 700, First: 0.2}

// Rate returns the messages per second of all users.
func (c Clinic) Rate() float64 { return float64(c.Users) * c.PerUser }

// Load is the load of one node, as fractions of all its cores.
type Load struct {
	GB, LogMB float64
	// Own is the load of connections and messages of the node's users. FollowAll is
	// the load of reading the whole log, FollowRooms that of reading only the
	// partitions of its users' rooms.
	Own, ReadAll, ReadRooms float64
}

// Load simulates to which nodes users connect: the two participants of a consultation
// connect to any node, so an event is needed on one node or two.
func (c Clinic) Load() Load {
	const sample = 200_000
	dice := rand.New(rand.NewPCG(1, 1))
	here := 0 // rooms with a member on node 0
	for range sample {
		patient, doctor := dice.IntN(c.Nodes), dice.IntN(c.Nodes)
		if patient == 0 || doctor == 0 {
			here++
		}
	}
	cores, rate := float64(c.Cores), c.Rate()
	mine := rate * float64(here) / sample
	return Load{
		GB:        float64(c.Users) / float64(c.Nodes) * c.Memory / 1e9,
		LogMB:     rate * c.EventLen / 1e6,
		Own:       (rate/float64(c.Nodes)*c.Send + 2*rate/float64(c.Nodes)*c.Deliver) / cores,
		ReadAll:   rate * c.ReadLog / cores,
		ReadRooms: mine * c.ReadLog / cores,
	}
}

// Storm is the reconnecting of clients after a node fails.
type Storm struct {
	Lost, Accepts, Peak int
	Half, All           float64 // seconds until half and all clients have reconnected
}

// A node admits a burst of one second's handshakes at once. Others wait for up to
// patience seconds; a client that would wait longer is refused with a random
// Retry-After from soonest to latest seconds.
const (
	patience        = 2.0
	soonest, latest = 1, 4
)

// Storm simulates every client of the node: it connects after a jittered pause, and
// is admitted, waits, or is refused and tries again.
func (c Clinic) Storm() Storm {
	const tick = 0.1
	dice := rand.New(rand.NewPCG(2, 2))
	rate := float64(max(1, c.Nodes-1)*c.Cores) * c.Accept
	s := Storm{Lost: c.Users / c.Nodes, Accepts: int(rate)}
	arrivals := map[int]int{} // number of clients by the tick in which they connect
	in := func(now int, seconds, jitter float64) { arrivals[now+int((seconds+dice.Float64()*jitter)/tick)]++ }
	for range s.Lost {
		in(0, c.First/2, c.First/2)
	}
	var admitted []float64
	second := map[int]int{}
	ahead := -rate // clients that are admitted before the next; those of the burst do not wait
	for now := 0; len(admitted) < s.Lost; now++ {
		second[int(float64(now)*tick)] += arrivals[now]
		for range arrivals[now] {
			if ahead > patience*rate {
				retryAfter := float64(soonest + dice.IntN(latest-soonest+1))
				in(now+1, retryAfter, retryAfter/2)
				continue
			}
			admitted = append(admitted, float64(now)*tick+max(0, ahead)/rate)
			ahead++
		}
		delete(arrivals, now)
		ahead = max(-rate, ahead-rate*tick)
	}
	for _, n := range second {
		s.Peak = max(s.Peak, n)
	}
	slices.Sort(admitted)
	s.Half, s.All = admitted[len(admitted)/2], admitted[len(admitted)-1]
	return s
}
