package record

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"wenzhen.example/rooms"
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
	// LogBrokenAt is as in Verification.
	LogBrokenAt *time.Time `json:"logBrokenAt,omitempty"`
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

func (s *Service) printDiagnosis(ctx context.Context, actor rooms.Actor, in DiagnosisRef) (Printout, error) {
	return s.print(ctx, actor, KindDiagnosis, in.DiagnosisID, PrintDiagnosis.Name)
}

func (s *Service) printPrescription(ctx context.Context, actor rooms.Actor, in PrescriptionRef) (Printout, error) {
	return s.print(ctx, actor, KindPrescription, in.PrescriptionID, PrintPrescription.Name)
}

func (s *Service) print(ctx context.Context, actor rooms.Actor, kind DocumentKind, id DocumentID, action string) (Printout, error) {
	p, err := rooms.InTx(ctx, s.store, func(tx Tx) (Printout, error) {
		d, err := s.read(tx, actor, kind, id, action)
		if err != nil {
			return Printout{}, err
		}
		return printout(tx, actor, d)
	})
	return s.withBreak(ctx, p, err)
}

// withBreak is p with the time at which the audit log was broken, if that is why
// the document cannot be confirmed.
func (s *Service) withBreak(ctx context.Context, p Printout, err error) (Printout, error) {
	if err != nil || p.Head().Integrity != Unconfirmed {
		return p, err
	}
	at, err := s.store.LogBroken(ctx)
	p.LogBrokenAt = &at
	return p, err
}

// printSummary prints the latest summary of a consultation.
func (s *Service) printSummary(ctx context.Context, actor rooms.Actor, in InConsultation) (Printout, error) {
	p, err := rooms.InTx(ctx, s.store, func(tx Tx) (Printout, error) {
		all, err := s.readAll(tx, actor, in.ConsultationID, KindSummary, PrintSummary.Name)
		if err != nil {
			return Printout{}, err
		}
		if len(all) == 0 {
			return Printout{}, rooms.NotFound("summary")
		}
		return printout(tx, actor, all[len(all)-1])
	})
	return s.withBreak(ctx, p, err)
}

// printout reads nothing but the document, and the reader's time zone: it can be
// printed whatever becomes of its patient and its doctor.
func printout(tx Tx, actor rooms.Actor, d Document) (Printout, error) {
	p := Printout{Kind: d.Kind}
	if d.Signature == nil {
		return p, rooms.Conflict(string(Draft), "a draft cannot be printed; sign it first")
	}
	if err := d.genuine(); err != nil {
		return p, err
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
