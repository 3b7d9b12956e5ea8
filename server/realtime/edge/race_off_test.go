//go:build !race

package edge

import "testing"

const raceDetector = false

// TestRecoveryOption is row 15: the library can't even be made with it. There
// is no half of ours to test under the race detector.
func TestRecoveryOption(t *testing.T) {
	t.Parallel()
	if l := shipped(t, "recovery"); l.dies(patience) {
		t.Log("library says: dead; we say: not offered")
	} else {
		t.Error("is the defect gone?")
	}
}
