package record

import (
	"context"
	"fmt"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
	"wenzhen.example/rooms/audit"
	"wenzhen.example/rooms/consultation"
)

// episodesMost bounds the history in one answer.
const episodesMost = 200

// recordFor is a patient's profile if the actor may read the record: the user
// who cares for the patient, or a doctor while treating them.
func recordFor(tx Tx, actor rooms.Actor, id account.PatientID) (account.Patient, error) {
	p, err := tx.Patient(id)
	if err != nil {
		return p, err
	}
	if p.UserID == actor.UserID {
		return p, nil
	}
	treats, err := tx.Treats(actor.UserID, id)
	if err == nil && !treats {
		err = rooms.NotFound("patient")
	}
	return p, err
}

// writable is a patient's profile if the actor may change the record: the user
// who cares for the patient, or the doctor of an active consultation.
func writable(tx Tx, actor rooms.Actor, id account.PatientID) (account.Patient, error) {
	p, err := recordFor(tx, actor, id)
	if err != nil || p.UserID == actor.UserID {
		return p, err
	}
	attends, err := tx.Attends(actor.UserID, id)
	if err == nil && !attends {
		err = rooms.Forbidden("only the patient, and the doctor while the consultation is active, can change the record")
	}
	return p, err
}

func (s *Service) readRecord(ctx context.Context, actor rooms.Actor, in PatientRef) (PatientRecord, error) {
	return rooms.InTx(ctx, s.store, func(tx Tx) (PatientRecord, error) {
		p, err := recordFor(tx, actor, in.PatientID)
		if err != nil {
			return PatientRecord{}, err
		}
		return s.recordOf(tx, actor, p, ReadRecord.Name, "")
	})
}

// recordOf is the whole record of a patient; that it is read is noted.
func (s *Service) recordOf(tx Tx, actor rooms.Actor, p account.Patient, action, reason string) (PatientRecord, error) {
	v := PatientRecord{Patient: p, History: []Episode{}}
	err := audit.Append(tx, actor, s.now(), action, patientSubject(p.ID), func(e *audit.LogEntry) { e.Reason = reason })
	if err != nil {
		return v, err
	}
	known, err := tx.Background(p.ID)
	if err != nil {
		return v, err
	}
	v.Version, v.Background = known.Version, known.orNothing()
	if known.Version > 0 {
		v.UpdatedAt, v.UpdatedBy, v.UpdatedByID, v.UpdatedByRole = &known.At, known.ByName, string(known.ByID), known.ByRole
	}
	consultations, err := tx.ConsultationsOf(p.ID, episodesMost)
	if err != nil {
		return v, err
	}
	documents, err := tx.Documents(DocumentQuery{Patient: p.ID})
	if err != nil {
		return v, err
	}
	at := make(map[consultation.ID]*Episode, len(consultations))
	v.History = make([]Episode, len(consultations))
	for i, c := range consultations {
		v.History[i] = Episode{ConsultationID: c.ID, At: c.CreatedAt, Status: c.Status, Service: c.Service, Medium: c.Medium, DoctorName: c.DoctorName,
			Complaint: c.Complaint, Diagnoses: []Diagnosis{}, Prescriptions: []Prescription{}, Summaries: []ClosingSummary{}}
		at[c.ID] = &v.History[i]
	}
	for _, d := range documents {
		if e := at[d.ConsultationID]; e != nil && d.Signature != nil {
			if err := e.add(s.checked(d)); err != nil {
				return v, err
			}
		}
	}
	return v, nil
}

func (e *Episode) add(d Document) error {
	switch d.Kind {
	case KindDiagnosis:
		v, err := diagnosisOf(d)
		e.Diagnoses = append(e.Diagnoses, v)
		return err
	case KindPrescription:
		v, err := prescriptionOf(d)
		e.Prescriptions = append(e.Prescriptions, v)
		return err
	}
	v, err := summaryOf(d)
	e.Summaries = append(e.Summaries, v)
	return err
}

func (s *Service) updateRecord(ctx context.Context, actor rooms.Actor, in BackgroundInput) (PatientRecord, error) {
	if err := in.past(s.now()); err != nil {
		return PatientRecord{}, err
	}
	codes, err := s.codeIndex(ctx)
	if err != nil {
		return PatientRecord{}, err
	}
	for i, c := range in.Conditions {
		if _, ok := codes.Find(c.Code); c.Code != "" && !ok {
			return PatientRecord{}, rooms.Invalid(fmt.Sprintf("conditions[%d].code", i), "there is no ICD-10 code %q", c.Code)
		}
	}
	return rooms.InTx(ctx, s.store, func(tx Tx) (PatientRecord, error) {
		p, err := writable(tx, actor, in.PatientID)
		if err != nil {
			return PatientRecord{}, err
		}
		before, err := tx.Background(p.ID)
		if err != nil {
			return PatientRecord{}, err
		}
		if in.Version != nil && *in.Version != before.Version {
			return PatientRecord{}, rooms.OutOfDate("the record", before.Version)
		}
		by, err := tx.User(actor.UserID)
		if err != nil {
			return PatientRecord{}, err
		}
		next := BackgroundVersion{PatientID: p.ID, Version: before.Version + 1, Background: in.over(before.Background), At: s.now(), ByID: by.ID, ByName: by.Name, ByRole: by.Role}
		if err := tx.InsertBackground(next); err != nil {
			return PatientRecord{}, err
		}
		_, err = RecordUpdated.Record(tx, rooms.UserRoom(p.UserID), actor, next.At, nil, func(rooms.Seq) (RecordChange, error) {
			return RecordChange{PatientID: p.ID, PatientName: p.Name, Version: next.Version, ByID: by.ID, ByName: by.Name}, nil
		})
		if err != nil {
			return PatientRecord{}, err
		}
		return s.recordOf(tx, actor, p, UpdateRecord.Name, "")
	})
}

func (s *Service) treated(ctx context.Context, actor rooms.Actor, _ rooms.Nothing) (TreatedList, error) {
	return rooms.InTx(ctx, s.store, func(tx Tx) (TreatedList, error) {
		found, err := tx.ReadablePatients(actor.UserID)
		return TreatedList{Items: orEmpty(found)}, err
	})
}
