package record

import (
	"bytes"
	"context"
	"encoding/json"
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/consultation"
	"wenzhen.example/rooms/record/drug"
)

func (s *Service) draftDiagnosis(ctx context.Context, actor rooms.Actor, in DiagnosisDraft) (Diagnosis, error) {
	content, err := s.contentOf(ctx, in.DiagnosisInput)
	if err != nil {
		return Diagnosis{}, err
	}
	d, err := s.draft(ctx, actor, in.ConsultationID, Document{Kind: KindDiagnosis, Head: Head{ID: in.ID}, Content: content})
	return asDiagnosis(d, err)
}

func (s *Service) reviseDiagnosis(ctx context.Context, actor rooms.Actor, in DiagnosisRevision) (Diagnosis, error) {
	content, err := s.contentOf(ctx, in.DiagnosisInput)
	if err != nil {
		return Diagnosis{}, err
	}
	d, err := s.revise(ctx, actor, KindDiagnosis, in.DiagnosisID, content)
	return asDiagnosis(d, err)
}

func (s *Service) amendDiagnosis(ctx context.Context, actor rooms.Actor, in AmendDiagnosisInput) (Diagnosis, error) {
	content, err := s.contentOf(ctx, in.DiagnosisInput)
	if err != nil {
		return Diagnosis{}, err
	}
	d, err := s.amend(ctx, actor, KindDiagnosis, in.DiagnosisID, in.ID, content)
	return asDiagnosis(d, err)
}

func (s *Service) discardDiagnosis(ctx context.Context, actor rooms.Actor, in DiagnosisRef) (rooms.Nothing, error) {
	return rooms.Nothing{}, s.discard(ctx, actor, KindDiagnosis, in.DiagnosisID)
}

func (s *Service) contentOf(ctx context.Context, in DiagnosisInput) (json.RawMessage, error) {
	codes, err := s.codeIndex(ctx)
	if err != nil {
		return nil, err
	}
	return diagnosisContent(codes, in)
}

func asDiagnosis(d Document, err error) (Diagnosis, error) {
	if err != nil {
		return Diagnosis{}, err
	}
	return diagnosisOf(d)
}

func (s *Service) draftPrescription(ctx context.Context, actor rooms.Actor, in PrescriptionDraft) (Prescription, error) {
	content, err := in.content()
	if err != nil {
		return Prescription{}, err
	}
	d, err := s.draft(ctx, actor, in.ConsultationID, Document{Kind: KindPrescription, Head: Head{ID: in.ID}, Content: content})
	return s.withWarnings(ctx, d, err)
}

func (s *Service) revisePrescription(ctx context.Context, actor rooms.Actor, in PrescriptionRevision) (Prescription, error) {
	content, err := in.content()
	if err != nil {
		return Prescription{}, err
	}
	d, err := s.revise(ctx, actor, KindPrescription, in.PrescriptionID, content)
	return s.withWarnings(ctx, d, err)
}

func (s *Service) amendPrescription(ctx context.Context, actor rooms.Actor, in AmendPrescriptionInput) (Prescription, error) {
	content, err := in.content()
	if err != nil {
		return Prescription{}, err
	}
	d, err := s.amend(ctx, actor, KindPrescription, in.PrescriptionID, in.ID, content)
	return s.withWarnings(ctx, d, err)
}

func (s *Service) discardPrescription(ctx context.Context, actor rooms.Actor, in PrescriptionRef) (rooms.Nothing, error) {
	return rooms.Nothing{}, s.discard(ctx, actor, KindPrescription, in.PrescriptionID)
}

// withWarnings is a prescription with what a check finds.
func (s *Service) withWarnings(ctx context.Context, d Document, err error) (Prescription, error) {
	if err != nil {
		return Prescription{}, err
	}
	p, err := prescriptionOf(d)
	if err != nil {
		return p, err
	}
	table, err := s.drugTable(ctx)
	if err != nil {
		return p, err
	}
	items := p.Items
	found, err := rooms.InTx(ctx, s.store, func(tx Tx) ([]drug.Warning, error) { return s.check(tx, table, d.PatientID, items) })
	p.Warnings = found
	return p, err
}

// draft adds the first version of a document of kind and content.
func (s *Service) draft(ctx context.Context, actor rooms.Actor, id consultation.ID, asked Document) (Document, error) {
	d, err := rooms.InTx(ctx, s.store, func(tx Tx) (Document, error) {
		c, err := s.loadWritableConsultation(tx, actor, id)
		if err != nil {
			return Document{}, err
		}
		if asked.ID != "" {
			first, err := tx.Document(asked.ID)
			if err == nil {
				return sameDraft(first, asked, actor, id)
			} else if rooms.CodeOf(err) != rooms.CodeNotFound {
				return Document{}, err
			}
		}
		d := asked.in(c, s.now())
		d.Root, d.Version = d.ID, 1
		return d, tx.InsertDraft(d)
	})
	return d.settled(), err
}

// in is d with what it has of its consultation, and an id if it has none.
func (d Document) in(c consultation.Consultation, now time.Time) Document {
	if d.ID == "" {
		d.ID = DocumentID(rooms.NewID(now))
	}
	d.ConsultationID, d.PatientID, d.PatientName, d.UserID = c.ID, c.PatientID, c.PatientName, c.UserID
	d.DoctorID, d.DoctorName = c.DoctorID, c.DoctorName
	d.CreatedAt, d.UpdatedAt = now, now
	return d
}

// sameDraft tells a resend from an id that is used for something else.
func sameDraft(first, d Document, actor rooms.Actor, id consultation.ID) (Document, error) {
	if first.DoctorID == actor.UserID && first.ConsultationID == id && first.Kind == d.Kind && bytes.Equal(first.Content, d.Content) {
		return first, nil
	}
	e := rooms.Conflict("", "this id has been used for something else")
	e.Field = "id"
	return d, e
}

// loadWritableConsultation lets the doctor of a consultation write in it, where its service and
// its state allow it.
func (s *Service) loadWritableConsultation(tx Tx, actor rooms.Actor, id consultation.ID) (consultation.Consultation, error) {
	me, err := tx.Participant(id, actor.UserID)
	if err != nil {
		return consultation.Consultation{}, err
	}
	if me.Role != consultation.PartDoctor {
		return consultation.Consultation{}, rooms.Forbidden("only the doctor of a consultation writes its record")
	}
	c, err := tx.Consultation(id)
	if err != nil {
		return c, err
	}
	return c, s.checkWritable(c)
}

// loadOwn returns a draft of the actor's; drafts of others do not exist for anyone.
func loadOwn(tx Tx, actor rooms.Actor, kind DocumentKind, id DocumentID) (Document, error) {
	d, err := tx.Document(id)
	if err == nil && (d.Kind != kind || d.DoctorID != actor.UserID) {
		err = rooms.NotFound(string(kind))
		if d.Kind == kind && d.Signature != nil {
			// Who may read it may know that it is another's.
			if _, seen := tx.Participant(d.ConsultationID, actor.UserID); seen == nil {
				err = rooms.Forbidden("only the doctor who signed it can do that")
			}
		}
	}
	if rooms.CodeOf(err) == rooms.CodeNotFound {
		err = rooms.NotFound(string(kind))
	}
	return d, err
}

func ownDraft(tx Tx, actor rooms.Actor, kind DocumentKind, id DocumentID) (Document, error) {
	d, err := loadOwn(tx, actor, kind, id)
	if err == nil && d.Signature != nil {
		err = rooms.Conflict(string(d.settled().Status), "it has been signed; amend it instead")
	}
	return d, err
}

func (s *Service) revise(ctx context.Context, actor rooms.Actor, kind DocumentKind, id DocumentID, content json.RawMessage) (Document, error) {
	d, err := rooms.InTx(ctx, s.store, func(tx Tx) (Document, error) {
		d, err := ownDraft(tx, actor, kind, id)
		if err != nil {
			return Document{}, err
		}
		d.Content, d.UpdatedAt = content, s.now()
		return d, tx.SaveDraft(d)
	})
	return d.settled(), err
}

func (s *Service) discard(ctx context.Context, actor rooms.Actor, kind DocumentKind, id DocumentID) error {
	return s.store.InTx(ctx, func(tx Tx) error {
		if _, err := ownDraft(tx, actor, kind, id); err != nil {
			return err
		}
		return tx.DeleteDraft(id)
	})
}

// amend drafts the version after one that is signed and the latest.
func (s *Service) amend(ctx context.Context, actor rooms.Actor, kind DocumentKind, of, id DocumentID, content json.RawMessage) (Document, error) {
	d, err := rooms.InTx(ctx, s.store, func(tx Tx) (Document, error) {
		before, err := loadOwn(tx, actor, kind, of)
		if err != nil {
			return Document{}, err
		}
		d := Document{Kind: kind, Head: Head{ID: id}, Content: content}
		if id != "" {
			first, err := tx.Document(id)
			if err == nil {
				return sameDraft(first, d, actor, before.ConsultationID)
			} else if rooms.CodeOf(err) != rooms.CodeNotFound {
				return Document{}, err
			}
		}
		switch before = before.settled(); {
		case before.Signature == nil:
			return Document{}, rooms.Conflict(string(Draft), "it is a draft; revise it instead")
		case before.Status == Amended:
			return Document{}, rooms.Conflict(string(Amended), "a later version has superseded it; amend that one")
		case before.Status == Void:
			return Document{}, rooms.Conflict(string(Void), "it is void; write a new one")
		}
		c, err := tx.Consultation(before.ConsultationID)
		if err != nil {
			return Document{}, err
		}
		d = d.in(c, s.now())
		d.Root, d.Version, d.Supersedes = before.Root, before.Version+1, before.ID
		return d, tx.InsertDraft(d)
	})
	return d.settled(), err
}
