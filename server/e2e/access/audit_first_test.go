package access_test

import (
	"strings"
	"testing"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
	"wenzhen.example/rooms/audit"
	"wenzhen.example/rooms/billing"
	"wenzhen.example/rooms/board"
	"wenzhen.example/rooms/chat"
	"wenzhen.example/rooms/consultation"
	"wenzhen.example/rooms/schedule"
	"wenzhen.example/server/e2e"
)

// noEntries makes every transaction fail that makes an entry in the audit log,
// and returns what ends that.
func noEntries(w *e2e.World, t testing.TB) (ends func()) {
	t.Helper()
	db := w.Beside(t)
	run := func(statements ...string) {
		t.Helper()
		for _, s := range statements {
			_, err := db.ExecContext(t.Context(), s)
			e2e.Must(t, err)
		}
	}
	if w.Database == "sqlite" {
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
	w := e2e.Start(t)
	bo, wang := w.Patient("bo"), w.Doctor("wang")
	aunt, uncle, li, chen := w.Patient("aunt"), w.Patient("uncle"), w.Doctor("li"), w.Doctor("chen")
	b := hands(w, bo, wang) // before entries fail: an offer to another li
	id := bo.Consults(wang, "a headache")
	for _, guest := range []*e2e.Person{aunt, uncle} {
		e2e.Do(bo, consultation.Invite, consultation.InviteInput{ConsultationID: id, UserID: guest.User.ID, Role: consultation.PartRelative})
	}
	proposed := e2e.Do(wang, consultation.Invite, consultation.InviteInput{ConsultationID: id, UserID: li.User.ID, Role: consultation.PartColleague}).Invitation
	other := e2e.Do(wang, consultation.Invite, consultation.InviteInput{ConsultationID: id, UserID: chen.User.ID, Role: consultation.PartColleague}).Invitation
	mother := w.Patient("mother")
	e2e.Do(bo, consultation.Invite, consultation.InviteInput{ConsultationID: id, Email: mother.User.Email, Role: consultation.PartRelative})
	grandpa := w.Patient("grandpa")

	changes := []struct {
		name, action, detail string
		by                   *e2e.Person
		do                   func() error
	}{
		{"invite", consultation.Invite.Name, "", bo, func() error {
			return e2e.Failing(bo, consultation.Invite, consultation.InviteInput{ConsultationID: id, UserID: grandpa.User.ID, Role: consultation.PartRelative})
		}},
		{"answer", consultation.AnswerInvitation.Name, "invitation:" + string(proposed.ID), bo, func() error {
			return e2e.Failing(bo, consultation.AnswerInvitation, consultation.InvitationAnswer{ConsultationID: id, InvitationID: proposed.ID, Accept: true})
		}},
		{"withdraw", consultation.WithdrawInvitation.Name, "invitation:" + string(other.ID), wang, func() error {
			return e2e.Failing(wang, consultation.WithdrawInvitation, consultation.InvitationRef{ConsultationID: id, InvitationID: other.ID})
		}},
		{"enter", audit.Entered, "user:" + string(mother.User.ID), mother, func() error {
			return e2e.Failing(mother, consultation.Read, consultation.Input{ConsultationID: id})
		}},
		{"remove", consultation.RemoveParticipant.Name, "user:" + string(aunt.User.ID), bo, func() error {
			return e2e.Failing(bo, consultation.RemoveParticipant, consultation.ParticipantRef{ConsultationID: id, UserID: aunt.User.ID})
		}},
		{"quit", consultation.Quit.Name, "user:" + string(uncle.User.ID), uncle, func() error {
			return e2e.Failing(uncle, consultation.Quit, consultation.Input{ConsultationID: id})
		}},
		{"reassign", audit.Reassigned, "user:" + string(b.li.User.ID), bo, func() error {
			return e2e.Failing(bo, schedule.AcceptOffer, schedule.AppointmentRef{AppointmentID: b.ID})
		}},
	}
	people := func() string {
		var all []string
		for _, c := range []consultation.ID{id, b.ConsultationID} {
			rows, err := w.Beside(t).Query(`SELECT user_id, role, joined_at FROM participants WHERE consultation_id = '` + string(c) + `' ORDER BY user_id`)
			e2e.Must(t, err)
			for rows.Next() {
				var user, role, at string
				e2e.Must(t, rows.Scan(&user, &role, &at))
				all = append(all, user+" "+role+" "+at)
			}
			e2e.Must(t, rows.Err())
		}
		return strings.Join(all, "\n")
	}
	before := people()
	ends := noEntries(w, t)
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
		e2e.Must(t, c.do())
		subject := "consultation:" + string(id)
		if c.name == "reassign" {
			subject = "consultation:" + string(b.ConsultationID)
		}
		list := e2e.Do(w.Admin, audit.Enter, audit.EnterLogInput{LogFilter: audit.LogFilter{Action: c.action, Subject: subject, ActorID: c.by.User.ID}, Reason: "a complaint"}).Items
		if len(list) == 0 || c.detail != "" && (len(list) != 1 || list[0].Detail != c.detail) || list[0].Address == "" || list[0].Role != c.by.User.Role {
			t.Errorf("%s: the log has %+v", c.name, list)
		}
	}
}

// What is read is in the audit log before it is shown: when the entry cannot be
// made, nothing is shown, and nothing is received.
func TestNothingIsShownWithoutAnEntry(t *testing.T) {
	t.Parallel()
	w := e2e.Start(t)
	bo, wang := w.Patient("bo"), w.Doctor("wang")
	id := bo.Consults(wang, "a headache")
	file := bo.Uploads(id, "letter.txt", []byte("a letter"))
	ends := noEntries(w, t)
	at := wang.Bare(t)
	reads := map[string]func() error{
		"join": func() error {
			if r := at.Ask(1, consultation.Join.Name, consultation.JoinInput{ConsultationID: id}); r.Error != nil {
				return r.Error
			}
			return nil
		},
		"the log": func() error {
			return e2e.Failing(wang, consultation.Events, consultation.EventsInput{ConsultationID: id})
		},
		"messages":   func() error { return e2e.Failing(wang, chat.History, chat.HistoryInput{ConsultationID: id}) },
		"a search":   func() error { return e2e.Failing(wang, chat.Search, chat.SearchInput{Q: "headache"}) },
		"the board":  func() error { return e2e.Failing(wang, board.Read, board.BoardRef{ConsultationID: id}) },
		"users":      func() error { return e2e.Failing(w.Admin, account.Users, account.UserFilter{}) },
		"all orders": func() error { return e2e.Failing(w.Admin, billing.AllOrders, billing.OrderFilter{}) },
		"all cases":  func() error { return e2e.Failing(w.Admin, consultation.Cases, consultation.CaseFilter{}) },
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
	bo.Says(id, e2e.Secret)
	for _, packet := range receivedUntil(at, string(bo.Consults(wang, "another matter"))) {
		if strings.Contains(packet, e2e.Secret) {
			t.Errorf("without an entry the doctor receives %s", packet)
		}
	}
	ends()
	for name, read := range reads {
		if err := read(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	list := e2e.Do(w.Admin, audit.Enter, audit.EnterLogInput{LogFilter: audit.LogFilter{Action: audit.MessageRead, Subject: "consultation:" + string(id), ActorID: wang.User.ID}, Reason: "a complaint"}).Items
	if len(list) != 1 {
		t.Errorf("the log has %+v", list)
	}
}
