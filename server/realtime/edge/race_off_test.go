//go:build !race

package edge

import "testing"

const raceDetector = false

// TestRecoveryOption is row 15: creating the library's server with this option
// panics. The edge does not have the option, so nothing is tested under the race
// detector.
func TestRecoveryOption(t *testing.T) {
	t.Parallel()
	if l := shipped(t, "recovery"); l.dies(patience) {
		t.Log("library: dead; edge: not offered")
	} else {
		t.Error("is the defect fixed?")
	}
}
