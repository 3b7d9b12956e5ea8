package consultations_test

import (
	"net/http"
	"strings"
	"testing"

	"wenzhen.example/client"
	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
	"wenzhen.example/rooms/record"
	"wenzhen.example/server/e2e"
)

// A prescription whose content, doctor or decision was changed in the database is
// shown as altered wherever it is read, and is neither printed nor approved (R8).
func TestAlteredDocumentsAreShownAsSuch(t *testing.T) {
	t.Parallel()
	w := e2e.OnSQLite(t)
	bo, wang, li := w.Patient("bo"), w.Doctor("wang"), w.Doctor("li")
	e2e.Do(w.Admin, record.AppointPharmacist, account.UserInput{UserID: li.User.ID})
	c := bo.Followup(wang)
	sound, altered, renamed := wang.Prescribes(c.ID, e2e.Remedy()), wang.Prescribes(c.ID, e2e.Remedy()), wang.Prescribes(c.ID, e2e.Remedy())
	a := w.Attacks(t)
	a.Does(`UPDATE documents SET content = replace(content, '"quantity":', '"quantity":9') WHERE id = $1`, altered.ID)
	a.Does(`UPDATE documents SET signed_as = replace(signed_as, 'wang', 'li'), doctor_name = 'li' WHERE id = $1`, renamed.ID)

	want := map[record.DocumentID]record.Integrity{sound.ID: record.Intact, altered.ID: record.Altered, renamed.ID: record.Altered}
	lists := map[string][]record.Prescription{
		"the queue":        e2e.Do(li, record.PrescriptionQueue, record.QueueFilter{}).Items,
		"the consultation": e2e.Do(bo, record.Prescriptions, record.InConsultation{ConsultationID: c.ID}).Items,
	}
	for _, e := range e2e.Do(wang, record.ReadRecord, record.PatientRef{PatientID: c.PatientID}).History {
		lists["the record"] = append(lists["the record"], e.Prescriptions...)
	}
	for id := range want {
		lists["reading"] = append(lists["reading"], e2e.Do(bo, record.ReadPrescription, record.PrescriptionRef{PrescriptionID: id}))
	}
	for where, list := range lists {
		if len(list) != len(want) {
			t.Errorf("%s has %d prescriptions, want %d", where, len(list), len(want))
		}
		for _, p := range list {
			if p.Integrity != want[p.ID] {
				t.Errorf("%s shows %s as %q, want %q", where, p.ID, p.Integrity, want[p.ID])
			}
		}
	}
	for _, resource := range []string{"MedicationRequest", "DocumentReference"} {
		raw := w.Ask(t, http.MethodGet, "/api/v1/fhir/R4/"+resource, bo.Tokens().AccessToken, "").Body
		if n := strings.Count(string(raw), `"status":"entered-in-error"`); n != 2 {
			t.Errorf("FHIR says of %d of %s that they are in error, want 2: %s", n, resource, raw)
		}
	}
	for id, integrity := range want {
		ref := record.PrescriptionRef{PrescriptionID: id}
		printed := w.Ask(t, http.MethodGet, "/api/v1/prescriptions/"+string(id)+"/pdf", bo.Tokens().AccessToken, "").Status
		_, err := client.Do(t.Context(), li.Client, record.ApprovePrescription, ref)
		if integrity == record.Intact {
			e2e.Must(t, err)
			if printed != http.StatusOK {
				t.Errorf("what nobody touched prints with %d", printed)
			}
			continue
		}
		e2e.Code(t, err, rooms.CodeConflict)
		if printed != http.StatusConflict {
			t.Errorf("what was altered prints with %d", printed)
		}
	}
}
