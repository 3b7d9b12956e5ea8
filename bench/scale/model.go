package main

import (
	"math/rand/v2"
	"slices"
)

// Clinic is a number of users on a number of nodes, and what one node needs for
// what they do. Times are seconds of one core.
type Clinic struct {
	Users, Nodes int
	PerUser      float64 // messages a second that one user sends
	Cores        int     // of a node

	Memory   float64 // bytes of a connection
	Send     float64 // a durable message through the whole product
	Deliver  float64 // handing an event to one more socket
	Follow   float64 // an event of the log that nobody on the node listens to
	Accept   float64 // handshakes a second that a node lets in, for each core (--accept-rate)
	EventLen float64 // bytes of an event in the log
	First    float64 // the pause of our clients before they come back, jittered by half
}

// measured is a million users who each say something every five minutes, with
// the figures of bench/RESULTS.md and of BenchmarkFollow on the machine of the
// tests (2 cores, shared).
var measured = Clinic{Users: 1_000_000, PerUser: 1.0 / 300, Cores: 8,
	Memory: 17.4e3, Send: 340e-6, Deliver: 3.4e-6, Follow: 8e-6, Accept: 4000, EventLen: 700, First: 0.2}

// Rate is the messages of all users in a second.
func (c Clinic) Rate() float64 { return float64(c.Users) * c.PerUser }

// Load is how full one node is, as parts of all its cores.
type Load struct {
	GB, LogMB float64
	// Own is connections and messages of its users; FollowAll is reading the
	// whole log besides, and FollowRooms only the partitions that its users' rooms are in.
	Own, FollowAll, FollowRooms float64
}

// Load simulates where people land: a consultation's two sides connect to any
// node, so an event is of use to one node or to two.
func (c Clinic) Load() Load {
	const sample = 200_000
	dice := rand.New(rand.NewPCG(1, 1))
	here := 0 // rooms that somebody on node 0 is in
	for range sample {
		patient, doctor := dice.IntN(c.Nodes), dice.IntN(c.Nodes)
		if patient == 0 || doctor == 0 {
			here++
		}
	}
	cores, rate := float64(c.Cores), c.Rate()
	mine := rate * float64(here) / sample
	return Load{
		GB:          float64(c.Users) / float64(c.Nodes) * c.Memory / 1e9,
		LogMB:       rate * c.EventLen / 1e6,
		Own:         (rate/float64(c.Nodes)*c.Send + 2*rate/float64(c.Nodes)*c.Deliver) / cores,
		FollowAll:   rate * c.Follow / cores,
		FollowRooms: mine * c.Follow / cores,
	}
}

// Storm is what follows the death of a node.
type Storm struct {
	Lost, Accepts, Peak int
	Half, All           float64 // seconds until that many are back
}

// A node lets a second's worth of handshakes in at once and others wait for their
// turn, for patience seconds at most; a client that would wait longer gets
// that time as Retry-After.
const (
	patience        = 2.0
	soonest, latest = 1, 4
)

// Storm simulates every client that was on the node: it comes after a jittered
// pause, and is let in, waits, or comes again later.
func (c Clinic) Storm() Storm {
	const tick = 0.1
	dice := rand.New(rand.NewPCG(2, 2))
	rate := float64(max(1, c.Nodes-1)*c.Cores) * c.Accept
	s := Storm{Lost: c.Users / c.Nodes, Accepts: int(rate)}
	come := map[int]int{} // clients by the tick in which they come
	in := func(now int, seconds, jitter float64) { come[now+int((seconds+dice.Float64()*jitter)/tick)]++ }
	for range s.Lost {
		in(0, c.First/2, c.First/2)
	}
	var back []float64
	second := map[int]int{}
	ahead := -rate // who are let in before the next; a second's worth does not wait
	for now := 0; len(back) < s.Lost; now++ {
		second[int(float64(now)*tick)] += come[now]
		for range come[now] {
			if ahead > patience*rate {
				told := float64(soonest + dice.IntN(latest-soonest+1))
				in(now+1, told, told/2)
				continue
			}
			back = append(back, float64(now)*tick+max(0, ahead)/rate)
			ahead++
		}
		delete(come, now)
		ahead = max(-rate, ahead-rate*tick)
	}
	for _, n := range second {
		s.Peak = max(s.Peak, n)
	}
	slices.Sort(back)
	s.Half, s.All = back[len(back)/2], back[len(back)-1]
	return s
}
