package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"wenzhen.example/client/load"
)

// report has the results of a run.
type report struct {
	Command  string    `json:"command"`
	Began    time.Time `json:"began"`
	Minutes  float64   `json:"minutes"`
	Versions []string  `json:"versions"`
	Tables   []table   `json:"tables"`
}

// table is one workload.
type table struct {
	Name, Scenario, About, Figure string
	Rounds                        int
	Measured                      time.Time
	Command                       string
	Rows                          []row
}

// row is the medians of one peer; ratios are to the first row's.
type row struct {
	Peer, About                  string
	CPU, CPULow, CPUHigh         float64 // µs per operation
	Rate                         float64 // operations a second
	P50, P99, Max                float64 // ms
	Seconds                      float64
	KB, Goroutines               float64 // per connection
	Left                         float64 // memory after all connections have closed, relative to that before
	Again                        float64 // memory after a second wave of connections, relative to that after the first
	Lost, Reordered, Duplicates  int64   // in all rounds
	Refused, Delivered           int64
	CPURatio, RateRatio, KBRatio float64
	Problems                     []string      `json:",omitempty"`
	Results                      []load.Result `json:",omitempty"`
}

func (b *bench) report(ctx context.Context, began time.Time) report {
	r := report{Command: strings.TrimSpace("go run ./bench " + strings.Join(os.Args[1:], " ")),
		Began: began.UTC().Truncate(time.Second), Minutes: time.Since(began).Minutes(), Versions: versions(ctx)}
	for _, w := range workloads {
		found := b.found[w.name]
		if len(found) == 0 {
			continue
		}
		t := table{Name: w.name, Scenario: w.scenario, About: w.about, Figure: w.figure, Measured: r.Began, Command: r.Command}
		for _, e := range w.peers {
			if results := found[e.peer]; len(results) > 0 {
				t.Rows = append(t.Rows, summarize(e.peer, results))
				t.Rounds = len(results)
			}
		}
		for i := range t.Rows {
			t.Rows[i].CPURatio = ratio(t.Rows[i].CPU, t.Rows[0].CPU)
			t.Rows[i].RateRatio = ratio(t.Rows[i].Rate, t.Rows[0].Rate)
			t.Rows[i].KBRatio = ratio(t.Rows[i].KB, t.Rows[0].KB)
		}
		r.Tables = append(r.Tables, t)
	}
	return r
}

func ratio(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}

func summarize(name string, results []load.Result) row {
	of := func(f func(load.Result) float64) float64 { return median(results, f) }
	r := row{Peer: name, About: peers[name].about, Results: results,
		CPU:  of(func(r load.Result) float64 { return r.CPUMicros }),
		Rate: of(rateOf), KB: of(perConnection),
		P50:     of(func(r load.Result) float64 { return r.Latency.P50 }),
		P99:     of(func(r load.Result) float64 { return r.Latency.P99 }),
		Max:     of(func(r load.Result) float64 { return r.Latency.Max }),
		Seconds: of(func(r load.Result) float64 { return r.Seconds }),
		Left: of(func(r load.Result) float64 {
			if r.Memory == nil || r.Memory.Before == 0 {
				return 0
			}
			return float64(r.Memory.After) / float64(r.Memory.Before)
		}),
		Again: of(func(r load.Result) float64 {
			if r.Memory == nil || r.Memory.After == 0 {
				return 0
			}
			return float64(r.Memory.Again) / float64(r.Memory.After)
		}),
		Goroutines: of(func(r load.Result) float64 {
			if r.Memory == nil || len(r.Memory.Goroutines) < 3 {
				return 0
			}
			return float64(r.Memory.Goroutines[1]-r.Memory.Goroutines[0]) / float64(r.Connections)
		})}
	r.CPULow = slices.MinFunc(results, byCPU).CPUMicros
	r.CPUHigh = slices.MaxFunc(results, byCPU).CPUMicros
	for _, one := range results {
		r.Lost += one.Lost
		r.Reordered += one.Reordered
		r.Duplicates += one.Duplicates
		r.Refused += one.Refused
		r.Delivered += one.Delivered
		for _, p := range one.Problems {
			if len(r.Problems) < 3 && !slices.Contains(r.Problems, p) {
				r.Problems = append(r.Problems, p)
			}
		}
	}
	return r
}

func byCPU(a, b load.Result) int {
	switch {
	case a.CPUMicros < b.CPUMicros:
		return -1
	case a.CPUMicros > b.CPUMicros:
		return 1
	}
	return 0
}

func median(results []load.Result, f func(load.Result) float64) float64 {
	values := make([]float64, len(results))
	for i, r := range results {
		values[i] = f(r)
	}
	slices.Sort(values)
	n := len(values)
	return (values[(n-1)/2] + values[n/2]) / 2
}

// find returns the row of a peer in a workload, if it was measured.
func (r report) find(workload, peer string) (row, bool) {
	for _, t := range r.Tables {
		for _, row := range t.Rows {
			if t.Name == workload && row.Peer == peer {
				return row, true
			}
		}
	}
	return row{}, false
}

func versions(ctx context.Context) []string {
	list := []string{runtime.Version() + " " + runtime.GOOS + "/" + runtime.GOARCH, fmt.Sprintf("%d cores", runtime.NumCPU())}
	if out, err := exec.CommandContext(ctx, "uname", "-sr").Output(); err == nil {
		list = append(list, strings.TrimSpace(string(out)))
	}
	if out, err := exec.CommandContext(ctx, "node", "--version").Output(); err == nil {
		list = append(list, "Node.js "+strings.TrimSpace(string(out)))
	}
	for _, name := range []string{"socket.io", "engine.io", "ws", "bufferutil", "better-sqlite3"} {
		var p struct{ Version string }
		text, err := os.ReadFile(filepath.Join(nodePeer, "node_modules", name, "package.json"))
		if err == nil && json.Unmarshal(text, &p) == nil {
			list = append(list, name+" "+p.Version)
		}
	}
	modules := []string{"github.com/zishang520/socket.io/v2", "github.com/gorilla/websocket", "modernc.org/sqlite"}
	out, err := exec.CommandContext(ctx, "go", append([]string{"list", "-m"}, modules...)...).Output()
	if err == nil {
		list = append(list, strings.Split(strings.TrimSpace(string(out)), "\n")...)
	}
	return list
}

// with adds the tables of an earlier report for workloads that this run has not
// measured, in the order of workloads.
func (r report) with(earlier report) report {
	var tables []table
	for _, w := range workloads {
		for _, t := range append(slices.Clone(r.Tables), earlier.Tables...) {
			if t.Name == w.name {
				tables = append(tables, t)
				break
			}
		}
	}
	r.Tables = tables
	return r
}

// write writes RESULTS.md, results.json and the plots. It keeps existing results of
// workloads that were not measured in this run.
func (r report) write(dir string) error {
	if text, err := os.ReadFile(filepath.Join(dir, "results.json")); err == nil {
		var earlier report
		if err := json.Unmarshal(text, &earlier); err != nil {
			return fmt.Errorf("results.json: %w", err)
		}
		r = r.with(earlier)
	}
	if err := os.MkdirAll(filepath.Join(dir, "plots"), 0o755); err != nil {
		return err
	}
	for _, t := range r.Tables {
		if err := os.WriteFile(filepath.Join(dir, "plots", plotName(t)), []byte(plot(t)), 0o644); err != nil {
			return err
		}
	}
	text, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "results.json"), append(text, '\n'), 0o644); err != nil {
		return err
	}
	return r.writeMarkdown(filepath.Join(dir, "RESULTS.md"))
}

// The generated part of RESULTS.md is between these lines. The text around it is
// written by hand and kept.
const (
	beginFigures = "<!-- figures: generated by go run ./bench -->\n"
	endFigures   = "<!-- end of figures -->\n"
)

func (r report) writeMarkdown(path string) error {
	before, after := "# Results\n\n", ""
	if old, err := os.ReadFile(path); err == nil {
		head, rest, begun := strings.Cut(string(old), beginFigures)
		_, tail, ended := strings.Cut(rest, endFigures)
		if begun && ended {
			before, after = head, tail
		}
	}
	var b strings.Builder
	r.print(&b)
	return os.WriteFile(path, []byte(before+beginFigures+b.String()+endFigures+after), 0o644)
}

// print writes the tables in Markdown.
func (r report) print(out io.Writer) {
	fmt.Fprintf(out, "\n%s.\n\n", strings.Join(r.Versions, ", "))
	r.printGoals(out)
	for _, t := range r.Tables {
		fmt.Fprintf(out, "### %s\n\n%s. Medians of %d rounds; `%s`, %s.\n\n![%s](plots/%s)\n\n",
			t.Name, t.About, t.Rounds, t.Command, t.Measured.Format("2006-01-02 15:04 UTC"), t.Name, plotName(t))
		t.print(out)
	}
}

func (t table) print(out io.Writer) {
	columns := t.columns()
	fmt.Fprint(out, "| |")
	for _, c := range columns {
		fmt.Fprintf(out, " %s |", c.title)
	}
	fmt.Fprint(out, "\n|---|", strings.Repeat("---:|", len(columns)), "\n")
	for _, r := range t.Rows {
		fmt.Fprintf(out, "| %s |", r.Peer)
		for _, c := range columns {
			fmt.Fprintf(out, " %s |", c.cell(r))
		}
		fmt.Fprintln(out)
	}
	for _, r := range t.Rows {
		if len(r.Problems) > 0 {
			p, _, _ := strings.Cut(r.Problems[0], ": read tcp") // without addresses
			fmt.Fprintf(out, "\nFor example, %s: `%s`\n", r.Peer, strings.ReplaceAll(p, "`", "'"))
		}
	}
	fmt.Fprintln(out)
}

type column struct {
	title string
	cell  func(row) string
}

// columns returns the columns that are relevant for the workload.
func (t table) columns() []column {
	number := func(format string, f func(row) float64) func(row) string {
		return func(r row) string {
			if f(r) == 0 {
				return "–"
			}
			return fmt.Sprintf(format, f(r))
		}
	}
	cpu := []column{
		{"CPU, µs", number("%.1f", func(r row) float64 { return r.CPU })},
		{"lowest–highest", func(r row) string { return fmt.Sprintf("%.1f–%.1f", r.CPULow, r.CPUHigh) }},
		{"ratio", number("**%.2f**", func(r row) float64 { return r.CPURatio })},
	}
	rate := []column{
		{"per second", number("%.0f", func(r row) float64 { return r.Rate })},
		{"ratio", number("%.2f", func(r row) float64 { return r.RateRatio })},
	}
	latency := []column{
		{"p50, ms", number("%.2f", func(r row) float64 { return r.P50 })},
		{"p99, ms", number("%.2f", func(r row) float64 { return r.P99 })},
	}
	count := []column{
		{"lost", func(r row) string { return fmt.Sprint(r.Lost) }},
		{"reordered", func(r row) string { return fmt.Sprint(r.Reordered) }},
		{"duplicated", func(r row) string { return fmt.Sprint(r.Duplicates) }},
		{"refused", func(r row) string { return fmt.Sprint(r.Refused) }},
	}
	switch {
	case t.Scenario == "idle":
		return append([]column{
			{"KB per connection", number("%.1f", func(r row) float64 { return r.KB })},
			{"ratio", number("**%.2f**", func(r row) float64 { return r.KBRatio })},
			{"goroutines per connection", number("%.2f", func(r row) float64 { return r.Goroutines })},
			{"memory after ÷ before", number("%.2f", func(r row) float64 { return r.Left })},
			{"after a second wave ÷ after the first", number("%.2f", func(r row) float64 { return r.Again })},
		}, count[0], count[3])
	case t.Figure == "rate" && t.Scenario == "pair":
		return slices.Concat(rate, count)
	case t.Scenario == "resume":
		return slices.Concat(cpu, []column{{"all caught up, s", number("%.2f", func(r row) float64 { return r.Seconds })}}, latency, count)
	}
	return slices.Concat(cpu, rate, latency, count)
}
