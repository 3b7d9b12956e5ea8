package store

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"wenzhen/rooms"
	"wenzhen/rooms/audit"
	auditstore "wenzhen/rooms/store/audit"
	"wenzhen/rooms/store/engine"
)

// However many enter something in the audit log at once, on two nodes, none
// starves: after it has lost the race for the end of the log three times,
// a transaction goes before those that come later.
func TestNobodyStarvesAtTheAuditLog(t *testing.T) {
	t.Parallel()
	opts := engine.Options{URL: postgresURL(t)}
	a, b := opened(t, opts), opened(t, opts)
	const writers, each = 8, 25 // as many as a node has connections for
	const crowd = 3             // after so many losses a transaction waits for its turn
	var group sync.WaitGroup
	var mu sync.Mutex
	tries := map[int]int{}
	for node, db := range []*engine.DB{a, b} {
		for range writers {
			group.Go(func() {
				for i := range each {
					n := 0
					err := db.InTx(t.Context(), func(tx *engine.Tx) error {
						n++ // one try after the other
						now, subject := time.Now().Truncate(time.Microsecond), fmt.Sprint("message:", node, i)
						return audit.Append(auditstore.In(tx), rooms.System, now, audit.MessageRead, subject, nil)
					})
					if err != nil {
						t.Error(err)
					}
					mu.Lock()
					tries[n]++
					mu.Unlock()
				}
			})
		}
	}
	group.Wait()
	t.Logf("%v", tries)
	for n := range tries {
		if n > crowd+1 {
			t.Errorf("%d transactions ran %d times", tries[n], n)
		}
	}
	v, err := audit.Follow(t.Context(), auditstore.Store{DB: a}, nil)
	if want := int64(2 * writers * each); err != nil || !v.OK || v.Entries != want {
		t.Errorf("the log: %+v, %v, want %d entries", v, err, want)
	}
}
