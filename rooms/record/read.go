package record

import (
	"context"

	"wenzhen/rooms"
	"wenzhen/rooms/audit"
	"wenzhen/rooms/consultation"
)

// readable is a document that the actor may read: one's own draft; what is
// signed, for participants who were there when it was or may see what was
// before, the user who cares for the patient, doctors who treat the patient now,
// and pharmacists for prescriptions.
func (s *Service) readable(tx Tx, actor rooms.Actor, kind DocumentKind, id DocumentID) (Document, error) {
	d, err := tx.Document(id)
	if err != nil || d.Kind != kind {
		if err == nil || rooms.CodeOf(err) == rooms.CodeNotFound {
			err = rooms.NotFound(string(kind))
		}
		return d, err
	}
	ok := d.DoctorID == actor.UserID
	if !ok && d.Signature != nil {
		if ok, err = s.mayRead(tx, actor, d); err != nil {
			return d, err
		}
	}
	if !ok {
		return d, rooms.NotFound(string(kind))
	}
	return d.settled(), nil
}

func (s *Service) mayRead(tx Tx, actor rooms.Actor, d Document) (bool, error) {
	if d.UserID == actor.UserID {
		return true, nil
	}
	me, err := tx.Participant(d.ConsultationID, actor.UserID)
	if err == nil && d.shownTo(me) {
		return true, nil
	} else if err != nil && rooms.CodeOf(err) != rooms.CodeNotFound {
		return false, err
	}
	if treats, err := tx.Treats(actor.UserID, d.PatientID); treats || err != nil {
		return treats, err
	}
	if d.Kind != KindPrescription {
		return false, nil
	}
	return tx.Pharmacist(actor.UserID)
}

// shownTo reports whether a signed document is part of what a participant may see.
func (d Document) shownTo(p consultation.Participant) bool { return p.Sees(d.SignedSeq + 1) }

// reads hands a document that the actor may read to use, and notes the read.
func (s *Service) reads(ctx context.Context, actor rooms.Actor, kind DocumentKind, id DocumentID, action string, use func(Tx, Document) error) error {
	return s.store.InTx(ctx, func(tx Tx) error {
		d, err := s.readable(tx, actor, kind, id)
		if err != nil {
			return err
		}
		if err := s.note(tx, actor, action, d); err != nil {
			return err
		}
		return use(tx, d)
	})
}

func (s *Service) readDiagnosis(ctx context.Context, actor rooms.Actor, in DiagnosisRef) (v Diagnosis, err error) {
	err = s.reads(ctx, actor, KindDiagnosis, in.DiagnosisID, ReadDiagnosis.Name, func(_ Tx, d Document) error {
		v, err = diagnosisOf(d)
		return err
	})
	return v, err
}

func (s *Service) readPrescription(ctx context.Context, actor rooms.Actor, in PrescriptionRef) (v Prescription, err error) {
	err = s.reads(ctx, actor, KindPrescription, in.PrescriptionID, ReadPrescription.Name, func(tx Tx, d Document) error {
		if v, err = prescriptionOf(d); err != nil {
			return err
		}
		return s.warn(tx, actor, &v)
	})
	return v, err
}

// warn tells doctors and pharmacists of allergies.
func (s *Service) warn(tx Tx, actor rooms.Actor, v *Prescription) error {
	if actor.Role == rooms.RolePatient {
		return nil
	}
	known, err := tx.Background(v.PatientID)
	v.Warnings = warnings(v.Items, known.Allergies)
	return err
}

// inConsultation hands the documents of one kind that a participant may read
// to use, after begin, and notes the read.
func (s *Service) inConsultation(ctx context.Context, actor rooms.Actor, id consultation.ID, kind DocumentKind, action string, begin func(), use func(Tx, Document) error) error {
	return s.store.InTx(ctx, func(tx Tx) error {
		begin()
		me, err := tx.Participant(id, actor.UserID)
		if err != nil {
			return err
		}
		list, err := tx.Documents(DocumentQuery{Consultation: id, Kind: kind})
		if err != nil {
			return err
		}
		shown := 0
		for _, d := range list {
			if d.DoctorID != actor.UserID && (d.Signature == nil || !d.shownTo(me)) {
				continue
			}
			shown++
			if err := use(tx, d.settled()); err != nil {
				return err
			}
		}
		if shown == 0 {
			return nil
		}
		return audit.Append(tx, actor, s.now(), action, "consultation:"+string(id), nil)
	})
}

func (s *Service) diagnoses(ctx context.Context, actor rooms.Actor, in InConsultation) (DiagnosisList, error) {
	var list DiagnosisList
	begin := func() { list.Items = []Diagnosis{} }
	err := s.inConsultation(ctx, actor, in.ConsultationID, KindDiagnosis, Diagnoses.Name, begin, func(_ Tx, d Document) error {
		v, err := diagnosisOf(d)
		list.Items = append(list.Items, v)
		return err
	})
	return list, err
}

func (s *Service) prescriptions(ctx context.Context, actor rooms.Actor, in InConsultation) (PrescriptionList, error) {
	var list PrescriptionList
	begin := func() { list.Items = []Prescription{} }
	err := s.inConsultation(ctx, actor, in.ConsultationID, KindPrescription, Prescriptions.Name, begin, func(tx Tx, d Document) error {
		v, err := prescriptionOf(d)
		if err == nil {
			err = s.warn(tx, actor, &v)
		}
		list.Items = append(list.Items, v)
		return err
	})
	return list, err
}

// queue is for pharmacists, and leaves out what they prescribed themselves.
func (s *Service) queue(ctx context.Context, actor rooms.Actor, in QueueFilter) (PrescriptionList, error) {
	var page PrescriptionList
	limit, err := rooms.PageSize(in.Limit, 20, 100)
	if err != nil {
		return page, err
	}
	after, err := rooms.ParseCursor(in.Cursor)
	if err != nil {
		return page, err
	}
	err = s.store.InTx(ctx, func(tx Tx) error {
		page.Items = []Prescription{}
		is, err := tx.Pharmacist(actor.UserID)
		if err != nil {
			return err
		}
		if !is {
			return rooms.Forbidden("the queue is for pharmacists")
		}
		list, err := tx.Documents(DocumentQuery{Kind: KindPrescription, Undecided: true, After: after, Limit: limit + 1})
		if err != nil {
			return err
		}
		list, page.NextCursor = rooms.CutPage(list, limit, func(d Document) rooms.Cursor {
			return rooms.Cursor{Num: d.CreatedAt.UnixMicro(), ID: string(d.ID)}
		})
		for _, d := range list {
			if d.DoctorID == actor.UserID {
				continue
			}
			v, err := prescriptionOf(d.settled())
			if err == nil {
				err = s.warn(tx, actor, &v)
			}
			if err == nil {
				err = s.note(tx, actor, PrescriptionQueue.Name, d)
			}
			if err != nil {
				return err
			}
			page.Items = append(page.Items, v)
		}
		return nil
	})
	return page, err
}
