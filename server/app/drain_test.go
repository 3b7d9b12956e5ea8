package app

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// Behind balancers a node that shuts down goes on answering for --drain-notice,
// at most for half of --drain-timeout; without any it does not.
func TestDrainNotice(t *testing.T) {
	t.Parallel()
	proxies := []string{"10.0.0.1"}
	for name, c := range map[string]struct {
		cfg  Config
		want time.Duration
	}{
		"balanced":       {Config{TrustedProxies: proxies, DrainNotice: 3 * time.Second, DrainTimeout: 10 * time.Second}, 3 * time.Second},
		"little time":    {Config{TrustedProxies: proxies, DrainNotice: 3 * time.Second, DrainTimeout: 4 * time.Second}, 2 * time.Second},
		"not balanced":   {Config{DrainNotice: 3 * time.Second, DrainTimeout: 10 * time.Second}, 0},
		"the drain ends": {Config{TrustedProxies: proxies, DrainNotice: time.Minute, DrainTimeout: time.Hour}, 20 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
				defer cancel()
				began := time.Now()
				(&Server{cfg: c.cfg}).noticing(ctx)
				if took := time.Since(began); took != c.want {
					t.Errorf("it takes %v, want %v", took, c.want)
				}
			})
		})
	}
}
