package record_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
	"wenzhen.example/rooms/audit"
	"wenzhen.example/rooms/chat"
	"wenzhen.example/rooms/consultation"
	"wenzhen.example/rooms/record"
	"wenzhen.example/rooms/record/drug"
	"wenzhen.example/rooms/roomstest"
)

// clinic is a followup that goes on.
type clinic struct {
	*roomstest.World
	bo, wang *roomstest.Person
	admin    rooms.Actor
	id       consultation.ID
}

func open(t *testing.T) *clinic {
	t.Helper()
	w := roomstest.New(t)
	c := &clinic{World: w, bo: w.Patient("bo"), wang: w.Doctor("wang")}
	admin, err := w.Accounts.CreateAdmin(t.Context(), "Admin", "admin@example.org", roomstest.Password)
	if err != nil {
		t.Fatal(err)
	}
	c.admin = rooms.Actor{UserID: admin.ID, Role: rooms.RoleAdmin}
	c.id = c.followup(c.bo, c.wang)
	return c
}

func (c *clinic) followup(patient, doctor *roomstest.Person) consultation.ID {
	c.T.Helper()
	id := roomstest.Must(patient, consultation.Open, consultation.OpenInput{DoctorID: doctor.User.ID, Service: account.Followup,
		Medium: account.Text, Complaint: "again", PriorDiagnosis: "hypertension"}).Consultation.ID
	doctor.Accepts(id)
	return id
}

var cold = record.DiagnosisInput{Codes: []string{"J06.9", "R05"}, Text: "three days", Advice: "rest"}

var amoxicillin = record.Item{Drug: "阿莫西林胶囊", Strength: "250 mg × 24", Dose: 500, DoseUnit: "mg", Route: record.Oral,
	Frequency: record.ThriceDaily, Days: 7, Quantity: 2, QuantityUnit: "盒"}

func pills(items ...record.Item) record.PrescriptionInput {
	return record.PrescriptionInput{Items: items}
}

func (c *clinic) drafts(in record.DiagnosisInput) record.Diagnosis {
	c.T.Helper()
	return roomstest.Must(c.wang, record.DraftDiagnosis, record.DiagnosisDraft{ConsultationID: c.id, DiagnosisInput: in})
}

func (c *clinic) signs(in record.DiagnosisInput) record.Diagnosis {
	c.T.Helper()
	return roomstest.Must(c.wang, record.SignDiagnosis, record.DiagnosisRef{DiagnosisID: c.drafts(in).ID})
}

func (c *clinic) prescribes(in record.PrescriptionInput) record.Prescription {
	c.T.Helper()
	draft := roomstest.Must(c.wang, record.DraftPrescription, record.PrescriptionDraft{ConsultationID: c.id, PrescriptionInput: in})
	return roomstest.Must(c.wang, record.SignPrescription, record.SignPrescriptionInput{PrescriptionID: draft.ID})
}

// pharmacist appoints a doctor who has nothing to do with the consultation.
func (c *clinic) pharmacist() *roomstest.Person {
	c.T.Helper()
	p := c.Doctor("pei")
	c.asks(record.AppointPharmacist.Name, account.UserInput{UserID: p.User.ID})
	return p
}

// asks sends a command as the admin, and must succeed.
func (c *clinic) asks(name string, in any) json.RawMessage {
	c.T.Helper()
	raw, err := json.Marshal(in)
	if err != nil {
		c.T.Fatal(err)
	}
	out, err := c.Catalogue.Answer(context.Background(), c.admin, name, raw)
	if err != nil {
		c.T.Fatalf("%s: %v", name, err)
	}
	return out
}

// audited are the actions that the audit log has of a subject, the latest first.
func (c *clinic) audited(subject string) []string {
	c.T.Helper()
	var page audit.LogPage
	if err := json.Unmarshal(c.asks(audit.Enter.Name, audit.EnterLogInput{LogFilter: audit.LogFilter{Subject: subject}, Reason: "a complaint"}), &page); err != nil {
		c.T.Fatal(err)
	}
	var actions []string
	for _, e := range page.Items {
		actions = append(actions, e.Action)
	}
	return actions
}

func (c *clinic) chainIsSound() {
	c.T.Helper()
	var v audit.Verdict
	if err := json.Unmarshal(c.asks(audit.Verify.Name, rooms.Nothing{}), &v); err != nil || !v.OK || v.Entries == 0 {
		c.T.Errorf("the audit log: %+v, %v", v, err)
	}
}

func (c *clinic) verified(h record.Head, kind record.DocumentKind) record.Verification {
	c.T.Helper()
	v, err := roomstest.Ask(c.World, rooms.Actor{}, record.VerifyDocument, record.VerifyInput{Kind: kind, ID: h.ID, SHA256: h.Signature.SHA256})
	if err != nil {
		c.T.Fatal(err)
	}
	return v
}

// names are the events in a consultation's log since it was accepted.
func (c *clinic) names() []string {
	var all []string
	for _, e := range c.bo.Log(c.id)[2:] {
		all = append(all, e.Name)
	}
	return all
}

func TestADiagnosisIsSignedAndSent(t *testing.T) {
	t.Parallel()
	c := open(t)
	draft := c.drafts(cold)
	if draft.Status != record.Draft || draft.Version != 1 || draft.Codes[0].Zh != "急性上呼吸道感染" || draft.Signature != nil {
		t.Errorf("draft: %+v", draft)
	}
	if got := c.names(); len(got) != 0 {
		t.Errorf("a draft was announced: %v", got)
	}
	if list := roomstest.Must(c.bo, record.Diagnoses, record.InConsultation{ConsultationID: c.id}); len(list.Items) != 0 {
		t.Error("the patient sees a draft")
	}
	if got := roomstest.Code(c.bo, record.ReadDiagnosis, record.DiagnosisRef{DiagnosisID: draft.ID}); got != rooms.CodeNotFound {
		t.Errorf("the patient reads a draft: %v", got)
	}
	signed := roomstest.Must(c.wang, record.SignDiagnosis, record.DiagnosisRef{DiagnosisID: draft.ID})
	if signed.Status != record.Signed || signed.Signature == nil || signed.Signature.SignedBy != c.wang.User.ID || !signed.Signature.SignedAt.Equal(c.Now()) {
		t.Errorf("signed: %+v", signed)
	}
	if diff := cmp.Diff([]string{"diagnosis:signed", "message:created"}, c.names()); diff != "" {
		t.Error(diff)
	}
	log := c.bo.Log(c.id)
	var said chat.Message
	var told record.Diagnosis
	if err := json.Unmarshal(log[len(log)-1].Data, &said); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(log[len(log)-2].Data, &told); err != nil {
		t.Fatal(err)
	}
	if said.Kind != chat.Diagnosis || said.ClientID != string(draft.ID) || said.SenderID != c.wang.User.ID || said.Text != "J06.9 急性上呼吸道感染；R05 咳嗽" {
		t.Errorf("said: %+v", said)
	}
	if diff := cmp.Diff(signed, told); diff != "" {
		t.Error(diff)
	}
	if read := roomstest.Must(c.bo, record.ReadDiagnosis, record.DiagnosisRef{DiagnosisID: draft.ID}); read.Text != cold.Text {
		t.Errorf("read: %+v", read)
	}
	if got := c.audited("diagnosis:" + string(draft.ID)); !cmp.Equal(got, []string{"diagnosis:read", "diagnosis:sign"}) {
		t.Errorf("audited: %v", got)
	}
	if v := c.verified(signed.Head, record.KindDiagnosis); !v.Matches || !v.Intact || !v.Current || v.PatientName != "b**" || v.DoctorName != "wang" {
		t.Errorf("verified: %+v", v)
	}
	c.chainIsSound()
}

func TestAnAmendmentIsANewVersion(t *testing.T) {
	t.Parallel()
	c := open(t)
	first := c.signs(cold)
	amend := func(of record.DocumentID, text string) (record.Diagnosis, error) {
		in := cold
		in.Text = text
		return roomstest.Ask(c.World, c.wang.As, record.AmendDiagnosis, record.AmendDiagnosisInput{DiagnosisID: of, DiagnosisInput: in})
	}
	draft, err := amend(first.ID, "five days")
	if err != nil || draft.Version != 2 || draft.Supersedes != first.ID || draft.Status != record.Draft {
		t.Fatalf("%+v, %v", draft, err)
	}
	if _, err := amend(first.ID, "at the same time"); rooms.CodeOf(err) != rooms.CodeConflict {
		t.Errorf("two amendments at a time: %v", err)
	}
	if v := c.verified(first.Head, record.KindDiagnosis); !v.Current {
		t.Error("a draft took the first version out of force")
	}
	second := roomstest.Must(c.wang, record.SignDiagnosis, record.DiagnosisRef{DiagnosisID: draft.ID})
	old := roomstest.Must(c.bo, record.ReadDiagnosis, record.DiagnosisRef{DiagnosisID: first.ID})
	if old.Status != record.Amended || old.SupersededBy != second.ID || old.Text != "three days" || *old.Signature != *first.Signature {
		t.Errorf("the first version: %+v", old)
	}
	if v := c.verified(first.Head, record.KindDiagnosis); !v.Intact || v.Current || v.Status != record.Amended {
		t.Errorf("the first version: %+v", v)
	}
	_, err = amend(first.ID, "once more")
	if rooms.CodeOf(err) != rooms.CodeConflict || !strings.Contains(err.Error(), "superseded") {
		t.Errorf("amending a superseded version: %v", err)
	}
	// What is signed can be put right when the consultation is over, too.
	roomstest.Must(c.wang, consultation.End, consultation.EndInput{ConsultationID: c.id, Summary: "well"})
	c.Passes(73 * time.Hour)
	third, err := amend(second.ID, "eight days")
	if err != nil {
		t.Fatal(err)
	}
	roomstest.Must(c.wang, record.SignDiagnosis, record.DiagnosisRef{DiagnosisID: third.ID})
	if _, err := roomstest.Ask(c.World, c.wang.As, record.DraftDiagnosis, record.DiagnosisDraft{ConsultationID: c.id, DiagnosisInput: cold}); rooms.CodeOf(err) != rooms.CodeConflict {
		t.Errorf("a new diagnosis in a closed consultation: %v", err)
	}
	c.chainIsSound()
}

func TestBadInputIsRefusedAndNothingLost(t *testing.T) {
	t.Parallel()
	c := open(t)
	li := c.Doctor("li")
	draft := c.drafts(cold)
	signed := c.signs(record.DiagnosisInput{Codes: []string{"I10"}})
	prescription := roomstest.Must(c.wang, record.DraftPrescription, record.PrescriptionDraft{ConsultationID: c.id, PrescriptionInput: pills(amoxicillin)})
	with := func(change func(*record.Item)) record.PrescriptionDraft {
		item := amoxicillin
		change(&item)
		return record.PrescriptionDraft{ConsultationID: c.id, PrescriptionInput: pills(amoxicillin, item)}
	}
	for name, try := range map[string]struct {
		err         error
		code        rooms.Code
		field, says string
	}{
		"an unknown code":    {second(roomstest.Ask(c.World, c.wang.As, record.DraftDiagnosis, record.DiagnosisDraft{ConsultationID: c.id, DiagnosisInput: record.DiagnosisInput{Codes: []string{"I10", "Q99.99"}}})), rooms.CodeInvalid, "codes[1]", "Q99.99"},
		"no code":            {second(roomstest.Ask(c.World, c.wang.As, record.DraftDiagnosis, record.DiagnosisDraft{ConsultationID: c.id})), rooms.CodeInvalid, "codes", ""},
		"a code twice":       {second(roomstest.Ask(c.World, c.wang.As, record.ReviseDiagnosis, record.DiagnosisRevision{DiagnosisID: draft.ID, DiagnosisInput: record.DiagnosisInput{Codes: []string{"I10", "I10"}}})), rooms.CodeInvalid, "codes[1]", "twice"},
		"endless text":       {second(roomstest.Ask(c.World, c.wang.As, record.ReviseDiagnosis, record.DiagnosisRevision{DiagnosisID: draft.ID, DiagnosisInput: record.DiagnosisInput{Codes: []string{"I10"}, Text: strings.Repeat("长", 10001)}})), rooms.CodeTooLarge, "text", "10000"},
		"a negative dose":    {second(roomstest.Ask(c.World, c.wang.As, record.DraftPrescription, with(func(i *record.Item) { i.Dose = -1 }))), rooms.CodeInvalid, "items[1].dose", "more than 0"},
		"no dose":            {second(roomstest.Ask(c.World, c.wang.As, record.DraftPrescription, with(func(i *record.Item) { i.Dose = 0 }))), rooms.CodeInvalid, "items[1].dose", ""},
		"no unit":            {second(roomstest.Ask(c.World, c.wang.As, record.DraftPrescription, with(func(i *record.Item) { i.DoseUnit = " " }))), rooms.CodeInvalid, "items[1].doseUnit", ""},
		"no such route":      {second(roomstest.Ask(c.World, c.wang.As, record.DraftPrescription, with(func(i *record.Item) { i.Route = "by post" }))), rooms.CodeInvalid, "items[1].route", "by post"},
		"no such frequency":  {second(roomstest.Ask(c.World, c.wang.As, record.DraftPrescription, with(func(i *record.Item) { i.Frequency = "x" }))), rooms.CodeInvalid, "items[1].frequency", ""},
		"a thousand days":    {second(roomstest.Ask(c.World, c.wang.As, record.DraftPrescription, with(func(i *record.Item) { i.Days = 1000 }))), rooms.CodeInvalid, "items[1].days", ""},
		"a negative amount":  {second(roomstest.Ask(c.World, c.wang.As, record.DraftPrescription, with(func(i *record.Item) { i.Quantity = -2 }))), rooms.CodeInvalid, "items[1].quantity", ""},
		"no drug":            {second(roomstest.Ask(c.World, c.wang.As, record.DraftPrescription, record.PrescriptionDraft{ConsultationID: c.id})), rooms.CodeInvalid, "items", ""},
		"signing twice":      {second(roomstest.Ask(c.World, c.wang.As, record.SignDiagnosis, record.DiagnosisRef{DiagnosisID: signed.ID})), rooms.CodeConflict, "", "signed already"},
		"another's draft":    {second(roomstest.Ask(c.World, li.As, record.SignDiagnosis, record.DiagnosisRef{DiagnosisID: draft.ID})), rooms.CodeNotFound, "", "no such diagnosis"},
		"no such draft":      {second(roomstest.Ask(c.World, li.As, record.SignDiagnosis, record.DiagnosisRef{DiagnosisID: "none"})), rooms.CodeNotFound, "", "no such diagnosis"},
		"the patient signs":  {second(roomstest.Ask(c.World, c.bo.As, record.SignDiagnosis, record.DiagnosisRef{DiagnosisID: draft.ID})), rooms.CodeForbidden, "", ""},
		"the wrong kind":     {second(roomstest.Ask(c.World, c.wang.As, record.SignDiagnosis, record.DiagnosisRef{DiagnosisID: prescription.ID})), rooms.CodeNotFound, "", ""},
		"revising a signed":  {second(roomstest.Ask(c.World, c.wang.As, record.ReviseDiagnosis, record.DiagnosisRevision{DiagnosisID: signed.ID, DiagnosisInput: cold})), rooms.CodeConflict, "", "amend it"},
		"discarding it":      {second(roomstest.Ask(c.World, c.wang.As, record.DiscardDiagnosis, record.DiagnosisRef{DiagnosisID: signed.ID})), rooms.CodeConflict, "", "amend it"},
		"amending a draft":   {second(roomstest.Ask(c.World, c.wang.As, record.AmendDiagnosis, record.AmendDiagnosisInput{DiagnosisID: draft.ID, DiagnosisInput: cold})), rooms.CodeConflict, "", "revise it"},
		"voiding a draft":    {second(roomstest.Ask(c.World, c.wang.As, record.VoidPrescription, record.PrescriptionReason{PrescriptionID: prescription.ID, Reason: "x"})), rooms.CodeConflict, "", "not been signed"},
		"no reason":          {second(roomstest.Ask(c.World, c.wang.As, record.VoidPrescription, record.PrescriptionReason{PrescriptionID: prescription.ID, Reason: " "})), rooms.CodeInvalid, "reason", ""},
		"an id used before":  {second(roomstest.Ask(c.World, c.wang.As, record.DraftDiagnosis, record.DiagnosisDraft{ConsultationID: c.id, ID: draft.ID, DiagnosisInput: record.DiagnosisInput{Codes: []string{"I10"}}})), rooms.CodeConflict, "", "used for something else"},
		"101 templates":      {second(roomstest.Ask(c.World, c.wang.As, record.SaveTemplates, record.TemplateList{Items: make([]record.Template, 101)})), rooms.CodeTooLarge, "items", "100"},
		"an empty template":  {second(roomstest.Ask(c.World, c.wang.As, record.SaveTemplates, record.TemplateList{Items: []record.Template{{Name: "x"}}})), rooms.CodeInvalid, "items[0].diagnosis", ""},
		"a birth in 13":      {second(roomstest.Ask(c.World, c.bo.As, record.UpdateRecord, record.BackgroundInput{PatientID: draft.PatientID, Conditions: []record.Condition{{Text: "x", Since: "2026-13"}}})), rooms.CodeInvalid, "conditions[0].since", "YYYY"},
		"nonsense to search": {second(roomstest.Ask(c.World, c.bo.As, record.SearchCodes, record.CodeQuery{Q: "  "})), rooms.CodeInvalid, "q", ""},
		"a hash too short":   {second(roomstest.Ask(c.World, rooms.Actor{}, record.VerifyDocument, record.VerifyInput{ID: signed.ID, SHA256: "ab"})), rooms.CodeInvalid, "sha256", ""},
	} {
		var e *rooms.Error
		if try.err != nil {
			e = rooms.Refusal(t.Context(), nil, "", "", try.err)
		}
		if e == nil || e.Code != try.code || (try.field != "" && e.Field != try.field) || !strings.Contains(e.Message, try.says) {
			t.Errorf("%s: got %+v, want %s %s %q", name, e, try.code, try.field, try.says)
		}
	}
	if now := roomstest.Must(c.wang, record.ReadDiagnosis, record.DiagnosisRef{DiagnosisID: draft.ID}); now.Status != record.Draft || now.Text != cold.Text {
		t.Errorf("the draft is not what it was: %+v", now)
	}
	if list := roomstest.Must(c.wang, record.Diagnoses, record.InConsultation{ConsultationID: c.id}); len(list.Items) != 2 {
		t.Errorf("%d diagnoses, want 2", len(list.Items))
	}
}

func second[T any](_ T, err error) error { return err }

func TestADraftIsResentRevisedAndDiscarded(t *testing.T) {
	t.Parallel()
	c := open(t)
	in := record.DiagnosisDraft{ConsultationID: c.id, ID: "mine", DiagnosisInput: cold}
	first := roomstest.Must(c.wang, record.DraftDiagnosis, in)
	if again := roomstest.Must(c.wang, record.DraftDiagnosis, in); !cmp.Equal(first, again) {
		t.Error(cmp.Diff(first, again))
	}
	changed := cold
	changed.Advice = "sleep"
	if now := roomstest.Must(c.wang, record.ReviseDiagnosis, record.DiagnosisRevision{DiagnosisID: "mine", DiagnosisInput: changed}); now.Advice != "sleep" {
		t.Errorf("revised: %+v", now)
	}
	roomstest.Must(c.wang, record.DiscardDiagnosis, record.DiagnosisRef{DiagnosisID: "mine"})
	if got := roomstest.Code(c.wang, record.ReadDiagnosis, record.DiagnosisRef{DiagnosisID: "mine"}); got != rooms.CodeNotFound {
		t.Errorf("after it was thrown away: %v", got)
	}
}

// Under the policy china advice allows neither; under none it does.
func TestThePolicyDecidesWhatAServiceAllows(t *testing.T) {
	t.Parallel()
	c := open(t)
	advice := c.bo.Consults(c.wang, "a rash")
	c.wang.Accepts(advice)
	diagnosis := record.DiagnosisDraft{ConsultationID: advice, DiagnosisInput: cold}
	prescription := record.PrescriptionDraft{ConsultationID: advice, PrescriptionInput: pills(amoxicillin)}
	for _, code := range []rooms.Code{roomstest.Code(c.wang, record.DraftDiagnosis, diagnosis), roomstest.Code(c.wang, record.DraftPrescription, prescription)} {
		if code != rooms.CodeForbidden {
			t.Errorf("under china: %q", code)
		}
	}
	if d := roomstest.Must(c.wang, record.Duty, rooms.Nothing{}); d.Policy != record.PolicyChina || d.Pharmacist {
		t.Errorf("duties: %+v", d)
	}
	c.Policy = record.PolicyNone
	c.Restarts(0)
	draft := roomstest.Must(c.wang, record.DraftDiagnosis, diagnosis)
	roomstest.Must(c.wang, record.SignDiagnosis, record.DiagnosisRef{DiagnosisID: draft.ID})
	drugs := roomstest.Must(c.wang, record.DraftPrescription, prescription)
	c.Policy = record.PolicyChina // a draft from before may not be signed any more
	c.Restarts(0)
	if got := roomstest.Code(c.wang, record.SignPrescription, record.SignPrescriptionInput{PrescriptionID: drugs.ID}); got != rooms.CodeForbidden {
		t.Errorf("signing under china: %q", got)
	}
}

func TestAPharmacistDecides(t *testing.T) {
	t.Parallel()
	c := open(t)
	li, pei := c.Doctor("li"), c.pharmacist()
	signed := c.prescribes(pills(amoxicillin))
	ref := record.PrescriptionRef{PrescriptionID: signed.ID}
	for who, want := range map[*roomstest.Person]rooms.Code{c.wang: rooms.CodeNotFound, li: rooms.CodeNotFound, c.bo: rooms.CodeForbidden} {
		if got := roomstest.Code(who, record.ApprovePrescription, ref); got != want {
			t.Errorf("%s approves: %q, want %q", who.User.Name, got, want)
		}
	}
	if got := roomstest.Code(li, record.PrescriptionQueue, record.QueueFilter{}); got != rooms.CodeForbidden {
		t.Errorf("li sees the queue: %q", got)
	}
	if page := roomstest.Must(pei, record.PrescriptionQueue, record.QueueFilter{}); len(page.Items) != 1 || page.Items[0].ID != signed.ID {
		t.Errorf("the queue: %+v", page)
	}
	approved := roomstest.Must(pei, record.ApprovePrescription, ref)
	if approved.Status != record.Approved || len(approved.Decisions) != 1 || approved.Decisions[0].ByName != "pei" {
		t.Errorf("approved: %+v", approved)
	}
	if v := c.verified(signed.Head, record.KindPrescription); !v.Intact || !v.Current {
		t.Errorf("verified: %+v", v)
	}
	if page := roomstest.Must(pei, record.PrescriptionQueue, record.QueueFilter{}); len(page.Items) != 0 {
		t.Errorf("the queue afterwards: %+v", page)
	}
	if got := roomstest.Code(pei, record.RejectPrescription, record.PrescriptionReason{PrescriptionID: signed.ID, Reason: "second thoughts"}); got != rooms.CodeConflict {
		t.Errorf("deciding twice: %q", got)
	}
	void := roomstest.Must(c.wang, record.VoidPrescription, record.PrescriptionReason{PrescriptionID: signed.ID, Reason: "a rash"})
	if void.Status != record.Void || len(void.Decisions) != 2 || void.Decisions[1].Reason != "a rash" {
		t.Errorf("void: %+v", void)
	}
	if v := c.verified(signed.Head, record.KindPrescription); !v.Intact || v.Current || v.Status != record.Void {
		t.Errorf("verified: %+v", v)
	}
	if diff := cmp.Diff([]string{"prescription:updated", "message:created", "prescription:updated", "prescription:updated"}, c.names()); diff != "" {
		t.Error(diff)
	}
	// A rejected one is written anew, as its next version.
	other := c.prescribes(pills(amoxicillin))
	roomstest.Must(pei, record.RejectPrescription, record.PrescriptionReason{PrescriptionID: other.ID, Reason: "too long"})
	shorter := amoxicillin
	shorter.Days = 3
	draft := roomstest.Must(c.wang, record.AmendPrescription, record.AmendPrescriptionInput{PrescriptionID: other.ID, PrescriptionInput: pills(shorter)})
	if again := roomstest.Must(c.wang, record.SignPrescription, record.SignPrescriptionInput{PrescriptionID: draft.ID}); again.Status != record.Signed || again.Version != 2 {
		t.Errorf("the next version: %+v", again)
	}
	// Nobody approves what they prescribed; no pharmacist, no approval.
	c.asks(record.AppointPharmacist.Name, account.UserInput{UserID: c.wang.User.ID})
	if got := roomstest.Code(c.wang, record.ApprovePrescription, record.PrescriptionRef{PrescriptionID: draft.ID}); got != rooms.CodeForbidden {
		t.Errorf("wang approves what wang prescribed: %q", got)
	}
	c.asks(record.DismissPharmacist.Name, account.UserInput{UserID: pei.User.ID})
	if got := roomstest.Code(pei, record.ApprovePrescription, record.PrescriptionRef{PrescriptionID: draft.ID}); got != rooms.CodeNotFound {
		t.Errorf("a former pharmacist approves: %q", got)
	}
	if _, err := roomstest.Ask(c.World, c.admin, record.AppointPharmacist, account.UserInput{UserID: c.bo.User.ID}); rooms.CodeOf(err) != rooms.CodeInvalid {
		t.Errorf("a patient as pharmacist: %v", err)
	}
	c.chainIsSound()
}

// A doctor who is a pharmacist reads prescriptions only while verified.
func TestAPharmacistIsStillVerified(t *testing.T) {
	t.Parallel()
	for what, loses := range map[string]func(c *clinic, pei *roomstest.Person){
		"the verification is withdrawn": func(c *clinic, pei *roomstest.Person) {
			c.asks(account.UnverifyDoctor.Name, account.UnverifyDoctorInput{UserID: pei.User.ID, Reason: "fraud"})
		},
		"the name is another": func(_ *clinic, pei *roomstest.Person) {
			name := "somebody else"
			roomstest.Must(pei, account.UpdateMe, account.MeInput{Name: &name})
		},
	} {
		c := open(t)
		pei := c.pharmacist()
		ref := record.PrescriptionRef{PrescriptionID: c.prescribes(pills(amoxicillin)).ID}
		reads := func(want rooms.Code, pharmacist bool) {
			t.Helper()
			queue, one := roomstest.Code(pei, record.PrescriptionQueue, record.QueueFilter{}), roomstest.Code(pei, record.ReadPrescription, ref)
			if want == "" && one != "" || want != "" && one != rooms.CodeNotFound || queue != want {
				t.Errorf("%s: pei reads the queue: %q, and a prescription: %q", what, queue, one)
			}
			if got := roomstest.Must(pei, record.Duty, rooms.Nothing{}).Pharmacist; got != pharmacist {
				t.Errorf("%s: pei is a pharmacist: %v", what, got)
			}
		}
		reads("", true)
		loses(c, pei)
		reads(rooms.CodeForbidden, false)
		if code := roomstest.Code(pei, record.ApprovePrescription, ref); code != rooms.CodeNotFound {
			t.Errorf("%s: pei approves: %q", what, code)
		}
		c.Verifies(pei)
		reads("", true)
	}
}

func TestAPrescriptionWarnsOfAllergies(t *testing.T) {
	t.Parallel()
	c := open(t)
	patient := c.bo.Sees(c.id).PatientID
	known := roomstest.Must(c.bo, record.UpdateRecord, record.BackgroundInput{PatientID: patient,
		Allergies: []record.Allergy{{Substance: "Penicillin", Severity: "severe", Reaction: "hives"}}})
	if known.Version != 1 || known.UpdatedBy != "bo" {
		t.Errorf("the record: %+v", known)
	}
	born(c, patient)
	ibuprofen := amoxicillin
	ibuprofen.Drug = "布洛芬"
	draft := roomstest.Must(c.wang, record.DraftPrescription, record.PrescriptionDraft{ConsultationID: c.id, PrescriptionInput: pills(ibuprofen, amoxicillin)})
	if len(draft.Warnings) != 1 || draft.Warnings[0].Code != drug.Allergy || draft.Warnings[0].Severity != drug.Warn || !slices.Equal(draft.Warnings[0].Items, []int{1}) {
		t.Fatalf("warnings: %+v", draft.Warnings)
	}
	sign := record.SignPrescriptionInput{PrescriptionID: draft.ID}
	_, err := roomstest.Ask(c.World, c.wang.As, record.SignPrescription, sign)
	var refused *rooms.Error
	if !errors.As(err, &refused) || refused.Code != rooms.CodeConflict || refused.Field != "acknowledged" || !strings.Contains(string(refused.Warnings), "allergic to Penicillin") {
		t.Errorf("signing what the patient is allergic to: %v", err)
	}
	sign.DespiteAllergies = true
	signed := roomstest.Must(c.wang, record.SignPrescription, sign)
	if diff := cmp.Diff([]record.Acknowledged{{Warning: draft.Warnings[0]}}, signed.Acknowledged); diff != "" { // signed with it: who knew is on record
		t.Error(diff)
	}
	if clean := roomstest.Must(c.wang, record.DraftPrescription, record.PrescriptionDraft{ConsultationID: c.id, PrescriptionInput: pills(ibuprofen)}); len(clean.Warnings) != 0 {
		t.Errorf("a warning of nothing: %+v", clean.Warnings)
	}
}

// A list that an update does not have stays; an empty one empties it.
func TestAnUpdateOfTheRecordKeepsWhatIsMissing(t *testing.T) {
	t.Parallel()
	c := open(t)
	patient := c.bo.Sees(c.id).PatientID
	writes := func(rest string) record.PatientRecord {
		t.Helper()
		out, err := c.Catalogue.Answer(t.Context(), c.bo.As, record.UpdateRecord.Name, json.RawMessage(`{"patientId":"`+string(patient)+`"`+rest+`}`))
		if err != nil {
			t.Fatal(err)
		}
		var v record.PatientRecord
		if err := json.Unmarshal(out, &v); err != nil {
			t.Fatal(err)
		}
		return v
	}
	first := writes(`,"allergies":[{"substance":"peanuts"}],"conditions":[{"text":"asthma","active":true}],"medications":[{"drug":"salbutamol"}]`)
	for _, rest := range []string{``, `,"allergies":null`, `,"medications":[{"drug":"salbutamol"}]`} {
		if v := writes(rest); !cmp.Equal(v.Background, first.Background) {
			t.Errorf("after {…%s}: %+v", rest, v.Background)
		}
	}
	if v := writes(`,"allergies":[]`); len(v.Allergies) != 0 || len(v.Conditions) != 1 || len(v.Medications) != 1 {
		t.Errorf("after the allergies were emptied: %+v", v.Background)
	}
}

func TestThePatientsRecord(t *testing.T) {
	t.Parallel()
	c := open(t)
	patient := record.PatientRef{PatientID: c.bo.Sees(c.id).PatientID}
	li := c.Doctor("li")
	c.signs(cold)
	c.prescribes(pills(amoxicillin))
	first := record.BackgroundInput{PatientID: patient.PatientID, Allergies: []record.Allergy{{Substance: "peanuts"}},
		Conditions:  []record.Condition{{Code: "I10", Text: "high blood pressure", Since: "2020", Active: true}},
		Medications: []record.Medication{{Drug: "amlodipine", Usage: "5 mg in the morning", Since: "2021-03"}}}
	roomstest.Must(c.bo, record.UpdateRecord, first)
	version := int64(1)
	added := first
	added.Version, added.Allergies = &version, append(added.Allergies, record.Allergy{Substance: "latex"})
	v := roomstest.Must(c.wang, record.UpdateRecord, added)
	if v.Version != 2 || v.UpdatedBy != "wang" || len(v.Allergies) != 2 || len(v.History) != 1 {
		t.Errorf("the record: %+v", v)
	}
	if got := roomstest.Code(c.bo, record.UpdateRecord, added); got != rooms.CodeConflict {
		t.Errorf("writing over what was not read: %q", got)
	}
	if e := v.History[0]; len(e.Diagnoses) != 1 || len(e.Prescriptions) != 1 || e.DoctorName != "wang" || e.Complaint != "again" {
		t.Errorf("the history: %+v", e)
	}
	if got := roomstest.Code(li, record.ReadRecord, patient); got != rooms.CodeNotFound {
		t.Errorf("a doctor who does not treat bo: %q", got)
	}
	if list := roomstest.Must(c.wang, record.TreatedPatients, rooms.Nothing{}); len(list.Items) != 1 || list.Items[0].ID != patient.PatientID {
		t.Errorf("treated: %+v", list)
	}
	if got := c.audited("patient:" + string(patient.PatientID)); !cmp.Equal(got, []string{"record:update", "record:update"}) {
		t.Errorf("audited: %v", got)
	}
	roomstest.Must(c.wang, record.ReadRecord, patient)
	if got := c.audited("patient:" + string(patient.PatientID)); got[0] != "record:read" {
		t.Errorf("audited: %v", got)
	}
	// A dependent's record is another record.
	child := roomstest.Must(c.bo, account.AddPatient, account.PatientInput{Name: "bao", Relation: "child"})
	if v := roomstest.Must(c.bo, record.ReadRecord, record.PatientRef{PatientID: child.ID}); v.Version != 0 || len(v.History) != 0 || v.Allergies == nil {
		t.Errorf("the child's record: %+v", v)
	}
	if got := roomstest.Code(c.wang, record.ReadRecord, record.PatientRef{PatientID: child.ID}); got != rooms.CodeNotFound {
		t.Errorf("wang reads the child's: %q", got)
	}
	// When the treatment is over the doctor sees it no more.
	roomstest.Must(c.wang, consultation.End, consultation.EndInput{ConsultationID: c.id, Summary: "well"})
	roomstest.Must(c.wang, record.ReadRecord, patient)
	c.Passes(73 * time.Hour)
	if got := roomstest.Code(c.wang, record.ReadRecord, patient); got != rooms.CodeNotFound {
		t.Errorf("after it was closed: %q", got)
	}
	c.chainIsSound()
}

// A followup that the doctor ends needs a summary, which is a document like the
// others; ended again after questions it gets another one, or keeps the first.
func TestAFollowupEndsWithASignedSummary(t *testing.T) {
	t.Parallel()
	c := open(t)
	if got := roomstest.Code(c.wang, consultation.End, consultation.EndInput{ConsultationID: c.id}); got != rooms.CodeInvalid {
		t.Errorf("without a summary: %q", got)
	}
	summaries := func() []record.ClosingSummary {
		return roomstest.Must(c.bo, record.ReadRecord, record.PatientRef{PatientID: c.bo.Sees(c.id).PatientID}).History[0].Summaries
	}
	roomstest.Must(c.wang, consultation.End, consultation.EndInput{ConsultationID: c.id, Summary: "go on as before"})
	first := summaries()
	if len(first) != 1 || first[0].Text != "go on as before" || first[0].Status != record.Signed {
		t.Fatalf("summaries: %+v", first)
	}
	if v := c.verified(first[0].Head, record.KindSummary); !v.Intact || !v.Current {
		t.Errorf("verified: %+v", v)
	}
	c.Passes(time.Hour)
	roomstest.Must(c.bo, consultation.Reopen, consultation.Input{ConsultationID: c.id})
	roomstest.Must(c.wang, consultation.End, consultation.EndInput{ConsultationID: c.id, Summary: "stop it"})
	if now := summaries(); len(now) != 2 || now[0].Status != record.Amended || now[1].Text != "stop it" || now[1].Version != 2 {
		t.Errorf("after it was ended again: %+v", now)
	}
	c.chainIsSound()
}

// A followup whose time runs out after it was reopened keeps its one summary.
func TestASummaryIsKeptOnce(t *testing.T) {
	t.Parallel()
	c := open(t)
	roomstest.Must(c.wang, consultation.End, consultation.EndInput{ConsultationID: c.id, Summary: "well"})
	c.Passes(time.Hour)
	roomstest.Must(c.bo, consultation.Reopen, consultation.Input{ConsultationID: c.id})
	c.Passes(72 * time.Hour)
	if got := c.bo.Sees(c.id).Status; got != consultation.Ended {
		t.Fatalf("it is %s", got)
	}
	v := roomstest.Must(c.bo, record.ReadRecord, record.PatientRef{PatientID: c.bo.Sees(c.id).PatientID})
	if len(v.History[0].Summaries) != 1 {
		t.Errorf("summaries: %+v", v.History[0].Summaries)
	}
}

func TestAnAdminUsesBreakGlassAccess(t *testing.T) {
	t.Parallel()
	c := open(t)
	c.bo.Says(c.id, "a secret")
	patient := c.bo.Sees(c.id).PatientID
	admin := &roomstest.Person{W: c.World, As: c.admin}
	for name, got := range map[string]rooms.Code{
		"reading it plainly":  roomstest.Code(admin, consultation.Read, consultation.Input{ConsultationID: c.id}),
		"the record plainly":  roomstest.Code(admin, record.ReadRecord, record.PatientRef{PatientID: patient}),
		"without a reason":    roomstest.Code(admin, record.EnterConsultation, record.EnterInput{ConsultationID: c.id}),
		"one that isn't":      roomstest.Code(admin, record.EnterConsultation, record.EnterInput{ConsultationID: "none", Reason: "x"}),
		"the doctor":          roomstest.Code(c.wang, record.EnterConsultation, record.EnterInput{ConsultationID: c.id, Reason: "x"}),
		"no record's patient": roomstest.Code(admin, record.EnterRecord, record.EnterRecordInput{PatientID: "none", Reason: "x"}),
	} {
		want := map[string]rooms.Code{"without a reason": rooms.CodeInvalid, "the doctor": rooms.CodeForbidden}[name]
		if want == "" {
			want = rooms.CodeNotFound
		}
		if got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	g := roomstest.Must(admin, record.EnterConsultation, record.EnterInput{ConsultationID: c.id, Reason: "a complaint"})
	if g.Consultation.ID != c.id || len(g.Participants) != 2 || len(g.Events) == 0 || g.HasMore {
		t.Errorf("the look: %+v", g)
	}
	v := roomstest.Must(admin, record.EnterRecord, record.EnterRecordInput{PatientID: patient, Reason: "a court order"})
	if v.Patient.ID != patient || len(v.History) != 1 {
		t.Errorf("the record: %+v", v)
	}
	var told []string
	for _, m := range roomstest.Must(c.bo, chat.History, chat.HistoryInput{ConsultationID: c.id}).Items {
		if m.Kind == chat.System && m.SenderID == c.admin.UserID {
			told = append(told, m.Text)
		}
	}
	if diff := cmp.Diff([]string{"a complaint", "a court order"}, told); diff != "" {
		t.Errorf("announced in the room: %s", diff)
	}
	var audited []string
	for _, e := range c.log(audit.LogFilter{ActorID: c.admin.UserID}).Items {
		audited = append(audited, e.Action+" "+e.Reason)
	}
	want := []string{"audit:break-glass a complaint", "record:break-glass a court order", "consultation:break-glass a complaint"}
	if diff := cmp.Diff(want, audited); diff != "" { // the first is this reading of the log
		t.Errorf("audited: %s", diff)
	}
	c.chainIsSound()
}

func TestTemplates(t *testing.T) {
	t.Parallel()
	c := open(t)
	in := record.TemplateList{Items: []record.Template{{Name: "感冒", Diagnosis: &cold}, {Name: "amoxicillin", Prescription: new(pills(amoxicillin))}}}
	saved := roomstest.Must(c.wang, record.SaveTemplates, in)
	if saved.Items[0].ID == "" || saved.Items[0].ID == saved.Items[1].ID {
		t.Errorf("ids: %+v", saved)
	}
	if diff := cmp.Diff(saved, roomstest.Must(c.wang, record.Templates, rooms.Nothing{})); diff != "" {
		t.Error(diff)
	}
}
