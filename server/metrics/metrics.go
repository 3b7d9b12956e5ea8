// Package metrics collects metrics of the server for Prometheus and serves them
// together with Go's profiler. Labels are names from the program (commands, codes,
// routes), never text from a client.
package metrics

import (
	"net/http"
	"net/http/pprof"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"wenzhen.example/rooms"
)

// prefix of the names of all our metrics.
const prefix = "wenzhen_"

// seconds are the buckets of durations: from half a millisecond to ten seconds.
var seconds = []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}

// Metrics are the metrics of one server. It is a rooms.Listener.
type Metrics struct {
	registry *prometheus.Registry
	now      func() time.Time

	commands, requests *prometheus.CounterVec
	took               *prometheus.HistogramVec
	commit, batch, lag prometheus.Histogram
}

// New returns the metrics of a server of a version; now is the clock.
func New(version string, now func() time.Time) *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(), now: now,
		commands: counter("commands_total", "Commands answered, by transport, name and code of the error (ok for none).",
			"transport", "command", "code"),
		took: prometheus.NewHistogramVec(
			histogram("command_seconds", "Duration of commands, from being read to being answered.", seconds),
			[]string{"transport", "command"}),
		requests: counter("http_requests_total", "HTTP requests answered, by method, route and status, without those of realtime connections.",
			"method", "route", "status"),
		commit: prometheus.NewHistogram(
			histogram("commit_seconds", "How long the database took to make a transaction durable.", seconds)),
		batch: prometheus.NewHistogram(
			histogram("commit_functions", "Number of commands in one transaction (group commit).", prometheus.ExponentialBuckets(1, 2, 9))),
		lag: prometheus.NewHistogram(
			histogram("publish_lag_seconds", "From an event's time, before its commit, to its being sent to this node's sockets.", seconds)),
	}
	build := prometheus.NewGauge(prometheus.GaugeOpts{Name: prefix + "build_info", Help: "1, labelled with the version.",
		ConstLabels: prometheus.Labels{"version": version}})
	build.Set(1)
	m.registry.MustRegister(m.commands, m.took, m.requests, m.commit, m.batch, m.lag, build,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func counter(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Name: prefix + name, Help: help}, labels)
}

func histogram(name, help string, buckets []float64) prometheus.HistogramOpts {
	return prometheus.HistogramOpts{Name: prefix + name, Help: help, Buckets: buckets}
}

// Gauge adds a gauge; read is called for each scrape.
func (m *Metrics) Gauge(name, help string, read func() float64) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: prefix + name, Help: help}, read))
}

// Counter adds a counter; read is called for each scrape.
func (m *Metrics) Counter(name, help string, read func() float64) {
	m.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: prefix + name, Help: help}, read))
}

// Command counts a command that was answered on a transport ("socket", "rest").
// name must be the name of a command, or one constant for all unknown names.
func (m *Metrics) Command(transport, name string, code rooms.Code, took time.Duration) {
	if code == "" {
		code = "ok"
	}
	m.commands.WithLabelValues(transport, name, string(code)).Inc()
	m.took.WithLabelValues(transport, name).Observe(max(0, took.Seconds())) // a clock may be set back
}

// methods are the values of the label method. Others, which a client may invent,
// are counted as "other".
var methods = map[string]bool{"GET": true, "HEAD": true, "POST": true, "PUT": true, "PATCH": true, "DELETE": true, "OPTIONS": true}

// Request counts an HTTP request; route is the pattern that it matches.
func (m *Metrics) Request(method, route string, status int) {
	if !methods[method] {
		method = "other"
	}
	m.requests.WithLabelValues(method, route, strconv.Itoa(status)).Inc()
}

// Committed records a committed transaction: the number of functions that ran in
// it and its duration.
func (m *Metrics) Committed(functions int, took time.Duration) {
	m.commit.Observe(max(0, took.Seconds()))
	m.batch.Observe(float64(functions))
}

// Published implements rooms.Listener.
func (m *Metrics) Published(p rooms.Publication) { m.lag.Observe(max(0, m.now().Sub(p.At).Seconds())) }

// Signalled implements rooms.Listener.
func (m *Metrics) Signalled(rooms.Signal) {}

// Handler serves /metrics and /debug/pprof/. It requires no login, so it must be
// served on an address that only the operator can reach.
func (m *Metrics) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{Registry: m.registry}))
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	return mux
}
