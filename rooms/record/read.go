package record

import (
	"cmp"
	"context"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/audit"
	"wenzhen.example/rooms/consultation"
	"wenzhen.example/rooms/record/drug"
)

// readable is a document that the actor may read: the actor's own draft; what is
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
	return s.checked(d), nil
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

// read is a document that the actor may read; the read is noted.
func (s *Service) read(tx Tx, actor rooms.Actor, kind DocumentKind, id DocumentID, action string) (Document, error) {
	d, err := s.readable(tx, actor, kind, id)
	if err != nil {
		return d, err
	}
	return d, s.note(tx, actor, action, d)
}

func (s *Service) readDiagnosis(ctx context.Context, actor rooms.Actor, in DiagnosisRef) (Diagnosis, error) {
	return rooms.InTx(ctx, s.store, func(tx Tx) (Diagnosis, error) {
		d, err := s.read(tx, actor, KindDiagnosis, in.DiagnosisID, ReadDiagnosis.Name)
		if err != nil {
			return Diagnosis{}, err
		}
		return diagnosisOf(d)
	})
}

func (s *Service) readPrescription(ctx context.Context, actor rooms.Actor, in PrescriptionRef) (Prescription, error) {
	table, err := s.drugTable(ctx)
	if err != nil {
		return Prescription{}, err
	}
	return rooms.InTx(ctx, s.store, func(tx Tx) (Prescription, error) {
		d, err := s.read(tx, actor, KindPrescription, in.PrescriptionID, ReadPrescription.Name)
		if err != nil {
			return Prescription{}, err
		}
		return s.warned(tx, table, actor, d)
	})
}

// warned is a prescription; doctors and pharmacists see what speaks against it.
func (s *Service) warned(tx Tx, table *drug.Table, actor rooms.Actor, d Document) (Prescription, error) {
	v, err := prescriptionOf(d)
	if err != nil || actor.Role == rooms.RolePatient {
		return v, err
	}
	v.Warnings, err = s.check(tx, table, v.PatientID, v.Items)
	return v, err
}

// readAll is the documents of one kind in a consultation that a participant may
// read; the read is noted if there are any.
func (s *Service) readAll(tx Tx, actor rooms.Actor, id consultation.ID, kind DocumentKind, action string) ([]Document, error) {
	me, err := tx.Participant(id, actor.UserID)
	if err != nil {
		return nil, err
	}
	list, err := tx.Documents(DocumentQuery{Consultation: id, Kind: kind})
	if err != nil {
		return nil, err
	}
	var shown []Document
	for _, d := range list {
		if d.DoctorID == actor.UserID || (d.Signature != nil && d.shownTo(me)) {
			shown = append(shown, s.checked(d))
		}
	}
	if len(shown) == 0 {
		return nil, nil
	}
	return shown, audit.Append(tx, actor, s.now(), action, "consultation:"+string(id), nil)
}

func (s *Service) diagnoses(ctx context.Context, actor rooms.Actor, in InConsultation) (DiagnosisList, error) {
	return rooms.InTx(ctx, s.store, func(tx Tx) (DiagnosisList, error) {
		list := DiagnosisList{Items: []Diagnosis{}}
		shown, err := s.readAll(tx, actor, in.ConsultationID, KindDiagnosis, Diagnoses.Name)
		for _, d := range shown {
			v, err := diagnosisOf(d)
			if err != nil {
				return list, err
			}
			list.Items = append(list.Items, v)
		}
		return list, err
	})
}

func (s *Service) prescriptions(ctx context.Context, actor rooms.Actor, in InConsultation) (PrescriptionList, error) {
	table, err := s.drugTable(ctx)
	if err != nil {
		return PrescriptionList{}, err
	}
	return rooms.InTx(ctx, s.store, func(tx Tx) (PrescriptionList, error) {
		list := PrescriptionList{Items: []Prescription{}}
		shown, err := s.readAll(tx, actor, in.ConsultationID, KindPrescription, Prescriptions.Name)
		for _, d := range shown {
			v, err := s.warned(tx, table, actor, d)
			if err != nil {
				return list, err
			}
			list.Items = append(list.Items, v)
		}
		return list, err
	})
}

// queue is for pharmacists, and leaves out what they prescribed themselves.
func (s *Service) queue(ctx context.Context, actor rooms.Actor, in QueueFilter) (PrescriptionList, error) {
	limit, err := rooms.PageSize(in.Limit, 20, 100)
	if err != nil {
		return PrescriptionList{}, err
	}
	after, err := rooms.ParseCursor(in.Cursor)
	if err != nil {
		return PrescriptionList{}, err
	}
	table, err := s.drugTable(ctx)
	if err != nil {
		return PrescriptionList{}, err
	}
	return rooms.InTx(ctx, s.store, func(tx Tx) (PrescriptionList, error) {
		page := PrescriptionList{Items: []Prescription{}}
		is, err := tx.Pharmacist(actor.UserID)
		if err != nil {
			return page, err
		}
		if !is {
			return page, cmp.Or(mustBeVerified(tx, actor), error(rooms.Forbidden("the queue is for pharmacists")))
		}
		list, err := tx.Documents(DocumentQuery{Kind: KindPrescription, Undecided: true, After: after, Limit: limit + 1})
		if err != nil {
			return page, err
		}
		list, page.NextCursor = rooms.CutPage(list, limit, func(d Document) rooms.Cursor {
			return rooms.Cursor{Num: d.CreatedAt.UnixMicro(), ID: string(d.ID)}
		})
		for _, d := range list {
			if d.DoctorID == actor.UserID {
				continue
			}
			v, err := s.warned(tx, table, actor, s.checked(d))
			if err == nil {
				err = s.note(tx, actor, PrescriptionQueue.Name, d)
			}
			if err != nil {
				return page, err
			}
			page.Items = append(page.Items, v)
		}
		return page, nil
	})
}
