package engine

import (
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// commits makes so many one after the other, so far apart, while so many
// functions come in for each, and reports how many of them waited without a result and
// how many functions they had.
func commits(t *testing.T, w *window, now *time.Time, n int, apart time.Duration, come int) (vain, functions int) {
	for range n {
		*now = now.Add(apart)
		w.begin(*now, come)
		had := 1
		for had < come && w.wait(*now, had) > 0 {
			had++
		}
		wait := w.wait(*now, had)
		if wait > windowMost {
			t.Errorf("waits for %v", wait)
		}
		w.end(had, wait > 0)
		if wait > 0 {
			vain++
		}
		functions += had
	}
	return vain, functions
}

// A commit waits for as many functions as come in, and hardly ever for one more.
func TestWindow(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		come            int
		apart           time.Duration
		vain, functions int // of 1,000 commits
	}{
		{1, 10 * time.Millisecond, 0, 1000},
		{3, 10 * time.Millisecond, 0, 1000},
		{1, time.Millisecond, 20, 1000}, // one client after the other
		{2, 2 * time.Millisecond, 20, 1990},
		{8, 2 * time.Millisecond, 20, 7900},
		{20, 2 * time.Millisecond, 0, 15800},
	} {
		now, w := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC), newWindow(Options{Synchronous: "FULL"})
		commits(t, &w, &now, 100, c.apart, c.come)
		vain, functions := commits(t, &w, &now, 1000, c.apart, c.come)
		if vain > c.vain || functions < c.functions {
			t.Errorf("%d come in %v: %d of 1000 commits waited without a result, %d functions in them", c.come, c.apart, vain, functions)
		}
		if vain, _ := commits(t, &w, &now, 1, time.Second, c.come); vain != 0 {
			t.Errorf("%d come in %v: the first commit after a pause waits", c.come, c.apart)
		}
	}
}

// A commit that does not sync does not wait.
func TestNoWindowWithoutSync(t *testing.T) {
	t.Parallel()
	for _, synchronous := range []string{"NORMAL", "OFF"} {
		now, w := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC), newWindow(Options{Synchronous: synchronous})
		if vain, functions := commits(t, &w, &now, 1000, time.Microsecond, 8); vain != 0 || functions != 1000 {
			t.Errorf("%s: commits of %d functions, %d waited without a result", synchronous, functions, vain)
		}
	}
}

// Where fewer functions come in than before, or more, the next commits learn it.
func TestWindowLearns(t *testing.T) {
	t.Parallel()
	now, w := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC), newWindow(Options{Synchronous: "FULL"})
	for _, come := range []int{1, 8, 2, 16, 1, 4} {
		vain, _ := commits(t, &w, &now, 100, time.Millisecond, come)
		if vain > 10 {
			t.Errorf("%d of 100 commits waited without a result once %d came in", vain, come)
		}
		commits(t, &w, &now, 500, time.Millisecond, come)
		if _, functions := commits(t, &w, &now, 100, time.Millisecond, come); functions < 95*come {
			t.Errorf("%d functions in 100 commits while %d come in for each", functions, come)
		}
	}
}

// Functions that come in while a commit waits are part of it: their callers
// return after one commit.
func TestFunctionsShareACommit(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var commits []int
	db, _, _ := open(t, Options{Path: filepath.Join(t.TempDir(), "x.db"), Synchronous: "OFF", Committed: func(functions int, _ time.Duration) {
		mu.Lock()
		defer mu.Unlock()
		commits = append(commits, functions)
	}})
	const most = 5
	if err := db.write.InTx(t.Context(), func(*Tx) error { return nil }); err != nil {
		t.Fatal(err)
	}
	// The writer reads this when the next function has come in.
	w := &db.write.(sqliteWrite).window
	w.most, w.gap, w.target = time.Hour, 0, most
	mu.Lock()
	commits = nil
	mu.Unlock()
	var group sync.WaitGroup
	for range most { // each when the one before has run
		ran := make(chan struct{})
		group.Go(func() {
			err := db.write.InTx(t.Context(), func(tx *Tx) error {
				defer close(ran)
				return say(tx, "room:x", "hello")
			})
			if err != nil {
				t.Error(err)
			}
		})
		<-ran
	}
	group.Wait()
	mu.Lock()
	defer mu.Unlock()
	if len(commits) != 1 || commits[0] != most {
		t.Errorf("%d functions in commits of %v, want one", most, commits)
	}
}
