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
	Connect  float64 // a handshake with login and join
	EventLen float64 // bytes of an event in the log
	// First and Most are the pauses of our clients before they come back.
	First, Most float64
}

// measured is a million users who each say something every five minutes, with
// the figures of bench/RESULTS.md and of BenchmarkFollow on the machine of the
// tests (2 cores, shared).
var measured = Clinic{Users: 1_000_000, PerUser: 1.0 / 300, Cores: 8,
	Memory: 17.4e3, Send: 340e-6, Deliver: 3.4e-6, Follow: 8e-6, Connect: 116e-6, EventLen: 700, First: 0.2, Most: 15}

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

// Storm simulates every client that was on the node: it tries after a jittered
// pause that doubles, and is let in if the others have room in that moment.
// Half of the cores of those who are left are for handshakes.
func (c Clinic) Storm() Storm {
	const tick = 0.1
	dice := rand.New(rand.NewPCG(2, 2))
	left := max(1, c.Nodes-1)
	s := Storm{Lost: c.Users / c.Nodes, Accepts: int(float64(left) * float64(c.Cores) / 2 / c.Connect)}
	room := float64(s.Accepts) * tick
	pause := func(tries int) float64 {
		d := min(c.Most, c.First*float64(int(1)<<min(tries, 20)))
		return d/2 + dice.Float64()*d/2
	}
	at := map[int][]int{} // clients by the tick of their next try, as their number of tries
	for range s.Lost {
		first := int(pause(0) / tick)
		at[first] = append(at[first], 1)
	}
	var back []float64
	second := map[int]int{}
	for now := 0; len(back) < s.Lost; now++ {
		for i, tries := range at[now] {
			if second[int(float64(now)*tick)]++; float64(i) < room {
				back = append(back, float64(now)*tick)
			} else {
				next := now + 1 + int(pause(tries)/tick)
				at[next] = append(at[next], tries+1)
			}
		}
		delete(at, now)
	}
	for _, n := range second {
		s.Peak = max(s.Peak, n)
	}
	slices.Sort(back)
	s.Half, s.All = back[len(back)/2], back[len(back)-1]
	return s
}
