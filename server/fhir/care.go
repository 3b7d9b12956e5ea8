package fhir

import (
	"fmt"
	"strconv"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
	"wenzhen.example/rooms/chat"
	"wenzhen.example/rooms/consultation"
	"wenzhen.example/rooms/record"
)

// consultations are all of the asker's, the latest change first.
func (r *request) consultations() ([]consultation.Consultation, error) {
	var all []consultation.Consultation
	for in := (consultation.Filter{Limit: 100}); len(all) < findMost; {
		page, err := ask(r, consultation.List, in)
		if err != nil {
			return nil, err
		}
		all = append(all, page.Items...)
		if in.Cursor = page.NextCursor; in.Cursor == "" {
			break
		}
	}
	return all, nil
}

var encounterStatus = map[consultation.Status]string{
	consultation.PendingPayment: "planned", consultation.Waiting: "arrived", consultation.Active: "in-progress", consultation.OnHold: "onleave",
	consultation.Ended: "finished", consultation.Closed: "finished", consultation.Terminated: "finished",
	consultation.Cancelled: "cancelled", consultation.Declined: "cancelled", consultation.Expired: "cancelled",
}

func (r *request) encounters() ([]resource, error) {
	list, err := r.consultations()
	var all []resource
	for _, c := range list {
		period := resource{"start": instant(c.CreatedAt)}
		if c.EndedAt != nil {
			period["end"] = instant(*c.EndedAt)
		}
		v := resource{"resourceType": "Encounter", "id": string(c.ID), "status": encounterStatus[c.Status],
			"class":   resource{"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "VR", "display": "virtual"},
			"type":    []resource{{"text": string(c.Service) + " (" + string(c.Medium) + ")"}},
			"subject": named("Patient", string(c.PatientID), c.PatientName), "period": period,
			"participant": []resource{{"individual": named("Practitioner", string(c.DoctorID), c.DoctorName)}}}
		if c.Complaint != "" { // invited people without the history do not see it
			v["reasonCode"] = []resource{{"text": c.Complaint}}
		}
		all = append(all, v)
	}
	return all, err
}

// communications are the messages of the asker's consultations.
func (r *request) communications() ([]resource, error) {
	list, err := r.consultations()
	if err != nil {
		return nil, err
	}
	encounter, patient := referred(r.query, "encounter"), referred(r.query, "patient", "subject")
	var all []resource
	for _, c := range list {
		if (encounter != "" && encounter != string(c.ID)) || (patient != "" && patient != string(c.PatientID)) {
			continue
		}
		for in := (chat.HistoryInput{ConsultationID: c.ID, Limit: 200}); len(all) < findMost; {
			page, err := ask(r, chat.History, in)
			if err != nil {
				return nil, err
			}
			for _, m := range page.Items {
				all = append(all, communication(c, m))
			}
			if !page.HasMore || len(page.Items) == 0 {
				break
			}
			in.Before = page.Items[0].Seq
		}
	}
	return all, nil
}

func communication(c consultation.Consultation, m chat.Message) resource {
	v := resource{"resourceType": "Communication", "id": string(m.ID), "status": "completed", "sent": instant(m.CreatedAt),
		"subject": ref("Patient", string(c.PatientID)), "encounter": ref("Encounter", string(c.ID))}
	switch m.SenderID {
	case c.DoctorID:
		v["sender"] = named("Practitioner", string(c.DoctorID), c.DoctorName)
	case c.UserID:
		v["sender"] = named("Patient", string(c.PatientID), c.PatientName)
	}
	var payload []resource
	if m.Text != "" {
		payload = append(payload, resource{"contentString": m.Text})
	}
	if a := m.Attachment; a != nil {
		payload = append(payload, resource{"contentAttachment": resource{"contentType": a.ContentType, "title": a.Name, "size": a.Size,
			"url": "/api/v1/attachments/" + string(a.ID)}})
	}
	if payload != nil {
		v["payload"] = payload
	}
	if m.RecalledAt != nil {
		v["status"] = "entered-in-error"
	}
	return v
}

// episodes hands every episode of the records that the asker may read to use.
func (r *request) episodes(use func(record.Episode)) error {
	readable, err := ask(r, record.TreatedPatients, rooms.Nothing{})
	if err != nil {
		return err
	}
	patient := referred(r.query, "patient", "subject")
	for _, p := range readable.Items {
		if patient != "" && p.ID != account.PatientID(patient) {
			continue
		}
		v, err := ask(r, record.ReadRecord, record.PatientRef{PatientID: p.ID})
		if err != nil {
			return err
		}
		for _, e := range v.History {
			use(e)
		}
	}
	return nil
}

func part(id record.DocumentID, index int) string { return string(id) + "." + strconv.Itoa(index+1) }

func (r *request) conditions() ([]resource, error) {
	const clinical, verification = "http://terminology.hl7.org/CodeSystem/condition-clinical", "http://terminology.hl7.org/CodeSystem/condition-ver-status"
	var all []resource
	err := r.episodes(func(e record.Episode) {
		for _, d := range e.Diagnoses {
			for i, c := range d.Codes {
				display := c.En
				if display == "" {
					display = c.Zh
				}
				v := resource{"resourceType": "Condition", "id": part(d.ID, i), "code": concept("http://hl7.org/fhir/sid/icd-10", c.Code, display),
					"category": []resource{concept("http://terminology.hl7.org/CodeSystem/condition-category", "encounter-diagnosis", "Encounter Diagnosis")},
					"subject":  named("Patient", string(d.PatientID), d.PatientName), "encounter": ref("Encounter", string(d.ConsultationID)),
					"recordedDate": instant(d.Signature.SignedAt), "recorder": named("Practitioner", string(d.DoctorID), d.DoctorName)}
				if d.Status == record.Amended || d.Integrity == record.Altered { // con-5: no clinical status beside entered-in-error
					v["verificationStatus"] = concept(verification, "entered-in-error", "Entered in Error")
				} else {
					v["clinicalStatus"], v["verificationStatus"] = concept(clinical, "active", "Active"), concept(verification, "confirmed", "Confirmed")
				}
				if d.Text != "" {
					v["note"] = []resource{{"text": d.Text}}
				}
				all = append(all, v)
			}
		}
	})
	return all, err
}

var medicationStatus = map[record.DocumentStatus]string{
	record.Signed: "on-hold", record.Approved: "active", record.Rejected: "cancelled", record.Void: "stopped", record.Amended: "cancelled",
}

func (r *request) medicationRequests() ([]resource, error) {
	var all []resource
	err := r.episodes(func(e record.Episode) {
		for _, p := range e.Prescriptions {
			for i, item := range p.Items {
				dosage := resource{"text": fmt.Sprintf("%s %s %s %s × %d d", record.Amount(item.Dose), item.DoseUnit, item.Route, item.Frequency, item.Days),
					"route": resource{"text": string(item.Route)}, "timing": resource{"code": resource{"text": string(item.Frequency)}},
					"doseAndRate": []resource{{"doseQuantity": resource{"value": item.Dose, "unit": item.DoseUnit}}}}
				if item.Frequency == record.AsNeeded {
					dosage["asNeededBoolean"] = true
				}
				status := medicationStatus[p.Status]
				if p.Integrity == record.Altered {
					status = "entered-in-error"
				}
				v := resource{"resourceType": "MedicationRequest", "id": part(p.ID, i), "status": status, "intent": "order",
					"medicationCodeableConcept": resource{"text": item.Drug}, "groupIdentifier": resource{"value": string(p.ID)},
					"subject": named("Patient", string(p.PatientID), p.PatientName), "encounter": ref("Encounter", string(p.ConsultationID)),
					"authoredOn": instant(p.Signature.SignedAt), "requester": named("Practitioner", string(p.DoctorID), p.DoctorName),
					"dosageInstruction": []resource{dosage}, "dispenseRequest": resource{"quantity": resource{"value": item.Quantity, "unit": item.QuantityUnit},
						"expectedSupplyDuration": resource{"value": item.Days, "unit": "d", "system": "http://unitsofmeasure.org", "code": "d"}}}
				all = append(all, v)
			}
		}
	})
	return all, err
}

// loinc are the types of documents (LOINC).
var loinc = map[record.DocumentKind][2]string{
	record.KindDiagnosis: {"29308-4", "Diagnosis"}, record.KindPrescription: {"57833-6", "Prescription for medication"}, record.KindSummary: {"34133-9", "Summary of episode note"},
}

func (r *request) documents() ([]resource, error) {
	var all []resource
	add := func(kind record.DocumentKind, h record.Head, path string) {
		status := "current"
		switch {
		case h.Integrity == record.Altered, h.Status == record.Void, h.Status == record.Rejected:
			status = "entered-in-error"
		case h.Status == record.Amended:
			status = "superseded"
		}
		v := resource{"resourceType": "DocumentReference", "id": string(h.ID), "status": status, "docStatus": "final",
			"type": concept("http://loinc.org", loinc[kind][0], loinc[kind][1]), "subject": named("Patient", string(h.PatientID), h.PatientName),
			"date": instant(h.Signature.SignedAt), "author": []resource{named("Practitioner", string(h.DoctorID), h.DoctorName)},
			"content": []resource{{"attachment": resource{"contentType": "application/pdf", "url": path, "title": loinc[kind][1], "creation": instant(h.Signature.SignedAt)}}},
			"context": resource{"encounter": []resource{ref("Encounter", string(h.ConsultationID))}}}
		if h.Supersedes != "" {
			v["relatesTo"] = []resource{{"code": "replaces", "target": ref("DocumentReference", string(h.Supersedes))}}
		}
		all = append(all, v)
	}
	err := r.episodes(func(e record.Episode) {
		for _, d := range e.Diagnoses {
			add(record.KindDiagnosis, d.Head, "/api/v1/diagnoses/"+string(d.ID)+"/pdf")
		}
		for _, p := range e.Prescriptions {
			add(record.KindPrescription, p.Head, "/api/v1/prescriptions/"+string(p.ID)+"/pdf")
		}
		for _, s := range e.Summaries {
			add(record.KindSummary, s.Head, "/api/v1/consultations/"+string(s.ConsultationID)+"/summary/pdf")
		}
	})
	return all, err
}
