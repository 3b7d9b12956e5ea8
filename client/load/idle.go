package load

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// idle opens connections, lets them be, and closes them: what does each cost,
// and is everything given back?
func idle(ctx context.Context, r *run) error {
	tokens, err := r.logins(ctx)
	if err != nil {
		return err
	}
	m := &Memory{}
	if err := r.look(ctx, m, &m.Before); err != nil {
		return err
	}
	if err := r.openAll(ctx, func(i int) (string, string, func([]byte)) { return r.seat(tokens, i) }); err != nil {
		return err
	}
	r.say("idling")
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
	if err := r.look(ctx, m, &m.During); err != nil {
		return err
	}
	for _, c := range r.conns {
		if !c.alive() {
			r.result.Lost++
		}
	}
	if err := r.closeAll(); err != nil {
		return err
	}
	if err := wait(ctx, r.Duration); err != nil {
		return err
	}
	if err := r.look(ctx, m, &m.After); err != nil {
		return err
	}
	m.PerConnection = float64(m.During-m.Before) / float64(r.Connections)
	if m.During > 0 {
		r.result.Memory = m
	}
	return nil
}

// look reads the server's memory, and asks a Go server of bench/peers to
// collect its garbage first and count its goroutines.
func (r *run) look(ctx context.Context, m *Memory, into *int64) error {
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
		if response.StatusCode == http.StatusOK && json.NewDecoder(response.Body).Decode(&stats) == nil && stats.Goroutines > 0 {
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

// connect opens connections as fast as they can be opened, Dialers at a time,
// and looks whether all of them are there in the end.
func connect(ctx context.Context, r *run) error {
	tokens, err := r.logins(ctx)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, r.Duration)
	defer cancel()
	r.say("connecting")
	conns := make([]*conn, r.Connections)
	if err := r.meter.start(r.Options); err != nil {
		return err
	}
	err = r.each(ctx, r.Connections, func(ctx context.Context, i int) error {
		namespace, token, hear := r.seat(tokens, i)
		began := time.Now()
		c, err := r.dialer.open(ctx, namespace, token, hear)
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

// seat is how the i-th connection of idle and connect is opened.
func (r *run) seat(tokens []string, i int) (namespace, token string, hear func([]byte)) {
	if r.Bare {
		return "/", "", nil
	}
	return consultations, tokens[i/r.SocketsPerUser], nil
}
