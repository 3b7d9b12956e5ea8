package operation_test

import (
	"bytes"
	"database/sql"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"wenzhen.example/client"
	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
	"wenzhen.example/rooms/audit"
	"wenzhen.example/rooms/chat"
	"wenzhen.example/rooms/consultation"
	"wenzhen.example/server/cli"
	"wenzhen.example/server/e2e"
)

// withOldText puts U+0000 and bytes that are not UTF-8 where earlier versions
// accepted them on SQLite, which PostgreSQL cannot store.
func withOldText(t *testing.T, dir, consultation string) {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(dir, "wenzhen.db"))
	e2e.Must(t, err)
	defer db.Close()
	_, err = db.Exec(`UPDATE consultations SET complaint = 'a' || char(0) || 'b' WHERE id = $1`, consultation)
	e2e.Must(t, err)
	_, err = db.Exec(`UPDATE sessions SET user_agent = CAST(x'58fffe59' AS TEXT)`)
	e2e.Must(t, err)
}

// A clinic moves from SQLite to PostgreSQL: everyone is still logged in, every
// log is what it was and goes on, messages are found, and what was to be
// notified is notified once.
func TestMoveToPostgres(t *testing.T) {
	t.Parallel()
	w := e2e.NewWorldOn(t, t.TempDir(), "sqlite")
	w.Run("127.0.0.1:0")
	w.EnterAdmin()
	bo, wang := w.Patient("bo"), w.Doctor("wang")
	id := bo.Consults(wang, "a headache")
	wang.Accepts(id)
	for _, text := range []string{"头痛三天了", "since Monday, and it's worse", "no fever"} {
		bo.Says(id, text)
	}
	recalled := bo.Says(id, "a mistake")
	e2e.Do(bo, chat.Recall, chat.MessageInput{ConsultationID: id, MessageID: recalled.ID})
	before := bo.Log(id)
	e2e.Must(t, w.Stop())
	withOldText(t, w.Dir, string(id))

	url := e2e.PostgresDatabase(t)
	moved, err := cli.Move(t.Context(), placeOf(w), url)
	e2e.Must(t, err)
	if int(moved["log"]) < len(before) || moved["users"] != 3 {
		t.Errorf("moved %v", moved)
	}
	if _, err := cli.Move(t.Context(), placeOf(w), url); err == nil {
		t.Error("it moved into a database that is not empty")
	}
	there := *w
	there.Database = url
	there.Run("127.0.0.1:0")
	e2e.Must(t, cli.AskReady(t.Context(), there.Base))
	var export bytes.Buffer
	_, err = cli.ExportAudit(t.Context(), placeOf(&there), &export, e2e.Quiet)
	e2e.Must(t, err)
	if !strings.Contains(export.String(), `"action":"`+audit.DatabaseMoved+`"`) {
		t.Error("the move is not in the audit log")
	}
	bo = &e2e.Person{Client: there.Client(client.WithTokens(bo.Tokens())), World: &there, User: bo.User}
	if after := bo.Log(id); !reflect.DeepEqual(before, after) {
		t.Errorf("the log was %d events and is %d", len(before), len(after))
	}
	if m := bo.Says(id, "on PostgreSQL now"); m.Seq != before[len(before)-1].Seq+1 {
		t.Errorf("after %d came %d", before[len(before)-1].Seq, m.Seq)
	}
	for words, want := range map[string]int{"头痛": 1, "monday": 1, "mistake": 0, "postgresql": 1} {
		if found := e2e.Do(bo, chat.Search, chat.SearchInput{Q: words}); len(found.Items) != want {
			t.Errorf("%q is found %d times, want %d", words, len(found.Items), want)
		}
	}
	if c := e2e.Do(bo, consultation.Read, consultation.Input{ConsultationID: id}); c.Complaint != "a\uFFFDb" {
		t.Errorf("U+0000 became %q", c.Complaint)
	}
	if list := e2e.Do(bo, account.Sessions, rooms.Nothing{}); list.Items[0].UserAgent != "X\uFFFDY" {
		t.Errorf("bytes that are not UTF-8 became %q", list.Items[0].UserAgent)
	}
	if me := e2e.Do(bo, account.Me, rooms.Nothing{}); me.User.ID != bo.User.ID {
		t.Errorf("who: %+v", me.User)
	}
}
