package e2e_test

import (
	"database/sql"
	"path/filepath"
	"strings"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib"

	"wenzhen/rooms"
	"wenzhen/rooms/account"
	"wenzhen/rooms/audit"
	"wenzhen/rooms/billing"
	"wenzhen/rooms/board"
	"wenzhen/rooms/chat"
	"wenzhen/rooms/consultation"
	"wenzhen/rooms/schedule"
)

// beside opens the database of a server that runs.
func (w *world) beside(t testing.TB) *sql.DB {
	t.Helper()
	driver, source := "sqlite", filepath.Join(w.dir, "wenzhen.db")+"?_pragma=busy_timeout(10000)"
	if w.database != "sqlite" {
		driver, source = "pgx", w.database
	}
	db, err := sql.Open(driver, source)
	must(t, err)
	t.Cleanup(func() { must(t, db.Close()) })
	return db
}

// noEntries makes every transaction fail that makes an entry in the audit log,
// and returns what ends that.
func (w *world) noEntries(t testing.TB) (ends func()) {
	t.Helper()
	db := w.beside(t)
	run := func(statements ...string) {
		t.Helper()
		for _, s := range statements {
			_, err := db.ExecContext(t.Context(), s)
			must(t, err)
		}
	}
	if w.database == "sqlite" {
		run(`CREATE TRIGGER full BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'no entry is made'); END`)
		return func() { run(`DROP TRIGGER full`) }
	}
	run(`CREATE FUNCTION no_entry() RETURNS trigger AS $$ BEGIN RAISE 'no entry is made'; END $$ LANGUAGE plpgsql`,
		`CREATE TRIGGER "full" BEFORE INSERT ON audit FOR EACH ROW EXECUTE FUNCTION no_entry()`)
	return func() { run(`DROP TRIGGER "full" ON audit`) }
}

// What changes who takes part is in the audit log in the same transaction: when
// the entry cannot be made, nothing has happened; when it can, it is there once.
func TestNothingChangesWithoutAnEntry(t *testing.T) {
	t.Parallel()
	w := start(t)
	bo, wang := w.patient("bo"), w.doctor("wang")
	aunt, uncle, li, chen := w.patient("aunt"), w.patient("uncle"), w.doctor("li"), w.doctor("chen")
	b := w.hands(bo, wang) // before entries fail: an offer to another li
	id := bo.consults(wang, "a headache")
	for _, guest := range []*person{aunt, uncle} {
		do(bo, consultation.Invite, consultation.InviteInput{ConsultationID: id, UserID: guest.user.ID, Role: consultation.PartRelative})
	}
	proposed := do(wang, consultation.Invite, consultation.InviteInput{ConsultationID: id, UserID: li.user.ID, Role: consultation.PartColleague}).Invitation
	other := do(wang, consultation.Invite, consultation.InviteInput{ConsultationID: id, UserID: chen.user.ID, Role: consultation.PartColleague}).Invitation
	mother := w.patient("mother")
	do(bo, consultation.Invite, consultation.InviteInput{ConsultationID: id, Email: mother.user.Email, Role: consultation.PartRelative})
	grandpa := w.patient("grandpa")

	changes := []struct {
		name, action, detail string
		by                   *person
		do                   func() error
	}{
		{"invite", consultation.Invite.Name, "", bo, func() error {
			return failing(bo, consultation.Invite, consultation.InviteInput{ConsultationID: id, UserID: grandpa.user.ID, Role: consultation.PartRelative})
		}},
		{"answer", consultation.AnswerInvitation.Name, "invitation:" + string(proposed.ID), bo, func() error {
			return failing(bo, consultation.AnswerInvitation, consultation.InvitationAnswer{ConsultationID: id, InvitationID: proposed.ID, Accept: true})
		}},
		{"withdraw", consultation.WithdrawInvitation.Name, "invitation:" + string(other.ID), wang, func() error {
			return failing(wang, consultation.WithdrawInvitation, consultation.InvitationRef{ConsultationID: id, InvitationID: other.ID})
		}},
		{"enter", audit.Entered, "user:" + string(mother.user.ID), mother, func() error {
			return failing(mother, consultation.Read, consultation.Input{ConsultationID: id})
		}},
		{"remove", consultation.RemoveParticipant.Name, "user:" + string(aunt.user.ID), bo, func() error {
			return failing(bo, consultation.RemoveParticipant, consultation.ParticipantRef{ConsultationID: id, UserID: aunt.user.ID})
		}},
		{"quit", consultation.Quit.Name, "user:" + string(uncle.user.ID), uncle, func() error {
			return failing(uncle, consultation.Quit, consultation.Input{ConsultationID: id})
		}},
		{"reassign", audit.Reassigned, "user:" + string(b.li.user.ID), bo, func() error {
			return failing(bo, schedule.AcceptOffer, schedule.AppointmentRef{AppointmentID: b.ID})
		}},
	}
	people := func() string {
		var all []string
		for _, c := range []consultation.ID{id, b.ConsultationID} {
			rows, err := w.beside(t).Query(`SELECT user_id, role, joined_at FROM participants WHERE consultation_id = '` + string(c) + `' ORDER BY user_id`)
			must(t, err)
			for rows.Next() {
				var user, role, at string
				must(t, rows.Scan(&user, &role, &at))
				all = append(all, user+" "+role+" "+at)
			}
			must(t, rows.Err())
		}
		return strings.Join(all, "\n")
	}
	before := people()
	ends := w.noEntries(t)
	for _, c := range changes {
		if err := c.do(); err == nil {
			t.Errorf("%s without an entry", c.name)
		}
	}
	if after := people(); after != before {
		t.Errorf("without entries those who take part became\n%s\nthey were\n%s", after, before)
	}
	ends()
	for _, c := range changes {
		must(t, c.do())
		subject := "consultation:" + string(id)
		if c.name == "reassign" {
			subject = "consultation:" + string(b.ConsultationID)
		}
		list := do(w.admin, audit.List, audit.LogFilter{Action: c.action, Subject: subject, ActorID: c.by.user.ID}).Items
		if len(list) == 0 || c.detail != "" && (len(list) != 1 || list[0].Detail != c.detail) || list[0].Address == "" || list[0].Role != c.by.user.Role {
			t.Errorf("%s: the log has %+v", c.name, list)
		}
	}
}

// What is read is in the audit log before it is shown: when the entry cannot be
// made, nothing is shown, and nothing is heard.
func TestNothingIsShownWithoutAnEntry(t *testing.T) {
	t.Parallel()
	w := start(t)
	bo, wang := w.patient("bo"), w.doctor("wang")
	id := bo.consults(wang, "a headache")
	file := bo.uploads(id, "letter.txt", []byte("a letter"))
	ends := w.noEntries(t)
	at := wang.bare(t)
	reads := map[string]func() error{
		"join": func() error {
			if r := at.ask(1, consultation.Join.Name, consultation.JoinInput{ConsultationID: id}); r.Error != nil {
				return r.Error
			}
			return nil
		},
		"the log":    func() error { return failing(wang, consultation.Events, consultation.EventsInput{ConsultationID: id}) },
		"messages":   func() error { return failing(wang, chat.History, chat.HistoryInput{ConsultationID: id}) },
		"a search":   func() error { return failing(wang, chat.Search, chat.SearchInput{Q: "headache"}) },
		"the board":  func() error { return failing(wang, board.Read, board.BoardRef{ConsultationID: id}) },
		"users":      func() error { return failing(w.admin, account.Users, account.UserFilter{}) },
		"all orders": func() error { return failing(w.admin, billing.AllOrders, billing.OrderFilter{}) },
		"all cases":  func() error { return failing(w.admin, consultation.Cases, consultation.CaseFilter{}) },
		"a file": func() error {
			body, err := wang.Download(t.Context(), file.ID)
			if err == nil {
				err = body.Close()
			}
			return err
		},
	}
	for name, read := range reads {
		if err := read(); rooms.CodeOf(err) != rooms.CodeUnavailable || !strings.Contains(err.Error(), "audit log") {
			t.Errorf("%s without an entry: %v", name, err)
		}
	}
	bo.says(id, secret)
	for _, packet := range at.heardUntil(string(bo.consults(wang, "another matter"))) {
		if strings.Contains(packet, secret) {
			t.Errorf("without an entry the doctor hears %s", packet)
		}
	}
	ends()
	for name, read := range reads {
		if err := read(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	list := do(w.admin, audit.List, audit.LogFilter{Action: audit.MessageRead, Subject: "consultation:" + string(id), ActorID: wang.user.ID}).Items
	if len(list) != 1 {
		t.Errorf("the log has %+v", list)
	}
}
