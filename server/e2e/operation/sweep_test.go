package operation_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"wenzhen.example/server/app"
	"wenzhen.example/server/blob"
	"wenzhen.example/server/e2e"
)

// What a crash left in the folder of the attachments, of an upload that was
// being written and of one whose row never came, is gone after the next start.
func TestACrashLeavesNoFiles(t *testing.T) {
	t.Parallel()
	w := e2e.NewWorld(t, t.TempDir())
	sum := strings.Repeat("ab", 32)
	lost, half := filepath.Join("attachments", blob.Path(sum)), filepath.Join("attachments", "incoming", "half")
	for _, name := range []string{lost, half} {
		path := filepath.Join(w.Dir, name)
		e2e.Must(t, os.MkdirAll(filepath.Dir(path), 0o700))
		e2e.Must(t, os.WriteFile(path, []byte("words"), 0o600))
		long := time.Now().Add(-2 * blob.Rest)
		e2e.Must(t, os.Chtimes(path, long, long))
	}
	w.Change = []func(*app.Config){}
	w.Run("127.0.0.1:0")
	e2e.Eventually(t, "both are gone", func() bool {
		for _, name := range []string{lost, half} {
			if _, err := os.Stat(filepath.Join(w.Dir, name)); err == nil {
				return false
			}
		}
		return true
	})
}
