package consultations_test

import (
	"database/sql"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	_ "modernc.org/sqlite" // the tests that tamper need a driver

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/audit"
	"wenzhen.example/rooms/consultation"
	"wenzhen.example/rooms/record"
	"wenzhen.example/server/cli"
	"wenzhen.example/server/e2e"
)

// Nothing that was signed can be changed in the database file without it being
// noticed: not the content, nor who, when and for whom; not by changing or
// taking away what was decided later. Each attack has a document of its own;
// those that nobody touched stay sound.
func TestTamperingIsNoticed(t *testing.T) {
	t.Parallel()
	w := e2e.OnSQLite(t)
	bo, wang := w.Patient("bo"), w.Doctor("wang")
	c := bo.Followup(wang)
	finds := func() record.Head {
		return wang.Diagnoses(c.ID, record.DiagnosisInput{Codes: []string{"I10"}, Text: "mild"}).Head
	}
	voids := func() record.Head {
		p := wang.Prescribes(c.ID, e2e.Remedy())
		return e2e.Do(wang, record.VoidPrescription, record.PrescriptionReason{PrescriptionID: p.ID, Reason: "a mild rash"}).Head
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
	w.Tampers(t, statements...)
	for kind, documents := range map[record.DocumentKind]map[string]record.Head{record.KindDiagnosis: diagnoses, record.KindPrescription: prescriptions} {
		for change, head := range documents {
			if v := w.Verifies(t, kind, head); v.Intact != (change == "") || (v.Current && change != "") || !v.Matches {
				t.Errorf("after %q a %s verifies as %+v", change, kind, v)
			}
		}
	}
}

// The database refuses accidental changes, and a new hash that someone computes
// for changed content has no valid seal.
func TestAForgedHashHasNoSeal(t *testing.T) {
	t.Parallel()
	w := e2e.OnSQLite(t)
	bo, wang := w.Patient("bo"), w.Doctor("wang")
	d := wang.Diagnoses(bo.Followup(wang).ID, record.DiagnosisInput{Codes: []string{"I10"}, Text: "mild"})
	other := wang.Diagnoses(bo.Followup(wang).ID, record.DiagnosisInput{Codes: []string{"R51"}, Text: "grave"})
	e2e.Must(t, w.Stop())
	db, err := sql.Open("sqlite", filepath.Join(w.Dir, "wenzhen.db"))
	e2e.Must(t, err)
	for _, s := range []string{`UPDATE documents SET content = '{}'`, `DELETE FROM documents`, `UPDATE audit SET action = ''`, `DELETE FROM audit`} {
		if _, err := db.Exec(s); err == nil {
			t.Errorf("the database allows %s", s)
		}
	}
	e2e.Must(t, db.Close())
	// A hash and seal that are real, but another document's.
	w.Tampers(t, `DROP TRIGGER documents_fixed`, `DROP TRIGGER documents_content_fixed`,
		`UPDATE documents SET (content, sha256, seal) = (SELECT content, sha256, seal FROM documents WHERE id = '`+string(other.ID)+`') WHERE id = '`+string(d.ID)+`'`)
	d.Signature = other.Signature
	if v := w.Verifies(t, record.KindDiagnosis, d.Head); v.Intact {
		t.Errorf("another's seal passes: %+v", v)
	}
	if v := w.Verifies(t, record.KindDiagnosis, other.Head); !v.Intact {
		t.Errorf("what nobody touched: %+v", v)
	}
}

// A change to the audit log breaks its chain; audit_test has the other ways.
func TestTheAuditLogShowsATheft(t *testing.T) {
	t.Parallel()
	w := e2e.OnSQLite(t)
	bo, wang := w.Patient("bo"), w.Doctor("wang")
	c := bo.Followup(wang)
	wang.Diagnoses(c.ID, record.DiagnosisInput{Codes: []string{"I10"}})
	for range 3 {
		e2e.Do(wang, record.ReadRecord, record.PatientRef{PatientID: c.PatientID})
	}
	if v := e2e.Do(w.Admin, audit.Verify, rooms.Nothing{}); !v.OK || v.Entries != 12 {
		t.Fatalf("before: %+v", v)
	}
	w.Tampers(t, `DROP TRIGGER audit_kept`, `DELETE FROM audit WHERE num = 2`)
	w.EnterAdmin()
	if v := e2e.Do(w.Admin, audit.Verify, rooms.Nothing{}); v.OK || v.BrokenAt != 3 || v.Why == "" {
		t.Errorf("after: %+v", v)
	}
}

// Ten megabytes of template are refused, by REST and by socket, and the
// templates that were there stay.
func TestATemplateOfTenMegabytes(t *testing.T) {
	t.Parallel()
	w := e2e.Start(t)
	wang := w.Doctor("wang")
	in := record.DiagnosisInput{Codes: []string{"I10"}, Text: "mild"}
	saved := e2e.Do(wang, record.SaveTemplates, record.TemplateList{Items: []record.Template{{Name: "mine", Diagnosis: &in}}})
	body := `{"items":[{"name":"big","diagnosis":{"codes":["I10"],"text":"` + strings.Repeat("x", 10<<20) + `"}}]}`
	a := w.Ask(t, http.MethodPut, "/api/v1/me/templates", wang.Tokens().AccessToken, body, "Content-Type", "application/json")
	if a.Status != http.StatusRequestEntityTooLarge || a.Problem.Code != rooms.CodeTooLarge {
		t.Errorf("got %d %+v", a.Status, a.Problem)
	}
	if now := e2e.Do(wang, record.Templates, rooms.Nothing{}); len(now.Items) != 1 || now.Items[0].ID != saved.Items[0].ID {
		t.Errorf("the templates are %+v", now)
	}
}

// A signed document is a PDF for who may read it, and for nobody else; a draft
// is none.
func TestPDF(t *testing.T) {
	t.Parallel()
	w := e2e.Start(t)
	bo, wang, li := w.Patient("bo"), w.Doctor("wang"), w.Doctor("li")
	c := bo.Followup(wang)
	d := wang.Diagnoses(c.ID, record.DiagnosisInput{Codes: []string{"I10"}})
	p := wang.Prescribes(c.ID, e2e.Remedy())
	draft := e2e.Do(wang, record.DraftDiagnosis, record.DiagnosisDraft{ConsultationID: c.ID, DiagnosisInput: e2e.Unwell()})
	summary := "/api/v1/consultations/" + string(c.ID) + "/summary/pdf"
	if a := w.Ask(t, http.MethodGet, summary, bo.Tokens().AccessToken, ""); a.Status != http.StatusNotFound {
		t.Errorf("a summary before there is one: %d", a.Status)
	}
	e2e.Do(wang, consultation.End, consultation.EndInput{ConsultationID: c.ID, Summary: "well"})
	for _, path := range []string{"/api/v1/diagnoses/" + string(d.ID) + "/pdf", "/api/v1/prescriptions/" + string(p.ID) + "/pdf", summary} {
		a := w.Ask(t, http.MethodGet, path, bo.Tokens().AccessToken, "")
		if a.Status != http.StatusOK || a.Header.Get("Content-Type") != "application/pdf" || !strings.HasPrefix(string(a.Body), "%PDF-") ||
			!strings.HasPrefix(a.Header.Get("Content-Disposition"), "attachment") {
			t.Errorf("%s: %d %v %.200s", path, a.Status, a.Header, a.Body)
		}
		if a := w.Ask(t, http.MethodGet, path, li.Tokens().AccessToken, ""); a.Status != http.StatusNotFound {
			t.Errorf("li: %s: %d", path, a.Status)
		}
	}
	if a := w.Ask(t, http.MethodGet, "/api/v1/diagnoses/"+string(draft.ID)+"/pdf", wang.Tokens().AccessToken, ""); a.Status != http.StatusConflict {
		t.Errorf("a draft: %d %s", a.Status, a.Body)
	}
}

// A table that is loaded while the server runs serves from the next search on.
func TestATableOfCodesIsLoaded(t *testing.T) {
	t.Parallel()
	w := e2e.Start(t)
	bo := w.Patient("bo")
	if found := e2e.Do(bo, record.SearchCodes, record.CodeQuery{Q: "yfxgxy"}); len(found.Items) == 0 || found.Items[0].Code != "I10" {
		t.Fatalf("found %+v", found)
	}
	at := cli.Place{Data: w.Dir, Database: w.Database}
	if _, err := cli.LoadCodes(t.Context(), at, strings.NewReader("code,zh,en\nI10,\n"), e2e.Quiet); err == nil {
		t.Error("a broken table was loaded")
	}
	n, err := cli.LoadCodes(t.Context(), at, strings.NewReader("code,zh,en\nI10.x00,特殊高血压,Special hypertension\n"), e2e.Quiet)
	if err != nil || n != 1 {
		t.Fatalf("loaded %d, %v", n, err)
	}
	if found := e2e.Do(bo, record.SearchCodes, record.CodeQuery{Q: "gxy"}); len(found.Items) != 1 || found.Items[0].Zh != "特殊高血压" {
		t.Errorf("found %+v", found)
	}
}
