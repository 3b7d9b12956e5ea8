package load

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"
)

// Result is the result of a scenario.
type Result struct {
	Scenario    string    `json:"scenario"`
	Server      string    `json:"server"`
	Started     time.Time `json:"started"`
	Seconds     float64   `json:"seconds"` // duration of the measurement
	Connections int       `json:"connections"`

	// Operations is the number of measured operations. Unit is their kind: "message",
	// "delivery", "connection" …
	Operations int64   `json:"operations"`
	Unit       string  `json:"unit"`
	PerSecond  float64 `json:"perSecond"`
	Latency    Latency `json:"latency"`
	// Acknowledged is the latency of acknowledgements, where Latency is that of
	// deliveries.
	Acknowledged Latency `json:"acknowledged"`

	// CPUMicros is the server's CPU time per operation, in microseconds.
	CPUMicros float64 `json:"cpuMicros,omitempty"`
	// CPUCores is the average number of cores that the server used.
	CPUCores float64 `json:"cpuCores,omitempty"`
	Memory   *Memory `json:"memory,omitempty"`

	Count
	// Bytes is the number of bytes that the connections received.
	Bytes int64 `json:"bytes"`
	// Steps are the rates that a ramp tried.
	Steps []Step `json:"steps,omitempty"`
	// MaxRate is the highest rate of a ramp at which p99 stayed below 50 ms.
	MaxRate float64 `json:"maxRate,omitempty"`
	// Problems are the messages of the first few errors.
	Problems []string `json:"problems,omitempty"`
}

// Count counts what was sent, delivered and lost.
type Count struct {
	Sent       int64 `json:"sent"`
	Delivered  int64 `json:"delivered"`
	Lost       int64 `json:"lost"`
	Duplicates int64 `json:"duplicates"`
	Reordered  int64 `json:"reordered"`
	Refused    int64 `json:"refused"` // requests and connections that failed or were not answered
}

// Clean reports whether nothing was lost, duplicated, reordered or refused.
func (c Count) Clean() bool { return c.Lost+c.Duplicates+c.Reordered+c.Refused == 0 }

// Memory is the server's resident memory in bytes.
type Memory struct {
	Before        int64   `json:"before"`
	During        int64   `json:"during"`
	After         int64   `json:"after,omitempty"`
	Again         int64   `json:"again,omitempty"` // after a second wave of connections
	PerConnection float64 `json:"perConnection,omitempty"`
	// Goroutines are the goroutines of a server in bench/peers that reports them:
	// before, during and after.
	Goroutines []int `json:"goroutines,omitempty"`
	// Samples are taken at regular intervals during a long scenario.
	Samples []int64 `json:"samples,omitempty"`
}

// Step is one try of a ramp.
type Step struct {
	Rate     float64 `json:"rate"`
	Achieved float64 `json:"achieved"`
	P99      float64 `json:"p99"`
	Good     bool    `json:"good"`
}

// Latency is in milliseconds.
type Latency struct {
	P50   float64 `json:"p50"`
	P99   float64 `json:"p99"`
	Max   float64 `json:"max"`
	Count int64   `json:"count"`
}

// String formats the latency for terminals.
func (l Latency) String() string {
	return fmt.Sprintf("p50 %.2f ms, p99 %.2f ms, max %.2f ms", l.P50, l.P99, l.Max)
}

func (r Result) write(out io.Writer, asJSON bool) error {
	if asJSON {
		e := json.NewEncoder(out)
		e.SetIndent("", "  ")
		return e.Encode(r)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %d connections, %d × %s in %.1f s (%.0f/s)\n",
		r.Scenario, r.Connections, r.Operations, r.Unit, r.Seconds, r.PerSecond)
	if r.Latency.Count > 0 {
		fmt.Fprintf(&b, "  latency       %v\n", r.Latency)
	}
	if r.Acknowledged.Count > 0 {
		fmt.Fprintf(&b, "  acknowledged  %v\n", r.Acknowledged)
	}
	if r.CPUMicros > 0 {
		fmt.Fprintf(&b, "  server CPU    %.1f µs per %s, %.2f cores\n", r.CPUMicros, r.Unit, r.CPUCores)
	}
	if m := r.Memory; m != nil {
		fmt.Fprintf(&b, "  server memory %.1f MB before, %.1f MB during", mb(m.Before), mb(m.During))
		if m.After > 0 {
			fmt.Fprintf(&b, ", %.1f MB after", mb(m.After))
		}
		if m.Again > 0 {
			fmt.Fprintf(&b, " and %.1f MB after a second wave of connections", mb(m.Again))
		}
		if m.PerConnection > 0 {
			fmt.Fprintf(&b, "; %.1f KB per connection", m.PerConnection/1024)
		}
		b.WriteByte('\n')
		if len(m.Goroutines) > 0 {
			fmt.Fprintf(&b, "  goroutines    %v\n", m.Goroutines)
		}
	}
	for _, s := range r.Steps {
		fmt.Fprintf(&b, "  at %.0f/s: %.0f/s, p99 %.1f ms, good: %v\n", s.Rate, s.Achieved, s.P99, s.Good)
	}
	fmt.Fprintf(&b, "  sent %d, delivered %d, lost %d, duplicates %d, reordered %d, refused %d\n",
		r.Sent, r.Delivered, r.Lost, r.Duplicates, r.Reordered, r.Refused)
	for _, p := range r.Problems {
		fmt.Fprintf(&b, "  %s\n", p)
	}
	_, err := io.WriteString(out, b.String())
	return err
}

func mb(n int64) float64 { return float64(n) / (1 << 20) }
