package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"
	"runtime/metrics"

	"wenzhen.example/rooms/chat"
	"wenzhen.example/rooms/operations"
	operationsstore "wenzhen.example/rooms/store/operations"
	"wenzhen.example/server"
	"wenzhen.example/server/process"
)

// openDashboard makes the service of the admin dashboard.
func (s *Server) openDashboard() *operations.Service {
	o := operations.Options{Node: s.name(), Version: server.Version, Message: chat.Send.Name, Process: measure,
		Check: s.check, Settings: s.cfg.settings(), Live: func() operations.Live { return s.realtime.Monitor() },
		Store: operationsstore.Store{DB: s.db}, Hub: s.hub, Now: s.clock}
	if s.node != nil {
		o.Peers = s.node
	}
	return operations.New(o)
}

// name is what this node is called: its machine and its port.
func (s *Server) name() string {
	host, err := os.Hostname()
	if err != nil {
		host = "localhost"
	}
	_, port, _ := net.SplitHostPort(s.listener.Addr().String()) // of a TCP listener, so it splits
	return net.JoinHostPort(host, port)
}

// measure reads the figures of this process, without stopping it.
func measure() operations.Process {
	heap := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(heap)
	return operations.Process{CPU: process.CPUTime(), HeapBytes: heap[0].Value.Uint64(), Goroutines: runtime.NumGoroutine()}
}

// diskLow is how many free bytes are too few.
const diskLow = 1 << 30

// check looks after the parts of this node.
func (s *Server) check(ctx context.Context) (bool, []operations.HealthCheck) {
	ready := s.ready(ctx) == nil
	checks := []operations.HealthCheck{
		checked("database", s.db.Ready(ctx), "it answers; %d commands wait to be written", int64(s.db.Waiting())),
		checkDisk(s.cfg.Data),
		s.checkAudit(),
		s.checkRedis(),
		optional("mail", s.mail != nil, "mail goes out through the configured server", "no mail is sent: --mail-server is not set"),
		optional("relay", s.turn.Listening(), "%d relays of calls are open", "calls have no relay of this server: --turn-addr is not set", int64(s.turn.Relays())),
		optional("metrics", s.private != nil, "they can be scraped", "nothing is served: --metrics-addr is not set"),
		optional("tls", s.cfg.TLSCert != "", "this server speaks HTTPS itself", "this server speaks HTTP: a proxy has to speak TLS"),
	}
	if s.draining.Load() {
		checks = append(checks, checked("draining", errors.New("this node is shutting down"), ""))
	}
	return ready, checks
}

func (s *Server) checkAudit() operations.HealthCheck {
	var err error
	if n := s.db.AuditBroken(); n > 0 {
		err = fmt.Errorf("what is before entry %d has been rewritten or cut by something else than this server", n)
	}
	return checked("audit", err, "no break of the log was found")
}

func (s *Server) checkRedis() operations.HealthCheck {
	if s.node == nil {
		return optional("redis", false, "", "this is the only node: --redis is not set")
	}
	var err error
	if trouble, ok := s.troubles()["redis"]; ok {
		err = errors.New(trouble)
	}
	status := s.node.Status()
	return checked("redis", err, "%d other nodes are known; %d signals were dropped so far", int64(status.Nodes), status.Dropped)
}

func checkDisk(dir string) operations.HealthCheck {
	free, err := process.FreeBytes(dir)
	switch {
	case errors.Is(err, errors.ErrUnsupported):
		return optional("disk", false, "", "how much is free is not known on this system")
	case err == nil && free < diskLow:
		err = fmt.Errorf("only %d MB are free", free>>20)
	}
	return checked("disk", err, "%d GB are free", int64(free>>30))
}

// checked is a part that fails with err, if there is one; else it is well, with
// these figures.
func checked(name string, err error, well string, figures ...int64) operations.HealthCheck {
	if err != nil {
		return operations.HealthCheck{Name: name, State: operations.CheckFailing, Detail: err.Error()}
	}
	return optional(name, true, well, "", figures...)
}

// optional is a part that one may do without. What it is like when it is on has
// a %d for each figure.
func optional(name string, on bool, with, without string, figures ...int64) operations.HealthCheck {
	if !on {
		return operations.HealthCheck{Name: name, State: operations.CheckOff, Detail: without}
	}
	said := make([]any, len(figures))
	for i, n := range figures {
		said[i] = n
	}
	return operations.HealthCheck{Name: name, State: operations.CheckOK, Detail: fmt.Sprintf(with, said...), Figures: figures}
}
