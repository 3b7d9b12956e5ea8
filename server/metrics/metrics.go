// Package metrics counts and times what the server does, for Prometheus, and
// serves the numbers together with Go's profiler. Labels are names from the
// program – commands, codes, routes – and never what a client sent.
package metrics

import (
	"net/http"
	"net/http/pprof"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"wenzhen/rooms"
)

// prefix of the names of all our metrics.
const prefix = "wenzhen_"

// seconds are the bounds of what is timed: from half a millisecond to ten seconds.
var seconds = []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}

// Metrics are the numbers of one server. It is a rooms.Listener.
type Metrics struct {
	registry *prometheus.Registry
	now      func() time.Time

	commands, requests *prometheus.CounterVec
	took               *prometheus.HistogramVec
	commit, batch, lag prometheus.Histogram
}

// New makes the numbers of a server of this version; now dates what is timed.
func New(version string, now func() time.Time) *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(), now: now,
		commands: prometheus.NewCounterVec(prometheus.CounterOpts{Name: prefix + "commands_total", Help: "Commands answered, by transport, name and code of the error (ok for none)."},
			[]string{"transport", "command", "code"}),
		took: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: prefix + "command_seconds", Help: "How long commands took, from being read to being answered.", Buckets: seconds},
			[]string{"transport", "command"}),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{Name: prefix + "http_requests_total", Help: "HTTP requests answered, by method, route and status; realtime ones are not among them."},
			[]string{"method", "route", "status"}),
		commit: prometheus.NewHistogram(prometheus.HistogramOpts{Name: prefix + "commit_seconds", Help: "How long the database took to make a transaction durable.", Buckets: seconds}),
		batch: prometheus.NewHistogram(prometheus.HistogramOpts{Name: prefix + "commit_functions", Help: "How many commands one transaction carried (group commit).",
			Buckets: prometheus.ExponentialBuckets(1, 2, 9)}),
		lag: prometheus.NewHistogram(prometheus.HistogramOpts{Name: prefix + "publish_lag_seconds", Help: "From an event's time, before its commit, to its being handed to this node's sockets.", Buckets: seconds}),
	}
	build := prometheus.NewGauge(prometheus.GaugeOpts{Name: prefix + "build_info", Help: "1, labelled with the version.", ConstLabels: prometheus.Labels{"version": version}})
	build.Set(1)
	m.registry.MustRegister(m.commands, m.took, m.requests, m.commit, m.batch, m.lag, build,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Gauge adds a number that is read whenever somebody asks.
func (m *Metrics) Gauge(name, help string, read func() float64) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: prefix + name, Help: help}, read))
}

// Counter is Gauge for a number that only grows.
func (m *Metrics) Counter(name, help string, read func() float64) {
	m.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: prefix + name, Help: help}, read))
}

// Command counts a command that was answered on a transport ("socket", "rest").
// name must be a command's, or one fixed word for all unknown names.
func (m *Metrics) Command(transport, name string, code rooms.Code, took time.Duration) {
	if code == "" {
		code = "ok"
	}
	m.commands.WithLabelValues(transport, name, string(code)).Inc()
	m.took.WithLabelValues(transport, name).Observe(max(0, took.Seconds())) // a clock may be set back
}

// methods are those that get a label of their own; a client may make up others.
var methods = map[string]bool{"GET": true, "HEAD": true, "POST": true, "PUT": true, "PATCH": true, "DELETE": true, "OPTIONS": true}

// Request counts an HTTP request; route is the pattern that it matched.
func (m *Metrics) Request(method, route string, status int) {
	if !methods[method] {
		method = "other"
	}
	m.requests.WithLabelValues(method, route, strconv.Itoa(status)).Inc()
}

// Committed counts a committed transaction, the functions that ran in it and
// the time that it took.
func (m *Metrics) Committed(functions int, took time.Duration) {
	m.commit.Observe(max(0, took.Seconds()))
	m.batch.Observe(float64(functions))
}

// Published implements rooms.Listener.
func (m *Metrics) Published(p rooms.Publication) { m.lag.Observe(max(0, m.now().Sub(p.At).Seconds())) }

// Signalled implements rooms.Listener.
func (m *Metrics) Signalled(rooms.Signal) {}

// Handler serves /metrics and /debug/pprof/. It knows no login: it belongs on
// an address that only the operator reaches.
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
