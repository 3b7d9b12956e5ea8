package operations

import (
	"context"
	"math"
	"slices"
	"strings"
	"time"

	"wenzhen.example/rooms"
)

// every is the pace of the figures, and kept how many of them are kept: five
// minutes.
const (
	every = 2 * time.Second
	kept  = 150
)

// reading is how all meters stand at a time.
type reading struct {
	at                 time.Time
	census             Census
	process            Process
	commands, messages uint64
}

// Answered counts a command that was answered; code is that of its failure.
// It does not block.
func (s *Service) Answered(command string, code rooms.Code) {
	s.commands.Add(1)
	if command == s.cfg.Message && code == "" {
		s.messages.Add(1)
	}
}

// Run measures until ctx ends.
func (s *Service) Run(ctx context.Context) {
	s.first.Do(s.begin)
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		s.tick()
	}
}

// tick measures once, and tells.
func (s *Service) tick() {
	own := s.measure()
	if s.peers != nil {
		s.peers.Report(own)
	}
	report := s.report(own)
	s.mu.Lock()
	s.latest = report
	s.samples = append(s.samples, StatsSample{At: report.At, Stats: report.Stats})
	if len(s.samples) > kept {
		s.samples = slices.Delete(s.samples, 0, len(s.samples)-kept)
	}
	s.mu.Unlock()
	Updated.SendHere(s.hub, Room, report) // each node tells its own
}

func (s *Service) read() reading {
	return reading{at: s.now(), census: s.cfg.Live().Census(), process: s.cfg.Process(),
		commands: s.commands.Load(), messages: s.messages.Load()}
}

// measure reads the meters; rates are over the time since the last reading.
func (s *Service) measure() NodeStats {
	now := s.read()
	s.mu.Lock()
	before := s.last
	s.last = now
	s.mu.Unlock()
	seconds := now.at.Sub(before.at).Seconds()
	rate := func(now, before uint64) float64 {
		if seconds <= 0 || now < before {
			return 0
		}
		return rounded(float64(now-before) / seconds)
	}
	n := NodeStats{Node: s.cfg.Node, Version: s.cfg.Version, StartedAt: s.started, Namespaces: now.census.Namespaces, Stats: Stats{
		Connections: now.census.Polling + now.census.WebSockets + now.census.Bare,
		Polling:     now.census.Polling, WebSockets: now.census.WebSockets, Bare: now.census.Bare,
		MessagesPerSecond: rate(now.messages, before.messages), CommandsPerSecond: rate(now.commands, before.commands),
		EventsInPerSecond: rate(now.census.EventsIn, before.census.EventsIn), EventsOutPerSecond: rate(now.census.EventsOut, before.census.EventsOut),
		BytesInPerSecond: rate(now.census.BytesIn, before.census.BytesIn), BytesOutPerSecond: rate(now.census.BytesOut, before.census.BytesOut),
		HeapBytes: now.process.HeapBytes, Goroutines: now.process.Goroutines,
	}}
	if seconds > 0 {
		n.Processors = rounded((now.process.CPU - before.process.CPU).Seconds() / seconds)
	}
	for _, namespace := range n.Namespaces {
		n.Sockets += namespace.Sockets
		n.Rooms += namespace.Rooms
	}
	return n
}

// rounded has two decimals: more of them would be noise.
func rounded(x float64) float64 { return math.Round(x*100) / 100 }

// report puts this node's figures and those of the others together.
func (s *Service) report(own NodeStats) StatsReport {
	r := StatsReport{At: s.now(), Node: s.cfg.Node, Nodes: []NodeStats{own}}
	if s.peers != nil {
		r.Nodes = append(r.Nodes, s.peers.Reports()...)
	}
	slices.SortFunc(r.Nodes, func(a, b NodeStats) int { return strings.Compare(a.Node, b.Node) })
	for _, n := range r.Nodes {
		r.add(n.Stats)
	}
	return r
}

// add counts another node's figures in.
func (s *Stats) add(o Stats) {
	s.Connections += o.Connections
	s.Polling += o.Polling
	s.WebSockets += o.WebSockets
	s.Bare += o.Bare
	s.Sockets += o.Sockets
	s.Rooms += o.Rooms
	s.MessagesPerSecond += o.MessagesPerSecond
	s.CommandsPerSecond += o.CommandsPerSecond
	s.EventsInPerSecond += o.EventsInPerSecond
	s.EventsOutPerSecond += o.EventsOutPerSecond
	s.BytesInPerSecond += o.BytesInPerSecond
	s.BytesOutPerSecond += o.BytesOutPerSecond
	s.HeapBytes += o.HeapBytes
	s.Processors += o.Processors
	s.Goroutines += o.Goroutines
}
