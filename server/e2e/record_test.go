package e2e_test

import (
	"database/sql"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	_ "modernc.org/sqlite" // whoever tampers needs a driver

	"wenzhen/client"
	"wenzhen/rooms"
	"wenzhen/rooms/account"
	"wenzhen/rooms/audit"
	"wenzhen/rooms/consultation"
	"wenzhen/rooms/record"
	"wenzhen/server"
)

// followup opens a followup between the two, and the doctor accepts.
func (p *person) followup(doctor *person) consultation.Consultation {
	p.w.t.Helper()
	c := do(p, consultation.Open, consultation.OpenInput{DoctorID: doctor.user.ID, Service: account.Followup, Medium: account.Text,
		Complaint: "again", PriorDiagnosis: "hypertension"}).Consultation
	doctor.accepts(c.ID)
	return c
}

func (p *person) diagnoses(id consultation.ID, in record.DiagnosisInput) record.Diagnosis {
	p.w.t.Helper()
	draft := do(p, record.DraftDiagnosis, record.DiagnosisDraft{ConsultationID: id, DiagnosisInput: in})
	return do(p, record.SignDiagnosis, record.DiagnosisRef{DiagnosisID: draft.ID})
}

func (p *person) prescribes(id consultation.ID, in record.PrescriptionInput) record.Prescription {
	p.w.t.Helper()
	draft := do(p, record.DraftPrescription, record.PrescriptionDraft{ConsultationID: id, PrescriptionInput: in})
	return do(p, record.SignPrescription, record.SignPrescriptionInput{PrescriptionID: draft.ID})
}

// tampers stops the server, changes the database file as its owner could, and
// starts the server again.
func (w *world) tampers(t *testing.T, statements ...string) {
	t.Helper()
	must(t, w.stop())
	db, err := sql.Open("sqlite", filepath.Join(w.dir, "wenzhen.db"))
	must(t, err)
	for _, s := range statements {
		if _, err := db.Exec(s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
	must(t, db.Close())
	w.run("127.0.0.1:0")
}

// verifies is a verification by someone who holds the paper, without login.
func (w *world) verifies(t testing.TB, kind record.DocumentKind, h record.Head) record.Verification {
	t.Helper()
	v, err := client.Do(t.Context(), w.client(), record.VerifyDocument, record.VerifyInput{Kind: kind, ID: h.ID, SHA256: h.Signature.SHA256})
	must(t, err)
	return v
}

// Nothing that was signed can be changed in the database file without it being
// noticed: not the content, nor who, when and for whom; not by changing or
// taking away what was decided later. Each attack has a document of its own;
// those that nobody touched stay sound.
func TestTamperingIsNoticed(t *testing.T) {
	t.Parallel()
	w := onSQLite(t)
	bo, wang := w.patient("bo"), w.doctor("wang")
	c := bo.followup(wang)
	finds := func() record.Head {
		return wang.diagnoses(c.ID, record.DiagnosisInput{Codes: []string{"I10"}, Text: "mild"}).Head
	}
	voids := func() record.Head {
		p := wang.prescribes(c.ID, remedy())
		return do(wang, record.VoidPrescription, record.PrescriptionReason{PrescriptionID: p.ID, Reason: "a mild rash"}).Head
	}
	statements := []string{`DROP TRIGGER documents_fixed`, `DROP TRIGGER documents_content_fixed`, `DROP TRIGGER documents_signed_as_fixed`, `DROP TRIGGER decisions_fixed`, `DROP TRIGGER decisions_reason_fixed`, `DROP TRIGGER decisions_kept`}
	diagnoses, prescriptions := map[string]record.Head{"": finds()}, map[string]record.Head{"": voids()}
	for _, change := range []string{`content = replace(content, 'mild', 'grave')`, `content = content || ' '`, `signed_by = user_id`, `signed_at = signed_at + 1`,
		`patient_name = 'someone else'`, `doctor_name = 'someone else'`, `version = 7`, `seal = ''`,
		`signed_as = replace(signed_as, 'bo', 'li')`, `signed_as = ''`, `form = 1`, `key_id = '0123456789abcdef'`} {
		diagnoses[change] = finds()
		statements = append(statements, `UPDATE documents SET `+change+` WHERE id = '`+string(diagnoses[change].ID)+`'`)
	}
	for _, change := range []string{`UPDATE decisions SET status = 'approved'`, `UPDATE decisions SET reason = ''`, `UPDATE decisions SET at = at + 1`, `DELETE FROM decisions`} {
		prescriptions[change] = voids()
		statements = append(statements, change+` WHERE document_id = '`+string(prescriptions[change].ID)+`'`)
	}
	w.tampers(t, statements...)
	for kind, documents := range map[record.DocumentKind]map[string]record.Head{record.KindDiagnosis: diagnoses, record.KindPrescription: prescriptions} {
		for change, head := range documents {
			if v := w.verifies(t, kind, head); v.Intact != (change == "") || (v.Current && change != "") || !v.Matches {
				t.Errorf("after %q a %s verifies as %+v", change, kind, v)
			}
		}
	}
}

// The database itself refuses what is done by mistake, and whoever computes a
// new hash for a new content has no seal for it.
func TestAForgedHashHasNoSeal(t *testing.T) {
	t.Parallel()
	w := onSQLite(t)
	bo, wang := w.patient("bo"), w.doctor("wang")
	d := wang.diagnoses(bo.followup(wang).ID, record.DiagnosisInput{Codes: []string{"I10"}, Text: "mild"})
	other := wang.diagnoses(bo.followup(wang).ID, record.DiagnosisInput{Codes: []string{"R51"}, Text: "grave"})
	must(t, w.stop())
	db, err := sql.Open("sqlite", filepath.Join(w.dir, "wenzhen.db"))
	must(t, err)
	for _, s := range []string{`UPDATE documents SET content = '{}'`, `DELETE FROM documents`, `UPDATE audit SET action = ''`, `DELETE FROM audit`} {
		if _, err := db.Exec(s); err == nil {
			t.Errorf("the database allows %s", s)
		}
	}
	must(t, db.Close())
	// A hash and seal that are real, but another document's.
	w.tampers(t, `DROP TRIGGER documents_fixed`, `DROP TRIGGER documents_content_fixed`,
		`UPDATE documents SET (content, sha256, seal) = (SELECT content, sha256, seal FROM documents WHERE id = '`+string(other.ID)+`') WHERE id = '`+string(d.ID)+`'`)
	d.Signature = other.Signature
	if v := w.verifies(t, record.KindDiagnosis, d.Head); v.Intact {
		t.Errorf("another's seal passes: %+v", v)
	}
	if v := w.verifies(t, record.KindDiagnosis, other.Head); !v.Intact {
		t.Errorf("what nobody touched: %+v", v)
	}
}

// A change to the audit log breaks its chain; audit_test has the other ways.
func TestTheAuditLogShowsATheft(t *testing.T) {
	t.Parallel()
	w := onSQLite(t)
	bo, wang := w.patient("bo"), w.doctor("wang")
	c := bo.followup(wang)
	wang.diagnoses(c.ID, record.DiagnosisInput{Codes: []string{"I10"}})
	for range 3 {
		do(wang, record.ReadRecord, record.PatientRef{PatientID: c.PatientID})
	}
	if v := do(w.admin, audit.Verify, rooms.Nothing{}); !v.OK || v.Entries != 8 {
		t.Fatalf("before: %+v", v)
	}
	w.tampers(t, `DROP TRIGGER audit_kept`, `DELETE FROM audit WHERE num = 2`)
	w.enterAdmin()
	if v := do(w.admin, audit.Verify, rooms.Nothing{}); v.OK || v.BrokenAt != 3 || v.Why == "" {
		t.Errorf("after: %+v", v)
	}
}

// Ten megabytes of template are refused, by REST and by socket, and the
// templates that were there stay.
func TestATemplateOfTenMegabytes(t *testing.T) {
	t.Parallel()
	w := start(t)
	wang := w.doctor("wang")
	in := record.DiagnosisInput{Codes: []string{"I10"}, Text: "mild"}
	saved := do(wang, record.SaveTemplates, record.TemplateList{Items: []record.Template{{Name: "mine", Diagnosis: &in}}})
	body := `{"items":[{"name":"big","diagnosis":{"codes":["I10"],"text":"` + strings.Repeat("x", 10<<20) + `"}}]}`
	a := w.ask(t, http.MethodPut, "/api/v1/me/templates", wang.Tokens().AccessToken, body, "Content-Type", "application/json")
	if a.status != http.StatusRequestEntityTooLarge || a.problem.Code != rooms.CodeTooLarge {
		t.Errorf("got %d %+v", a.status, a.problem)
	}
	if now := do(wang, record.Templates, rooms.Nothing{}); len(now.Items) != 1 || now.Items[0].ID != saved.Items[0].ID {
		t.Errorf("the templates are %+v", now)
	}
}

// A signed document is a PDF for who may read it, and for nobody else; a draft
// is none.
func TestPDF(t *testing.T) {
	t.Parallel()
	w := start(t)
	bo, wang, li := w.patient("bo"), w.doctor("wang"), w.doctor("li")
	c := bo.followup(wang)
	d := wang.diagnoses(c.ID, record.DiagnosisInput{Codes: []string{"I10"}})
	p := wang.prescribes(c.ID, remedy())
	draft := do(wang, record.DraftDiagnosis, record.DiagnosisDraft{ConsultationID: c.ID, DiagnosisInput: unwell()})
	summary := "/api/v1/consultations/" + string(c.ID) + "/summary/pdf"
	if a := w.ask(t, http.MethodGet, summary, bo.Tokens().AccessToken, ""); a.status != http.StatusNotFound {
		t.Errorf("a summary before there is one: %d", a.status)
	}
	do(wang, consultation.End, consultation.EndInput{ConsultationID: c.ID, Summary: "well"})
	for _, path := range []string{"/api/v1/diagnoses/" + string(d.ID) + "/pdf", "/api/v1/prescriptions/" + string(p.ID) + "/pdf", summary} {
		a := w.ask(t, http.MethodGet, path, bo.Tokens().AccessToken, "")
		if a.status != http.StatusOK || a.header.Get("Content-Type") != "application/pdf" || !strings.HasPrefix(string(a.body), "%PDF-") ||
			!strings.HasPrefix(a.header.Get("Content-Disposition"), "attachment") {
			t.Errorf("%s: %d %v %.200s", path, a.status, a.header, a.body)
		}
		if a := w.ask(t, http.MethodGet, path, li.Tokens().AccessToken, ""); a.status != http.StatusNotFound {
			t.Errorf("li: %s: %d", path, a.status)
		}
	}
	if a := w.ask(t, http.MethodGet, "/api/v1/diagnoses/"+string(draft.ID)+"/pdf", wang.Tokens().AccessToken, ""); a.status != http.StatusConflict {
		t.Errorf("a draft: %d %s", a.status, a.body)
	}
}

// A table that is loaded while the server runs serves from the next search on.
func TestATableOfCodesIsLoaded(t *testing.T) {
	t.Parallel()
	w := start(t)
	bo := w.patient("bo")
	if found := do(bo, record.SearchCodes, record.CodeQuery{Q: "yfxgxy"}); len(found.Items) == 0 || found.Items[0].Code != "I10" {
		t.Fatalf("found %+v", found)
	}
	at := server.Place{Data: w.dir, Database: w.database}
	if _, err := server.LoadCodes(t.Context(), at, strings.NewReader("code,zh,en\nI10,\n"), quiet); err == nil {
		t.Error("a broken table was loaded")
	}
	n, err := server.LoadCodes(t.Context(), at, strings.NewReader("code,zh,en\nI10.x00,特殊高血压,Special hypertension\n"), quiet)
	if err != nil || n != 1 {
		t.Fatalf("loaded %d, %v", n, err)
	}
	if found := do(bo, record.SearchCodes, record.CodeQuery{Q: "gxy"}); len(found.Items) != 1 || found.Items[0].Zh != "特殊高血压" {
		t.Errorf("found %+v", found)
	}
}
