package record_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
	"wenzhen.example/rooms/audit"
	"wenzhen.example/rooms/consultation"
	"wenzhen.example/rooms/record"
	"wenzhen.example/rooms/roomstest"
	recordstore "wenzhen.example/rooms/store/record"
)

func ptr[T any](v T) *T { return &v }

// introduced gives patient and doctor all that is printed of them.
func (c *clinic) introduced() record.SignedAs {
	c.T.Helper()
	bo := roomstest.Must(c.bo, account.Patients, rooms.Nothing{}).Items[0]
	roomstest.Must(c.bo, account.UpdatePatient, account.PatientChange{PatientID: bo.ID, BirthDate: ptr("2015-01-01"), Sex: ptr("female")})
	roomstest.Must(c.wang, account.UpdateDoctor, account.DoctorChange{Title: ptr("主任医师"), Department: ptr("内科")})
	c.Verifies(c.wang)
	return record.SignedAs{Patient: record.SignedPatient{Name: "bo", BirthDate: "2015-01-01", Sex: "female"},
		Doctor: record.SignedDoctor{Name: "wang", Title: "主任医师", Department: "内科"}}
}

// signed is one document of each kind, the summary last; the consultation ends.
type signed struct {
	diagnosis    record.Diagnosis
	prescription record.Prescription
}

func (c *clinic) signsAll() signed {
	c.T.Helper()
	s := signed{c.signs(cold), c.prescribes(pills(amoxicillin))}
	roomstest.Must(c.wang, consultation.End, consultation.EndInput{ConsultationID: c.id, Summary: "well"})
	return s
}

// printed is what each of the documents prints for a reader.
func (c *clinic) printed(s signed, reader *roomstest.Person) map[record.DocumentKind]record.Printout {
	c.T.Helper()
	return map[record.DocumentKind]record.Printout{
		record.KindDiagnosis:    roomstest.Must(reader, record.PrintDiagnosis, record.DiagnosisRef{DiagnosisID: s.diagnosis.ID}),
		record.KindPrescription: roomstest.Must(reader, record.PrintPrescription, record.PrescriptionRef{PrescriptionID: s.prescription.ID}),
		record.KindSummary:      roomstest.Must(reader, record.PrintSummary, record.InConsultation{ConsultationID: c.id}),
	}
}

// A document prints, and verifies, as it was signed, whatever happens to its
// patient and its doctor afterwards.
func TestADocumentPrintsAsItWasSigned(t *testing.T) {
	t.Parallel()
	for name, happens := range map[string]func(c *clinic) (reader *roomstest.Person){
		"nothing": func(c *clinic) *roomstest.Person { return c.bo },
		"both change who they are": func(c *clinic) *roomstest.Person {
			bo := roomstest.Must(c.bo, account.Patients, rooms.Nothing{}).Items[0]
			roomstest.Must(c.bo, account.UpdatePatient, account.PatientChange{PatientID: bo.ID, Name: ptr("li"), BirthDate: ptr("1980-01-01"), Sex: ptr("male")})
			roomstest.Must(c.wang, account.UpdateMe, account.MeInput{Name: ptr("zhao")})
			roomstest.Must(c.wang, account.UpdateDoctor, account.DoctorChange{Title: ptr("护士"), Department: ptr("外科")})
			return c.bo
		},
		"the doctor is suspended": func(c *clinic) *roomstest.Person {
			c.asks(account.SuspendUser.Name, account.UserInput{UserID: c.wang.User.ID})
			return c.bo
		},
		"the doctor's account is erased": func(c *clinic) *roomstest.Person {
			roomstest.Must(c.wang, account.Erase, rooms.Nothing{})
			return c.bo
		},
		"the patient is suspended": func(c *clinic) *roomstest.Person {
			c.asks(account.SuspendUser.Name, account.UserInput{UserID: c.bo.User.ID})
			return c.wang
		},
		"the patient's account is erased": func(c *clinic) *roomstest.Person {
			roomstest.Must(c.bo, account.Erase, rooms.Nothing{})
			return c.wang
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := open(t)
			want := c.introduced()
			documents := c.signsAll()
			for kind, p := range c.printed(documents, happens(c)) {
				h := p.Head()
				if p.Kind != kind || !cmp.Equal(p.SignedAs, want) || h.PatientName != "bo" || h.DoctorName != "wang" {
					t.Errorf("%s prints %+v of %s by %s, want %+v", kind, p.SignedAs, h.PatientName, h.DoctorName, want)
				}
				if v := c.verified(h, kind); !v.Intact || v.Integrity != record.Intact || v.DoctorName != "wang" || v.PatientName != "b**" {
					t.Errorf("%s verifies as %+v", kind, v)
				}
			}
			if c.chainIsSound(); t.Failed() {
				t.FailNow()
			}
		})
	}
}

// One key, the server's, signs for every doctor: what verifies is that this
// server signed, for which doctor is part of the content (SECURITY.md).
func TestOneKeySignsForAllDoctors(t *testing.T) {
	t.Parallel()
	c := open(t)
	lin := c.Doctor("lin")
	id := roomstest.Must(c.bo, consultation.Open, consultation.OpenInput{DoctorID: lin.User.ID, Service: account.Followup, Medium: account.Text,
		Complaint: "again", PriorDiagnosis: "a cold"}).Consultation.ID
	lin.Accepts(id)
	draft := roomstest.Must(lin, record.DraftDiagnosis, record.DiagnosisDraft{ConsultationID: id, DiagnosisInput: cold})
	one, other := c.signs(cold), roomstest.Must(lin, record.SignDiagnosis, record.DiagnosisRef{DiagnosisID: draft.ID})
	v, w := c.verified(one.Head, record.KindDiagnosis), c.verified(other.Head, record.KindDiagnosis)
	if v.PublicKey == "" || v.PublicKey != w.PublicKey || v.DoctorName != "wang" || w.DoctorName != "lin" || !v.Intact || !w.Intact {
		t.Errorf("documents of two doctors verify as %+v and %+v", v, w)
	}
}

// What is signed is who they are at that time, not when the draft was begun.
func TestSigningTakesTheNamesOfThatTime(t *testing.T) {
	t.Parallel()
	c := open(t)
	draft := c.drafts(cold)
	bo := roomstest.Must(c.bo, account.Patients, rooms.Nothing{}).Items[0]
	roomstest.Must(c.bo, account.UpdatePatient, account.PatientChange{PatientID: bo.ID, Name: ptr("bo the younger")})
	d := roomstest.Must(c.wang, record.SignDiagnosis, record.DiagnosisRef{DiagnosisID: draft.ID})
	p := roomstest.Must(c.bo, record.PrintDiagnosis, record.DiagnosisRef{DiagnosisID: d.ID})
	if d.PatientName != "bo the younger" || p.SignedAs.Patient.Name != d.PatientName {
		t.Errorf("signed for %q, printed for %q", d.PatientName, p.SignedAs.Patient.Name)
	}
}

// In the first form nothing but the names of patient and doctor was signed, so
// nothing else of them is printed.
func TestTheFirstFormPrintsNamesAlone(t *testing.T) {
	t.Parallel()
	c := open(t)
	c.introduced()
	d := record.Document{Head: c.drafts(cold).Head, Kind: record.KindDiagnosis, Content: []byte(`{"codes":[]}`)}
	signed, err := json.Marshal(struct {
		Kind           record.DocumentKind `json:"kind"`
		ID             record.DocumentID   `json:"id"`
		Root           record.DocumentID   `json:"root"`
		Version        int                 `json:"version"`
		Supersedes     string              `json:"supersedes"`
		ConsultationID consultation.ID     `json:"consultationId"`
		PatientID      account.PatientID   `json:"patientId"`
		PatientName    string              `json:"patientName"`
		DoctorID       rooms.UserID        `json:"doctorId"`
		DoctorName     string              `json:"doctorName"`
		Content        string              `json:"content"`
		SignedBy       rooms.UserID        `json:"signedBy"`
		SignedAt       time.Time           `json:"signedAt"`
	}{d.Kind, d.ID, d.ID, 1, "", d.ConsultationID, d.PatientID, d.PatientName, d.DoctorID, d.DoctorName, string(d.Content), d.DoctorID, c.Now().UTC()})
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(signed)
	seal := base64.StdEncoding.EncodeToString(make([]byte, 64)) // by a key that this server has not
	d.Signature = &record.Signature{SignedBy: d.DoctorID, SignedAt: c.Now(), SHA256: hex.EncodeToString(sum[:]), Seal: seal, KeyID: "unknown", Form: 1}
	if err := (recordstore.Store{DB: c.DB}).InTx(t.Context(), func(tx record.Tx) error {
		if err := tx.SignDocument(d); err != nil {
			return err
		}
		return audit.Append(tx, c.wang.As, c.Now(), record.SignDiagnosis.Name, "diagnosis:"+string(d.ID), func(e *audit.LogEntry) { e.Detail = d.Signature.SHA256 })
	}); err != nil {
		t.Fatal(err)
	}
	p := roomstest.Must(c.bo, record.PrintDiagnosis, record.DiagnosisRef{DiagnosisID: d.ID})
	want := record.SignedAs{Patient: record.SignedPatient{Name: "bo"}, Doctor: record.SignedDoctor{Name: "wang"}}
	if !cmp.Equal(p.SignedAs, want) {
		t.Errorf("printed %+v, want %+v", p.SignedAs, want)
	}
}

// A server that has lost the key of a document does not call it forged.
func TestADocumentOfAnUnknownKeyIsNotCalledAltered(t *testing.T) {
	t.Parallel()
	c := open(t)
	before := c.signs(cold).Head
	known := c.verified(before, record.KindDiagnosis)
	c.SealKey = "another seal of 32 characters"
	c.Restarts(time.Minute)
	if v := c.verified(before, record.KindDiagnosis); !v.Matches || v.Intact || v.Current || v.Integrity != record.UnknownKey || v.PublicKey != "" || v.KeyID != known.KeyID || v.KeyID == "" {
		t.Errorf("signed with a key that is gone: %+v", v)
	}
	after := c.signs(cold).Head
	if v := c.verified(after, record.KindDiagnosis); !v.Intact || v.KeyID == known.KeyID || v.PublicKey == known.PublicKey {
		t.Errorf("signed with the new key: %+v", v)
	}
	after.Signature.SHA256 = strings.Repeat("0", 64)
	if v := c.verified(after, record.KindDiagnosis); v.Matches || v.Integrity != "" {
		t.Errorf("another hash: %+v", v)
	}
}
