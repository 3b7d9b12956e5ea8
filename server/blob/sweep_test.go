package blob

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"wenzhen.example/rooms/vault"
)

// folder is a folder of blobs, and rows that refer to some of them.
type folder struct {
	*Folder
	t   *testing.T
	dir string

	mu   sync.Mutex
	rows []string
}

func newFolder(t *testing.T) *folder {
	t.Helper()
	dir := t.TempDir()
	f, err := Open(dir, vault.New(nil))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return &folder{Folder: f, t: t, dir: dir}
}

func (f *folder) keeps(content string) string {
	f.t.Helper()
	in, err := f.Receive(context.Background(), strings.NewReader(content), 1<<20)
	if err == nil {
		err = in.Keep()
	}
	if err == nil {
		err = in.Close()
	}
	if err != nil {
		f.t.Fatal(err)
	}
	return in.SHA256()
}

func (f *folder) refers(sum string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.rows = append(f.rows, sum)
}

func (f *folder) named(_ context.Context, prefix string) ([]string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var list []string
	for _, sum := range f.rows {
		if strings.HasPrefix(sum, prefix) {
			list = append(list, sum)
		}
	}
	return list, nil
}

func (f *folder) ages(name string, by time.Duration) {
	f.t.Helper()
	at := time.Now().Add(-by)
	if err := os.Chtimes(filepath.Join(f.dir, name), at, at); err != nil {
		f.t.Fatal(err)
	}
}

func (f *folder) sweeps(named Named) int {
	f.t.Helper()
	n, err := f.Sweep(context.Background(), time.Now(), named)
	if err != nil {
		f.t.Fatal(err)
	}
	return n
}

func (f *folder) reads(sum, want string) {
	f.t.Helper()
	content, err := f.Open(context.Background(), sum)
	if err != nil {
		f.t.Errorf("%q: %v", want, err)
		return
	}
	defer content.Close()
	if got, err := io.ReadAll(content); err != nil || string(got) != want {
		f.t.Errorf("%q reads %q, %v", want, got, err)
	}
}

// A content that comes again while its file, to which nothing referred, is being
// removed, is there in the end.
func TestUploadBesideASweep(t *testing.T) {
	t.Parallel()
	f := newFolder(t)
	sum := f.keeps("again and again")
	f.ages(Path(sum), 2*Rest)
	if n := f.sweeps(func(ctx context.Context, prefix string) ([]string, error) {
		list, err := f.named(ctx, prefix)
		if prefix == sum[:2] { // what is asked now does not see the row that comes with it
			f.keeps("again and again")
			f.refers(sum)
		}
		return list, err
	}); n != 0 {
		t.Errorf("%d files are removed that have just come", n)
	}
	f.reads(sum, "again and again")

	for i := range 100 {
		content := fmt.Sprint("content ", i)
		sum := f.keeps(content)
		f.ages(Path(sum), 2*Rest)
		var both sync.WaitGroup
		for range 2 { // two nodes
			both.Go(func() { f.sweeps(f.named) })
		}
		both.Go(func() {
			f.keeps(content)
			f.refers(sum)
			f.reads(sum, content)
		})
		both.Wait()
		f.reads(sum, content)
		f.sweeps(f.named)
		f.reads(sum, content)
	}
}

// What was set aside though rows refer to it, as when a database was restored
// late, can be read, and is put back.
func TestFilesAreSetAsideFirst(t *testing.T) {
	t.Parallel()
	f := newFolder(t)
	sum, other := f.keeps("of a database that comes later"), f.keeps("of none")
	half := filepath.Join(incoming, "half")
	if err := os.WriteFile(filepath.Join(f.dir, half), []byte("words"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{Path(sum), Path(other), half} {
		f.ages(name, 2*Recover)
	}
	if n := f.sweeps(f.named); n != 2 {
		t.Errorf("%d files are set aside, want 2", n)
	}
	if n := f.sweeps(f.named); n != 0 {
		t.Errorf("%d files are set aside again", n)
	}
	f.reads(sum, "of a database that comes later")
	f.refers(sum)
	f.ages(asidePath(other), Recover+time.Minute)
	f.sweeps(f.named)
	f.reads(sum, "of a database that comes later")
	for name, there := range map[string]bool{Path(sum): true, asidePath(sum): false, Path(other): false, asidePath(other): false, half: false} {
		if _, err := os.Stat(filepath.Join(f.dir, name)); (err == nil) != there {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A file is removed at once where that is asked for, unless it has come again.
func TestRemove(t *testing.T) {
	t.Parallel()
	f := newFolder(t)
	sum := f.keeps("words")
	for _, before := range []time.Time{time.Now().Add(-time.Hour), time.Now().Add(time.Hour), time.Now()} {
		if err := f.Remove(context.Background(), sum, before); err != nil {
			t.Fatal(err)
		}
		_, err := os.Stat(filepath.Join(f.dir, Path(sum)))
		if gone := before.After(time.Now()); gone && err == nil {
			t.Error("the file is still there")
		}
		if before.Before(time.Now().Add(-time.Minute)) {
			f.reads(sum, "words")
		}
	}
	if left, err := os.ReadDir(filepath.Join(f.dir, removed)); err != nil || len(left) > 0 {
		t.Errorf("left: %v, %v", left, err)
	}
}
