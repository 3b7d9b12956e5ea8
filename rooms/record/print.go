package record

import (
	"context"
	"encoding/json"
	"fmt"

	"wenzhen/rooms"
)

// Printout is everything that stands on a printed document: what was signed,
// and the document's status at the time of printing. One of Diagnosis,
// Prescription and Summary is set.
type Printout struct {
	Kind         DocumentKind    `json:"kind"`
	SignedAs     SignedAs        `json:"signedAs"`
	TimeZone     string          `json:"timeZone"` // IANA name, of the reader
	Diagnosis    *Diagnosis      `json:"diagnosis,omitempty"`
	Prescription *Prescription   `json:"prescription,omitempty"`
	Summary      *ClosingSummary `json:"summary,omitempty"`
}

// Head is that of the document.
func (p Printout) Head() Head {
	switch {
	case p.Diagnosis != nil:
		return p.Diagnosis.Head
	case p.Prescription != nil:
		return p.Prescription.Head
	case p.Summary != nil:
		return p.Summary.Head
	}
	return Head{}
}

func (s *Service) printDiagnosis(ctx context.Context, actor rooms.Actor, in DiagnosisRef) (p Printout, err error) {
	err = s.reads(ctx, actor, KindDiagnosis, in.DiagnosisID, PrintDiagnosis.Name, func(tx Tx, d Document) error {
		p, err = printout(tx, actor, d)
		return err
	})
	return p, err
}

func (s *Service) printPrescription(ctx context.Context, actor rooms.Actor, in PrescriptionRef) (p Printout, err error) {
	err = s.reads(ctx, actor, KindPrescription, in.PrescriptionID, PrintPrescription.Name, func(tx Tx, d Document) error {
		p, err = printout(tx, actor, d)
		return err
	})
	return p, err
}

// printSummary prints the latest summary of a consultation.
func (s *Service) printSummary(ctx context.Context, actor rooms.Actor, in InConsultation) (p Printout, err error) {
	begin := func() { p = Printout{} }
	err = s.inConsultation(ctx, actor, in.ConsultationID, KindSummary, PrintSummary.Name, begin, func(tx Tx, d Document) error {
		p, err = printout(tx, actor, d)
		return err
	})
	if err == nil && p.Summary == nil {
		err = rooms.NotFound("summary")
	}
	return p, err
}

// printout reads nothing but the document, and the reader's time zone: it can be
// printed whatever becomes of its patient and its doctor.
func printout(tx Tx, actor rooms.Actor, d Document) (Printout, error) {
	p := Printout{Kind: d.Kind}
	if d.Signature == nil {
		return p, rooms.Conflict(string(Draft), "a draft cannot be printed; sign it first")
	}
	p.SignedAs = SignedAs{Patient: SignedPatient{Name: d.PatientName}, Doctor: SignedDoctor{Name: d.DoctorName}}
	if d.SignedAs != "" {
		if err := json.Unmarshal([]byte(d.SignedAs), &p.SignedAs); err != nil {
			return p, fmt.Errorf("%s: who it was signed as: %w", d.subject(), err)
		}
	}
	reader, err := tx.User(actor.UserID)
	if err != nil {
		return p, err
	}
	p.TimeZone = reader.TimeZone
	switch d.Kind {
	case KindDiagnosis:
		v, err := diagnosisOf(d)
		p.Diagnosis = &v
		return p, err
	case KindPrescription:
		v, err := prescriptionOf(d)
		p.Prescription = &v
		return p, err
	}
	v, err := summaryOf(d)
	p.Summary = &v
	return p, err
}
