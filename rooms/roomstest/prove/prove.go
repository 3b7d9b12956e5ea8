// Package prove has the sizes of the tests that come in two: a small one for
// every run, and the full one of `make prove`, which sets WENZHEN_PROVE=1.
package prove

import (
	"os"
	"testing"
)

// Full reports whether tests run at full size.
func Full() bool { return os.Getenv("WENZHEN_PROVE") == "1" }

// Size is how much of something a test does. The small size is logged beside
// the full one; `make left` lists them all.
func Size[N any](t testing.TB, what string, small, full N) N {
	t.Helper()
	if Full() {
		return full
	}
	t.Logf("%s: %v; make prove: %v", what, small, full)
	return small
}

// Parallel is t.Parallel, except at full size: a test that measures has the
// machine to itself there.
func Parallel(t *testing.T) {
	t.Helper()
	if !Full() {
		t.Parallel()
	}
}
