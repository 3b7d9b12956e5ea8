package engine

import (
	"path/filepath"
	"slices"
	"testing"
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
)

// What a process without listeners commits beside a server reaches the listeners
// of the server: in order, before anything that the server commits later, once,
// with the losses of access and the ends of sessions. The seqs of rooms go on.
func TestWhatOthersCommitIsPublished(t *testing.T) { both(t, testWhatOthersCommitIsPublished) }

func testWhatOthersCommitIsPublished(t *testing.T, opts Options) {
	server, received, hub := open(t, opts)
	opts.Now, opts.Log = time.Now, quiet
	const room rooms.RoomID = "consultation:a"
	says := func(db *DB, what string) {
		t.Helper()
		if err := db.write.InTx(t.Context(), func(tx *Tx) error { return say(tx, room, what) }); err != nil {
			t.Fatal(err)
		}
	}
	says(server, "1")
	received.reaches(t, hub, 1)
	for _, idle := range []bool{false, true} {
		command, err := Open(t.Context(), opts)
		if err != nil {
			t.Fatal(err)
		}
		err = command.write.InTx(t.Context(), func(tx *Tx) error {
			account.SessionRevoked.After(tx, rooms.SessionRoom("s"), account.SessionInput{SessionID: "s"})
			tx.Lost(room, "bo")
			_, err := said.Record(tx, room, rooms.System, time.Now(), []rooms.RoomID{"user:bo"}, func(rooms.Seq) (string, error) { return "from a command", nil })
			return err
		})
		if err := FirstOf(err, command.Close()); err != nil {
			t.Fatal(err)
		}
		if !idle {
			says(server, "3")
			received.reaches(t, hub, 3)
		}
	}
	list := received.reaches(t, hub, 4)
	for i, want := range []struct {
		seq  rooms.Seq
		lost int
	}{{1, 0}, {2, 1}, {3, 0}, {4, 1}} {
		p := list[i]
		if p.Room != room || p.Seq != want.seq || len(p.Lost) != want.lost || len(p.Also) != want.lost || p.Damaged {
			t.Errorf("publication %d: %+v", i, p)
		}
	}
	if !slices.Equal(received.ends, []int{1, 3}) {
		t.Errorf("the sessions ended after %v publications", received.ends)
	}
	if opts.Path == "" {
		return
	}
	var left int
	if err := server.readers.Row(t.Context(), `SELECT count(*) FROM unpublished`).Scan(&left); err != nil || left != 0 {
		t.Errorf("%d are left, %v", left, err)
	}
}

// What was left while no server ran is taken when one starts, and keeps nothing
// from being moved to PostgreSQL.
func TestWhatWasLeftWithoutServer(t *testing.T) {
	t.Parallel()
	opts := Options{Path: filepath.Join(t.TempDir(), "x.db"), Synchronous: "OFF"}
	command := opened(t, opts)
	err := command.write.InTx(t.Context(), func(tx *Tx) error { return say(tx, "room:x", "hello") })
	if err := FirstOf(err, command.Close()); err != nil {
		t.Fatal(err)
	}
	if _, err := Move(t.Context(), opts.Path, postgresURL(t), nil); err != nil {
		t.Errorf("moved: %v", err)
	}
	_, received, hub := open(t, opts)
	received.reaches(t, hub, 1)
}

// reaches waits until so many publications were received, and returns them.
func (p *published) reaches(t *testing.T, hub *rooms.Hub, n int) []rooms.Publication {
	t.Helper()
	for end := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
		if err := hub.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		p.mu.Lock()
		list := slices.Clone(p.list)
		p.mu.Unlock()
		if len(list) >= n {
			return list
		}
		if time.Now().After(end) {
			t.Fatalf("%d publications, want %d", len(list), n)
		}
	}
}
