package operation_test

import (
	"bytes"
	"database/sql"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"wenzhen.example/client"
	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
	"wenzhen.example/rooms/audit"
	"wenzhen.example/rooms/billing"
	"wenzhen.example/rooms/chat"
	"wenzhen.example/rooms/consultation"
	"wenzhen.example/rooms/operations"
	"wenzhen.example/rooms/record"
	"wenzhen.example/server/cli"
	"wenzhen.example/server/e2e"
)

// Who logged in, who failed to, and who read what is in the audit log (SEC-11).
func TestAuditLogHasWhoReadWhat(t *testing.T) {
	t.Parallel()
	w := e2e.Start(t)
	bo, wang := w.Patient("bo"), w.Doctor("wang")
	id := bo.Consults(wang, "a headache")
	wang.Accepts(id)
	file := bo.Uploads(id, "letter.txt", []byte("a letter"))
	m := chat.SendInput{ConsultationID: id, ClientID: "letter", Kind: chat.File, AttachmentID: file.ID}
	e2e.Do(bo, chat.Send, m)
	for range 3 {
		e2e.Do(wang, chat.History, chat.HistoryInput{ConsultationID: id})
	}
	got, err := wang.Download(t.Context(), file.ID)
	e2e.Must(t, err)
	e2e.Must(t, got.Close())
	e2e.Do(w.Admin, account.Users, account.UserFilter{})
	e2e.Do(w.Admin, billing.AllOrders, billing.OrderFilter{})
	_, err = w.Client().LogIn(t.Context(), account.LoginInput{Email: bo.User.Email, Password: "not the password"})
	e2e.Code(t, err, rooms.CodeUnauthenticated)

	for _, want := range []struct {
		action, subject string
		actor           rooms.UserID
		times           int
	}{
		{audit.LoggedIn, "user:" + string(bo.User.ID), bo.User.ID, 1},
		{audit.LoginFailed, "user:" + string(bo.User.ID), "", 1},
		{audit.MessageRead, "consultation:" + string(id), wang.User.ID, 1},
		{audit.AttachmentRead, "attachment:" + string(file.ID), wang.User.ID, 1},
		{account.VerifyDoctor.Name, "user:" + string(wang.User.ID), w.Admin.User.ID, 1},
		{account.Users.Name, "users", w.Admin.User.ID, 1},
		{billing.AllOrders.Name, "orders", w.Admin.User.ID, 1},
	} {
		list := e2e.Do(w.Admin, audit.Enter, audit.EnterLogInput{LogFilter: audit.LogFilter{Action: want.action, Subject: want.subject, ActorID: want.actor}, Reason: "a complaint"})
		if len(list.Items) != want.times || len(list.Items) > 0 && list.Items[0].Address == "" {
			t.Errorf("%s of %s is there %d times, want %d: %+v", want.action, want.subject, len(list.Items), want.times, list.Items)
		}
	}
	if v := e2e.Do(w.Admin, audit.Verify, rooms.Nothing{}); !v.OK {
		t.Errorf("the log: %+v", v)
	}
}

// A request cannot name one consultation in its path, which is entered in the
// audit log, and read another that its body names in another case.
func TestThePathNamesWhatIsRead(t *testing.T) {
	t.Parallel()
	w := e2e.Start(t)
	bo, wang := w.Patient("bo"), w.Doctor("wang")
	id := bo.Consults(wang, "a headache")
	for _, name := range []string{"consultationid", "CONSULTATIONID", "ConsultationId", "consultationId"} {
		a := w.Ask(t, http.MethodGet, "/api/v1/consultations/NOSUCH-1/messages", bo.Tokens().AccessToken, `{"`+name+`":"`+string(id)+`"}`)
		if a.Status != http.StatusNotFound {
			t.Errorf("with %s in the body: %d, want 404", name, a.Status)
		}
	}
	if list := e2e.Do(w.Admin, audit.List, audit.LogFilter{Action: audit.MessageRead}); len(list.Items) != 0 {
		t.Errorf("entered: %+v", list.Items)
	}
}

// What an admin looks up about people is in the log, and so is every change of
// how somebody logs in.
func TestAuditLogHasWhatAdminsLookUp(t *testing.T) {
	t.Parallel()
	w := e2e.Start(t)
	bo := w.Patient("bo")
	e2e.Do(w.Admin, account.Users, account.UserFilter{})
	e2e.Do(w.Admin, account.Applicants, account.ApplicantFilter{})
	e2e.Do(w.Admin, account.LegalHolds, rooms.Nothing{})
	e2e.Do(w.Admin, record.Pharmacists, rooms.Nothing{})
	e2e.Do(w.Admin, billing.AllOrders, billing.OrderFilter{})
	e2e.Do(w.Admin, consultation.Cases, consultation.CaseFilter{})
	e2e.Do(w.Admin, audit.List, audit.LogFilter{})
	e2e.Do(w.Admin, operations.Rooms, operations.RoomFilter{})
	e2e.Do(w.Admin, operations.Sockets, operations.SocketFilter{})
	e2e.Do(bo, account.ChangePassword, account.PasswordInput{Password: "another battery"})
	entered := map[string]bool{}
	for _, e := range e2e.Do(w.Admin, audit.List, audit.LogFilter{Limit: 100}).Items {
		entered[e.Action] = true
	}
	for _, action := range []string{account.Users.Name, account.Applicants.Name, account.LegalHolds.Name, record.Pharmacists.Name, billing.AllOrders.Name,
		consultation.Cases.Name, audit.List.Name, operations.Rooms.Name, operations.Sockets.Name, account.ChangePassword.Name, "admin:create"} {
		if !entered[action] {
			t.Errorf("%s is not in the audit log", action)
		}
	}
}

// An admin cannot give themselves a role that reads prescriptions (SEC-10).
func TestNobodyAppointsThemselves(t *testing.T) {
	t.Parallel()
	w := e2e.Start(t)
	_, err := client.Do(t.Context(), w.Admin.Client, record.AppointPharmacist, account.UserInput{UserID: w.Admin.User.ID})
	e2e.Code(t, err, rooms.CodeForbidden)
	if list := e2e.Do(w.Admin, record.Pharmacists, rooms.Nothing{}); len(list.Items) != 0 {
		t.Errorf("pharmacists: %+v", list.Items)
	}
}

// Somebody who has the database alone can neither make another chain nor cut
// the log unnoticed by somebody who has an earlier export (SEC-12).
func TestRewrittenAuditLogIsNoticed(t *testing.T) {
	t.Parallel()
	w := e2e.NewWorldOn(t, t.TempDir(), "sqlite")
	w.Run("127.0.0.1:0")
	w.EnterAdmin()
	bo, wang := w.Patient("bo"), w.Doctor("wang")
	wang.Accepts(bo.Consults(wang, "a headache"))
	e2e.Must(t, w.Stop())
	var export bytes.Buffer
	_, err := cli.ExportAudit(t.Context(), placeOf(w), &export, e2e.Quiet)
	e2e.Must(t, err)
	verdicts := func() (now, against audit.Verdict) {
		t.Helper()
		now, err := cli.VerifyAudit(t.Context(), placeOf(w), e2e.Quiet)
		e2e.Must(t, err)
		against, err = cli.CompareAudit(t.Context(), placeOf(w), bytes.NewReader(export.Bytes()), e2e.Quiet)
		e2e.Must(t, err)
		return now, against
	}
	if now, against := verdicts(); !now.OK || !against.OK || against.Entries == 0 {
		t.Fatalf("an untouched log: %+v, %+v", now, against)
	}

	db, err := sql.Open("sqlite", filepath.Join(w.Dir, "wenzhen.db"))
	e2e.Must(t, err)
	defer db.Close()
	for _, statement := range []string{
		`DROP TRIGGER audit_fixed`, `DROP TRIGGER audit_kept`,
		`DELETE FROM audit WHERE num = (SELECT max(num) FROM audit)`,
		`UPDATE audit_head SET num = num - 1, sha256 = (SELECT sha256 FROM audit ORDER BY num DESC LIMIT 1)`,
	} {
		_, err := db.Exec(statement)
		e2e.Must(t, err)
	}
	now, against := verdicts()
	if now.OK || !strings.Contains(now.Why, "not signed") {
		t.Errorf("a log that was cut: %+v", now)
	}
	if against.OK || against.BrokenAt == 0 {
		t.Errorf("a log that was cut, against an export: %+v", against)
	}
}

// What the command line does to accounts is in the log, with who ran it.
func TestAccountsAtTheCommandLine(t *testing.T) {
	t.Parallel()
	w := e2e.Start(t)
	doctor := w.Register(rooms.RoleDoctor, "wang")
	for _, command := range []string{account.VerifyDoctor.Name, account.UnverifyDoctor.Name, account.SuspendUser.Name, account.UnsuspendUser.Name} {
		_, err := cli.AdministerUser(t.Context(), placeOf(w), command, doctor.User.Email, "the licence has expired", e2e.Quiet)
		e2e.Must(t, err)
		list := e2e.Do(w.Admin, audit.List, audit.LogFilter{Action: command, Subject: "user:" + string(doctor.User.ID)}).Items
		if len(list) != 1 || !strings.HasPrefix(list[0].Address, "console:") {
			t.Errorf("%s: %+v", command, list)
		}
	}
}

// What is about a patient is found by the patient, whatever its subject is, and a
// login that failed is marked as failed.
func TestAuditLogIsSearchedByPatient(t *testing.T) {
	t.Parallel()
	w := e2e.Start(t)
	bo, jing, wang := w.Patient("bo"), w.Patient("jing"), w.Doctor("wang")
	c := bo.Followup(wang)
	d := wang.Diagnoses(c.ID, record.DiagnosisInput{Codes: []string{"I10"}})
	e2e.Do(wang, chat.History, chat.HistoryInput{ConsultationID: c.ID})
	e2e.Do(bo, record.ReadDiagnosis, record.DiagnosisRef{DiagnosisID: d.ID})
	e2e.Do(bo, record.ReadRecord, record.PatientRef{PatientID: c.PatientID})
	jing.Followup(wang)
	found := map[string]bool{}
	for _, e := range e2e.Do(w.Admin, audit.Enter, audit.EnterLogInput{LogFilter: audit.LogFilter{PatientID: string(c.PatientID), Limit: 200}, Reason: "a complaint"}).Items {
		found[e.Action] = true
		if e.ActorID == jing.User.ID || e.SessionID == "" {
			t.Errorf("found %+v", e)
		}
	}
	for _, action := range []string{audit.MessageRead, record.SignDiagnosis.Name, record.ReadDiagnosis.Name, record.ReadRecord.Name} {
		if !found[action] {
			t.Errorf("%s is not found by its patient: %v", action, found)
		}
	}
	_, err := w.Client().LogIn(t.Context(), account.LoginInput{Email: bo.User.Email, Password: "not the password"})
	e2e.Code(t, err, rooms.CodeUnauthenticated)
	list := e2e.Do(w.Admin, audit.List, audit.LogFilter{Action: audit.LoginFailed}).Items
	if len(list) != 1 || list[0].Outcome != audit.Failed {
		t.Errorf("failed logins: %+v", list)
	}
}

// Refunds are in the log with who ordered them and why.
func TestRefundIsInTheAuditLog(t *testing.T) {
	t.Parallel()
	w := e2e.Start(t)
	bo, wang := w.Patient("bo"), w.Costly("wang")
	opened := e2e.Do(bo, consultation.Open, consultation.OpenInput{DoctorID: wang.User.ID, Service: account.Advice, Medium: account.Text, Complaint: "a headache"})
	bo.Plays(opened.Order.ID, billing.PlayPay)
	e2e.Do(w.Admin, billing.RefundOrder, billing.RefundInput{OrderID: opened.Order.ID, Reason: "a complaint"})
	list := e2e.Do(w.Admin, audit.List, audit.LogFilter{Action: audit.OrderRefunded})
	if len(list.Items) != 1 || list.Items[0].Reason != "a complaint" || list.Items[0].ActorID != w.Admin.User.ID {
		t.Errorf("refunds: %+v", list.Items)
	}
}
