package main

import (
	"encoding/xml"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"wenzhen.example/client/load"
)

func results(micros ...float64) []load.Result {
	var list []load.Result
	for _, m := range micros {
		list = append(list, load.Result{CPUMicros: m, Connections: 1, Count: load.Count{Lost: 1}})
	}
	return list
}

func TestSummarize(t *testing.T) {
	t.Parallel()
	if r := summarize("edge", results(9, 1, 5)); r.CPU != 5 || r.CPULow != 1 || r.CPUHigh != 9 || r.Lost != 3 {
		t.Errorf("%+v", r)
	}
	if r := summarize("edge", results(4, 2)); r.CPU != 3 {
		t.Errorf("the median of two is %v", r.CPU)
	}
}

// A run of one scenario replaces its tables. The others and the text written by hand
// are kept.
func TestReportIsMerged(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "RESULTS.md")
	if err := os.WriteFile(path, []byte("by hand\n"+beginFigures+"old\n"+endFigures+"after\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	of := func(workload string, micros float64) table {
		return table{Name: workload, Scenario: "fan", Figure: "cpu",
			Rows: []row{{Peer: "node", CPU: micros}, {Peer: "edge", CPU: micros / 2}}}
	}
	for _, r := range []report{
		{Tables: []table{of("fan 10", 111), of("fan 1,000", 222)}},
		{Tables: []table{of("fan 1,000", 333)}},
	} {
		if err := r.write(dir); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for want, there := range map[string]bool{"by hand": true, "after": true, "old": false, "111.0": true, "222.0": false, "333.0": true,
		"≤ 0.5 × Node's CPU per delivery at 1,000 members | 0.50 | yes": true} {
		if strings.Contains(string(text), want) != there {
			t.Errorf("%q: want %v in\n%s", want, there, text)
		}
	}
}

func TestPlotIsXML(t *testing.T) {
	t.Parallel()
	for _, w := range workloads {
		rows := []row{{Peer: "node", CPU: 1, Rate: 2, KB: 3}, {Peer: "a<b&c"}}
		svg := plot(table{Name: w.name, Figure: w.figure, Rows: rows})
		if err := xml.Unmarshal([]byte(svg), new(struct{})); err != nil {
			t.Errorf("%s: %v", w.name, err)
		}
		if name := plotName(table{Name: w.name}); strings.ContainsAny(name, " ,/") {
			t.Errorf("%q is not a file name", name)
		}
	}
}

// Every workload has existing peers and its scenario's options.
func TestWorkloadsAreComplete(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, w := range workloads {
		if seen[w.name] || w.options.Scenario != w.scenario || len(w.peers) < 2 {
			t.Errorf("%q is incomplete", w.name)
		}
		seen[w.name] = true
		for _, e := range w.peers {
			if _, ok := peers[e.peer]; !ok {
				t.Errorf("%s: there is no peer %q", w.name, e.peer)
			}
		}
	}
}
