package operation_test

import (
	"bytes"
	"net/http"
	"os/exec"
	"strings"
	"testing"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
	"wenzhen.example/rooms/consultation"
	"wenzhen.example/rooms/record"
	"wenzhen.example/server/e2e"
)

// clinic is a consultation in which documents are signed.
type clinic struct {
	*e2e.World
	bo, wang, li *e2e.Person // li is a pharmacist
	in           consultation.Consultation
}

func opens(w *e2e.World) clinic {
	c := clinic{World: w, bo: w.Patient("bo"), wang: w.Doctor("wang"), li: w.Doctor("li")}
	e2e.Do(w.Admin, record.AppointPharmacist, account.UserInput{UserID: c.li.User.ID})
	c.in = c.bo.Followup(c.wang)
	return c
}

// amended is a diagnosis of two versions.
func (c clinic) amended() (first, second record.Head) {
	d := c.wang.Diagnoses(c.in.ID, record.DiagnosisInput{Codes: []string{"I10"}, Text: "mild"})
	return d.Head, c.amends(d.Head)
}

func (c clinic) amends(d record.Head) record.Head {
	next := e2e.Do(c.wang, record.AmendDiagnosis, record.AmendDiagnosisInput{DiagnosisID: d.ID, DiagnosisInput: record.DiagnosisInput{Codes: []string{"I10"}, Text: "grave"}})
	return e2e.Do(c.wang, record.SignDiagnosis, record.DiagnosisRef{DiagnosisID: next.ID}).Head
}

func (c clinic) approves(p record.Head) {
	e2e.Do(c.li, record.ApprovePrescription, record.PrescriptionRef{PrescriptionID: p.ID})
}

func (c clinic) voids(p record.Head) {
	e2e.Do(c.wang, record.VoidPrescription, record.PrescriptionReason{PrescriptionID: p.ID, Reason: "a mild rash"})
}

// reads is what reading a document finds of it, and the status of printing it.
func (c clinic) reads(t *testing.T, kind record.DocumentKind, d record.Head) (record.Integrity, int) {
	t.Helper()
	if kind == record.KindDiagnosis {
		return e2e.Do(c.bo, record.ReadDiagnosis, record.DiagnosisRef{DiagnosisID: d.ID}).Integrity, c.prints(t, "diagnoses", d)
	}
	return e2e.Do(c.bo, record.ReadPrescription, record.PrescriptionRef{PrescriptionID: d.ID}).Integrity, c.prints(t, "prescriptions", d)
}

func (c clinic) prints(t *testing.T, kind string, d record.Head) int {
	t.Helper()
	return c.Ask(t, http.MethodGet, "/api/v1/"+kind+"/"+string(d.ID)+"/pdf", c.bo.Tokens().AccessToken, "").Status
}

// Somebody who has the database removes a later version of a document, or a
// decision about it, together with the sealed state that lists it or with the
// state as it was before: it is shown as altered wherever it is read, and is not
// printed. What nobody touched stays intact.
func TestRemovedVersionsAndDecisionsAreNoticed(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, w *e2e.World) {
		c, a := opens(w), w.Attacks(t)
		forget := func(d record.Head) { // as if it had never been signed
			a.Does(`DELETE FROM decisions WHERE document_id = $1`, string(d.ID))
			a.Does(`DELETE FROM documents WHERE id = $1`, string(d.ID))
		}
		stateless := func(d record.Head) { a.Does(`DELETE FROM document_states WHERE root = $1`, string(d.ID)) }
		undecided := func(d record.Head, num int) {
			a.Does(`DELETE FROM decisions WHERE document_id = $1 AND num = $2`, string(d.ID), num)
		}
		finds := func() record.Head {
			return c.wang.Diagnoses(c.in.ID, record.DiagnosisInput{Codes: []string{"I10"}, Text: "mild"}).Head
		}
		gives := func() record.Head { return c.wang.Prescribes(c.in.ID, e2e.Remedy()).Head }
		for name, attack := range map[string]func() (record.DocumentKind, record.Head, record.Integrity){
			"nothing": func() (record.DocumentKind, record.Head, record.Integrity) {
				first, second := c.amended()
				if v := w.Verifies(t, record.KindDiagnosis, second); !v.Intact || !v.Current {
					t.Errorf("the later version: %+v", v)
				}
				return record.KindDiagnosis, first, record.Intact
			},
			"the later version": func() (record.DocumentKind, record.Head, record.Integrity) {
				first, second := c.amended()
				forget(second)
				return record.KindDiagnosis, first, record.Altered
			},
			"the earlier version": func() (record.DocumentKind, record.Head, record.Integrity) {
				first, second := c.amended()
				forget(first)
				return record.KindDiagnosis, second, record.Altered
			},
			"the later version and the state": func() (record.DocumentKind, record.Head, record.Integrity) {
				first, second := c.amended()
				forget(second)
				stateless(first)
				return record.KindDiagnosis, first, record.Altered
			},
			"the later version and what the state says of it": func() (record.DocumentKind, record.Head, record.Integrity) {
				first := finds()
				before := a.Copies("document_states", "root = $1", string(first.ID))
				second := c.amends(first)
				forget(second)
				stateless(first)
				a.Puts(before)
				return record.KindDiagnosis, first, record.Altered
			},
			"the state": func() (record.DocumentKind, record.Head, record.Integrity) {
				first := finds()
				stateless(first)
				return record.KindDiagnosis, first, record.Altered
			},
			"nothing, another's state": func() (record.DocumentKind, record.Head, record.Integrity) {
				first, other := finds(), finds()
				stateless(first)
				a.Does(`UPDATE document_states SET root = $1 WHERE root = $2`, string(first.ID), string(other.ID))
				return record.KindDiagnosis, first, record.Altered
			},
			"a decision": func() (record.DocumentKind, record.Head, record.Integrity) {
				p := gives()
				c.voids(p)
				undecided(p, 1)
				return record.KindPrescription, p, record.Altered
			},
			"the later decision": func() (record.DocumentKind, record.Head, record.Integrity) {
				p := gives()
				c.approves(p)
				c.voids(p)
				undecided(p, 2)
				return record.KindPrescription, p, record.Altered
			},
			"the later decision and what the state says of it": func() (record.DocumentKind, record.Head, record.Integrity) {
				p := gives()
				c.approves(p)
				before := a.Copies("document_states", "root = $1", string(p.ID))
				c.voids(p)
				undecided(p, 2)
				stateless(p)
				a.Puts(before)
				return record.KindPrescription, p, record.Altered
			},
			"no decision": func() (record.DocumentKind, record.Head, record.Integrity) {
				p := gives()
				c.approves(p)
				return record.KindPrescription, p, record.Intact
			},
		} {
			kind, d, want := attack()
			found, printed := c.reads(t, kind, d)
			if wantPrinted := map[bool]int{true: http.StatusOK, false: http.StatusConflict}[want == record.Intact]; found != want || printed != wantPrinted {
				t.Errorf("%s was removed: it reads as %q and prints with %d", name, found, printed)
			}
			// Reading has been noted in the audit log meanwhile.
			if v := w.Verifies(t, kind, d); v.Integrity != want || !v.Matches || v.Intact != (want == record.Intact) {
				t.Errorf("%s was removed: it verifies as %+v", name, v)
			}
		}
	})
}

// A document that is gone, or has another's content, was signed here all the
// same: the audit log has its hash.
func TestARemovedDocumentIsNotUnknown(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, w *e2e.World) {
		c, a := opens(w), w.Attacks(t)
		gone, replaced := c.wang.Prescribes(c.in.ID, e2e.Remedy()).Head, c.wang.Prescribes(c.in.ID, e2e.Remedy()).Head
		a.Does(`DELETE FROM documents WHERE id = $1`, string(gone.ID))
		a.Does(`DELETE FROM document_states WHERE root = $1`, string(gone.ID))
		a.Does(`UPDATE documents SET sha256 = 'another' WHERE id = $1`, string(replaced.ID))
		for what, d := range map[string]record.Head{"removed": gone, "replaced": replaced} {
			if v := w.Verifies(t, record.KindPrescription, d); !v.Matches || v.Intact || v.Integrity != record.Altered {
				t.Errorf("a %s document verifies as %+v", what, v)
			}
		}
		unknown := record.VerifyInput{Kind: record.KindPrescription, ID: gone.ID, SHA256: replaced.Signature.SHA256}
		e2e.Code(t, e2e.Failing(c.bo, record.VerifyDocument, unknown), rooms.CodeNotFound)
	})
}

// What is signed after something was removed is intact; the versions before it
// stay altered, although the sealed state is a new one.
func TestALaterVersionCoversNothingUp(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, w *e2e.World) {
		c, a := opens(w), w.Attacks(t)
		first, second := c.amended()
		a.Does(`DELETE FROM documents WHERE id = $1`, string(second.ID))
		third := c.amends(first)
		if v := w.Verifies(t, record.KindDiagnosis, first); v.Integrity != record.Altered {
			t.Errorf("the version before: %+v", v)
		}
		if v := w.Verifies(t, record.KindDiagnosis, third); !v.Intact || !v.Current {
			t.Errorf("the new version: %+v", v)
		}
	})
}

// Once the audit log has been rewritten, it does not show that nothing came after
// what was signed before: that verifies as unconfirmed. What is signed or decided
// afterwards is confirmed.
func TestVerifyingKnowsOfABrokenLog(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, w *e2e.World) {
		c := opens(w)
		before, decided := c.wang.Prescribes(c.in.ID, e2e.Remedy()).Head, c.wang.Prescribes(c.in.ID, e2e.Remedy()).Head
		failsToLogIn(t, w)
		for _, p := range []record.Head{before, decided} {
			if v := w.Verifies(t, record.KindPrescription, p); !v.Intact || v.LogBrokenAt != nil {
				t.Errorf("in a log that nobody touched: %+v", v)
			}
		}
		w.Attacks(t).Rewrites(record.SignPrescription.Name)
		failsToLogIn(t, w)
		after := c.wang.Prescribes(c.in.ID, e2e.Remedy()).Head
		c.approves(decided)
		for name, p := range map[string]record.Head{"signed afterwards": after, "decided about afterwards": decided} {
			if v := w.Verifies(t, record.KindPrescription, p); !v.Intact || v.LogBrokenAt != nil {
				t.Errorf("%s: %+v", name, v)
			}
		}
		v := w.Verifies(t, record.KindPrescription, before)
		if v.Integrity != record.Unconfirmed || !v.Matches || v.Intact || v.Current || v.LogBrokenAt == nil || v.LogBrokenAt.IsZero() {
			t.Errorf("signed before: %+v", v)
		}
		if found, printed := c.reads(t, record.KindPrescription, before); found != record.Unconfirmed || printed != http.StatusOK {
			t.Errorf("signed before: it reads as %q and prints with %d", found, printed)
		}
		for d, want := range map[*record.Head]bool{&before: true, &after: false} {
			pdf := c.Ask(t, http.MethodGet, "/api/v1/prescriptions/"+string(d.ID)+"/pdf", c.bo.Tokens().AccessToken, "")
			program := exec.CommandContext(t.Context(), "pdftotext", "-raw", "-", "-")
			program.Stdin = bytes.NewReader(pdf.Body)
			text, err := program.Output()
			if err != nil {
				t.Fatalf("pdftotext: %v (it comes with poppler-utils: run make services)", err)
			}
			notice := "the audit log was found on 2"
			if got := strings.Contains(strings.Join(strings.Fields(string(text)), " "), notice); got != want {
				t.Errorf("%q is printed: %t, want %t; in %s", notice, got, want, text)
			}
		}
	})
}
