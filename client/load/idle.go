package load

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// levelTries bounds how often a server's memory is looked at until a crowd's is
// given back, Duration apart.
const levelTries = 15

// idle opens connections, lets them be, and closes them: what does each cost,
// and is everything given back? The same again, since a process that has seen
// a crowd keeps something for the next one: it should not keep more each time.
func idle(ctx context.Context, r *run) error {
	tokens, err := r.logins(ctx)
	if err != nil {
		return err
	}
	m := &Memory{}
	if err := r.look(ctx, m, &m.Before); err != nil {
		return err
	}
	if err := r.crowd(ctx, tokens, func() error {
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
		return r.look(ctx, m, &m.During)
	}); err != nil {
		return err
	}
	if err := r.level(ctx, m, m.Before, &m.After); err != nil {
		return err
	}
	m.PerConnection = float64(m.During-m.Before) / float64(r.Connections)
	if m.During > 0 {
		r.result.Memory = m
	}
	if err := r.crowd(ctx, tokens, func() error { return wait(ctx, r.Duration) }); err != nil {
		return err
	}
	return r.level(ctx, m, m.After, &m.Again)
}

// crowd is one coming and going of all connections, with idling in between.
func (r *run) crowd(ctx context.Context, tokens []string, idling func() error) error {
	if err := r.openAll(ctx, func(i int) (string, string, func([]byte)) { return r.seat(tokens, i) }); err != nil {
		return err
	}
	r.say("idling")
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

// level looks at the server's memory until it is back within 5 % of what it
// was, or that takes too long.
func (r *run) level(ctx context.Context, m *Memory, was int64, now *int64) error {
	for range levelTries {
		if err := wait(ctx, r.Duration); err != nil {
			return err
		}
		if err := r.look(ctx, m, now); err != nil {
			return err
		}
		if *now <= was+was/20 {
			break
		}
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
