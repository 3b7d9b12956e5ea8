package audit

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"wenzhen.example/rooms"
)

// ledger is a log in memory; what is tested here is the chain, not the database.
type ledger struct {
	list []LogEntry
	head Head
	key  []byte
	seen Head // by the process
}

func (l *ledger) LockAudit() (End, error) {
	end := End{Head: l.head, Unsigned: !l.head.Signed(l.key)}
	if n := len(l.list); n > 0 {
		end.LastNum, end.LastSHA256 = l.list[n-1].Num, l.list[n-1].SHA256
	}
	return end, nil
}

func (l *ledger) PatientOf(string) (string, error) { return "", nil }

func (l *ledger) InsertAudit(e LogEntry, head Head) error {
	head.Signature = head.Sign(l.key)
	l.list, l.head = append(l.list, e), head
	return nil
}

func (l *ledger) InTx(_ context.Context, f func(Tx) error) error { return f(l) }

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

func (l *ledger) AuditSeen() (int64, string) { return l.seen.Num, l.seen.SHA256 }

func (l *ledger) AuditHead(context.Context) (Head, error) { return l.head, nil }

var auditKey = []byte("a key that is not in the database")

func filled(t *testing.T, n int) *ledger {
	t.Helper()
	l := &ledger{key: auditKey}
	l.head.Signature = l.head.Sign(l.key)
	l.append(t, n)
	return l
}

func (l *ledger) append(t *testing.T, n int) {
	t.Helper()
	for i := range n {
		err := Append(l, rooms.Actor{UserID: "u", Role: rooms.RoleDoctor, Address: "192.0.2.1"}, time.Unix(int64(i), 0), "record:read", "patient:p", func(e *LogEntry) { e.Reason = "why" })
		if err != nil {
			t.Fatal(err)
		}
	}
}

// rechain numbers and hashes the entries anew, as somebody does who has the
// database alone, and writes the end without its signature.
func (l *ledger) rechain() {
	last := LogEntry{}
	for i := range l.list {
		l.list[i].Num, l.list[i].Previous = last.Num+1, last.SHA256
		l.list[i].SHA256, _ = l.list[i].sum()
		last = l.list[i]
	}
	l.head.Num, l.head.SHA256 = last.Num, last.SHA256
}

func TestVerifyLog(t *testing.T) {
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
		v, err := VerifyLog(t.Context(), l, auditKey)
		if err != nil || v.OK != (damage.at == 0) || v.BrokenAt != damage.at || (v.Why == "") != v.OK {
			t.Errorf("%s: %+v, %v", name, v, err)
		}
	}
	if v, err := VerifyLog(t.Context(), &ledger{}, nil); err != nil || !v.OK || v.Entries != 0 {
		t.Errorf("an empty log: %+v, %v", v, err)
	}
}

// Whatever somebody does who has the database alone, it is found at once, and
// also after the server has appended and signed further entries (R-A, SEC-12).
func TestABreakIsNeverCoveredUp(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]func(*ledger){
		"one removed, rehashed":  func(l *ledger) { l.list = slices.Delete(l.list, 4, 5); l.rechain() },
		"one changed, rehashed":  func(l *ledger) { l.list[4].Action = "x"; l.rechain() },
		"the last changed":       func(l *ledger) { l.list[9].Action = "x"; l.rechain() },
		"cut":                    func(l *ledger) { l.list = l.list[:7]; l.rechain() },
		"cut, the end kept":      func(l *ledger) { l.list = l.list[:7] },
		"one added":              func(l *ledger) { l.list = append(l.list, LogEntry{Num: 11}); l.rechain() },
		"one added, no new end":  func(l *ledger) { l.list = append(l.list, LogEntry{Num: 11}) },
		"all and the end gone":   func(l *ledger) { l.list, l.head = nil, Head{} },
		"the signature gone":     func(l *ledger) { l.head.Signature = "" },
		"signed by another":      func(l *ledger) { l.rechain(); l.head.Signature = l.head.Sign([]byte("x")) },
		"said to be from before": func(l *ledger) { l.head.Since = 11 },
		"said to be broken":      func(l *ledger) { l.head.BrokenAt, l.head.BrokenLast = 1<<40, 1<<40 },
	} {
		l := filled(t, 10)
		damage(l)
		if v, err := VerifyLog(t.Context(), l, auditKey); err != nil || v.OK || v.Why == "" {
			t.Errorf("%s: %+v, %v", name, v, err)
		}
		l.append(t, 3)
		if v, err := VerifyLog(t.Context(), l, auditKey); err != nil || v.OK || v.BrokenAt == 0 {
			t.Errorf("%s, after further entries: %+v, %v", name, v, err)
		}
		if n := slices.IndexFunc(l.list, func(e LogEntry) bool { return e.Action == Broken }); n < 0 || l.list[n].Reason == "" {
			t.Errorf("%s: the log does not say so: %+v", name, l.list)
		}
		// Nor does rewriting it once more remove the mark.
		l.list = slices.DeleteFunc(l.list, func(e LogEntry) bool { return e.Action == Broken })
		l.rechain()
		l.head.BrokenAt, l.head.BrokenLast = 0, 0
		l.append(t, 1)
		if v, err := VerifyLog(t.Context(), l, auditKey); err != nil || v.OK {
			t.Errorf("%s, without the mark: %+v, %v", name, v, err)
		}
	}
}

// A gap in the middle breaks the chain; once it was found it is marked, and the
// entries of after are not taken for part of it.
func TestAFoundBreakIsMarked(t *testing.T) {
	t.Parallel()
	l := filled(t, 10)
	l.list = slices.Delete(l.list, 4, 5)
	s := New(Options{Store: l, Key: auditKey, Now: time.Now})
	for range 3 {
		if v, err := s.Inspect(t.Context()); err != nil || v.BrokenAt != 6 {
			t.Errorf("%+v, %v", v, err)
		}
	}
	if l.head.BrokenAt != 11 || l.head.BrokenLast != 11 || len(l.list) != 10 {
		t.Errorf("the end: %+v, %d entries", l.head, len(l.list))
	}
}

// A log that is marked already is marked once more when something else is removed
// or changed after the latest mark, and not when it is before it, where nothing
// proves anything. What marks know is not found again.
func TestAnotherBreakIsMarkedToo(t *testing.T) {
	t.Parallel()
	remove := func(num int64) func(*ledger) {
		return func(l *ledger) { l.list = slices.DeleteFunc(l.list, func(e LogEntry) bool { return e.Num == num }) }
	}
	for name, attack := range map[string]struct {
		do    func(*ledger)
		marks []int64
	}{
		"nothing":              {func(*ledger) {}, []int64{11}},
		"removed before":       {remove(3), []int64{11}},
		"removed after":        {remove(15), []int64{11, 21}},
		"the first after":      {remove(12), []int64{11, 21}},
		"the mark":             {remove(11), []int64{21}},
		"the mark is changed":  {func(l *ledger) { l.list[9].Reason = "x" }, []int64{11, 21}},
		"changed after":        {func(l *ledger) { l.list[12].ActorID = "x" }, []int64{11, 21}},
		"all but the last few": {func(l *ledger) { l.list = l.list[14:] }, []int64{21}},
		"the newest":           {func(l *ledger) { l.list = l.list[:15] }, []int64{11, 21}},
	} {
		l := filled(t, 10)
		l.list = slices.Delete(l.list, 4, 5)
		s := New(Options{Store: l, Key: auditKey, Now: time.Now})
		if v, err := s.Inspect(t.Context()); err != nil || v.BrokenAt != 6 || l.head.BrokenLast != 11 {
			t.Fatalf("%s: %+v, %v; the end: %+v", name, v, err, l.head)
		}
		l.append(t, 9) // up to 20
		attack.do(l)
		for range 3 {
			if v, err := s.Inspect(t.Context()); err != nil || v.OK {
				t.Errorf("%s: %+v, %v", name, v, err)
			}
		}
		var marks []int64
		for _, e := range l.list {
			if e.Action == Broken {
				marks = append(marks, e.Num)
			}
		}
		if !slices.Equal(marks, attack.marks) || l.head.BrokenAt != 11 || l.head.BrokenLast != marks[len(marks)-1] {
			t.Errorf("%s: the marks are %d, the end: %+v", name, marks, l.head)
		}
	}
}

// A chain without a gap that this server has not signed is marked as well.
func TestAForgedChainThatIsInspectedIsMarked(t *testing.T) {
	t.Parallel()
	l := filled(t, 10)
	l.list = slices.Delete(l.list, 4, 5)
	l.rechain()
	s := New(Options{Store: l, Key: auditKey, Now: time.Now})
	for range 3 {
		if v, err := s.Inspect(t.Context()); err != nil || v.OK {
			t.Errorf("%+v, %v", v, err)
		}
	}
	if l.head.BrokenAt != 10 || l.head.BrokenLast != 10 || len(l.list) != 10 {
		t.Errorf("the end: %+v, %d entries", l.head, len(l.list))
	}
}

// What is appended with the key of before marks could be made is still sound.
func TestAnEndOfBefore(t *testing.T) {
	t.Parallel()
	l := filled(t, 3)
	l.head.Signature = authenticate(auditKey, "wenzhen audit head\n%d\n%s", l.head.Num, l.head.SHA256)
	for range 2 {
		if v, err := VerifyLog(t.Context(), l, auditKey); err != nil || !v.OK {
			t.Errorf("%+v, %v", v, err)
		}
		l.append(t, 1)
	}
}

// Nothing unbounded gets into a log that nothing is removed from (R1).
func TestEntriesAreBounded(t *testing.T) {
	t.Parallel()
	l := filled(t, 1)
	long := strings.Repeat("x", 1000)
	for name, err := range map[string]error{
		"subject": Append(l, rooms.Actor{}, time.Now(), "message:read", "consultation:"+long, nil),
		"detail":  Append(l, rooms.Actor{}, time.Now(), "message:read", "consultation:1", func(e *LogEntry) { e.Detail = long }),
		"reason":  Append(l, rooms.Actor{}, time.Now(), "message:read", "consultation:1", func(e *LogEntry) { e.Reason = strings.Repeat(long, 50) }),
		"read": NewReads(l.InTx, time.Now, slog.New(slog.DiscardHandler)).
			Note(t.Context(), rooms.Actor{UserID: "u"}, MessageRead, "consultation:"+long),
	} {
		if rooms.CodeOf(err) != rooms.CodeTooLarge {
			t.Errorf("a long %s: %v", name, err)
		}
	}
	if len(l.list) != 1 {
		t.Errorf("%d entries", len(l.list))
	}
}
