package record_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
	"wenzhen.example/rooms/record"
	"wenzhen.example/rooms/record/drug"
	"wenzhen.example/rooms/roomstest"
)

// born enters that bo is an adult.
func born(c *clinic, patient account.PatientID) {
	c.T.Helper()
	date := "1990-01-01"
	roomstest.Must(c.bo, account.UpdatePatient, account.PatientChange{PatientID: patient, BirthDate: &date})
}

// item is a drug by mouth.
func item(name string, dose float64, often record.Freq) record.Item {
	return record.Item{Drug: name, Dose: dose, DoseUnit: "mg", Route: record.Oral, Frequency: often, Days: 5, Quantity: 1, QuantityUnit: "盒"}
}

// What is dangerous cannot be signed; what is risky can, with a reason that is
// signed with it and that the pharmacist reads; and what was refused leaves a draft.
func TestWarningsAreAcknowledgedOrStop(t *testing.T) {
	t.Parallel()
	c := open(t)
	born(c, c.bo.Sees(c.id).PatientID)
	drafts := func(items ...record.Item) record.Prescription {
		t.Helper()
		return roomstest.Must(c.wang, record.DraftPrescription, record.PrescriptionDraft{ConsultationID: c.id, PrescriptionInput: pills(items...)})
	}
	refused := func(in record.SignPrescriptionInput, code rooms.Code, field string) []drug.Warning {
		t.Helper()
		_, err := roomstest.Ask(c.World, c.wang.As, record.SignPrescription, in)
		var e *rooms.Error
		if !errors.As(err, &e) || e.Code != code || e.Field != field {
			t.Fatalf("signed with %+v: %v, want %s of %s", in, err, code, field)
		}
		var list []drug.Warning
		if e.Warnings != nil && json.Unmarshal(e.Warnings, &list) != nil {
			t.Fatalf("warnings: %s", e.Warnings)
		}
		return list
	}

	deadly := drafts(item("对乙酰氨基酚", 5000, record.FourDaily))
	all := []record.Acknowledgement{{Code: drug.DoseHigh, Items: []int{0}, Reason: "she asked for it"}}
	if w := refused(record.SignPrescriptionInput{PrescriptionID: deadly.ID, Acknowledged: all}, rooms.CodeInvalid, "items"); len(w) != 1 || w[0].Severity != drug.Stop {
		t.Errorf("twenty grams a day: %+v", w)
	}
	if got := roomstest.Must(c.wang, record.ReadPrescription, record.PrescriptionRef{PrescriptionID: deadly.ID}); got.Status != record.Draft {
		t.Errorf("it is %s", got.Status)
	}

	risky := drafts(item("华法林", 3, record.OnceDaily), item("阿司匹林", 100, record.OnceDaily), item("板蓝根", 100, record.ThriceDaily))
	if got := len(risky.Warnings); got != 2 {
		t.Errorf("the draft has %d warnings: %+v", got, risky.Warnings)
	}
	sign := record.SignPrescriptionInput{PrescriptionID: risky.ID}
	if w := refused(sign, rooms.CodeConflict, "acknowledged"); len(w) != 2 {
		t.Errorf("warfarin and aspirin: %+v", w)
	}
	ack := record.Acknowledgement{Code: drug.Interaction, Items: []int{0, 1}, Reason: "mechanical valve; INR each week"}
	for _, other := range []record.Acknowledgement{{Code: drug.Duplicate, Items: ack.Items, Reason: "x"}, {Code: ack.Code, Items: []int{0}, Reason: "x"},
		{Code: ack.Code, Items: []int{0, 2}, Reason: "x"}, {Code: ack.Code, Items: []int{0, 1, 2}, Reason: "x"},
		{Code: ack.Code, Items: ack.Items, Message: "another warning", Reason: "x"}} {
		sign.Acknowledged = []record.Acknowledgement{other}
		refused(sign, rooms.CodeConflict, "acknowledged")
	}
	for field, wrong := range map[string]record.Acknowledgement{
		"acknowledged[0].code": {Code: "none", Items: ack.Items, Reason: "x"}, "acknowledged[0].items": {Code: ack.Code, Reason: "x"},
		"acknowledged[0].reason": {Code: ack.Code, Items: ack.Items, Reason: "  "},
	} {
		sign.Acknowledged = []record.Acknowledgement{wrong}
		refused(sign, rooms.CodeInvalid, field)
	}
	sign.Acknowledged = []record.Acknowledgement{{Code: ack.Code, Items: ack.Items, Reason: strings.Repeat("x", 501)}}
	refused(sign, rooms.CodeTooLarge, "acknowledged[0].reason")

	sign.Acknowledged = []record.Acknowledgement{ack}
	signed := roomstest.Must(c.wang, record.SignPrescription, sign)
	if len(signed.Acknowledged) != 1 || signed.Acknowledged[0].Reason != ack.Reason || signed.Acknowledged[0].Code != drug.Interaction {
		t.Errorf("signed with %+v", signed.Acknowledged)
	}
	roomstest.Must(c.bo, record.ReadPrescription, record.PrescriptionRef{PrescriptionID: signed.ID})
	pei := c.pharmacist()
	queue := roomstest.Must(pei, record.PrescriptionQueue, record.QueueFilter{})
	if len(queue.Items) != 1 || len(queue.Items[0].Acknowledged) != 1 || queue.Items[0].Acknowledged[0].Reason != ack.Reason || len(queue.Items[0].Warnings) != 2 {
		t.Errorf("the pharmacist sees %+v", queue.Items)
	}
}

// A reason is for the warning that the doctor has read. If the record changes before
// the signature, a new warning of the same code and item needs a reason too.
func TestAReasonIsForOneWarning(t *testing.T) {
	t.Parallel()
	c := open(t)
	patient := c.bo.Sees(c.id).PatientID
	allergic := func(to ...string) {
		t.Helper()
		var list []record.Allergy
		for _, s := range to {
			list = append(list, record.Allergy{Substance: s})
		}
		roomstest.Must(c.bo, record.UpdateRecord, record.BackgroundInput{PatientID: patient, Allergies: list})
	}
	allergic("头孢菌素")
	draft := roomstest.Must(c.wang, record.DraftPrescription, record.PrescriptionDraft{ConsultationID: c.id, PrescriptionInput: pills(item("阿莫西林", 500, record.ThriceDaily))})
	if len(draft.Warnings) != 1 {
		t.Fatalf("the draft has %+v", draft.Warnings)
	}
	read := draft.Warnings[0]
	allergic("头孢菌素", "青霉素")
	sign := record.SignPrescriptionInput{PrescriptionID: draft.ID}
	for _, message := range []string{"", read.Message, read.MessageZh} {
		sign.Acknowledged = []record.Acknowledgement{{Code: read.Code, Items: read.Items, Message: message, Reason: "tolerated before"}}
		if code := roomstest.Code(c.wang, record.SignPrescription, sign); code != rooms.CodeConflict {
			t.Errorf("with a reason for %q alone: %q", message, code)
		}
	}
	allergic("青霉素")
	if code := roomstest.Code(c.wang, record.SignPrescription, sign); code != rooms.CodeConflict {
		t.Errorf("with a reason for what is no longer in the record: %q", code)
	}
	allergic("头孢菌素")
	roomstest.Must(c.wang, record.SignPrescription, sign)
}

// The record and the profile of the patient count, at the time of the signature.
func TestChecksKnowThePatient(t *testing.T) {
	t.Parallel()
	c := open(t)
	patient := c.bo.Sees(c.id).PatientID
	born(c, patient)
	said := func(items ...record.Item) string {
		t.Helper()
		v := roomstest.Must(c.wang, record.CheckPrescription, record.PrescriptionCheck{ConsultationID: c.id, PrescriptionInput: pills(items...)})
		var codes []string
		for _, w := range v.Warnings {
			codes = append(codes, string(w.Code)+" "+string(w.Severity))
		}
		slices.Sort(codes)
		return strings.Join(codes, ", ")
	}
	if got := said(item("布洛芬", 400, record.ThriceDaily)); got != "" {
		t.Errorf("ibuprofen: %s", got)
	}
	roomstest.Must(c.bo, record.UpdateRecord, record.BackgroundInput{PatientID: patient,
		Allergies: []record.Allergy{{Substance: "磺胺"}}, Medications: []record.Medication{{Drug: "华法林钠片"}}})
	for _, v := range []struct {
		item record.Item
		want string
	}{
		{item("布洛芬", 400, record.ThriceDaily), "interaction warn"},
		{item("柳氮磺吡啶", 500, record.ThriceDaily), "allergy warn, interaction warn"},
		{item("吗啡", 10, record.TwiceDaily), "controlled stop"}, // policy china
		{record.Item{Drug: "双氯芬酸凝胶", Dose: 1, DoseUnit: "支", Route: record.Topical, Frequency: record.TwiceDaily, Days: 5, Quantity: 1, QuantityUnit: "支"}, ""},
	} {
		if got := said(v.item); got != v.want {
			t.Errorf("%s: %s, want %s", v.item.Drug, got, v.want)
		}
	}
	if code := roomstest.Code(c.bo, record.CheckPrescription, record.PrescriptionCheck{ConsultationID: c.id, PrescriptionInput: pills(amoxicillin)}); code != rooms.CodeForbidden {
		t.Errorf("a patient checks: %q", code)
	}
	stranger := c.Doctor("zhao")
	if code := roomstest.Code(stranger, record.CheckPrescription, record.PrescriptionCheck{ConsultationID: c.id, PrescriptionInput: pills(amoxicillin)}); code != rooms.CodeNotFound {
		t.Errorf("another doctor checks: %q", code)
	}
	found := roomstest.Must(c.bo, record.SearchDrugs, record.DrugQuery{Q: "buluofen"})
	if len(found.Items) == 0 || found.Items[0].Name.En != "ibuprofen" {
		t.Errorf("found %+v", found.Items)
	}
	if code := roomstest.Code(c.bo, record.SearchDrugs, record.DrugQuery{Q: " "}); code != rooms.CodeInvalid {
		t.Errorf("nothing was typed: %q", code)
	}
}
