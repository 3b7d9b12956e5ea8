//go:build unix

package chat

import (
	"context"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/chat"
	"wenzhen.example/rooms/roomstest/sidecar"
	"wenzhen.example/rooms/store/engine"
	"wenzhen.example/rooms/vault"
)

// both runs a test on either database, with encryption and without, with one
// consultation in it.
func both(t *testing.T, test func(t *testing.T, db *engine.DB)) {
	t.Parallel()
	master, err := vault.FromSecret("a master key of 32 characters for tests")
	must(t, err)
	for name, key := range map[string]vault.Master{"": nil, " encrypted": master} {
		for _, database := range []string{"sqlite", "postgres"} {
			t.Run(database+name, func(t *testing.T) {
				t.Parallel()
				opts := engine.Options{Encrypted: Encrypted, Synchronous: "OFF", Now: time.Now, Log: slog.New(slog.DiscardHandler), Master: key}
				if database == "sqlite" {
					opts.Path = filepath.Join(t.TempDir(), "m.db")
				} else {
					opts.URL = sidecar.Postgres(t).Database(t, func(ctx context.Context, url string) error { return engine.Migrate(ctx, engine.Options{URL: url}) })
				}
				db, err := engine.Open(t.Context(), opts)
				must(t, err)
				t.Cleanup(func() { must(t, db.Close()) })
				must(t, talk(db, 1))
				test(t, db)
			})
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// say writes a message of talker 0, which the other one causes.
func say(ctx context.Context, db *engine.DB, clientID, text string) (chat.Message, error) {
	now := time.Now().UTC().Truncate(time.Microsecond)
	return rooms.InTx(ctx, db, func(of *engine.Tx) (chat.Message, error) {
		tx := In(of)
		return chat.MessageCreated.Record(tx, talkID(0).Room(), rooms.Actor{UserID: talker(10)}, now, nil, func(seq rooms.Seq) (chat.Message, error) {
			m := chat.Message{ID: chat.MessageID(rooms.NewID(now)), ClientID: clientID, ConsultationID: talkID(0), SenderID: talker(0), Seq: seq, Kind: chat.Text, Text: text, CreatedAt: now}
			return m, tx.InsertMessage(m)
		})
	})
}

// reads is a message as the store has it, by its id.
func reads(t *testing.T, db *engine.DB, id chat.MessageID) chat.Message {
	t.Helper()
	m, err := rooms.InTx(t.Context(), db, func(of *engine.Tx) (chat.Message, error) { return In(of).Message(id) })
	must(t, err)
	return m
}

// shown is the text of a message in the log.
func shown(t *testing.T, db *engine.DB, seq rooms.Seq) string {
	t.Helper()
	e, _, err := engine.EventsAfter(t.Context(), db.Reads(), talkID(0).Room(), seq-1, 1)
	must(t, err)
	return string(e[0].Data)
}

// What was said is kept after a recall, beside what the log shows, and is gone
// after the message has been erased.
func TestRecalledMessageIsKeptUntilErased(t *testing.T) { both(t, testRecalledMessageIsKept) }

func testRecalledMessageIsKept(t *testing.T, db *engine.DB) {
	said, err := say(t.Context(), db, "c", "a mistake")
	must(t, err)
	if got := reads(t, db, said.ID); got.Text != said.Text || got.SenderID != said.SenderID || !got.CreatedAt.Equal(said.CreatedAt) || got.RecalledAt != nil {
		t.Errorf("said %+v, read %+v", said, got)
	}
	at := said.CreatedAt.Add(time.Minute)
	must(t, db.InTx(t.Context(), func(tx *engine.Tx) error { return In(tx).RecallMessage(said.Recalled(at)) }))
	if got := reads(t, db, said.ID); got.Text != "a mistake" || got.RecalledAt == nil || !got.RecalledAt.Equal(at) {
		t.Errorf("recalled: %+v", got)
	}
	left := shown(t, db, said.Seq)
	must(t, db.InTx(t.Context(), func(tx *engine.Tx) error { return In(tx).EraseMessage(said.Recalled(at)) }))
	if got := reads(t, db, said.ID); got.Text != "" || got.RecalledAt == nil || !got.RecalledAt.Equal(at) {
		t.Errorf("erased: %+v", got)
	}
	if after := shown(t, db, said.Seq); after != left || after == "" {
		t.Errorf("the log shows %s, and after the message was erased %s", left, after)
	}
	var kept int
	must(t, db.Reads().Row(t.Context(), `SELECT count(*) FROM log WHERE recalled IS NOT NULL`).Scan(&kept))
	if kept != 0 {
		t.Error("what was said is still stored")
	}
}

// A message is found by its clientId, and never another one that has the same
// hash. The clientId is taken for its sender in its consultation.
func TestMessageByClientID(t *testing.T) { both(t, testMessageByClientID) }

func testMessageByClientID(t *testing.T, db *engine.DB) {
	said, err := say(t.Context(), db, "c", "hello")
	must(t, err)
	if again, err := say(t.Context(), db, "c", "hello"); err == nil {
		t.Errorf("the same clientId is that of %+v too", again)
	}
	if last, err := engine.LastSeq(t.Context(), db.Reads(), talkID(0).Room()); err != nil || last != said.Seq {
		t.Errorf("the room is at %d, %v", last, err)
	}
	find := func(user rooms.UserID, clientID string) (chat.Message, error) {
		return rooms.InTx(t.Context(), db, func(tx *engine.Tx) (chat.Message, error) { return In(tx).MessageByClientID(talkID(0), user, clientID) })
	}
	if got, err := find(talker(0), "c"); err != nil || got.ID != said.ID {
		t.Errorf("found %+v, %v", got, err)
	}
	for user, clientID := range map[rooms.UserID]string{talker(10): "c", talker(0): "d"} {
		must(t, db.InTx(t.Context(), func(tx *engine.Tx) error {
			return tx.Exec(`UPDATE log SET client = $1 WHERE message = $2`, engine.ClientHash(user, clientID), said.ID)
		}))
		if got, err := find(user, clientID); rooms.CodeOf(err) != rooms.CodeNotFound {
			t.Errorf("for %s of %s there is %+v, %v", clientID, user, got, err)
		}
	}
}
