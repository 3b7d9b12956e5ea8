package record

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
	"wenzhen.example/rooms/consultation"
)

// checkWritable judges whether a record may be written in a consultation now.
func (s *Service) checkWritable(c consultation.Consultation) error {
	switch c.Status {
	case consultation.Active, consultation.OnHold, consultation.Ended:
	default:
		return rooms.Conflict(string(c.Status), "a record is written while a consultation goes on, or within 72 hours after it")
	}
	if s.cfg.Policy == PolicyChina && c.Service == account.Advice {
		return rooms.Forbidden("advice (健康咨询) allows no diagnosis and no prescription; the patient can ask for a followup (复诊)")
	}
	return nil
}

// mustBeVerified refuses a doctor whose data has changed since an admin reviewed
// it: what is signed bears name and title.
func mustBeVerified(tx Tx, actor rooms.Actor) error {
	if actor.Role != rooms.RoleDoctor {
		return nil
	}
	doctor, err := tx.Doctor(actor.UserID)
	if err == nil && !doctor.Verified {
		err = account.NotReviewed()
	}
	return err
}

// sign fixes a draft of the actor's, as part of tx, and notes it in the audit
// log. before, which may be nil, may refuse, or change the content that is
// signed. The caller announces it.
func (s *Service) sign(tx Tx, actor rooms.Actor, kind DocumentKind, id DocumentID, action string, before func(*Document) error) (Document, error) {
	d, err := loadOwn(tx, actor, kind, id)
	if err != nil {
		return d, err
	}
	if d.Signature != nil {
		return d, rooms.Conflict(string(d.settled().Status), "it has been signed already")
	}
	if err := mustBeVerified(tx, actor); err != nil {
		return d, err
	}
	if d.Version == 1 { // what was signed may be put right at any time
		c, err := tx.Consultation(d.ConsultationID)
		if err != nil {
			return d, err
		}
		if err := s.checkWritable(c); err != nil {
			return d, err
		}
	}
	if before != nil {
		if err := before(&d); err != nil {
			return d, err
		}
	}
	if d, err = s.fix(tx, d, actor.UserID, s.now()); err != nil {
		return d, err
	}
	d = d.settled()
	return d, s.noteSigned(tx, actor, action, d)
}

// announceSigned says in the conversation that a document was signed.
func (s *Service) announceSigned(tx Tx, actor rooms.Actor, d Document, text string) error {
	return s.say(tx, actor, d.ConsultationID, string(d.Kind), string(d.ID), text)
}

// fix signs a draft as of now: what is signed includes who patient and doctor
// are at this time.
func (s *Service) fix(tx Tx, d Document, by rooms.UserID, at time.Time) (Document, error) {
	as, err := signedAs(tx, d)
	if err != nil {
		return d, err
	}
	raw, err := json.Marshal(as)
	if err != nil {
		return d, err
	}
	d.PatientName, d.DoctorName, d.SignedAs, d.UpdatedAt = as.Patient.Name, as.Doctor.Name, string(raw), at
	if d.Signature, err = s.seals.sign(d, by, at); err != nil {
		return d, err
	}
	if err := tx.SignDocument(d); err != nil {
		return d, err
	}
	return d, s.list(tx, d)
}

// signedAs is who patient and doctor are now. A profile that is gone leaves the
// name that the consultation has of it.
func signedAs(tx Tx, d Document) (SignedAs, error) {
	as := SignedAs{Patient: SignedPatient{Name: d.PatientName}, Doctor: SignedDoctor{Name: d.DoctorName}}
	patient, err := tx.Patient(d.PatientID)
	switch {
	case err == nil:
		as.Patient = SignedPatient{Name: patient.Name, BirthDate: patient.BirthDate, Sex: patient.Sex}
	case rooms.CodeOf(err) != rooms.CodeNotFound:
		return as, err
	}
	doctor, err := tx.Practitioner(d.DoctorID)
	switch {
	case err == nil && doctor.Name == "": // erased
		as.Doctor.Title, as.Doctor.Department = doctor.Title, doctor.Department
	case err == nil:
		as.Doctor = SignedDoctor{Name: doctor.Name, Title: doctor.Title, Department: doctor.Department}
	case rooms.CodeOf(err) != rooms.CodeNotFound:
		return as, err
	}
	return as, nil
}

func (s *Service) signDiagnosis(ctx context.Context, actor rooms.Actor, in DiagnosisRef) (Diagnosis, error) {
	return rooms.InTx(ctx, s.store, func(tx Tx) (Diagnosis, error) {
		d, err := s.sign(tx, actor, KindDiagnosis, in.DiagnosisID, SignDiagnosis.Name, nil)
		if err != nil {
			return Diagnosis{}, err
		}
		v, err := DiagnosisSigned.Record(tx, d.ConsultationID.Room(), actor, d.UpdatedAt, nil, func(rooms.Seq) (Diagnosis, error) { return diagnosisOf(d) })
		if err != nil {
			return Diagnosis{}, err
		}
		return v, s.announceSigned(tx, actor, d, v.line())
	})
}

// line is a diagnosis in one line, for lists and search.
func (c DiagnosisContent) line() string {
	names := make([]string, len(c.Codes))
	for i, code := range c.Codes {
		name := code.Zh
		if name == "" {
			name = code.En
		}
		names[i] = code.Code + " " + name
	}
	return strings.Join(names, "；")
}

func (s *Service) signPrescription(ctx context.Context, actor rooms.Actor, in SignPrescriptionInput) (Prescription, error) {
	table, err := s.drugTable(ctx)
	if err != nil {
		return Prescription{}, err
	}
	return rooms.InTx(ctx, s.store, func(tx Tx) (Prescription, error) {
		consider := func(d *Document) error { return s.considerWarnings(tx, table, d, in) }
		d, err := s.sign(tx, actor, KindPrescription, in.PrescriptionID, SignPrescription.Name, consider)
		if err != nil {
			return Prescription{}, err
		}
		v, err := s.announcePrescription(tx, actor, d)
		if err != nil {
			return Prescription{}, err
		}
		return v, s.announceSigned(tx, actor, d, v.line())
	})
}

// announcePrescription records prescription:updated. The event of a decision has
// no content where a subscriber of the room was invited after the prescription
// had been signed.
func (s *Service) announcePrescription(tx Tx, actor rooms.Actor, d Document) (Prescription, error) {
	v, err := prescriptionOf(d)
	if err != nil {
		return v, err
	}
	event := v
	if len(d.Decisions) > 0 {
		hidden, err := tx.HiddenFromSome(d.ConsultationID, d.SignedSeq+1)
		if err != nil {
			return v, err
		}
		if hidden {
			event.PrescriptionContent = PrescriptionContent{Items: []Item{}}
		}
	}
	_, err = PrescriptionUpdated.Record(tx, d.ConsultationID.Room(), actor, d.UpdatedAt, nil, func(rooms.Seq) (Prescription, error) { return event, nil })
	return v, err
}

// line is a prescription in one line, for lists and search.
func (c PrescriptionContent) line() string {
	drugs := make([]string, len(c.Items))
	for i, item := range c.Items {
		drugs[i] = strings.TrimSpace(item.Drug + " " + item.Strength)
	}
	return strings.Join(drugs, "；")
}

func (s *Service) approve(ctx context.Context, actor rooms.Actor, in PrescriptionRef) (Prescription, error) {
	return s.decide(ctx, actor, in.PrescriptionID, Approved, "", ApprovePrescription.Name)
}

func (s *Service) reject(ctx context.Context, actor rooms.Actor, in PrescriptionReason) (Prescription, error) {
	return s.decide(ctx, actor, in.PrescriptionID, Rejected, in.Reason, RejectPrescription.Name)
}

func (s *Service) void(ctx context.Context, actor rooms.Actor, in PrescriptionReason) (Prescription, error) {
	return s.decide(ctx, actor, in.PrescriptionID, Void, in.Reason, VoidPrescription.Name)
}

// decide adds a decision to a signed prescription.
func (s *Service) decide(ctx context.Context, actor rooms.Actor, id DocumentID, to DocumentStatus, reason, action string) (Prescription, error) {
	return rooms.InTx(ctx, s.store, func(tx Tx) (Prescription, error) {
		d, err := s.decidable(tx, actor, id, to)
		if err != nil {
			return Prescription{}, err
		}
		by, err := tx.User(actor.UserID)
		if err != nil {
			return Prescription{}, err
		}
		decision := Decision{Status: to, By: actor.UserID, ByName: by.Name, At: s.now(), Reason: strings.TrimSpace(reason)}
		if decision.SHA256, err = decisionHash(d.lastHash(), decision); err != nil {
			return Prescription{}, err
		}
		decision.Seal, decision.KeyID = s.seals.seal(decision.SHA256), s.seals.id
		if err := firstError(tx.AddDecision(d.ID, len(d.Decisions)+1, decision), s.list(tx, d)); err != nil {
			return Prescription{}, err
		}
		d.Decisions, d.UpdatedAt = append(d.Decisions, decision), decision.At
		d.Integrity = "" // an event says nothing about it
		d = d.settled()
		if err := s.note(tx, actor, action, d); err != nil {
			return Prescription{}, err
		}
		return s.announcePrescription(tx, actor, d)
	})
}

// decidable is a prescription that the actor may decide about so. The
// prescriber voids it; a pharmacist, who must be someone else, does the rest.
func (s *Service) decidable(tx Tx, actor rooms.Actor, id DocumentID, to DocumentStatus) (Document, error) {
	var d Document
	var err error
	if to == Void {
		d, err = loadOwn(tx, actor, KindPrescription, id)
	} else {
		d, err = s.forPharmacist(tx, actor, id)
		if err == nil {
			err = mustBeVerified(tx, actor)
		}
	}
	if err != nil {
		return d, err
	}
	d = s.checked(d)
	if err := d.genuine(); err != nil {
		return d, err
	}
	switch {
	case d.Status == Signed, d.Status == Approved && to == Void:
		return d, nil
	case d.Status == Draft:
		return d, rooms.Conflict(string(Draft), "it has not been signed yet")
	}
	return d, rooms.Conflict(string(d.Status), "the prescription is %s", d.Status)
}

func (s *Service) forPharmacist(tx Tx, actor rooms.Actor, id DocumentID) (Document, error) {
	is, err := tx.Pharmacist(actor.UserID)
	if err != nil {
		return Document{}, err
	}
	d, err := tx.Document(id)
	switch {
	case err != nil && rooms.CodeOf(err) != rooms.CodeNotFound:
		return d, err
	case err != nil, !is, d.Kind != KindPrescription, d.Signature == nil:
		return d, rooms.NotFound(string(KindPrescription))
	case d.DoctorID == actor.UserID:
		return d, rooms.Forbidden("nobody approves what they prescribed themselves")
	}
	return d, nil
}
