package engine

import (
	"slices"
	"testing"
	"time"

	"wenzhen.example/rooms"
)

// Lost access is published with the next event of its room, and with no other;
// a transaction that would keep it to itself fails.
func TestLostAccessIsPublished(t *testing.T) {
	both(t, func(t *testing.T, opts Options) {
		db, received, hub := open(t, opts)
		ctx, now := t.Context(), time.Now()
		add := func(tx *Tx, room rooms.RoomID) error {
			seq, err := tx.Next(room, now)
			if err != nil {
				return err
			}
			return tx.Append(rooms.Event{Room: room, Seq: seq, ID: rooms.NewID(now), Name: "thing:happened", At: now, Data: []byte(`{}`)})
		}
		err := db.write.InTx(ctx, func(tx *Tx) error {
			tx.Lost("consultation:a", "bo")
			return add(tx, "consultation:b")
		})
		if err == nil {
			t.Fatal("access was lost, and nobody learns of it")
		}
		err = db.write.InTx(ctx, func(tx *Tx) error {
			tx.Lost("consultation:a", "bo")
			tx.Lost("consultation:a", "li")
			return FirstOf(add(tx, "consultation:b"), add(tx, "consultation:a"), add(tx, "consultation:a"))
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := FirstOf(db.Announced(ctx), hub.Flush(ctx)); err != nil {
			t.Fatal(err)
		}
		received.mu.Lock()
		defer received.mu.Unlock()
		var lost [][]rooms.UserID
		for _, p := range received.list {
			lost = append(lost, p.Lost)
		}
		if len(lost) != 3 || len(lost[0]) != 0 || !slices.Equal(lost[1], []rooms.UserID{"bo", "li"}) || len(lost[2]) != 0 {
			t.Errorf("published %v", lost)
		}
	})
}
