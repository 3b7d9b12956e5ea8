package engine

import "time"

// Bounds of the time that a commit waits for more functions: how long, after how
// many functions there is no more to be gained, and after how many commits more
// than before are waited for again where they did not come.
const (
	windowMost   = 2 * time.Millisecond
	windowTarget = 16
	windowPause  = 64
)

// window decides how long a commit waits for functions that are about to come
// in: a commit costs more than what most functions do in it. It does not wait
// where functions come in less often than it could wait, nor for more of them
// than have come in lately: clients that send their next command after the
// answer to the one before would only lose time.
type window struct {
	most  time.Duration
	began time.Time     // of the latest commit
	gap   time.Duration // between two functions, on average

	target int // functions for which a commit waits
	vain   int // functions of the latest commit that waited for more and got none
	misses int // how often in a row one waited for more than that without a result
	pause  int // commits before the target is raised again
}

// newWindow makes the window of a database that syncs as opts say. Without a sync
// for each commit, waking up for the functions costs more than commits of their own.
func newWindow(opts Options) window {
	w := window{gap: time.Hour, target: 1}
	if opts.Synchronous == "FULL" {
		w.most = windowMost
	}
	return w
}

// begin is called when a commit begins with its first function, the one before
// having had so many.
func (w *window) begin(now time.Time, before int) {
	const idle = 100 * time.Millisecond // more says no more
	took := min(now.Sub(w.began), idle)
	w.began, w.gap = now, min(w.gap, idle)
	w.gap += (took/time.Duration(max(before, 1)) - w.gap) / 8
}

// wait is how long a commit of so many functions waits for another one.
func (w *window) wait(now time.Time, functions int) time.Duration {
	if w.most == 0 || functions >= w.target || w.gap > w.most {
		return 0
	}
	return w.most - now.Sub(w.began)
}

// end is called with the functions of a commit, and whether it waited
// for another one and got none.
func (w *window) end(functions int, vain bool) {
	switch {
	case vain:
		w.misses++
		w.target, w.vain, w.pause = functions, functions, min(1<<min(w.misses, 10), windowPause)
	case functions < w.target: // did not wait: that says nothing
	case w.pause > 0:
		w.pause--
	default:
		if w.target > w.vain {
			w.misses = 0
		}
		w.target = min(w.target+1, windowTarget)
	}
}
