package audit

import (
	"context"
	"slices"
	"testing"
	"time"

	"wenzhen/rooms"
)

// ledger is a log in memory; what is tested here is the chain, not the database.
type ledger struct {
	list []LogEntry
	num  int64
	hash string
	// signedBy is the key of who wrote it last.
	signedBy []byte
}

func (l *ledger) NextAudit() (int64, string, error) { l.num++; return l.num, l.hash, nil }

func (l *ledger) InsertAudit(e LogEntry) error {
	l.list, l.hash = append(l.list, e), e.SHA256
	return nil
}

func (l *ledger) Audit(context.Context, Query) ([]LogLine, error) { return nil, nil }

func (l *ledger) AuditAfter(_ context.Context, num int64, limit int) ([]LogEntry, error) {
	var list []LogEntry
	for _, e := range l.list {
		if e.Num > num && len(list) < limit {
			list = append(list, e)
		}
	}
	return list, nil
}

func (l *ledger) AuditHead(context.Context) (Head, error) {
	return Head{l.num, l.hash, Head{Num: l.num, SHA256: l.hash}.Sign(l.signedBy)}, nil
}

func filled(t *testing.T, n int) *ledger {
	t.Helper()
	l := &ledger{}
	for i := range n {
		err := Append(l, rooms.Actor{UserID: "u", Role: rooms.RoleDoctor, Address: "192.0.2.1"}, time.Unix(int64(i), 0), "record:read", "patient:p", func(e *LogEntry) { e.Reason = "why" })
		if err != nil {
			t.Fatal(err)
		}
	}
	return l
}

func TestFollow(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]struct {
		do func(*ledger)
		at int64
	}{
		"none":             {func(*ledger) {}, 0},
		"who":              {func(l *ledger) { l.list[4].ActorID = "x" }, 5},
		"when":             {func(l *ledger) { l.list[4].At = l.list[4].At.Add(time.Microsecond) }, 5},
		"what":             {func(l *ledger) { l.list[4].Action = "x" }, 5},
		"why":              {func(l *ledger) { l.list[4].Reason = "" }, 5},
		"one removed":      {func(l *ledger) { l.list = slices.Delete(l.list, 4, 5) }, 6},
		"the first":        {func(l *ledger) { l.list = l.list[1:] }, 2},
		"the end":          {func(l *ledger) { l.list = l.list[:9] }, 10},
		"all":              {func(l *ledger) { l.list = nil }, 1},
		"two in turn":      {func(l *ledger) { l.list[4], l.list[5] = l.list[5], l.list[4] }, 6},
		"one rehashed":     {func(l *ledger) { l.list[4].Action = "x"; l.list[4].SHA256, _ = l.list[4].sum() }, 6},
		"the end rehashed": {func(l *ledger) { l.list[9].Action = "x"; l.list[9].SHA256, _ = l.list[9].sum() }, 11},
	} {
		l := filled(t, 10)
		damage.do(l)
		v, err := Follow(t.Context(), l, nil)
		if err != nil || v.OK != (damage.at == 0) || v.BrokenAt != damage.at || (v.Why == "") != v.OK {
			t.Errorf("%s: %+v, %v", name, v, err)
		}
	}
	if v, err := Follow(t.Context(), &ledger{}, nil); err != nil || !v.OK || v.Entries != 0 {
		t.Errorf("an empty log: %+v, %v", v, err)
	}
}

// Somebody who has the database alone can make another chain, but cannot sign it (SEC-12).
func TestFollowWithAKey(t *testing.T) {
	t.Parallel()
	key := []byte("a key that is not in the database")
	for name, c := range map[string]struct {
		by []byte
		ok bool
	}{"signed": {key, true}, "not signed": {nil, false}, "signed by another key": {[]byte("x"), false}} {
		l := filled(t, 3)
		l.signedBy = c.by
		if v, err := Follow(t.Context(), l, key); err != nil || v.OK != c.ok {
			t.Errorf("%s: %+v, %v", name, v, err)
		}
	}
}
