package server

import "testing"

func TestVersionOfABuild(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ release, build, want string }{
		{"0.1.0", "", "0.1.0"},
		{"0.1.0", "14c2de6-dirty", "0.1.0+14c2de6-dirty"},
	} {
		if have := version(c.release, c.build); have != c.want {
			t.Errorf("%s, %q: %s, want %s", c.release, c.build, have, c.want)
		}
	}
}
