package record

import (
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
	"wenzhen.example/rooms/consultation"
	"wenzhen.example/rooms/record/icd10"
)

// The commands of diagnoses and prescriptions.
var (
	SearchCodes = rooms.Command[CodeQuery, CodeList]{Name: "icd10:search", For: rooms.Users, Access: rooms.Own,
		Doc: "Find ICD-10 codes by code, Chinese or English name, pinyin or its initials."}

	SearchDrugs = rooms.Command[DrugQuery, DrugList]{Name: "drug:search", For: rooms.Users, Access: rooms.Own,
		Doc: "Find drugs by generic name or brand, in Chinese or English, pinyin or its initials."}
	CheckPrescription = rooms.Command[PrescriptionCheck, PrescriptionWarnings]{Name: "prescription:check", For: rooms.Doctors,
		Access: rooms.Participants,
		Doc: "Check a prescription that the caller is writing for allergies, duplicates, interactions, doses, age, pregnancy and " +
			"controlled drugs. Nothing is stored; the read is audited."}

	DraftDiagnosis = rooms.Command[DiagnosisDraft, Diagnosis]{Name: "diagnosis:draft", For: rooms.Doctors, Access: rooms.Participants,
		Doc: "Create a draft that only its author sees. Sending the same id and content again returns the first result."}
	ReviseDiagnosis = rooms.Command[DiagnosisRevision, Diagnosis]{Name: "diagnosis:revise", For: rooms.Doctors,
		Access: rooms.Participants,
		Doc:    "Change the caller's draft."}
	DiscardDiagnosis = rooms.Command[DiagnosisRef, rooms.Nothing]{Name: "diagnosis:discard", For: rooms.Doctors,
		Access: rooms.Participants,
		Doc:    "Delete the caller's draft."}
	SignDiagnosis = rooms.Command[DiagnosisRef, Diagnosis]{Name: "diagnosis:sign", For: rooms.Doctors, Access: rooms.Participants,
		Doc: "Sign the caller's draft: it can no longer change, and is sent to the patient."}
	AmendDiagnosis = rooms.Command[AmendDiagnosisInput, Diagnosis]{Name: "diagnosis:amend", For: rooms.Doctors,
		Access: rooms.Participants,
		Doc:    "Draft the next version of a diagnosis that the caller has signed."}
	ReadDiagnosis = rooms.Command[DiagnosisRef, Diagnosis]{Name: "diagnosis:read", For: rooms.Users, Access: rooms.Participants,
		Doc: "Read a diagnosis; the read is audited."}
	Diagnoses = rooms.Command[InConsultation, DiagnosisList]{Name: "diagnosis:list", For: rooms.Users, Access: rooms.Participants,
		Doc: "List the diagnoses of a consultation, oldest first; drafts only for their author."}
	PrintDiagnosis = rooms.Command[DiagnosisRef, Printout]{Name: "diagnosis:print", For: rooms.Users, Access: rooms.Participants,
		Doc: "Print a signed diagnosis (PDF); the read is audited."}

	DraftPrescription = rooms.Command[PrescriptionDraft, Prescription]{Name: "prescription:draft", For: rooms.Doctors,
		Access: rooms.Participants,
		Doc:    "Create a draft that only its author sees. The answer contains the warnings of prescription:check."}
	RevisePrescription = rooms.Command[PrescriptionRevision, Prescription]{Name: "prescription:revise", For: rooms.Doctors,
		Access: rooms.Participants,
		Doc:    "Change the caller's draft."}
	DiscardPrescription = rooms.Command[PrescriptionRef, rooms.Nothing]{Name: "prescription:discard", For: rooms.Doctors,
		Access: rooms.Participants,
		Doc:    "Delete the caller's draft."}
	SignPrescription = rooms.Command[SignPrescriptionInput, Prescription]{Name: "prescription:sign", For: rooms.Doctors,
		Access: rooms.Participants,
		Doc: "Sign the caller's draft; a pharmacist reviews it next. Every warning of severity warn must be acknowledged with a " +
			"reason (conflict otherwise); a draft with one of severity stop is invalid. Both errors have a member warnings."}
	AmendPrescription = rooms.Command[AmendPrescriptionInput, Prescription]{Name: "prescription:amend", For: rooms.Doctors,
		Access: rooms.Participants,
		Doc:    "Draft the next version of a prescription that the caller has signed."}
	ApprovePrescription = rooms.Command[PrescriptionRef, Prescription]{Name: "prescription:approve", For: rooms.Doctors | rooms.Admins,
		Access: rooms.All,
		Doc:    "Approve a signed prescription; for a pharmacist who is not the prescriber."}
	RejectPrescription = rooms.Command[PrescriptionReason, Prescription]{Name: "prescription:reject", For: rooms.Doctors | rooms.Admins,
		Access: rooms.All,
		Doc:    "Reject a signed prescription, with a reason; for a pharmacist who is not the prescriber."}
	VoidPrescription = rooms.Command[PrescriptionReason, Prescription]{Name: "prescription:void", For: rooms.Doctors,
		Access: rooms.Participants,
		Doc:    "Void a signed or approved prescription, with a reason; for the prescriber."}
	ReadPrescription = rooms.Command[PrescriptionRef, Prescription]{Name: "prescription:read", For: rooms.Users,
		Access: rooms.Participants,
		Doc:    "Read a prescription; the read is audited."}
	Prescriptions = rooms.Command[InConsultation, PrescriptionList]{Name: "prescription:list", For: rooms.Users,
		Access: rooms.Participants,
		Doc:    "List the prescriptions of a consultation, oldest first; drafts only for their author."}
	PrescriptionQueue = rooms.Command[QueueFilter, PrescriptionList]{Name: "prescription:queue", For: rooms.Doctors | rooms.Admins,
		Access: rooms.All,
		Doc:    "List the signed prescriptions that await a pharmacist, longest wait first; for pharmacists."}
	PrintPrescription = rooms.Command[PrescriptionRef, Printout]{Name: "prescription:print", For: rooms.Users, Access: rooms.Participants,
		Doc: "Print a signed prescription (PDF); the read is audited."}
	PrintSummary = rooms.Command[InConsultation, Printout]{Name: "summary:print", For: rooms.Users, Access: rooms.Participants,
		Doc: "Print the signed closing summary of a consultation (PDF); the read is audited."}

	Templates = rooms.Command[rooms.Nothing, TemplateList]{Name: "template:list", For: rooms.Doctors, Access: rooms.Own,
		Doc: "List the caller's quick templates."}
	SaveTemplates = rooms.Command[TemplateList, TemplateList]{Name: "template:save", For: rooms.Doctors, Access: rooms.Own,
		Doc: "Replace the caller's quick templates, in this order; at most 100."}

	VerifyDocument = rooms.Command[VerifyInput, Verification]{Name: "document:verify", For: rooms.Anyone, Access: rooms.Bearer,
		Doc: "Compare the hash on a printed document with the signed document. The answer contains nothing medical."}
)

// The commands of the patient's record.
var (
	ReadRecord = rooms.Command[PatientRef, PatientRecord]{Name: "record:read", For: rooms.Users, Access: rooms.Participants,
		Doc: "Read a patient's record: its owner, and doctors while they treat the patient; the read is audited."}
	UpdateRecord = rooms.Command[BackgroundInput, PatientRecord]{Name: "record:update", For: rooms.Patients | rooms.Doctors,
		Access: rooms.Participants,
		Doc: "Write the next version of a patient's allergies, conditions and medications. A missing list stays " +
			"unchanged; [] empties it."}
	TreatedPatients = rooms.Command[rooms.Nothing, TreatedList]{Name: "record:patients", For: rooms.Users, Access: rooms.Own,
		Doc: "List the patients whose record the caller may read now."}

	Duty = rooms.Command[rooms.Nothing, MyPermissions]{Name: "duty:read", For: rooms.Users, Access: rooms.Own,
		Doc: "List what the caller may do with records beside the caller's role."}
	Pharmacists = rooms.Command[rooms.Nothing, PharmacistList]{Name: "pharmacist:list", For: rooms.Admins, Access: rooms.All,
		Doc: "List the pharmacists."}
	AppointPharmacist = rooms.Command[account.UserInput, rooms.Nothing]{Name: "pharmacist:appoint", For: rooms.Admins, Access: rooms.All,
		Doc: "Grant a doctor or an admin the duty of pharmacist."}
	DismissPharmacist = rooms.Command[account.UserInput, rooms.Nothing]{Name: "pharmacist:dismiss", For: rooms.Admins, Access: rooms.All,
		Doc: "Withdraw the duty of pharmacist."}

	EnterConsultation = rooms.Command[EnterInput, BreakGlassView]{Name: "consultation:break-glass", For: rooms.Admins, Access: rooms.All,
		Doc: "Break-glass access to a consultation for 15 minutes, with a reason that is shown in the room and in the audit log."}
	EnterRecord = rooms.Command[EnterRecordInput, BreakGlassRecord]{Name: "record:break-glass", For: rooms.Admins, Access: rooms.All,
		Doc: "Break-glass access to a patient's record, with a reason that is shown in the patient's latest " +
			"consultation and in the audit log."}
)

// What happens.
var (
	DiagnosisSigned     = rooms.EventType[Diagnosis]{Name: "diagnosis:signed", Doc: "A doctor signed a diagnosis or an amendment."}
	PrescriptionUpdated = rooms.EventType[Prescription]{Name: "prescription:updated", Doc: "A prescription was signed, or decided about. " +
		"Where someone was invited after it had been signed, the event of a decision has no items; prescription:read has them."}
	RecordEntered = rooms.EventType[RecordEntry]{Name: "record:entered", Doc: "An admin read a patient's record by " +
		"break-glass; data has the reason. Sent to the user who cares for the patient."}
	RecordUpdated = rooms.EventType[RecordChange]{Name: "record:updated", Doc: "A patient's record has a new version. Sent " +
		"to the user who cares for the patient."}
)

// CodeQuery looks for codes. Limit is 1 to 50, 20 by default.
type CodeQuery struct {
	Q     string `json:"q"` // 1 to 100 characters
	Limit int    `json:"limit,omitempty"`
}

// Validate implements rooms.Validator.
func (in CodeQuery) Validate() error { return longest("q", in.Q, 100) }

// CodeList is codes, the best first.
type CodeList struct {
	Items   []icd10.Coding `json:"items"`
	HasMore bool           `json:"hasMore"`
}

// InConsultation names a consultation.
type InConsultation struct {
	ConsultationID consultation.ID `json:"consultationId"`
}

// DiagnosisDraft is a draft in a consultation. The id is the client's own, for
// resending; it is made when it is left out.
type DiagnosisDraft struct {
	ConsultationID consultation.ID `json:"consultationId"`
	ID             DocumentID      `json:"id,omitempty"`
	DiagnosisInput
}

// Validate implements rooms.Validator.
func (in DiagnosisDraft) Validate() error {
	return firstError(validID("id", in.ID), in.DiagnosisInput.validate())
}

// DiagnosisRevision is a draft as it shall be.
type DiagnosisRevision struct {
	DiagnosisID DocumentID `json:"diagnosisId"`
	DiagnosisInput
}

// Validate implements rooms.Validator.
func (in DiagnosisRevision) Validate() error { return in.DiagnosisInput.validate() }

// DiagnosisRef names a diagnosis.
type DiagnosisRef struct {
	DiagnosisID DocumentID `json:"diagnosisId"`
}

// AmendDiagnosisInput is the next version. The id is that of its draft, the
// client's own.
type AmendDiagnosisInput struct {
	DiagnosisID DocumentID `json:"diagnosisId"`
	ID          DocumentID `json:"id,omitempty"`
	DiagnosisInput
}

// Validate implements rooms.Validator.
func (in AmendDiagnosisInput) Validate() error {
	return firstError(validID("id", in.ID), in.DiagnosisInput.validate())
}

// DiagnosisList is the diagnoses of a consultation.
type DiagnosisList struct {
	Items      []Diagnosis `json:"items"`
	NextCursor string      `json:"nextCursor"`
}

// PrescriptionDraft is a draft in a consultation, with the client's own id.
type PrescriptionDraft struct {
	ConsultationID consultation.ID `json:"consultationId"`
	ID             DocumentID      `json:"id,omitempty"`
	PrescriptionInput
}

// Validate implements rooms.Validator.
func (in PrescriptionDraft) Validate() error {
	return firstError(validID("id", in.ID), in.PrescriptionInput.validate())
}

// PrescriptionRevision is a draft as it shall be.
type PrescriptionRevision struct {
	PrescriptionID DocumentID `json:"prescriptionId"`
	PrescriptionInput
}

// Validate implements rooms.Validator.
func (in PrescriptionRevision) Validate() error { return in.PrescriptionInput.validate() }

// PrescriptionRef names a prescription.
type PrescriptionRef struct {
	PrescriptionID DocumentID `json:"prescriptionId"`
}

// PrescriptionReason names a prescription and says why.
type PrescriptionReason struct {
	PrescriptionID DocumentID `json:"prescriptionId"`
	Reason         string     `json:"reason"` // 1 to 2,000 characters
}

// Validate implements rooms.Validator.
func (in PrescriptionReason) Validate() error { return requireReason(in.Reason) }

// SignPrescriptionInput names a draft, and says why it is signed with its
// warnings. DespiteAllergies acknowledges those of allergies without a reason; it
// is deprecated.
type SignPrescriptionInput struct {
	PrescriptionID   DocumentID        `json:"prescriptionId"`
	Acknowledged     []Acknowledgement `json:"acknowledged,omitempty"`
	DespiteAllergies bool              `json:"despiteAllergies,omitempty"`
}

// AmendPrescriptionInput is the next version, with the client's own id of its draft.
type AmendPrescriptionInput struct {
	PrescriptionID DocumentID `json:"prescriptionId"`
	ID             DocumentID `json:"id,omitempty"`
	PrescriptionInput
}

// Validate implements rooms.Validator.
func (in AmendPrescriptionInput) Validate() error {
	return firstError(validID("id", in.ID), in.PrescriptionInput.validate())
}

// PrescriptionList is a page of prescriptions; NextCursor is empty on the last.
type PrescriptionList struct {
	Items      []Prescription `json:"items"`
	NextCursor string         `json:"nextCursor"`
}

// QueueFilter pages through the queue. Limit is 1 to 100, 20 by default.
type QueueFilter struct {
	Cursor string `json:"cursor,omitempty"`
	Limit  int    `json:"limit,omitempty"`
}

// PatientRef names a patient profile.
type PatientRef struct {
	PatientID account.PatientID `json:"patientId"`
}

// TreatedList is patient profiles.
type TreatedList struct {
	Items      []account.Patient `json:"items"`
	NextCursor string            `json:"nextCursor"`
}

// MyPermissions is what the caller may do beside the caller's role, and the clinic's rules.
type MyPermissions struct {
	Pharmacist bool `json:"pharmacist"`
	// Policy is "china" (advice allows no diagnosis) or "none".
	Policy Policy `json:"policy"`
}

// PharmacistList is who decides about prescriptions.
type PharmacistList struct {
	Items      []account.User `json:"items"`
	NextCursor string         `json:"nextCursor"`
}

// EnterInput names a consultation that an admin views, and the reason. After pages through the log.
type EnterInput struct {
	ConsultationID consultation.ID `json:"consultationId"`
	Reason         string          `json:"reason"` // 1 to 2,000 characters
	After          rooms.Seq       `json:"after,omitempty"`
}

// Validate implements rooms.Validator.
func (in EnterInput) Validate() error {
	if in.After < 0 {
		return rooms.Invalid("after", "after must not be negative")
	}
	return requireReason(in.Reason)
}

// BreakGlassView is what break-glass access shows of a consultation.
type BreakGlassView struct {
	Consultation consultation.Consultation  `json:"consultation"`
	Participants []consultation.Participant `json:"participants"`
	Events       []rooms.Event              `json:"events"`
	HasMore      bool                       `json:"hasMore"`
	// Until is the end of the access: a read after it is announced in the room again.
	Until time.Time `json:"until"`
}

// BreakGlassRecord is what break-glass access shows of a patient's record, and
// until when it may be on a screen.
type BreakGlassRecord struct {
	PatientRecord
	Until time.Time `json:"until"`
}

// EnterRecordInput names a patient whose record an admin views, and the reason.
type EnterRecordInput struct {
	PatientID account.PatientID `json:"patientId"`
	Reason    string            `json:"reason"` // 1 to 2,000 characters
}

// Validate implements rooms.Validator.
func (in EnterRecordInput) Validate() error { return requireReason(in.Reason) }
