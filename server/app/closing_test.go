package app

import (
	"errors"
	"slices"
	"testing"

	"wenzhen.example/rooms/store/engine"
)

// The order in which parts are closed is part of the composition: see the reasons
// in closings.
func TestOrderOfClosing(t *testing.T) {
	t.Parallel()
	names := func(s *Server, made bool) (list []string) {
		for _, c := range s.closings() {
			if c.made || !made {
				list = append(list, c.name)
			}
		}
		return list
	}
	all := []string{"listener", "metrics", "redirect to HTTPS", "sockets", "relay", "cluster", "login providers", "enrolment", "database",
		"hub", "push", "attachments", "traces", "data folder"}
	if got := names(&Server{}, false); !slices.Equal(got, all) {
		t.Errorf("parts are closed in the order %v, want %v", got, all)
	}
	for what, c := range map[string]struct {
		s    *Server
		want []string
	}{
		"nothing was made yet": {&Server{}, []string{"hub", "traces"}},
		"the database is open": {&Server{db: &engine.DB{}}, []string{"enrolment", "database", "hub", "traces"}},
	} {
		if got := names(c.s, true); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v are closed, want %v", what, got, c.want)
		}
	}
}

// A part that fails to close does not keep the next open.
func TestAllPartsAreClosed(t *testing.T) {
	t.Parallel()
	var closed []string
	part := func(name string, made bool, err error) closing {
		return closing{name, made, func() error { closed = append(closed, name); return err }}
	}
	first, last := errors.New("first"), errors.New("last")
	err := closeAll([]closing{part("first", true, first), part("not made", false, nil), part("second", true, nil), part("last", true, last)})
	if !errors.Is(err, first) || !errors.Is(err, last) {
		t.Errorf("error: %v", err)
	}
	if want := []string{"first", "second", "last"}; !slices.Equal(closed, want) {
		t.Errorf("closed %v, want %v", closed, want)
	}
}
