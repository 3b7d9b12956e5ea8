package e2e_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"wenzhen/server"
	"wenzhen/server/blob"
)

// What a crash left in the folder of the attachments, of an upload that was
// being written and of one whose row never came, is gone after the next start.
func TestACrashLeavesNoFiles(t *testing.T) {
	t.Parallel()
	w := newWorld(t, t.TempDir())
	sum := strings.Repeat("ab", 32)
	lost, half := filepath.Join("attachments", blob.Path(sum)), filepath.Join("attachments", "incoming", "half")
	for _, name := range []string{lost, half} {
		path := filepath.Join(w.dir, name)
		must(t, os.MkdirAll(filepath.Dir(path), 0o700))
		must(t, os.WriteFile(path, []byte("words"), 0o600))
		long := time.Now().Add(-2 * blob.Rest)
		must(t, os.Chtimes(path, long, long))
	}
	w.change = []func(*server.Config){}
	w.run("127.0.0.1:0")
	eventually(t, "both are gone", func() bool {
		for _, name := range []string{lost, half} {
			if _, err := os.Stat(filepath.Join(w.dir, name)); err == nil {
				return false
			}
		}
		return true
	})
}
