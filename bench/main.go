// Bench measures Wenzhen and other servers (its peers) in one run, interleaved, each
// in a new process, so that variations of the machine affect all of them. It prints
// medians and ratios and writes RESULTS.md, results.json and plots.
//
//	go run ./bench                      everything, 5 rounds
//	go run ./bench -scenario fan        one scenario's workloads
//	go run ./bench -before FILE         also an earlier program of Wenzhen, in the durable workloads
//	go run ./bench -quick -out ""       each workload once and tiny, to check that all work
//
// It needs Go, Node.js 20 with npm, and a C++ compiler for better-sqlite3. All
// traffic stays on 127.0.0.1.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"strings"
	"syscall"
	"time"

	"wenzhen.example/client/load"
)

type settings struct {
	scenario, workload, only, out, before string
	rounds                                int
	quick                                 bool
	pause                                 time.Duration
}

func main() {
	var s settings
	flag.StringVar(&s.scenario, "scenario", "", "only the workloads of this scenario")
	flag.StringVar(&s.workload, "workload", "", "only the workload of this name")
	flag.StringVar(&s.only, "peers", "", "only these peers, with commas")
	flag.StringVar(&s.out, "out", "bench", "folder for RESULTS.md, results.json and plots; empty writes nothing")
	flag.StringVar(&s.before, "before", "", "an earlier wenzhen, to compare with in the durable workloads")
	flag.IntVar(&s.rounds, "rounds", 5,
		"rounds; slow workloads and those that hardly vary have fewer; 0 writes the report of earlier measurements")
	flag.BoolVar(&s.quick, "quick", false, "one round, tiny")
	flag.DurationVar(&s.pause, "pause", 200*time.Millisecond, "pause before each measurement")
	flag.Parse()
	debug.SetGCPercent(400) // the generator shares the machine with the server
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, s, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, s settings, out io.Writer) error {
	if s.quick {
		s.rounds = 1
	}
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := build(ctx, dir, out); err != nil {
		return err
	}
	if s.before != "" {
		if err := link(s.before, filepath.Join(dir, "bin", beforePeer)); err != nil {
			return err
		}
	}
	b := &bench{settings: s, dir: dir, out: out, found: map[string]map[string][]load.Result{}}
	began := time.Now()
	for round := range s.rounds {
		for _, w := range workloads {
			if !s.wants(w) || (w.rounds > 0 && round >= w.rounds) {
				continue
			}
			for i := range w.peers {
				// Each round begins with the next peer.
				entry := w.peers[(i+round)%len(w.peers)]
				if !s.includes(entry.peer) {
					continue
				}
				if err := b.measure(ctx, w, entry, round); err != nil {
					return err
				}
			}
		}
	}
	report := b.report(ctx, began)
	report.print(out)
	if s.out == "" || s.quick {
		return nil
	}
	return report.write(s.out)
}

func (s settings) wants(w workload) bool {
	return (s.scenario == "" || s.scenario == w.scenario) && (s.workload == "" || s.workload == w.name)
}

func (s settings) includes(peer string) bool {
	if s.before == "" && strings.HasPrefix(peer, beforePeer) {
		return false
	}
	return s.only == "" || strings.Contains(","+s.only+",", ","+peer+",")
}

// link makes name a link to a program.
func link(program, name string) error {
	path, err := filepath.Abs(program)
	if err != nil {
		return err
	}
	return os.Symlink(path, name)
}

// bench is a run of the benchmark.
type bench struct {
	settings
	dir   string
	out   io.Writer
	found map[string]map[string][]load.Result // by workload and peer
}

// measure starts a peer, puts it under load and stops it.
func (b *bench) measure(ctx context.Context, w workload, e entry, round int) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	data, err := os.MkdirTemp(b.dir, "data")
	if err != nil {
		return err
	}
	defer os.RemoveAll(data)
	o := w.options
	if e.options != nil {
		o = *e.options
	}
	if b.quick {
		o = small(o)
	}
	o.Bare, o.Quiet = peers[e.peer].bare, true
	p, err := start(ctx, peers[e.peer], filepath.Join(b.dir, "bin"), data)
	if err == nil && o.Scenario == "idle" && !o.Bare {
		p, err = b.restart(ctx, p, e.peer, data, &o)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", e.peer, err)
	}
	o.Server, o.PID = p.url, p.command.Process.Pid
	debug.FreeOSMemory()
	time.Sleep(b.pause)
	limited, cancel := context.WithTimeout(ctx, 5*time.Minute)
	r, err := load.Run(limited, o, io.Discard)
	cancel()
	if stopped := p.stop(); err != nil {
		// A failure of another server is a result; a failure of ours ends the run.
		fmt.Fprintf(b.out, "%d %-16s %-16s failed: %v\n%s", round+1, w.name, e.peer, err, p.last())
		if ctx.Err() != nil || strings.HasPrefix(e.peer, "wenzhen") || e.peer == "edge" {
			return errors.Join(fmt.Errorf("%s, %s: %w", w.name, e.peer, err), stopped)
		}
		r.Problems = append(r.Problems, err.Error())
		r.Refused++
	}
	fmt.Fprintf(b.out, "%d %-16s %-16s %8.1f µs %9.0f/s  p50 %7.2f  p99 %8.2f ms  %6.1f KB  "+
		"lost %d, reordered %d, duplicated %d, refused %d\n", round+1, w.name, e.peer,
		r.CPUMicros, rateOf(r), r.Latency.P50, r.Latency.P99, perConnection(r), r.Lost, r.Reordered, r.Duplicates, r.Refused)
	if b.found[w.name] == nil {
		b.found[w.name] = map[string][]load.Result{}
	}
	b.found[w.name][e.peer] = append(b.found[w.name][e.peer], r)
	return nil
}

// restart opens accounts and restarts the peer, so that its memory is that of a
// server which has not hashed passwords.
func (b *bench) restart(ctx context.Context, p *running, name, data string, o *load.Options) (*running, error) {
	o.Server = p.url
	var err error
	if o.Logins, err = load.Logins(ctx, *o); err != nil {
		return nil, errors.Join(err, p.stop())
	}
	if err := p.stop(); err != nil {
		return nil, err
	}
	return start(ctx, peers[name], filepath.Join(b.dir, "bin"), data)
}

func perConnection(r load.Result) float64 {
	if r.Memory == nil {
		return 0
	}
	return r.Memory.PerConnection / 1024
}

// rateOf returns a ramp's highest good rate, or the achieved rate.
func rateOf(r load.Result) float64 {
	if len(r.Steps) > 0 {
		return r.MaxRate
	}
	return r.PerSecond
}
