package export_test

import (
	"archive/zip"
	"bytes"
	"io"
	"strings"
	"testing"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
	"wenzhen.example/rooms/consultation"
	"wenzhen.example/rooms/record"
	"wenzhen.example/rooms/roomstest"
	"wenzhen.example/server/document"
	"wenzhen.example/server/export"
	"wenzhen.example/server/fhir"
	"wenzhen.example/static"
)

// exported is the archive of a person's data, by the names of its files.
func exported(t *testing.T, p *roomstest.Person) map[string]string {
	t.Helper()
	public := func() string { return "https://clinic.example" }
	x := export.New(p.W.Catalogue, p.W.Chats, fhir.New(p.W.Catalogue, public, p.W.Now), document.New(static.Fonts, public), p.W.Now)
	var out bytes.Buffer
	if err := x.Write(t.Context(), p.As, &out); err != nil {
		t.Fatalf("the export ends after %d bytes: %v", out.Len(), err)
	}
	archive, err := zip.NewReader(bytes.NewReader(out.Bytes()), int64(out.Len()))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, f := range archive.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		files[f.Name] = string(content)
	}
	return files
}

// A patient's export is whole, with every signed document, whatever became of
// the doctor.
func TestTheExportIsWholeWithoutTheDoctor(t *testing.T) {
	t.Parallel()
	for name, happens := range map[string]func(wang, admin *roomstest.Person){
		"suspended": func(wang, admin *roomstest.Person) {
			roomstest.Must(admin, account.SuspendUser, account.UserInput{UserID: wang.User.ID})
		},
		"erased": func(wang, _ *roomstest.Person) { roomstest.Must(wang, account.Erase, rooms.Nothing{}) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := roomstest.New(t)
			bo, wang, admin := w.Patient("bo"), w.Doctor("wang"), w.Admin("root")
			id := roomstest.Must(bo, consultation.Open, consultation.OpenInput{DoctorID: wang.User.ID, Service: account.Followup, Medium: account.Text,
				Complaint: "again", PriorDiagnosis: "hypertension"}).Consultation.ID
			wang.Accepts(id)
			d := roomstest.Must(wang, record.DraftDiagnosis, record.DiagnosisDraft{ConsultationID: id, DiagnosisInput: record.DiagnosisInput{Codes: []string{"I10"}}})
			roomstest.Must(wang, record.SignDiagnosis, record.DiagnosisRef{DiagnosisID: d.ID})
			roomstest.Must(wang, consultation.End, consultation.EndInput{ConsultationID: id, Summary: "go on"})
			happens(wang, admin)
			files := exported(t, bo)
			pdf := files["consultations/"+string(id)+"/documents/diagnosis-"+string(d.ID)+".pdf"]
			if !strings.HasPrefix(pdf, "%PDF-") || files["manifest.json"] == "" {
				t.Errorf("the diagnosis came as %.20q", pdf)
			}
		})
	}
}
