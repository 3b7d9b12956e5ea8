package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"wenzhen/rooms"
	"wenzhen/rooms/account"
	"wenzhen/rooms/consultation"
	"wenzhen/rooms/schedule"
)

// Schedules carries out schedule.Store.
type Schedules struct{ *DB }

// InTx implements schedule.Store.
func (s Schedules) InTx(ctx context.Context, f func(schedule.Tx) error) error {
	return s.write.InTx(ctx, func(tx *Tx) error { return f(tx) })
}

// Doctor implements schedule.Store.
func (s Schedules) Doctor(ctx context.Context, id rooms.UserID) (account.Doctor, error) {
	return doctorByID(ctx, s.readers, id)
}

func scanException(s scanner) (schedule.Exception, error) {
	var e schedule.Exception
	var media string
	err := s.Scan(&e.ID, &e.Kind, (*at)(&e.Start), (*at)(&e.End), unseal("exceptions.note", &e.ID, &e.Note), &e.SlotMinutes, &e.Capacity, &media)
	if err != nil {
		return e, found(err, "exception")
	}
	return e, json.Unmarshal([]byte(media), &e.Media)
}

const exceptionColumns = `id, kind, start_at, end_at, note, slot_minutes, capacity, media`

func scheduleOf(ctx context.Context, q querier, doctor rooms.UserID, since time.Time) (schedule.Schedule, error) {
	v := schedule.Schedule{DoctorID: doctor, TimeZone: "UTC", Rules: []schedule.Rule{}, Exceptions: []schedule.Exception{}}
	var rules string
	err := q.row(ctx, `SELECT time_zone, rules, version FROM schedules WHERE doctor_id = $1`, doctor).Scan(&v.TimeZone, &rules, &v.Version)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		err = nil
	case err == nil:
		err = json.Unmarshal([]byte(rules), &v.Rules)
	}
	if err != nil {
		return v, err
	}
	exceptions, err := collect(ctx, q, scanException, `SELECT `+exceptionColumns+` FROM exceptions WHERE doctor_id = $1 AND end_at > $2 ORDER BY start_at, id`, doctor, micros(since))
	if exceptions != nil {
		v.Exceptions = exceptions
	}
	return v, err
}

// Schedule implements schedule.Store.
func (s Schedules) Schedule(ctx context.Context, doctor rooms.UserID, since time.Time) (schedule.Schedule, error) {
	return scheduleOf(ctx, s.readers, doctor, since)
}

func taken(ctx context.Context, q querier, doctor rooms.UserID, from, to time.Time) ([]schedule.Seat, error) {
	return collect(ctx, q, scanSeat, `SELECT doctor_id, start_at, end_at, seat, holder FROM seats
		WHERE doctor_id = $1 AND start_at < $3 AND end_at > $2 ORDER BY start_at, seat`, doctor, micros(from), micros(to))
}

func scanSeat(s scanner) (schedule.Seat, error) {
	var v schedule.Seat
	return v, s.Scan(&v.DoctorID, (*at)(&v.Start), (*at)(&v.End), &v.Number, &v.Holder)
}

// Taken implements schedule.Store.
func (s Schedules) Taken(ctx context.Context, doctor rooms.UserID, from, to time.Time) ([]schedule.Seat, error) {
	return taken(ctx, s.readers, doctor, from, to)
}

const appointmentColumns = `id, status, consultation_id, doctor_id, doctor_name, user_id, patient_id, patient_name, service, medium, complaint,
	start_at, end_at, time_zone, price, currency, created_at, updated_at, reschedules, sequence, reason, ended_by, refund_percent, offer`

func scanAppointment(s scanner) (schedule.Appointment, error) {
	var a schedule.Appointment
	var offer string
	err := s.Scan(&a.ID, &a.Status, &a.ConsultationID, &a.DoctorID, &a.DoctorName, &a.UserID, &a.PatientID, &a.PatientName, &a.Service, &a.Medium, unseal("appointments.complaint", &a.ID, &a.Complaint),
		(*at)(&a.Start), (*at)(&a.End), &a.TimeZone, &a.Price, &a.Currency, (*at)(&a.CreatedAt), (*at)(&a.UpdatedAt), &a.Reschedules, &a.Sequence, unseal("appointments.reason", &a.ID, &a.Reason), &a.EndedBy, &a.RefundPercent, &offer)
	if err != nil {
		return a, found(err, "appointment")
	}
	return a, offerFrom(offer, &a.Offer)
}

func offerFrom(text string, to **schedule.Offer) error {
	if text == "" {
		return nil
	}
	return json.Unmarshal([]byte(text), to)
}

func offerText(o *schedule.Offer) (string, error) {
	if o == nil {
		return "", nil
	}
	text, err := json.Marshal(o)
	return string(text), err
}

// Appointment implements schedule.Store.
func (s Schedules) Appointment(ctx context.Context, id schedule.AppointmentID) (schedule.Appointment, error) {
	return appointmentBy(ctx, s.readers, `id = $1`, id)
}

func appointmentBy(ctx context.Context, q querier, condition string, args ...any) (schedule.Appointment, error) {
	return scanAppointment(q.row(ctx, `SELECT `+appointmentColumns+` FROM appointments WHERE `+condition, args...))
}

// Appointments implements schedule.Store.
func (s Schedules) Appointments(ctx context.Context, q schedule.AppointmentQuery) ([]schedule.Appointment, error) {
	w := where{}
	column := `user_id`
	if q.AsDoctor {
		column = `doctor_id`
	}
	w.add(column+` = ?`, q.User)
	if q.From != nil {
		w.add(`end_at > ?`, micros(*q.From))
	}
	if q.To != nil {
		w.add(`start_at < ?`, micros(*q.To))
	}
	if q.After != nil {
		w.add(`(start_at, id) > (?, ?)`, q.After.Num, q.After.ID)
	}
	return collect(ctx, s.readers, scanAppointment, `SELECT `+appointmentColumns+` FROM appointments`+w.sql()+` ORDER BY start_at, id LIMIT `+w.param(q.Limit), w.args...)
}

const waitColumns = `id, status, doctor_id, user_id, patient_id, service, medium, complaint, prior_diagnosis, from_at, to_at, created_at, offer`

func scanWait(s scanner) (schedule.Wait, error) {
	var v schedule.Wait
	var offer string
	err := s.Scan(&v.ID, &v.Status, &v.DoctorID, &v.UserID, &v.PatientID, &v.Service, &v.Medium, unseal("waits.complaint", &v.ID, &v.Complaint), unseal("waits.prior_diagnosis", &v.ID, &v.PriorDiagnosis), (*at)(&v.From), (*at)(&v.To), (*at)(&v.CreatedAt), &offer)
	if err != nil {
		return v, found(err, "place on a waitlist")
	}
	return v, offerFrom(offer, &v.Offer)
}

// Waits implements schedule.Store.
func (s Schedules) Waits(ctx context.Context, user rooms.UserID) ([]schedule.Wait, error) {
	return collect(ctx, s.readers, scanWait, `SELECT `+waitColumns+` FROM waits WHERE user_id = $1 ORDER BY created_at DESC, id DESC LIMIT 100`, user)
}

// WaitsWith implements schedule.Store.
func (s Schedules) WaitsWith(ctx context.Context, user rooms.UserID) ([]schedule.WaitID, error) {
	return collect(ctx, s.readers, func(row scanner) (id schedule.WaitID, err error) { return id, row.Scan(&id) },
		`SELECT id FROM waits WHERE (user_id = $1 OR doctor_id = $1) AND status IN ('waiting', 'offered') ORDER BY created_at, id`, user)
}

// OffersOf implements schedule.Store. What is offered is kept as a seat.
func (s Schedules) OffersOf(ctx context.Context, doctor rooms.UserID) ([]schedule.AppointmentID, error) {
	return collect(ctx, s.readers, func(row scanner) (schedule.AppointmentID, error) {
		var holder string
		err := row.Scan(&holder)
		return schedule.AppointmentID(strings.TrimPrefix(holder, "offer:")), err
	}, `SELECT holder FROM seats WHERE doctor_id = $1 AND holder LIKE 'offer:%' ORDER BY start_at, holder`, doctor)
}

// Schedule implements schedule.Tx.
func (tx *Tx) Schedule(doctor rooms.UserID, since time.Time) (schedule.Schedule, error) {
	return scheduleOf(context.Background(), tx, doctor, since)
}

// SaveSchedule implements schedule.Tx.
func (tx *Tx) SaveSchedule(v schedule.Schedule) error {
	rules, err := json.Marshal(v.Rules)
	if err != nil {
		return err
	}
	return tx.exec(`INSERT INTO schedules (doctor_id, time_zone, rules, version) VALUES ($1, $2, $3, $4)
		ON CONFLICT (doctor_id) DO UPDATE SET time_zone = excluded.time_zone, rules = excluded.rules, version = excluded.version`,
		v.DoctorID, v.TimeZone, string(rules), v.Version)
}

// InsertException implements schedule.Tx.
func (tx *Tx) InsertException(doctor rooms.UserID, e schedule.Exception) error {
	media, err := json.Marshal(e.Media)
	if err != nil {
		return err
	}
	return tx.exec(`INSERT INTO exceptions (id, doctor_id, kind, start_at, end_at, note, slot_minutes, capacity, media) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		e.ID, doctor, e.Kind, micros(e.Start), micros(e.End), seal(tx, "exceptions.note", e.ID, e.Note), e.SlotMinutes, e.Capacity, string(media))
}

// DeleteException implements schedule.Tx.
func (tx *Tx) DeleteException(doctor rooms.UserID, id schedule.ExceptionID) (schedule.Exception, error) {
	return scanException(tx.row(context.Background(), `DELETE FROM exceptions WHERE doctor_id = $1 AND id = $2 RETURNING `+exceptionColumns, doctor, id))
}

// Taken implements schedule.Tx.
func (tx *Tx) Taken(doctor rooms.UserID, from, to time.Time) ([]schedule.Seat, error) {
	return taken(context.Background(), tx, doctor, from, to)
}

// TakeSeat implements schedule.Tx.
func (tx *Tx) TakeSeat(v schedule.Seat) error {
	err := tx.tryExec(`INSERT INTO seats (doctor_id, start_at, seat, end_at, holder) VALUES ($1, $2, $3, $4, $5)`, v.DoctorID, micros(v.Start), v.Number, micros(v.End), v.Holder)
	if uniqueViolation(err) {
		return rooms.Conflict("taken", "this slot has just been taken")
	}
	return err
}

// FreeSeats implements schedule.Tx.
func (tx *Tx) FreeSeats(holder string) ([]schedule.Seat, error) {
	return collect(context.Background(), tx, scanSeat, `DELETE FROM seats WHERE holder = $1 RETURNING doctor_id, start_at, end_at, seat, holder`, holder)
}

// HandOverSeats implements schedule.Tx.
func (tx *Tx) HandOverSeats(from, to string) error {
	return tx.exec(`UPDATE seats SET holder = $2 WHERE holder = $1`, from, to)
}

// Appointment implements schedule.Tx.
func (tx *Tx) Appointment(id schedule.AppointmentID) (schedule.Appointment, error) {
	return appointmentBy(context.Background(), tx, `id = $1`, id)
}

// AppointmentOf implements schedule.Tx.
func (tx *Tx) AppointmentOf(id consultation.ID) (schedule.Appointment, error) {
	return appointmentBy(context.Background(), tx, `consultation_id = $1`, id)
}

// OpenAppointments implements schedule.Tx.
func (tx *Tx) OpenAppointments(doctor rooms.UserID, from, to time.Time) ([]schedule.Appointment, error) {
	return collect(context.Background(), tx, scanAppointment, `SELECT `+appointmentColumns+` FROM appointments
		WHERE doctor_id = $1 AND start_at < $3 AND end_at > $2 AND status IN ('held', 'booked', 'checked_in', 'reassign_pending') ORDER BY start_at, id`,
		doctor, micros(from), micros(to))
}

// PatientsAppointments implements schedule.Tx.
func (tx *Tx) PatientsAppointments(patient account.PatientID, from, to time.Time) ([]schedule.Appointment, error) {
	return collect(context.Background(), tx, scanAppointment, `SELECT `+appointmentColumns+` FROM appointments
		WHERE patient_id = $1 AND start_at < $3 AND end_at > $2 AND status IN ('held', 'booked', 'checked_in', 'in_progress') ORDER BY start_at, id`,
		patient, micros(from), micros(to))
}

// InsertAppointment implements schedule.Tx.
func (tx *Tx) InsertAppointment(a schedule.Appointment) error {
	return tx.exec(`INSERT INTO appointments (`+appointmentColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, 0, 0, '', '', 0, '')`,
		a.ID, a.Status, a.ConsultationID, a.DoctorID, a.DoctorName, a.UserID, a.PatientID, a.PatientName, a.Service, a.Medium, seal(tx, "appointments.complaint", a.ID, a.Complaint),
		micros(a.Start), micros(a.End), a.TimeZone, a.Price, a.Currency, micros(a.CreatedAt), micros(a.UpdatedAt))
}

// SaveAppointment implements schedule.Tx.
func (tx *Tx) SaveAppointment(a schedule.Appointment) error {
	offer, err := offerText(a.Offer)
	if err != nil {
		return err
	}
	return tx.exec(`UPDATE appointments SET status = $2, doctor_id = $3, doctor_name = $4, start_at = $5, end_at = $6, time_zone = $7, updated_at = $8,
			reschedules = $9, sequence = $10, reason = $11, ended_by = $12, refund_percent = $13, offer = $14 WHERE id = $1`,
		a.ID, a.Status, a.DoctorID, a.DoctorName, micros(a.Start), micros(a.End), a.TimeZone, micros(a.UpdatedAt),
		a.Reschedules, a.Sequence, seal(tx, "appointments.reason", a.ID, a.Reason), a.EndedBy, a.RefundPercent, offer)
}

// Wait implements schedule.Tx.
func (tx *Tx) Wait(id schedule.WaitID) (schedule.Wait, error) {
	return scanWait(tx.row(context.Background(), `SELECT `+waitColumns+` FROM waits WHERE id = $1`, id))
}

// WaitsFor implements schedule.Tx.
func (tx *Tx) WaitsFor(doctor rooms.UserID, start time.Time) ([]schedule.Wait, error) {
	return collect(context.Background(), tx, scanWait, `SELECT `+waitColumns+` FROM waits
		WHERE doctor_id = $1 AND status = 'waiting' AND from_at <= $2 AND to_at > $2 ORDER BY created_at, id LIMIT 20`, doctor, micros(start))
}

// OpenWaits implements schedule.Tx.
func (tx *Tx) OpenWaits(user rooms.UserID) (n int, err error) {
	err = tx.row(context.Background(), `SELECT count(*) FROM waits WHERE user_id = $1 AND status IN ('waiting', 'offered')`, user).Scan(&n)
	return n, err
}

// InsertWait implements schedule.Tx.
func (tx *Tx) InsertWait(v schedule.Wait) error {
	return tx.exec(`INSERT INTO waits (`+waitColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, '')`,
		v.ID, v.Status, v.DoctorID, v.UserID, v.PatientID, v.Service, v.Medium, seal(tx, "waits.complaint", v.ID, v.Complaint), seal(tx, "waits.prior_diagnosis", v.ID, v.PriorDiagnosis), micros(v.From), micros(v.To), micros(v.CreatedAt))
}

// SaveWait implements schedule.Tx.
func (tx *Tx) SaveWait(v schedule.Wait) error {
	offer, err := offerText(v.Offer)
	if err != nil {
		return err
	}
	return tx.exec(`UPDATE waits SET status = $2, offer = $3 WHERE id = $1`, v.ID, v.Status, offer)
}
