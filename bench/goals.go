package main

import (
	"fmt"
	"io"
)

// goal is a target for a measurement.
type goal struct {
	scenario, text string
	// check returns what was measured and whether the goal is met; ok is false if
	// it was not measured.
	check check
}

type check = func(r report) (measured string, met, ok bool)

// cpuRatio checks that a peer's CPU time is at most most times that of base.
func cpuRatio(workload, peer, base string, most float64) check {
	return func(r report) (string, bool, bool) {
		a, ok := r.find(workload, peer)
		b, known := r.find(workload, base)
		return fmt.Sprintf("%.2f", ratio(a.CPU, b.CPU)), ratio(a.CPU, b.CPU) <= most, ok && known
	}
}

// rateRatio checks that a peer's rate is at least least times that of base.
func rateRatio(workload, peer, base string, least float64) check {
	return func(r report) (string, bool, bool) {
		a, ok := r.find(workload, peer)
		b, known := r.find(workload, base)
		measured := fmt.Sprintf("%.2f (%.0f/s against %.0f/s)", ratio(a.Rate, b.Rate), a.Rate, b.Rate)
		return measured, ratio(a.Rate, b.Rate) >= least, ok && known
	}
}

// one checks the measurement of one peer.
func one(workload, peer string, test func(row) (measured string, met bool)) check {
	return func(r report) (string, bool, bool) {
		row, ok := r.find(workload, peer)
		measured, met := test(row)
		return measured, met, ok
	}
}

var goals = []goal{
	{"fan", "≤ 0.5 × Node's CPU per delivery at 1,000 members", cpuRatio("fan 1,000", "edge", "node", 0.5)},
	{"fan", "≤ 1.1 × gorilla by hand", cpuRatio("fan 1,000", "edge", "gorilla", 1.1)},
	{"fan", "flat per delivery from 10 to 5,000", func(r report) (string, bool, bool) {
		small, ok := r.find("fan 10", "edge")
		large, known := r.find("fan 5,000", "edge")
		return fmt.Sprintf("%.2f µs at 10, %.2f µs at 5,000", small.CPU, large.CPU), large.CPU <= 1.1*small.CPU, ok && known
	}},
	{"pair", "≤ 0.7 × Node's CPU per message at 1,000/s", cpuRatio("pair 1,000/s", "edge", "node", 0.7)},
	{"pair", "≤ 0.7 × Node's CPU per message at 5,000/s", cpuRatio("pair 5,000/s", "edge", "node", 0.7)},
	{"pair", "≥ 2 × Node's highest rate with p99 < 50 ms", rateRatio("pair, most", "edge", "node", 2)},
	{"durable", "≤ 1.7 × Node's in-memory pair, CPU per message through the whole product, synchronous=NORMAL",
		cpuRatio("durable 1,000/s", "wenzhen", "node", 1.7)},
	{"durable", "the same with synchronous=FULL", cpuRatio("durable 1,000/s", "wenzhen full", "node", 1.7)},
	{"durable", "p99 ≤ 10 ms at 1,000/s, synchronous=FULL", one("durable 1,000/s", "wenzhen full", func(r row) (string, bool) {
		return fmt.Sprintf("%.1f ms", r.P99), r.P99 <= 10
	})},
	{"durable", "≥ 4 × the throughput of Node + better-sqlite3, synchronous=FULL",
		rateRatio("durable, most", "wenzhen full", "node+sqlite full", 4)},
	{"durable", "≥ 3 × the throughput of Node + better-sqlite3, synchronous=NORMAL",
		rateRatio("durable, most", "wenzhen", "node+sqlite", 3)},
	{"durable", "p99 < 50 ms at that throughput, synchronous=FULL", one("durable, most", "wenzhen full", func(r row) (string, bool) {
		return fmt.Sprintf("%.1f ms", r.P99), r.P99 < 50
	})},
	{"idle", "≤ 14 KB per connection at 10,000 (first step: 20), the edge", one("idle 10,000", "edge", func(r row) (string, bool) {
		return fmt.Sprintf("%.1f KB", r.KB), r.KB <= 14
	})},
	{"idle", "≤ 14 KB per connection at 10,000, the product with a login on each", one("idle 10,000", "wenzhen", func(r row) (string, bool) {
		return fmt.Sprintf("%.1f KB", r.KB), r.KB <= 14
	})},
	{"idle", "≤ 1 goroutine per connection", one("idle 10,000", "edge", func(r row) (string, bool) {
		return fmt.Sprintf("%.2f", r.Goroutines), r.Goroutines <= 1.001
	})},
	{"idle", "memory after the first wave is within 5 % of that of a new process, the edge",
		one("idle 10,000", "edge", func(r row) (string, bool) {
			return fmt.Sprintf("%.2f × the memory before", r.Left), r.Left <= 1.05
		})},
	{"idle", "memory after a second wave is within 5 % of that after the first, the edge",
		one("idle 10,000", "edge", func(r row) (string, bool) {
			return fmt.Sprintf("%.2f × the memory before", r.Again), r.Again <= 1.05
		})},
	{"idle", "the same, the product", one("idle 10,000", "wenzhen", func(r row) (string, bool) {
		return fmt.Sprintf("%.2f × the memory before", r.Again), r.Again <= 1.05
	})},
	{"connect", "≤ 0.25 × Node's CPU, WebSocket, 2,000 connections to a fresh process", cpuRatio("connect", "edge", "node", 0.25)},
	{"connect", "the same over 10,000 connections, when Node's compiler has warmed up", cpuRatio("connect 10,000", "edge", "node", 0.25)},
	{"connect", "10,000 in a storm, none refused or lost, p99 < 2 s", one("connect 10,000", "wenzhen", func(r row) (string, bool) {
		return fmt.Sprintf("refused %d, lost %d, p99 %.0f ms", r.Refused, r.Lost, r.P99), r.Refused+r.Lost == 0 && r.P99 < 2000
	})},
	{"echo", "≤ 0.3 × Node's CPU, 64 KiB binary", cpuRatio("echo 64 KiB", "edge", "node", 0.3)},
	{"resume", "1,000 × 100 events level within 2 s", one("resume", "wenzhen", func(r row) (string, bool) {
		return fmt.Sprintf("%.2f s", r.Seconds), r.Seconds <= 2
	})},
	{"", "nothing lost, duplicated or reordered by Wenzhen in any run", func(r report) (string, bool, bool) {
		var bad, delivered int64
		for _, t := range r.Tables {
			for _, row := range t.Rows {
				if row.Peer == "edge" || row.Peer == "wenzhen" || row.Peer == "wenzhen full" {
					bad += row.Lost + row.Duplicates + row.Reordered
					delivered += row.Delivered
				}
			}
		}
		return fmt.Sprintf("%d of %d deliveries", bad, delivered), bad == 0, len(r.Tables) > 0
	}},
}

func (r report) printGoals(out io.Writer) {
	fmt.Fprint(out, "| | goal | measured | met |\n|---|---|---|---|\n")
	for _, g := range goals {
		measured, met, ok := g.check(r)
		if !ok {
			continue
		}
		verdict := "**no**"
		if met {
			verdict = "yes"
		}
		fmt.Fprintf(out, "| %s | %s | %s | %s |\n", g.scenario, g.text, measured, verdict)
	}
	fmt.Fprintln(out)
}
