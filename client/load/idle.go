package load

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// releaseTries bounds how often the server's memory is read, Duration apart, until
// the memory of closed connections is released.
const releaseTries = 15

// idle opens connections, keeps them idle, and closes them, and measures the memory
// of each and whether it is released. It does so twice: after the first time a
// process may keep some memory, but it must not keep more after each.
func idle(ctx context.Context, r *run) error {
	tokens, err := r.logins(ctx)
	if err != nil {
		return err
	}
	m := &Memory{}
	if err := r.readMemory(ctx, m, &m.Before); err != nil {
		return err
	}
	if err := r.wave(ctx, tokens, func() error {
		r.result.Operations, r.result.Unit = int64(r.Connections), "connection"
		if err := r.meter.start(r.Options); err != nil {
			return err
		}
		if err := wait(ctx, r.Duration); err != nil {
			return err
		}
		if err := r.meter.stop(&r.result); err != nil {
			return err
		}
		return r.readMemory(ctx, m, &m.During)
	}); err != nil {
		return err
	}
	if err := r.waitReleased(ctx, m, m.Before, &m.After); err != nil {
		return err
	}
	m.PerConnection = float64(m.During-m.Before) / float64(r.Connections)
	if m.During > 0 {
		r.result.Memory = m
	}
	if err := r.wave(ctx, tokens, func() error { return wait(ctx, r.Duration) }); err != nil {
		return err
	}
	return r.waitReleased(ctx, m, m.After, &m.Again)
}

// wave opens all connections, calls idling, and closes them.
func (r *run) wave(ctx context.Context, tokens []string, idling func() error) error {
	if err := r.openAll(ctx, func(i int) (string, string, func([]byte)) { return r.idleParams(tokens, i) }); err != nil {
		return err
	}
	r.stageIs("idling")
	if err := idling(); err != nil {
		return err
	}
	for _, c := range r.conns {
		if !c.alive() {
			r.result.Lost++
		}
	}
	return r.closeAll()
}

// waitReleased reads the server's memory until it is at most 5 % above was, or
// releaseTries times.
func (r *run) waitReleased(ctx context.Context, m *Memory, was int64, now *int64) error {
	for range releaseTries {
		if err := wait(ctx, r.Duration); err != nil {
			return err
		}
		if err := r.readMemory(ctx, m, now); err != nil {
			return err
		}
		if *now <= was+was/20 {
			break
		}
	}
	return nil
}

// readMemory reads the server's memory. A Go server of bench/peers collects its
// garbage before and reports its goroutines.
func (r *run) readMemory(ctx context.Context, m *Memory, into *int64) error {
	if r.PID == 0 {
		return nil
	}
	if r.Bare {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, r.Server+"/stats?gc=1", nil)
		if err != nil {
			return err
		}
		response, err := r.dialer.http.Do(request)
		if err != nil {
			return err
		}
		defer response.Body.Close()
		var stats struct{ Goroutines int }
		ok := response.StatusCode == http.StatusOK && json.NewDecoder(response.Body).Decode(&stats) == nil
		if ok && stats.Goroutines > 0 {
			m.Goroutines = append(m.Goroutines, stats.Goroutines)
		}
	}
	n, err := process{r.PID}.rss()
	*into = n
	return err
}

func wait(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// connect opens connections as fast as possible, Dialers at a time, and counts
// those that are open in the end.
func connect(ctx context.Context, r *run) error {
	tokens, err := r.logins(ctx)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, r.Duration)
	defer cancel()
	r.stageIs("connecting")
	conns := make([]*conn, r.Connections)
	if err := r.meter.start(r.Options); err != nil {
		return err
	}
	err = r.each(ctx, r.Connections, func(ctx context.Context, i int) error {
		namespace, token, onEvent := r.idleParams(tokens, i)
		began := time.Now()
		c, err := r.dialer.open(ctx, namespace, token, onEvent)
		if err != nil {
			r.problem(err)
			return nil
		}
		r.latency.add(time.Since(began))
		conns[i] = c
		return nil
	})
	for _, c := range conns {
		if c != nil {
			r.conns = append(r.conns, c)
		}
	}
	if err != nil {
		return fmt.Errorf("%d of %d connections in %v: %w", len(r.conns), r.Connections, r.Duration, err)
	}
	r.result.Operations, r.result.Unit = int64(len(r.conns)), "connection"
	if err := r.meter.stop(&r.result); err != nil {
		return err
	}
	r.result.Latency = r.latency.take()
	r.result.Sent = int64(r.Connections)
	for _, c := range r.conns {
		if c.alive() {
			r.result.Delivered++
		} else {
			r.result.Lost++
		}
	}
	return nil
}

// idleParams returns the parameters of the i-th connection of idle and connect.
func (r *run) idleParams(tokens []string, i int) (namespace, token string, onEvent func([]byte)) {
	if r.Bare {
		return "/", "", nil
	}
	return consultations, tokens[i/r.SocketsPerUser], nil
}
