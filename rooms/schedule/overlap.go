package schedule

import (
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
)

// overlaps is the status of what is refused because the patient is elsewhere then.
const overlaps = "overlaps"

// alone refuses a time at which the patient has an appointment other than one
// that is being changed. A patient cannot be with two doctors at once.
func alone(tx Tx, patient account.PatientID, start, end time.Time, but AppointmentID) error {
	list, err := tx.PatientsAppointments(patient, start, end)
	if err != nil {
		return err
	}
	for _, a := range list {
		if a.ID == but {
			continue
		}
		e := rooms.Conflict(overlaps, "%s has an appointment with %s from %s to %s (%s); move or cancel it first, or choose another time",
			a.PatientName, a.DoctorName, a.Start.Format(time.RFC3339), a.End.Format(time.RFC3339), a.ID)
		e.Field = "start"
		return e
	}
	return nil
}
