package main

import (
	"strings"
	"testing"
)

// Properties of the model that hold for all figures.
func TestModel(t *testing.T) {
	t.Parallel()
	for _, nodes := range []int{2, 8, 32} {
		c := measured
		c.Users, c.Nodes = 50_000, nodes
		u, s := c.Load(), c.Storm()
		if u.ReadRooms > u.ReadAll || u.Own <= 0 {
			t.Errorf("%d nodes: following some rooms costs %v, following all %v, own work %v", nodes, u.ReadRooms, u.ReadAll, u.Own)
		}
		if s.Lost != c.Users/nodes || s.Half > s.All || s.Peak < s.Lost/int(s.All+2) {
			t.Errorf("%d nodes: %+v", nodes, s)
		}
	}
	// A lower rate of admissions takes longer, but admits all clients.
	c := measured
	c.Users, c.Nodes, c.Cores = 200_000, 4, 1
	slow := c.Storm()
	c.Cores = 8
	if quick := c.Storm(); quick.All >= slow.All {
		t.Errorf("all are admitted after %v with 8 cores and after %v with one", quick.All, slow.All)
	}
	var out strings.Builder
	report(&out, c)
	if !strings.Contains(out.String(), "A node fails") {
		t.Error(out.String())
	}
}
