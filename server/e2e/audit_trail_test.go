package e2e_test

import (
	"bytes"
	"database/sql"
	"path/filepath"
	"strings"
	"testing"

	"wenzhen/client"
	"wenzhen/rooms"
	"wenzhen/rooms/account"
	"wenzhen/rooms/audit"
	"wenzhen/rooms/billing"
	"wenzhen/rooms/chat"
	"wenzhen/rooms/consultation"
	"wenzhen/rooms/record"
	"wenzhen/server"
)

// Who logged in, who failed to, and who read what is in the audit log (SEC-11).
func TestAuditLogHasWhoReadWhat(t *testing.T) {
	t.Parallel()
	w := start(t)
	bo, wang := w.patient("bo"), w.doctor("wang")
	id := bo.consults(wang, "a headache")
	wang.accepts(id)
	file := bo.uploads(id, "letter.txt", []byte("a letter"))
	m := chat.SendInput{ConsultationID: id, ClientID: "letter", Kind: chat.File, AttachmentID: file.ID}
	do(bo, chat.Send, m)
	for range 3 {
		do(wang, chat.History, chat.HistoryInput{ConsultationID: id})
	}
	got, err := wang.Download(t.Context(), file.ID)
	must(t, err)
	must(t, got.Close())
	do(w.admin, account.Users, account.UserFilter{})
	do(w.admin, billing.AllOrders, billing.OrderFilter{})
	_, err = w.client().LogIn(t.Context(), account.LoginInput{Email: bo.user.Email, Password: "not the password"})
	code(t, err, rooms.CodeUnauthenticated)

	for _, want := range []struct {
		action, subject string
		actor           rooms.UserID
		times           int
	}{
		{audit.LoggedIn, "user:" + string(bo.user.ID), bo.user.ID, 1},
		{audit.LoginFailed, "user:" + string(bo.user.ID), "", 1},
		{audit.MessageRead, "consultation:" + string(id), wang.user.ID, 1},
		{audit.AttachmentRead, "attachment:" + string(file.ID), wang.user.ID, 1},
		{account.VerifyDoctor.Name, "user:" + string(wang.user.ID), w.admin.user.ID, 1},
		{account.Users.Name, "users", w.admin.user.ID, 1},
		{billing.AllOrders.Name, "orders", w.admin.user.ID, 1},
	} {
		list := do(w.admin, audit.List, audit.LogFilter{Action: want.action, Subject: want.subject, ActorID: want.actor})
		if len(list.Items) != want.times || len(list.Items) > 0 && list.Items[0].Address == "" {
			t.Errorf("%s of %s is there %d times, want %d: %+v", want.action, want.subject, len(list.Items), want.times, list.Items)
		}
	}
	if v := do(w.admin, audit.Verify, rooms.Nothing{}); !v.OK {
		t.Errorf("the log: %+v", v)
	}
}

// An admin cannot give themselves a role that reads prescriptions (SEC-10).
func TestNobodyAppointsThemselves(t *testing.T) {
	t.Parallel()
	w := start(t)
	_, err := client.Do(t.Context(), w.admin.Client, record.AppointPharmacist, account.UserInput{UserID: w.admin.user.ID})
	code(t, err, rooms.CodeForbidden)
	if list := do(w.admin, record.Pharmacists, rooms.Nothing{}); len(list.Items) != 0 {
		t.Errorf("pharmacists: %+v", list.Items)
	}
}

// Somebody who has the database alone can neither make another chain nor cut
// the log unnoticed by somebody who has an earlier export (SEC-12).
func TestRewrittenAuditLogIsNoticed(t *testing.T) {
	t.Parallel()
	w := newWorldOn(t, t.TempDir(), "sqlite")
	w.run("127.0.0.1:0")
	w.enterAdmin()
	bo, wang := w.patient("bo"), w.doctor("wang")
	wang.accepts(bo.consults(wang, "a headache"))
	must(t, w.stop())
	var export bytes.Buffer
	_, err := server.ExportAudit(t.Context(), w.place(), &export, quiet)
	must(t, err)
	verdicts := func() (now, against audit.Verdict) {
		t.Helper()
		now, err := server.VerifyAudit(t.Context(), w.place(), quiet)
		must(t, err)
		against, err = server.CompareAudit(t.Context(), w.place(), bytes.NewReader(export.Bytes()), quiet)
		must(t, err)
		return now, against
	}
	if now, against := verdicts(); !now.OK || !against.OK || against.Entries == 0 {
		t.Fatalf("an untouched log: %+v, %+v", now, against)
	}

	db, err := sql.Open("sqlite", filepath.Join(w.dir, "wenzhen.db"))
	must(t, err)
	defer db.Close()
	for _, statement := range []string{
		`DROP TRIGGER audit_fixed`, `DROP TRIGGER audit_kept`,
		`DELETE FROM audit WHERE num = (SELECT max(num) FROM audit)`,
		`UPDATE audit_head SET num = num - 1, sha256 = (SELECT sha256 FROM audit ORDER BY num DESC LIMIT 1)`,
	} {
		_, err := db.Exec(statement)
		must(t, err)
	}
	now, against := verdicts()
	if now.OK || !strings.Contains(now.Why, "not signed") {
		t.Errorf("a log that was cut: %+v", now)
	}
	if against.OK || against.BrokenAt == 0 {
		t.Errorf("a log that was cut, against an export: %+v", against)
	}
}

// Refunds are in the log with who ordered them and why.
func TestRefundIsInTheAuditLog(t *testing.T) {
	t.Parallel()
	w := start(t)
	bo, wang := w.patient("bo"), w.costly("wang")
	opened := do(bo, consultation.Open, consultation.OpenInput{DoctorID: wang.user.ID, Service: account.Advice, Medium: account.Text, Complaint: "a headache"})
	bo.plays(opened.Order.ID, billing.PlayPay)
	do(w.admin, billing.GiveBack, billing.GiveBackInput{OrderID: opened.Order.ID, Reason: "a complaint"})
	list := do(w.admin, audit.List, audit.LogFilter{Action: audit.OrderRefunded})
	if len(list.Items) != 1 || list.Items[0].Reason != "a complaint" || list.Items[0].ActorID != w.admin.user.ID {
		t.Errorf("refunds: %+v", list.Items)
	}
}
