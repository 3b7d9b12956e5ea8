package fhir

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
	"wenzhen.example/rooms/record"
	"wenzhen.example/rooms/schedule"
)

// findMost bounds what one search looks through.
const findMost = 2000

func ref(kind, id string) resource { return resource{"reference": kind + "/" + id} }

func named(kind, id, name string) resource {
	return resource{"reference": kind + "/" + id, "display": name}
}

func instant(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

// concept is a CodeableConcept with one coding.
func concept(system, code, display string) resource {
	return resource{"coding": []resource{{"system": system, "code": code, "display": display}}, "text": display}
}

func (r *request) patients() ([]resource, error) {
	list, err := ask(r, record.TreatedPatients, rooms.Nothing{})
	var all []resource
	for _, p := range list.Items {
		v := resource{"resourceType": "Patient", "id": string(p.ID), "name": []resource{{"text": p.Name}}}
		if p.Sex != "" {
			v["gender"] = p.Sex
		}
		if p.BirthDate != "" {
			v["birthDate"] = p.BirthDate
		}
		all = append(all, v)
	}
	return all, err
}

func (r *request) practitioners() ([]resource, error) {
	var all []resource
	for in := (account.DoctorFilter{Limit: 100}); len(all) < findMost; {
		page, err := ask(r, account.Doctors, in)
		if err != nil {
			return nil, err
		}
		for _, d := range page.Items {
			all = append(all, practitioner(d))
		}
		if in.Cursor = page.NextCursor; in.Cursor == "" {
			break
		}
	}
	return all, nil
}

func (r *request) practitioner(id string) (resource, error) {
	d, err := ask(r, account.ReadDoctor, account.DoctorInput{DoctorID: rooms.UserID(id)})
	return practitioner(d), err
}

func practitioner(d account.Doctor) resource {
	v := resource{"resourceType": "Practitioner", "id": string(d.ID), "active": d.Verified, "name": []resource{{"text": d.Name}}}
	if d.Title+d.Department != "" {
		v["qualification"] = []resource{{"code": resource{"text": strings.TrimSpace(d.Department + " " + d.Title)}}}
	}
	var spoken []resource
	for _, l := range d.Languages {
		spoken = append(spoken, resource{"coding": []resource{{"system": "urn:ietf:bcp:47", "code": l}}})
	}
	if spoken != nil {
		v["communication"] = spoken
	}
	return v
}

// schedules: each doctor has one, of the same id.
func (r *request) schedules() ([]resource, error) {
	doctors, err := r.practitioners()
	all := make([]resource, len(doctors))
	for i, d := range doctors {
		id := d["id"].(string)
		all[i] = resource{"resourceType": "Schedule", "id": id, "active": true, "actor": []resource{ref("Practitioner", id)}}
	}
	return all, err
}

// slots are those of one schedule, for the 31 days from start=ge…, or from now.
func (r *request) slots() ([]resource, error) {
	doctor := referred(r.query, "schedule")
	if doctor == "" {
		return nil, rooms.Invalid("schedule", "say whose slots: schedule=Schedule/<id>")
	}
	from := r.now
	for _, v := range r.query["start"] {
		zone, err := r.zone()
		if err != nil {
			return nil, err
		}
		if at, ok := spanOf(strings.TrimLeft(v, "egtlsanqb"), zone); ok && !strings.HasPrefix(v, "l") {
			from = at.from
		}
	}
	list, err := ask(r, schedule.Slots, schedule.SlotsInput{DoctorID: rooms.UserID(doctor), From: &from, To: new(from.AddDate(0, 0, 31))})
	var all []resource
	for _, s := range list.Items {
		all = append(all, slot(doctor, s))
	}
	return all, err
}

// slot reads one by its id, which is the doctor's and the start in seconds.
func (r *request) slot(id string) (resource, error) {
	doctor, start, _ := strings.Cut(id, ".")
	seconds, err := strconv.ParseInt(start, 10, 64)
	if err != nil {
		return nil, rooms.NotFound("Slot")
	}
	from := time.Unix(seconds, 0).UTC()
	list, err := ask(r, schedule.Slots, schedule.SlotsInput{DoctorID: rooms.UserID(doctor), From: &from, To: new(from.Add(time.Second))})
	if err != nil {
		return nil, err
	}
	for _, s := range list.Items {
		if s.Start.Equal(from) {
			return slot(doctor, s), nil
		}
	}
	return nil, rooms.NotFound("Slot")
}

func slot(doctor string, s schedule.Slot) resource {
	status := "busy"
	if s.Available > 0 {
		status = "free"
	}
	return resource{"resourceType": "Slot", "id": fmt.Sprintf("%s.%d", doctor, s.Start.Unix()), "schedule": ref("Schedule", doctor),
		"status": status, "start": instant(s.Start), "end": instant(s.End)}
}

var appointmentStatus = map[schedule.AppointmentStatus]string{
	schedule.Held: "pending", schedule.Booked: "booked", schedule.CheckedIn: "checked-in", schedule.InProgress: "arrived", schedule.Fulfilled: "fulfilled",
	schedule.HoldExpired: "cancelled", schedule.Cancelled: "cancelled", schedule.NoShow: "noshow", schedule.ReassignPending: "proposed",
}

func (r *request) appointments() ([]resource, error) {
	var all []resource
	for in := (schedule.AppointmentFilter{Limit: 100}); len(all) < findMost; {
		page, err := ask(r, schedule.Appointments, in)
		if err != nil {
			return nil, err
		}
		for _, a := range page.Items {
			all = append(all, resource{"resourceType": "Appointment", "id": string(a.ID), "status": appointmentStatus[a.Status], "description": a.Complaint,
				"start": instant(a.Start), "end": instant(a.End), "created": instant(a.CreatedAt), "participant": []resource{
					{"actor": named("Patient", string(a.PatientID), a.PatientName), "status": "accepted"},
					{"actor": named("Practitioner", string(a.DoctorID), a.DoctorName), "status": "accepted"}}})
		}
		if in.Cursor = page.NextCursor; in.Cursor == "" {
			break
		}
	}
	return all, nil
}
