package operation_test

import (
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/chat"
	"wenzhen.example/rooms/consultation"
	"wenzhen.example/rooms/notification"
	"wenzhen.example/server/app"
	"wenzhen.example/server/e2e"
)

// Rows that someone has inserted or damaged do not stop the processes that
// read the log: later events reach sockets and the inbox, searches find the
// other rows, and other timers fire.
func TestDamagedRowsStopNoFollower(t *testing.T) {
	t.Parallel()
	t.Run("sqlite", func(t *testing.T) { t.Parallel(); plantedRowsStopNobody(t, "sqlite") })
	t.Run("postgres", func(t *testing.T) { t.Parallel(); plantedRowsStopNobody(t, e2e.PostgresDatabase(t)) })
}

func plantedRowsStopNobody(t *testing.T, database string) {
	w := e2e.NewWorldOn(t, t.TempDir(), database)
	var ahead atomic.Int64
	w.Now, w.Change = func() time.Time { return time.Now().Add(time.Duration(ahead.Load())).UTC().Truncate(time.Microsecond) }, []func(*app.Config){atRest, private}
	w.Run("127.0.0.1:0")
	w.EnterAdmin()
	bo, wang := w.Patient("bo").Online(), w.Doctor("wang").Online()
	id, other, third := bo.Consults(wang, "a headache"), bo.Consults(wang, "a rash"), bo.Consults(wang, "a cough")
	bad, good := bo.Says(id, "pineapple one"), bo.Says(other, "pineapple two")
	e2e.Eventually(t, "the doctor's inbox", func() bool { return len(wang.Inbox()) >= 5 })
	before := wang.Inbox()
	db := w.Beside(t)
	run := func(statement string, args ...any) {
		t.Helper()
		_, err := db.ExecContext(t.Context(), statement, args...)
		e2e.Must(t, err)
	}
	const foreign = "wz1$deadbeefdeadbeef$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
	plant := func(data string, n int) {
		t.Helper()
		columns, values := "", ""
		if database != "sqlite" {
			columns, values = ", namespace, also, lost", ", '', '[]', '[]'"
		}
		run(`INSERT INTO log (room, seq, id, name, at, actor, data`+columns+`) VALUES ((SELECT num FROM log_rooms WHERE id = 'consultation:planted'), $1, $2,
			'message:created', 1, (SELECT num FROM log_people WHERE id = $3), $4`+values+`)`, n, rooms.NewID(time.Now()), string(bo.User.ID), data)
	}
	run(`INSERT INTO log_rooms (id) VALUES ('consultation:planted')`)
	for n, data := range []string{foreign, "{", `"a word"`} {
		plant(data, n+1)
	}
	run(`UPDATE log SET data = $1 WHERE message = $2`, foreign, string(bad.ID))
	run(`UPDATE notifications SET facts = $1 WHERE id = $2`, foreign, string(before[0].ID))
	run(`UPDATE consultations SET complaint = $1 WHERE id = $2`, foreign, string(id))

	room := wang.Joins(other)
	said := bo.Says(other, "what comes after")
	for {
		e, err := room.Next(t.Context())
		e2e.Must(t, err)
		if strings.Contains(string(e.Data), string(said.ID)) {
			break
		}
	}
	away := w.Patient("aunt") // who has only an inbox
	e2e.Do(bo, consultation.Invite, consultation.InviteInput{ConsultationID: other, UserID: away.User.ID, Role: consultation.PartRelative})
	e2e.Eventually(t, "the inbox goes on", func() bool { return len(away.Inbox()) > 0 })
	if after := wang.Inbox(); len(after) < len(before)-1 || inInbox(after, before[0]) || !inInbox(after, before[1]) {
		t.Errorf("the inbox has %d notifications, and had %d", len(after), len(before))
	}
	if page := e2e.Do(wang, notification.List, notification.InboxInput{Limit: 1}); len(page.Items) != 1 || page.NextCursor == "" {
		t.Errorf("a page of the inbox that had a damaged notification: %+v", page)
	}
	found := e2e.Do(bo, chat.Search, chat.SearchInput{Q: "pineapple"}).Items
	if len(found) != 1 || found[0].ID != good.ID {
		t.Errorf("a search finds %+v", found)
	}
	if n := w.Metrics()["wenzhen_damaged_passed_over_total"]; n < 5 {
		t.Errorf("%v things were passed over", n)
	}
	ahead.Store(int64(8 * 24 * time.Hour))
	e2e.Eventually(t, "the timers of others fire", func() bool {
		return e2e.Do(bo.Again(), consultation.Read, consultation.Input{ConsultationID: third}).Status == consultation.Expired
	})
}

func inInbox(list []notification.Notification, n notification.Notification) bool {
	for _, one := range list {
		if one.ID == n.ID {
			return true
		}
	}
	return false
}
