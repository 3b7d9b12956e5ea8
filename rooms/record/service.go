package record

import (
	"context"
	"crypto/ed25519"
	"strings"
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
	"wenzhen.example/rooms/audit"
	"wenzhen.example/rooms/consultation"
	"wenzhen.example/rooms/record/drug"
	"wenzhen.example/rooms/record/icd10"
)

// Policy couples services with what doctors may do in them.
type Policy string

// The policies. Under PolicyChina advice (健康咨询) allows neither diagnosis nor
// prescription; under PolicyNone both services allow both.
const (
	PolicyChina Policy = "china"
	PolicyNone  Policy = "none"
)

// Options are what the service needs, and the rules of records.
type Options struct {
	Store Store
	Notes consultation.Notes
	Now   func() time.Time

	Policy Policy
	// SealKey is the secret, not in the database, that seals signatures.
	SealKey []byte
	// PublicKeys are all keys, of before and of now, that seals are verified with.
	PublicKeys []ed25519.PublicKey
}

// Service executes the commands of records.
type Service struct {
	cfg   Options
	store Store
	notes consultation.Notes
	seals sealer
	now   func() time.Time

	codes loaded[icd10.Index]
	drugs loaded[drug.Table]
}

// New makes the service. As a follower of consultations it keeps the summary that
// a doctor ends one with.
func New(o Options) *Service {
	return &Service{cfg: o, store: o.Store, notes: o.Notes, seals: newSealer(o.SealKey), now: o.Now}
}

// Commands returns the commands that the service executes.
func (s *Service) Commands() []rooms.Handler {
	return []rooms.Handler{
		SearchCodes.Bind(s.searchCodes), SearchDrugs.Bind(s.searchDrugs), CheckPrescription.Bind(s.checkPrescription),
		DraftDiagnosis.Bind(s.draftDiagnosis), ReviseDiagnosis.Bind(s.reviseDiagnosis), DiscardDiagnosis.Bind(s.discardDiagnosis),
		SignDiagnosis.Bind(s.signDiagnosis), AmendDiagnosis.Bind(s.amendDiagnosis),
		ReadDiagnosis.Bind(s.readDiagnosis), Diagnoses.Bind(s.diagnoses), PrintDiagnosis.Bind(s.printDiagnosis),
		DraftPrescription.Bind(s.draftPrescription), RevisePrescription.Bind(s.revisePrescription), DiscardPrescription.Bind(s.discardPrescription),
		SignPrescription.Bind(s.signPrescription), AmendPrescription.Bind(s.amendPrescription),
		ApprovePrescription.Bind(s.approve), RejectPrescription.Bind(s.reject), VoidPrescription.Bind(s.void),
		ReadPrescription.Bind(s.readPrescription), Prescriptions.Bind(s.prescriptions), PrescriptionQueue.Bind(s.queue), PrintPrescription.Bind(s.printPrescription), PrintSummary.Bind(s.printSummary),
		Templates.Bind(s.templates), SaveTemplates.Bind(s.saveTemplates), VerifyDocument.Bind(s.verify),
		ReadRecord.Bind(s.readRecord), UpdateRecord.Bind(s.updateRecord), TreatedPatients.Bind(s.treated),
		Duty.Bind(s.myPermissions), Pharmacists.Bind(s.pharmacists), AppointPharmacist.Bind(s.appoint(true)), DismissPharmacist.Bind(s.appoint(false)),
		EnterConsultation.Bind(s.enterConsultation), EnterRecord.Bind(s.enterRecord),
	}
}

// searchCodes also takes in a table that was loaded since.
func (s *Service) searchCodes(ctx context.Context, _ rooms.Actor, in CodeQuery) (CodeList, error) {
	limit, err := rooms.PageSize(in.Limit, 20, 50)
	if err != nil {
		return CodeList{}, err
	}
	if strings.TrimSpace(in.Q) == "" {
		return CodeList{}, rooms.Invalid("q", "q must have 1 to 100 characters")
	}
	codes, err := s.codeIndex(ctx)
	if err != nil {
		return CodeList{}, err
	}
	found := codes.Search(in.Q, limit+1)
	return CodeList{Items: found[:min(limit, len(found))], HasMore: len(found) > limit}, nil
}

// codeIndex is the index of codes, made anew when the clinic has loaded a table.
func (s *Service) codeIndex(ctx context.Context) (*icd10.Index, error) {
	version, err := s.store.CodesVersion(ctx)
	if err != nil {
		return nil, err
	}
	return s.codes.at(version, func() (*icd10.Index, error) {
		if version == 0 {
			return icd10.NewIndex(icd10.Common()), nil
		}
		table, err := s.store.Codes(ctx)
		if err != nil {
			return nil, err
		}
		return icd10.NewIndex(table), nil
	})
}

func validID(field string, id DocumentID) error {
	if id != "" && !rooms.ValidID(string(id)) {
		return rooms.Invalid(field, "%s must be 1 to 100 visible ASCII characters", field)
	}
	return nil
}

func requireReason(reason string) error {
	if strings.TrimSpace(reason) == "" {
		return rooms.Invalid("reason", "give a reason")
	}
	return longest("reason", reason, 2000)
}

// note appends to the audit log what actor does to a document.
func (s *Service) note(tx Tx, actor rooms.Actor, action string, d Document) error {
	return audit.Append(tx, actor, s.now(), action, d.subject(), func(e *audit.LogEntry) { e.Detail = d.lastHash() })
}

// patientSubject names a patient's record in the audit log.
func patientSubject(id account.PatientID) string { return "patient:" + string(id) }

// say puts a message of a kind of ours into the conversation; its clientId
// names what it is about.
func (s *Service) say(tx Tx, actor rooms.Actor, id consultation.ID, kind, about, text string) error {
	return s.notes.Note(tx, actor, consultation.Note{ConsultationID: id, SenderID: actor.UserID, Kind: kind, ClientID: about, Text: text, At: s.now()})
}
