package store

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/audit"
	auditstore "wenzhen.example/rooms/store/audit"
	"wenzhen.example/rooms/store/engine"
)

// Many transactions on two nodes write to the audit log at once, and each of them
// succeeds: one that has lost the race for the end of the log three times goes
// before later ones.
func TestWritersOfTheAuditLogAllProceed(t *testing.T) {
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
	v, err := audit.VerifyLog(t.Context(), auditstore.Store{DB: a}, nil)
	if want := int64(2 * writers * each); err != nil || !v.OK || v.Entries != want {
		t.Errorf("the log: %+v, %v, want %d entries", v, err, want)
	}
}

// Each of several nodes notices by itself that the log is behind what it has
// signed or seen: also one that did not sign the entries that are missing, and
// one that appends after another has noticed. What a node has marked, it does not
// mark again.
func TestEachNodeNoticesAnOlderLog(t *testing.T) {
	t.Parallel()
	opts := engine.Options{URL: postgresURL(t)}
	key := []byte("a key that is not in the database")
	nodes := []*engine.DB{opened(t, opts), opened(t, opts)}
	for i, db := range nodes {
		kept, err := auditstore.Store{DB: db}.AuditHead(t.Context())
		if err == nil {
			err = auditstore.Store{DB: db}.Begin(t.Context(), key, i == 0, kept)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	log := auditstore.Store{DB: nodes[0]}
	enter := func(node int, actions ...string) {
		t.Helper()
		// Several in one transaction, as a command does.
		err := nodes[node].InTx(t.Context(), func(tx *engine.Tx) error {
			for _, action := range actions {
				if err := audit.Append(auditstore.In(tx), rooms.System, time.Now().Truncate(time.Microsecond), action, "users", nil); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	enter(0, "one", "two")
	old, err := log.AuditHead(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	enter(0, "three")
	enter(1, "four") // has seen what the other signed
	err = nodes[0].InTx(t.Context(), func(tx *engine.Tx) error {
		return errors.Join(tx.Exec(`DROP TRIGGER IF EXISTS audit_kept ON audit`), tx.Exec(`DELETE FROM audit WHERE num > $1`, old.Num),
			tx.Exec(`UPDATE audit_head SET num = $1, sha256 = $2, signature = $3`, old.Num, old.SHA256, old.Signature))
	})
	if err != nil {
		t.Fatal(err)
	}
	enter(1, "five", "six") // marks
	enter(0, "seven")       // marks: another entry three than it signed
	enter(1, "eight")
	enter(0, "nine", "ten")
	list, err := log.AuditAfter(t.Context(), 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	var actions []string
	for _, e := range list {
		actions = append(actions, e.Action)
	}
	want := []string{"one", "two", audit.Broken, "five", "six", audit.Broken, "seven", "eight", "nine", "ten"}
	if !slices.Equal(actions, want) {
		t.Errorf("the log has %q, want %q", actions, want)
	}
	if v, err := audit.VerifyLog(t.Context(), log, key); err != nil || v.OK {
		t.Errorf("the log: %+v, %v", v, err)
	}
}
