package main

import (
	"time"

	"wenzhen/client/load"
)

// workload is one thing that several peers are made to do.
type workload struct {
	name, scenario, about string
	options               load.Options
	rounds                int // at most; 0 is no limit
	peers                 []entry
	figure                string // what its plot shows: "cpu", "rate" or "memory"
}

// entry is a peer in a workload; the first is what the others are compared
// with. options replace the workload's.
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

// socketsPerUser is 100 where accounts are needed: registering one costs 40 ms
// of hashing, and its cost is not what is measured.
const socketsPerUser = 100

var workloads = []workload{
	{name: "idle 2,000", scenario: "idle", about: "2,000 connections that say nothing", figure: "memory", rounds: 3,
		options: load.Options{Scenario: "idle", Connections: 2000, Duration: time.Second, SocketsPerUser: socketsPerUser},
		peers:   among("node", "library", "gorilla", "edge", "wenzhen")},
	{name: "idle 10,000", scenario: "idle", about: "10,000 connections that say nothing", figure: "memory", rounds: 3,
		options: load.Options{Scenario: "idle", Connections: 10_000, Duration: 2 * time.Second, SocketsPerUser: socketsPerUser},
		peers:   among("node", "library", "gorilla", "edge", "wenzhen")},
	{name: "connect", scenario: "connect", about: "2,000 connections with namespace, WebSocket from the start, 64 at a time", figure: "cpu",
		options: load.Options{Scenario: "connect", Connections: 2000, SocketsPerUser: socketsPerUser},
		peers:   among("node", "library", "gorilla", "edge", "wenzhen")},
	{name: "connect, polling", scenario: "connect", about: "1,000 connections with namespace, long-polling and upgrade, as browsers do", figure: "cpu",
		options: load.Options{Scenario: "connect", Connections: 1000, Polling: true, SocketsPerUser: socketsPerUser},
		peers:   among("node", "edge", "wenzhen")},
	{name: "connect 10,000", scenario: "connect", about: "10,000 connections in a storm, 256 at a time", figure: "cpu", rounds: 3,
		options: load.Options{Scenario: "connect", Connections: 10_000, Dialers: 256, SocketsPerUser: socketsPerUser},
		peers:   among("node", "edge", "wenzhen")},
	{name: "pair 1,000/s", scenario: "pair", about: "1,000 rooms of two, 200-byte messages at 1,000/s, each delivered to both and acknowledged", figure: "cpu",
		options: load.Options{Scenario: "pair", Connections: 2000, Rate: 1000, Duration: 3 * time.Second},
		peers:   among("node", "library", "gorilla", "edge")},
	{name: "pair 5,000/s", scenario: "pair", about: "the same at 5,000/s", figure: "cpu",
		options: load.Options{Scenario: "pair", Connections: 2000, Rate: 5000, Duration: 2 * time.Second},
		peers:   among("node", "node+bufferutil", "library", "gorilla", "edge")},
	{name: "pair, most", scenario: "pair", about: "the same at rising rates: the highest with p99 below 50 ms", figure: "rate", rounds: 3,
		options: load.Options{Scenario: "pair", Connections: 2000, Rate: 4000, Duration: time.Second, Ramp: true},
		peers:   among("node", "gorilla", "edge")},
	{name: "fan 10", scenario: "fan", about: "one room of 10, one of them talks as fast as acknowledgements allow", figure: "cpu",
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
	{name: "durable 1,000/s", scenario: "durable", about: "500 consultations of two, 200-byte messages at 1,000/s: login, membership, transaction, event, broadcast, acknowledgement. Beside it Node.js doing the same in memory (pair)", figure: "cpu",
		options: load.Options{Scenario: "durable", Connections: 1000, Rate: 1000, Duration: 3 * time.Second, SocketsPerUser: socketsPerUser},
		peers: append([]entry{{peer: "node", options: &load.Options{Scenario: "pair", Connections: 1000, Rate: 1000, Duration: 3 * time.Second}}},
			among("node+sqlite", "node+sqlite full", "wenzhen", "wenzhen full")...)},
	{name: "durable, most", scenario: "durable", about: "the same with 100 messages unanswered at a time, as fast as they are answered", figure: "rate",
		options: load.Options{Scenario: "durable", Connections: 1000, Window: 100, Duration: 2500 * time.Millisecond, SocketsPerUser: socketsPerUser},
		peers:   among("node+sqlite", "node+sqlite full", "wenzhen", "wenzhen full")},
	{name: "resume", scenario: "resume", about: "1,000 clients come back at once, each with 100 events to catch up with", figure: "cpu", rounds: 3,
		options: load.Options{Scenario: "resume", Connections: 1000, Dialers: 1000, SocketsPerUser: socketsPerUser},
		peers:   among("node+sqlite", "wenzhen")},
}

// small is a workload just large enough to see that it works.
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
