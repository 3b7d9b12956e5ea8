package record_test

import (
	"testing"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/record"
	"wenzhen.example/rooms/roomstest"
)

// A dose is kept with four digits after the decimal point, wherever it is
// written, and must not be nothing then.
func TestADoseIsRounded(t *testing.T) {
	t.Parallel()
	c := open(t)
	tenth := 0.1
	for given, want := range map[float64]float64{tenth + 0.2: 0.3, 1.0 / 3: 0.3333, 0.00012: 0.0001, 2.00004: 2, 999_999.99999: 1_000_000, 0.5: 0.5} {
		item := amoxicillin
		item.Drug, item.Dose = "a drug of no table", given // no dose is too high
		draft := roomstest.Must(c.wang, record.DraftPrescription, record.PrescriptionDraft{ConsultationID: c.id, PrescriptionInput: pills(item)})
		revised := roomstest.Must(c.wang, record.RevisePrescription, record.PrescriptionRevision{PrescriptionID: draft.ID, PrescriptionInput: pills(item)})
		signed := roomstest.Must(c.wang, record.SignPrescription, record.SignPrescriptionInput{PrescriptionID: draft.ID})
		amended := roomstest.Must(c.wang, record.AmendPrescription, record.AmendPrescriptionInput{PrescriptionID: draft.ID, PrescriptionInput: pills(item)})
		input := pills(item)
		saved := roomstest.Must(c.wang, record.SaveTemplates, record.TemplateList{Items: []record.Template{{Name: "x", Prescription: &input}}})
		for where, got := range map[string]float64{"drafted": draft.Items[0].Dose, "revised": revised.Items[0].Dose, "signed": signed.Items[0].Dose,
			"amended": amended.Items[0].Dose, "template": saved.Items[0].Prescription.Items[0].Dose} {
			if got != want {
				t.Errorf("%v is %s as %v, want %v", given, where, got, want)
			}
		}
	}
	item := amoxicillin
	item.Dose = 0.00001
	_, err := roomstest.Ask(c.World, c.wang.As, record.DraftPrescription, record.PrescriptionDraft{ConsultationID: c.id, PrescriptionInput: pills(item)})
	if e, _ := err.(*rooms.Error); e == nil || e.Code != rooms.CodeInvalid || e.Field != "items[0].dose" {
		t.Errorf("next to nothing: %v", err)
	}
}
