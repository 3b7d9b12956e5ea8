package main

import (
	"time"

	"wenzhen.example/client/load"
)

// workload is a scenario with options that several peers run.
type workload struct {
	name, scenario, about string
	options               load.Options
	rounds                int // maximum number of rounds; 0 is no limit
	peers                 []entry
	figure                string // the quantity of its plot: "cpu", "rate" or "memory"
}

// entry is a peer in a workload. The first is the base of the ratios. options, if not
// nil, replace those of the workload.
type entry struct {
	peer    string
	options *load.Options
}

func among(names ...string) []entry {
	list := make([]entry, len(names))
	for i, name := range names {
		list[i].peer = name
	}
	return list
}

// socketsPerUser is the number of connections per account: registering an account
// takes 40 ms of hashing, which is not part of the measurement.
const socketsPerUser = 100

var workloads = []workload{
	{name: "idle 2,000", scenario: "idle", about: "2,000 idle connections", figure: "memory", rounds: 3,
		options: load.Options{Scenario: "idle", Connections: 2000, Duration: time.Second, SocketsPerUser: socketsPerUser},
		peers:   among("node", "library", "gorilla", "edge", "wenzhen")},
	{name: "idle 10,000", scenario: "idle", about: "10,000 idle connections", figure: "memory", rounds: 3,
		options: load.Options{Scenario: "idle", Connections: 10_000, Duration: 2 * time.Second, SocketsPerUser: socketsPerUser},
		peers:   among("node", "library", "gorilla", "edge", "wenzhen")},
	{name: "connect", scenario: "connect", about: "2,000 connections with namespace, WebSocket from the start, 64 at a time", figure: "cpu",
		options: load.Options{Scenario: "connect", Connections: 2000, SocketsPerUser: socketsPerUser},
		peers:   among("node", "library", "gorilla", "edge", "wenzhen")},
	{name: "connect, polling", scenario: "connect", figure: "cpu",
		about:   "1,000 connections with namespace, long-polling and upgrade, as browsers do",
		options: load.Options{Scenario: "connect", Connections: 1000, Polling: true, SocketsPerUser: socketsPerUser},
		peers:   among("node", "edge", "wenzhen")},
	{name: "connect 10,000", scenario: "connect", about: "10,000 connections in a storm, 256 at a time", figure: "cpu", rounds: 3,
		options: load.Options{Scenario: "connect", Connections: 10_000, Dialers: 256, SocketsPerUser: socketsPerUser},
		peers:   among("node", "edge", "wenzhen")},
	{name: "pair 1,000/s", scenario: "pair", figure: "cpu",
		about:   "1,000 rooms of two, 200-byte messages at 1,000/s, each delivered to both and acknowledged",
		options: load.Options{Scenario: "pair", Connections: 2000, Rate: 1000, Duration: 3 * time.Second},
		peers:   among("node", "library", "gorilla", "edge")},
	{name: "pair 5,000/s", scenario: "pair", about: "the same at 5,000/s", figure: "cpu",
		options: load.Options{Scenario: "pair", Connections: 2000, Rate: 5000, Duration: 2 * time.Second},
		peers:   among("node", "node+bufferutil", "library", "gorilla", "edge")},
	{name: "pair, most", scenario: "pair", about: "the same at rising rates: the highest with p99 below 50 ms", figure: "rate", rounds: 3,
		options: load.Options{Scenario: "pair", Connections: 2000, Rate: 4000, Duration: time.Second, Ramp: true},
		peers:   among("node", "gorilla", "edge")},
	{name: "fan 10", scenario: "fan", about: "one room of 10, one member sends as fast as acknowledgements allow", figure: "cpu",
		options: load.Options{Scenario: "fan", Connections: 10, Duration: 1500 * time.Millisecond},
		peers:   among("node", "gorilla", "edge")},
	{name: "fan 100", scenario: "fan", about: "one room of 100", figure: "cpu",
		options: load.Options{Scenario: "fan", Connections: 100, Duration: 1500 * time.Millisecond},
		peers:   among("node", "gorilla", "edge")},
	{name: "fan 1,000", scenario: "fan", about: "one room of 1,000", figure: "cpu",
		options: load.Options{Scenario: "fan", Connections: 1000, Duration: 2 * time.Second},
		peers:   among("node", "node+bufferutil", "library", "gorilla", "edge")},
	{name: "fan 5,000", scenario: "fan", about: "one room of 5,000", figure: "cpu", rounds: 3,
		options: load.Options{Scenario: "fan", Connections: 5000, Duration: 3 * time.Second},
		peers:   among("node", "gorilla", "edge")},
	{name: "echo 200 B", scenario: "echo", about: "one connection, one message of 200 bytes at a time", figure: "cpu",
		options: load.Options{Scenario: "echo", Duration: time.Second},
		peers:   among("node", "node+bufferutil", "library", "gorilla", "edge")},
	{name: "echo 64 KiB", scenario: "echo", about: "one connection, one binary message of 64 KiB at a time", figure: "cpu",
		options: load.Options{Scenario: "echo", Duration: time.Second, Binary: true, Payload: 64 << 10},
		peers:   among("node", "node+bufferutil", "library", "gorilla", "edge")},
	{name: "durable 1,000/s", scenario: "durable", figure: "cpu",
		about: "500 consultations of two, 200-byte messages at 1,000/s: login, membership, transaction, event, broadcast, " +
			"acknowledgement. For comparison Node.js doing the same in memory (pair)",
		options: load.Options{Scenario: "durable", Connections: 1000, Rate: 1000, Duration: 3 * time.Second, SocketsPerUser: socketsPerUser},
		peers: append([]entry{{peer: "node", options: &load.Options{Scenario: "pair", Connections: 1000, Rate: 1000, Duration: 3 * time.Second}}},
			among("node+sqlite", "node+sqlite full", "before", "before full", "wenzhen", "wenzhen full")...)},
	{name: "durable, most", scenario: "durable", figure: "rate",
		about: "the same with 100 messages unanswered at a time, as fast as they are answered",
		options: load.Options{Scenario: "durable", Connections: 1000, Window: 100, Duration: 2500 * time.Millisecond,
			SocketsPerUser: socketsPerUser},
		peers: among("node+sqlite", "node+sqlite full", "before", "before full", "wenzhen", "wenzhen full")},
	{name: "resume", scenario: "resume", figure: "cpu", rounds: 3,
		about:   "1,000 clients reconnect at once, each with 100 missed events",
		options: load.Options{Scenario: "resume", Connections: 1000, Dialers: 1000, SocketsPerUser: socketsPerUser},
		peers:   among("node+sqlite", "wenzhen")},
}

// small returns the options of a workload that is just large enough for a test.
func small(o load.Options) load.Options {
	o.Connections = min(o.Connections, 20)
	o.Duration = min(max(o.Duration, 50*time.Millisecond), 100*time.Millisecond)
	if o.Scenario == "connect" || o.Scenario == "resume" {
		o.Duration = 0
	}
	if o.Scenario == "resume" {
		o.Count = 5
	}
	o.Rate = min(o.Rate, 200)
	return o
}
