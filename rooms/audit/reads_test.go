package audit

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"wenzhen.example/rooms"
)

// What cannot be entered is not shown, except to people in a consultation while
// the database takes no writes: that is in the server's log at once, and in the
// audit log later, in order and with the time at which it was read.
func TestReadsThatCannotBeEntered(t *testing.T) {
	t.Parallel()
	l, said, fails := &ledger{}, &strings.Builder{}, error(nil)
	now := time.Unix(1000, 0)
	r := NewReads(func(_ context.Context, f func(Tx) error) error {
		if fails != nil {
			return fails
		}
		return f(l)
	}, func() time.Time { return now }, slog.New(slog.NewTextHandler(said, nil)))
	bo, admin := rooms.Actor{UserID: "bo", Role: rooms.RolePatient}, rooms.Actor{UserID: "root", Role: rooms.RoleAdmin}
	note := func(by rooms.Actor, subject string) rooms.Code {
		return rooms.CodeOf(r.Note(t.Context(), by, MessageRead, subject))
	}
	for _, fails = range []error{errors.New("no such table"), rooms.Unavailable(nil, "too slow")} {
		for _, by := range []rooms.Actor{bo, admin} {
			if got := note(by, "consultation:1"); got != rooms.CodeUnavailable {
				t.Errorf("%s reads although %v: %q", by.UserID, fails, got)
			}
		}
	}
	fails = rooms.Unavailable(errors.Join(rooms.ErrNotWritable, errors.New("disk full")), "the disk is full")
	if got := note(admin, "users"); got != rooms.CodeUnavailable {
		t.Errorf("an admin reads on a full disk: %q", got)
	}
	for _, id := range []string{"1", "1", "2"} {
		if got := note(bo, "consultation:"+id); got != "" {
			t.Errorf("bo reads on a full disk: %q", got)
		}
	}
	if r.Owed() != 2 || !strings.Contains(said.String(), "user=bo") || !strings.Contains(said.String(), "subject=consultation:2") {
		t.Errorf("%d entries are owed, and the server's log has %s", r.Owed(), said)
	}
	if err := r.Settle(t.Context()); err == nil || r.Owed() != 2 {
		t.Errorf("settled on a full disk: %v", err)
	}
	fails, now = nil, now.Add(time.Minute)
	if got := note(bo, "consultation:3"); got != "" {
		t.Errorf("bo reads afterwards: %q", got)
	}
	for range 2 {
		if err := r.Settle(t.Context()); err != nil {
			t.Error(err)
		}
	}
	var got []string
	for _, e := range l.list {
		got = append(got, fmt.Sprintf("%s %s %d", e.ActorID, e.Subject, e.At.Unix()))
	}
	if want := "bo consultation:3 1060, bo consultation:1 1000, bo consultation:2 1000"; strings.Join(got, ", ") != want {
		t.Errorf("the log has %v, want %s", got, want)
	}
}

// There is an end to what is shown without an entry.
func TestReadsThatAreOwedAreBounded(t *testing.T) {
	t.Parallel()
	r := NewReads(func(context.Context, func(Tx) error) error { return rooms.ErrNotWritable }, time.Now, slog.New(slog.DiscardHandler))
	read := func(n int) error {
		return r.Note(t.Context(), rooms.Actor{UserID: "bo", Role: rooms.RolePatient}, MessageRead, fmt.Sprintf("consultation:%d", n))
	}
	for n := range owedMost {
		if err := read(n); err != nil {
			t.Fatalf("read %d: %v", n, err)
		}
	}
	if err := read(owedMost); rooms.CodeOf(err) != rooms.CodeUnavailable || r.Owed() != owedMost {
		t.Errorf("one more: %v, %d are owed", err, r.Owed())
	}
}

// Reads that come while others are being entered are entered together, each once,
// and answered with what became of that.
func TestReadsAreEnteredTogether(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l, free, transactions := &ledger{}, make(chan error), 0
		r := NewReads(func(ctx context.Context, f func(Tx) error) error {
			transactions++ // one at a time
			select {
			case err := <-free:
				return errors.Join(err, f(l))
			case <-ctx.Done():
				return ctx.Err()
			}
		}, time.Now, slog.New(slog.DiscardHandler))
		const most = 50
		answers := make(chan error, 2*most)
		note := func(ctx context.Context, user string) {
			go func() {
				answers <- r.Note(ctx, rooms.Actor{UserID: rooms.UserID(user), Role: rooms.RolePatient}, MessageRead, "consultation:1")
			}()
		}
		answered := func(n int, want rooms.Code) {
			t.Helper()
			synctest.Wait()
			for range n {
				if got := rooms.CodeOf(<-answers); got != want {
					t.Errorf("answered %q, want %q", got, want)
				}
			}
			if len(answers) > 0 {
				t.Errorf("%d more were answered", len(answers))
			}
		}
		first, leaves := context.WithCancel(t.Context())
		note(first, "first")
		synctest.Wait()
		for i := range most {
			note(t.Context(), fmt.Sprint(i))
			note(t.Context(), fmt.Sprint(i))
		}
		synctest.Wait()
		leaves() // who was entering: the others go on
		answered(1, rooms.CodeUnavailable)
		free <- nil
		answered(2*most, "")
		if transactions != 2 || len(l.list) != most {
			t.Errorf("%d entries in %d transactions, want %d and 2", len(l.list), transactions, most)
		}
		note(t.Context(), "late")
		synctest.Wait()
		free <- errors.New("no such table")
		answered(1, rooms.CodeUnavailable)
	})
}
