package engine

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"wenzhen.example/rooms"
)

// acts records an event of somebody.
func acts(tx *Tx, room rooms.RoomID, user rooms.UserID) error {
	_, err := said.Record(tx, room, rooms.Actor{UserID: user}, time.Now(), nil, func(rooms.Seq) (string, error) { return "x", nil })
	return err
}

// actors are those of the events of a room.
func actors(q Querier, room rooms.RoomID) (list []rooms.UserID, err error) {
	events, _, err := EventsAfter(context.Background(), q, room, 0, 1000)
	for _, e := range events {
		list = append(list, e.ActorID)
	}
	return list, err
}

// A user who acts for the first time has acted in every event, also where several
// transactions find that out at once, and where such a transaction reads what it
// has written.
func TestFirstEventOfAPerson(t *testing.T) { both(t, testFirstEventOfAPerson) }

func testFirstEventOfAPerson(t *testing.T, opts Options) {
	db, _, _ := open(t, opts)
	var group sync.WaitGroup
	const people, each = 4, 5
	for i := range people * each {
		user, room := rooms.UserID(fmt.Sprint("u", i%people)), rooms.RoomID(fmt.Sprint("room:", i))
		group.Go(func() {
			err := db.write.InTx(t.Context(), func(tx *Tx) error {
				if err := acts(tx, room, user); err != nil {
					return err
				}
				list, err := actors(tx, room)
				if err == nil && (len(list) != 1 || list[0] != user) {
					err = fmt.Errorf("in its transaction %s acted as %v", user, list)
				}
				return err
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	for i := range people * each {
		user, room := rooms.UserID(fmt.Sprint("u", i%people)), rooms.RoomID(fmt.Sprint("room:", i))
		if list, err := actors(db.readers, room); err != nil || len(list) != 1 || list[0] != user {
			t.Errorf("%s acted as %v in %s, %v", user, list, room, err)
		}
	}
}

// A transaction that began before somebody's first event was committed is tried
// again, with a view of the database in which that person is.
func TestPersonOfALaterTransaction(t *testing.T) {
	t.Parallel()
	db, _, _ := open(t, Options{URL: postgresURL(t)})
	var meanwhile sync.Once
	err := db.write.InTx(t.Context(), func(tx *Tx) error {
		if err := acts(tx, "room:x", ""); err != nil {
			return err
		}
		meanwhile.Do(func() {
			if err := db.write.InTx(t.Context(), func(tx *Tx) error { return acts(tx, "room:y", "u") }); err != nil {
				t.Error(err)
			}
		})
		if err := acts(tx, "room:x", "u"); err != nil {
			return err
		}
		list, err := actors(tx, "room:x")
		if err == nil && (len(list) != 2 || list[1] != "u") {
			err = fmt.Errorf("acted: %v", list)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// What a function that fails has numbered is not remembered, whether it is the
// first of its commit, a later one, or fails with the commit.
func TestFailedFunctionAssignsNoKeys(t *testing.T) { both(t, testFailedFunctionNumbersNobody) }

func testFailedFunctionNumbersNobody(t *testing.T, opts Options) {
	db, _, _ := open(t, opts)
	failure := errors.New("failure")
	var group sync.WaitGroup
	for i := range 20 {
		user := rooms.UserID(fmt.Sprint("u", i))
		group.Go(func() {
			err := db.write.InTx(t.Context(), func(tx *Tx) error { return errors.Join(acts(tx, "room:x", user), failure) })
			if !errors.Is(err, failure) {
				t.Error(err)
			}
			other := user + "-other"
			if err := db.write.InTx(t.Context(), func(tx *Tx) error { return acts(tx, "room:y", other) }); err != nil {
				t.Error(err)
			}
			if err := db.write.InTx(t.Context(), func(tx *Tx) error { return acts(tx, rooms.RoomID("room:"+string(user)), user) }); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	for i := range 20 {
		user := rooms.UserID(fmt.Sprint("u", i))
		if list, err := actors(db.readers, rooms.RoomID("room:"+string(user))); err != nil || len(list) != 1 || list[0] != user {
			t.Errorf("%s acted as %v, %v", user, list, err)
		}
	}
	if list, err := actors(db.readers, "room:y"); err != nil || len(list) != 20 {
		t.Errorf("%d of 20 events are there, %v", len(list), err)
	}
	if list, err := actors(db.readers, "room:x"); err != nil || len(list) != 0 {
		t.Errorf("%d events of functions that failed are there, %v", len(list), err)
	}
}

// A commit that fails assigns no keys to people.
func TestFailedCommitAssignsNoKeys(t *testing.T) {
	t.Parallel()
	db, _, _ := open(t, Options{Path: filepath.Join(t.TempDir(), "x.db"), Synchronous: "OFF"})
	err := db.write.InTx(t.Context(), func(tx *Tx) error {
		return errors.Join(acts(tx, "room:x", "u"), tx.Exec(`PRAGMA defer_foreign_keys = 1`),
			tx.Exec(`INSERT INTO quick_replies (user_id, replies) VALUES ('nobody', '')`))
	})
	if err == nil {
		t.Fatal("a reference to nobody was committed")
	}
	for _, user := range []rooms.UserID{"other", "u"} {
		if err := db.write.InTx(t.Context(), func(tx *Tx) error { return acts(tx, "room:x", user) }); err != nil {
			t.Fatal(err)
		}
	}
	if list, err := actors(db.readers, "room:x"); err != nil || len(list) != 2 || list[0] != "other" || list[1] != "u" {
		t.Errorf("acted: %v, %v", list, err)
	}
}

// A message without its event is not committed.
func TestMessageNeedsItsEvent(t *testing.T) { both(t, testMessageNeedsItsEvent) }

func testMessageNeedsItsEvent(t *testing.T, opts Options) {
	db, _, _ := open(t, opts)
	err := db.write.InTx(t.Context(), func(tx *Tx) error {
		return errors.Join(tx.AsMessage(Message{Room: "room:x", Seq: 7, ID: "m", Sender: "u", ClientID: "c"}), say(tx, "room:x", "another"))
	})
	if err == nil {
		t.Error("it was committed")
	}
	if _, last, err := EventsAfter(t.Context(), db.readers, "room:x", 0, 10); err != nil || last != 0 {
		t.Errorf("the room is at %d, %v", last, err)
	}
}
