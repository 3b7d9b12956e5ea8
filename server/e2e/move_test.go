package e2e_test

import (
	"database/sql"
	"path/filepath"
	"reflect"
	"testing"

	"wenzhen/client"
	"wenzhen/rooms"
	"wenzhen/rooms/account"
	"wenzhen/rooms/chat"
	"wenzhen/rooms/consultation"
	"wenzhen/server"
)

// withNUL puts U+0000 where earlier versions accepted it on SQLite, which
// PostgreSQL cannot store.
func withNUL(t *testing.T, dir, consultation string) {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(dir, "wenzhen.db"))
	must(t, err)
	defer db.Close()
	_, err = db.Exec(`UPDATE consultations SET complaint = 'a' || char(0) || 'b' WHERE id = $1`, consultation)
	must(t, err)
	_, err = db.Exec(`UPDATE messages SET text = text || char(0) WHERE text LIKE '%monday%'`)
	must(t, err)
}

// A clinic moves from SQLite to PostgreSQL: everyone is still logged in, every
// log is what it was and goes on, messages are found, and what was to be
// notified is notified once.
func TestMoveToPostgres(t *testing.T) {
	t.Parallel()
	w := newWorldOn(t, t.TempDir(), "sqlite")
	w.run("127.0.0.1:0")
	w.enterAdmin()
	bo, wang := w.patient("bo"), w.doctor("wang")
	id := bo.consults(wang, "a headache")
	wang.accepts(id)
	for _, text := range []string{"头痛三天了", "since Monday, and it's worse", "no fever"} {
		bo.says(id, text)
	}
	recalled := bo.says(id, "a mistake")
	do(bo, chat.Recall, chat.MessageInput{ConsultationID: id, MessageID: recalled.ID})
	before := bo.log(id)
	must(t, w.stop())
	withNUL(t, w.dir, string(id))

	url := postgresDatabase(t)
	moved, err := server.Move(t.Context(), w.place(), url)
	must(t, err)
	if int(moved["events"]) < len(before) || moved["messages"] != 4 || moved["users"] != 3 {
		t.Errorf("moved %v", moved)
	}
	if _, err := server.Move(t.Context(), w.place(), url); err == nil {
		t.Error("it moved into a database that is not empty")
	}
	there := *w
	there.database = url
	there.run("127.0.0.1:0")
	must(t, server.AskReady(t.Context(), there.base))
	bo = &person{Client: there.client(client.WithTokens(bo.Tokens())), w: &there, user: bo.user}
	if after := bo.log(id); !reflect.DeepEqual(before, after) {
		t.Errorf("the log was %d events and is %d", len(before), len(after))
	}
	if m := bo.says(id, "on PostgreSQL now"); m.Seq != before[len(before)-1].Seq+1 {
		t.Errorf("after %d came %d", before[len(before)-1].Seq, m.Seq)
	}
	for words, want := range map[string]int{"头痛": 1, "monday": 1, "mistake": 0, "postgresql": 1} {
		if found := do(bo, chat.Search, chat.SearchInput{Q: words}); len(found.Items) != want {
			t.Errorf("%q is found %d times, want %d", words, len(found.Items), want)
		}
	}
	if c := do(bo, consultation.Read, consultation.Input{ConsultationID: id}); c.Complaint != "a\uFFFDb" {
		t.Errorf("U+0000 became %q", c.Complaint)
	}
	if me := do(bo, account.Me, rooms.Nothing{}); me.User.ID != bo.user.ID {
		t.Errorf("who: %+v", me.User)
	}
}
