package app

import (
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/server/realtime/edge"
)

// observe says where the numbers come from that are read on demand.
func (s *Server) observe() {
	m, realtime := s.metrics, s.realtime
	m.Gauge("connections", "Realtime connections that are open.", func() float64 { return float64(realtime.Stats().Connections) })
	m.Gauge("waiting_connections", "HTTP connections that are open without asking for anything.", func() float64 {
		n, _ := s.idle.Count()
		return float64(n)
	})
	m.Counter("waiting_cut_total", "HTTP connections without a request that were closed to make room.", func() float64 {
		_, cut := s.idle.Count()
		return float64(cut)
	})
	m.Gauge("sockets", "Sockets that joined a namespace.", func() float64 { return float64(realtime.Stats().Sockets) })
	m.Gauge("rooms", "Rooms that somebody on this node listens to.", func() float64 { return float64(realtime.Rooms()) })
	for name, c := range map[string]struct {
		help string
		of   func(edge.Stats) uint64
	}{
		"handshakes_accepted_total":   {"Realtime connections that were let in.", func(s edge.Stats) uint64 { return s.Accepted }},
		"handshakes_refused_total":    {"Realtime connections that were refused: limits, draining, origin.", func(s edge.Stats) uint64 { return s.Refused }},
		"upgrades_total":              {"Realtime connections that went from polling to WebSocket.", func(s edge.Stats) uint64 { return s.Upgraded }},
		"slow_readers_cut_total":      {"Realtime connections that were closed because they read too slowly; clients come back and catch up.", func(s edge.Stats) uint64 { return s.SlowClosed }},
		"malformed_cut_total":         {"Realtime connections that were closed because of what they sent.", func(s edge.Stats) uint64 { return s.Malformed }},
		"timed_out_total":             {"Realtime connections that were closed because nothing was received.", func(s edge.Stats) uint64 { return s.TimedOut }},
		"socket_handler_panics_total": {"Panics in handlers of realtime events: mistakes in the program.", func(s edge.Stats) uint64 { return s.Panics }},
	} {
		m.Counter(name, c.help, func() float64 { return float64(c.of(realtime.Stats())) })
	}
	m.Counter("attachments_damaged_total", "Files that were asked for and are not as they were uploaded: damaged on disk, or gone.", func() float64 { return float64(s.blobs.Damaged()) })
	m.Gauge("audit_reads_owed", "Reads that are not in the audit log yet, because the database takes no writes.", func() float64 { return float64(s.reads.Owed()) })
	m.Gauge("audit_broken_at", "The entry of the audit log before which it has been rewritten or cut; 0 if that has not been found.", func() float64 { return float64(s.db.AuditBroken()) })
	m.Counter("damaged_passed_over_total", "Stored events, messages in searches and notifications that were passed over because they cannot be read: damaged, or not written by this server.", func() float64 { return float64(s.db.Damaged()) })
	m.Gauge("writer_queue", "Functions that wait for the SQLite writer; 0 with PostgreSQL.", func() float64 { return float64(s.db.Waiting()) })
	if s.node != nil {
		m.Gauge("redis_connected", "1 while this node receives its own signals over Redis.", func() float64 {
			if s.node.Status().Connected {
				return 1
			}
			return 0
		})
		m.Gauge("nodes", "Other nodes that this one knows.", func() float64 { return float64(s.node.Status().Nodes) })
		m.Counter("redis_dropped_total", "Signals that were not published because Redis was slow or away.", func() float64 { return float64(s.node.Status().Dropped) })
	}
	if s.tracing != nil {
		m.Gauge("span_queue", "Spans of traces that wait to be sent.", func() float64 { return float64(s.tracing.Stats().Waiting) })
		m.Counter("spans_sent_total", "Spans of traces that the collector took.", func() float64 { return float64(s.tracing.Stats().Sent) })
		m.Counter("spans_dropped_total", "Spans of traces that were dropped because the collector was away or slow, or refused them.", func() float64 { return float64(s.tracing.Stats().Dropped) })
	}
	m.Gauge("turn_relays", "Relays of calls that are open.", func() float64 { return float64(s.turn.Relays()) })
	m.Gauge("draining", "1 while the server shuts down.", func() float64 {
		if s.draining.Load() {
			return 1
		}
		return 0
	})
}

// observed returns a function that counts the commands on one transport in the
// metrics and on the admin dashboard.
func (s *Server) observed(transport string) func(string, rooms.Code, time.Duration) {
	return func(command string, code rooms.Code, took time.Duration) {
		s.metrics.Command(transport, command, code, took)
		s.dashboard.Answered(command, code)
	}
}

// MetricsURL is where the metrics are, or "".
func (s *Server) MetricsURL() string { return s.private.URL() }
