package fhir

import (
	"maps"
	"slices"
)

// kinds are the types of resources that there are.
func kinds() map[string]kind {
	id := param{token, at("id")}
	subject := param{reference, at("subject", "reference")}
	encounter := param{reference, at("encounter", "reference")}
	status := param{token, at("status")}
	return map[string]kind{
		"Patient": {find: (*request).patients, params: map[string]param{"_id": id, "name": {text, at("name", "text")},
			"birthdate": {date, at("birthDate")}, "gender": {token, at("gender")}}},
		"Practitioner": {find: (*request).practitioners, read: (*request).practitioner, params: map[string]param{"_id": id, "name": {text, at("name", "text")}}},
		"Schedule":     {find: (*request).schedules, params: map[string]param{"_id": id, "actor": {reference, at("actor", "reference")}}},
		"Slot": {find: (*request).slots, read: (*request).slot, params: map[string]param{"_id": id, "schedule": {reference, at("schedule", "reference")},
			"start": {date, at("start")}, "status": status}},
		"Appointment": {find: (*request).appointments, params: map[string]param{"_id": id, "patient": {reference, at("participant", "actor", "reference")},
			"practitioner": {reference, at("participant", "actor", "reference")}, "date": {date, at("start")}, "status": status}},
		"Encounter": {find: (*request).encounters, params: map[string]param{"_id": id, "patient": subject, "subject": subject,
			"date": {date, periods}, "status": status}},
		"Communication": {find: (*request).communications, params: map[string]param{"_id": id, "patient": subject, "subject": subject,
			"encounter": encounter, "sent": {date, at("sent")}, "sender": {reference, at("sender", "reference")}}},
		"Condition": {find: (*request).conditions, params: map[string]param{"_id": id, "patient": subject, "subject": subject, "encounter": encounter,
			"code": {token, at("code", "coding", "code")}, "recorded-date": {date, at("recordedDate")}}},
		"MedicationRequest": {find: (*request).medicationRequests, params: map[string]param{"_id": id, "patient": subject, "subject": subject, "encounter": encounter,
			"status": status, "authoredon": {date, at("authoredOn")}}},
		"DocumentReference": {find: (*request).documents, params: map[string]param{"_id": id, "patient": subject, "subject": subject,
			"type": {token, at("type", "coding", "code")}, "status": status, "date": {date, at("date")}}},
	}
}

// capabilities is the CapabilityStatement.
func (r *request) capabilities() resource {
	all := kinds()
	var offered []resource
	for _, name := range slices.Sorted(maps.Keys(all)) {
		var params []resource
		for _, p := range slices.Sorted(maps.Keys(all[name].params)) {
			params = append(params, resource{"name": p, "type": string(all[name].params[p].typ)})
		}
		offered = append(offered, resource{"type": name, "interaction": []resource{{"code": "read"}, {"code": "search-type"}}, "searchParam": params})
	}
	return resource{
		"resourceType": "CapabilityStatement", "status": "active", "date": r.now.Format("2006-01-02"), "kind": "instance", "fhirVersion": "4.0.0",
		"format": []string{"json"}, "software": resource{"name": "Wenzhen"},
		"implementation": resource{"description": "Wenzhen, online doctor consultations", "url": r.base},
		"rest": []resource{{"mode": "server", "security": resource{"description": "Authorization: Bearer and an access token of POST /api/v1/auth/login. One sees what its user may see."},
			"resource": offered}},
	}
}
