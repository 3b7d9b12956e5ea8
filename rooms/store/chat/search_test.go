//go:build unix

package chat

import (
	"fmt"
	"log/slog"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/chat"
	"wenzhen.example/rooms/store/engine"
)

// The words of long messages are taken into the index a few messages at a time:
// everybody who writes waits for such a transaction.
func TestSearchIndexesLittleAtOnce(t *testing.T) {
	t.Parallel()
	var commits atomic.Int64
	db, err := engine.Open(t.Context(), engine.Options{Encrypted: Encrypted, Path: filepath.Join(t.TempDir(), "w.db"), Synchronous: "OFF", Now: time.Now, Log: slog.New(slog.DiscardHandler),
		Committed: func(int, time.Duration) { commits.Add(1) }})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := talk(db, 1); err != nil {
		t.Fatal(err)
	}
	const messages, size = 60, 30_000
	err = db.InTx(t.Context(), func(of *engine.Tx) error {
		tx := In(of)
		for n := range messages {
			now := time.Now()
			_, err := chat.MessageCreated.Record(tx, talkID(0).Room(), rooms.Actor{UserID: talker(0)}, now, nil, func(seq rooms.Seq) (chat.Message, error) {
				m := chat.Message{ID: chat.MessageID(fmt.Sprintf("01JDMSG%019d", n)), ClientID: strconv.Itoa(n), ConsultationID: talkID(0),
					SenderID: talker(0), Seq: seq, Kind: chat.Text, Text: strings.Repeat("汉", size/3), CreatedAt: now}
				return m, tx.InsertMessage(m)
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	before := commits.Load()
	found, err := Store{db}.Search(t.Context(), chat.Query{User: talker(0), Words: "汉汉", Limit: 100})
	if err != nil || len(found) != messages {
		t.Errorf("found %d, %v; want %d", len(found), err, messages)
	}
	if got, want := commits.Load()-before, int64(5); got < want {
		t.Errorf("indexed in %d transactions, want at least %d", got, want)
	}
}
