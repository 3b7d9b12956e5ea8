// Package schedule keeps schedules, seats, appointments and waitlists.
package schedule

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
	accountstore "wenzhen/rooms/store/account"
	consultationstore "wenzhen/rooms/store/consultation"
	"wenzhen/rooms/store/engine"
)

// Sealed are the columns that are encrypted at rest.
var Sealed = []engine.SealedTable{
	{Name: "appointments", Key: []string{"id"}, Columns: []string{"complaint", "reason"}},
	{Name: "waits", Key: []string{"id"}, Columns: []string{"complaint", "prior_diagnosis"}},
	{Name: "exceptions", Key: []string{"id"}, Columns: []string{"note"}},
}

// Tx implements schedule.Tx.
type Tx struct{ consultationstore.Tx }

// In is Tx in a transaction of the database.
func In(tx *engine.Tx) Tx { return Tx{consultationstore.In(tx)} }

// Store implements schedule.Store.
type Store struct{ *engine.DB }

// InTx implements schedule.Store.
func (s Store) InTx(ctx context.Context, f func(schedule.Tx) error) error {
	return s.DB.InTx(ctx, func(tx *engine.Tx) error { return f(In(tx)) })
}

// In implements schedule.Store.
func (Store) In(tx rooms.Tx) schedule.Tx { return In(engine.Of(tx)) }

// Doctor implements schedule.Store.
func (s Store) Doctor(ctx context.Context, id rooms.UserID) (account.Doctor, error) {
	return accountstore.DoctorByID(ctx, s.Reads(), id)
}

func scanException(s engine.Scanner) (schedule.Exception, error) {
	var e schedule.Exception
	var media string
	err := s.Scan(&e.ID, &e.Kind, (*engine.At)(&e.Start), (*engine.At)(&e.End), engine.Unseal("exceptions.note", &e.ID, &e.Note), &e.SlotMinutes, &e.Capacity, &media)
	if err != nil {
		return e, engine.Found(err, "exception")
	}
	return e, json.Unmarshal([]byte(media), &e.Media)
}

const exceptionColumns = `id, kind, start_at, end_at, note, slot_minutes, capacity, media`

func scheduleOf(ctx context.Context, q engine.Querier, doctor rooms.UserID, since time.Time) (schedule.Schedule, error) {
	v := schedule.Schedule{DoctorID: doctor, TimeZone: "UTC", Rules: []schedule.Rule{}, Exceptions: []schedule.Exception{}}
	var rules string
	err := q.Row(ctx, `SELECT time_zone, rules, version FROM schedules WHERE doctor_id = $1`, doctor).Scan(&v.TimeZone, &rules, &v.Version)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		err = nil
	case err == nil:
		err = json.Unmarshal([]byte(rules), &v.Rules)
	}
	if err != nil {
		return v, err
	}
	exceptions, err := engine.Collect(ctx, q, scanException, `SELECT `+exceptionColumns+` FROM exceptions WHERE doctor_id = $1 AND end_at > $2 ORDER BY start_at, id`, doctor, engine.Micros(since))
	if exceptions != nil {
		v.Exceptions = exceptions
	}
	return v, err
}

// Schedule implements schedule.Store.
func (s Store) Schedule(ctx context.Context, doctor rooms.UserID, since time.Time) (schedule.Schedule, error) {
	return scheduleOf(ctx, s.Reads(), doctor, since)
}

func taken(ctx context.Context, q engine.Querier, doctor rooms.UserID, from, to time.Time) ([]schedule.Seat, error) {
	return engine.Collect(ctx, q, scanSeat, `SELECT doctor_id, start_at, end_at, seat, holder FROM seats
		WHERE doctor_id = $1 AND start_at < $3 AND end_at > $2 ORDER BY start_at, seat`, doctor, engine.Micros(from), engine.Micros(to))
}

func scanSeat(s engine.Scanner) (schedule.Seat, error) {
	var v schedule.Seat
	return v, s.Scan(&v.DoctorID, (*engine.At)(&v.Start), (*engine.At)(&v.End), &v.Number, &v.Holder)
}

// Taken implements schedule.Store.
func (s Store) Taken(ctx context.Context, doctor rooms.UserID, from, to time.Time) ([]schedule.Seat, error) {
	return taken(ctx, s.Reads(), doctor, from, to)
}

const appointmentColumns = `id, status, consultation_id, doctor_id, doctor_name, user_id, patient_id, patient_name, service, medium, complaint,
	start_at, end_at, time_zone, price, currency, created_at, updated_at, reschedules, sequence, reason, ended_by, refund_percent, offer`

func scanAppointment(s engine.Scanner) (schedule.Appointment, error) {
	var a schedule.Appointment
	var offer string
	err := s.Scan(&a.ID, &a.Status, &a.ConsultationID, &a.DoctorID, &a.DoctorName, &a.UserID, &a.PatientID, &a.PatientName, &a.Service, &a.Medium, engine.Unseal("appointments.complaint", &a.ID, &a.Complaint),
		(*engine.At)(&a.Start), (*engine.At)(&a.End), &a.TimeZone, &a.Price, &a.Currency, (*engine.At)(&a.CreatedAt), (*engine.At)(&a.UpdatedAt), &a.Reschedules, &a.Sequence, engine.Unseal("appointments.reason", &a.ID, &a.Reason), &a.EndedBy, &a.RefundPercent, &offer)
	if err != nil {
		return a, engine.Found(err, "appointment")
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
func (s Store) Appointment(ctx context.Context, id schedule.AppointmentID) (schedule.Appointment, error) {
	return appointmentBy(ctx, s.Reads(), `id = $1`, id)
}

func appointmentBy(ctx context.Context, q engine.Querier, condition string, args ...any) (schedule.Appointment, error) {
	return scanAppointment(q.Row(ctx, `SELECT `+appointmentColumns+` FROM appointments WHERE `+condition, args...))
}

// Appointments implements schedule.Store.
func (s Store) Appointments(ctx context.Context, q schedule.AppointmentQuery) ([]schedule.Appointment, error) {
	w := engine.Where{}
	column := `user_id`
	if q.AsDoctor {
		column = `doctor_id`
	}
	w.Add(column+` = ?`, q.User)
	if q.From != nil {
		w.Add(`end_at > ?`, engine.Micros(*q.From))
	}
	if q.To != nil {
		w.Add(`start_at < ?`, engine.Micros(*q.To))
	}
	if q.After != nil {
		w.Add(`(start_at, id) > (?, ?)`, q.After.Num, q.After.ID)
	}
	return engine.Collect(ctx, s.Reads(), scanAppointment, `SELECT `+appointmentColumns+` FROM appointments`+w.SQL()+` ORDER BY start_at, id LIMIT `+w.Param(q.Limit), w.Args...)
}

const waitColumns = `id, status, doctor_id, user_id, patient_id, service, medium, complaint, prior_diagnosis, from_at, to_at, created_at, offer`

func scanWait(s engine.Scanner) (schedule.Wait, error) {
	var v schedule.Wait
	var offer string
	err := s.Scan(&v.ID, &v.Status, &v.DoctorID, &v.UserID, &v.PatientID, &v.Service, &v.Medium, engine.Unseal("waits.complaint", &v.ID, &v.Complaint), engine.Unseal("waits.prior_diagnosis", &v.ID, &v.PriorDiagnosis), (*engine.At)(&v.From), (*engine.At)(&v.To), (*engine.At)(&v.CreatedAt), &offer)
	if err != nil {
		return v, engine.Found(err, "place on a waitlist")
	}
	return v, offerFrom(offer, &v.Offer)
}

// Waits implements schedule.Store.
func (s Store) Waits(ctx context.Context, user rooms.UserID) ([]schedule.Wait, error) {
	return engine.Collect(ctx, s.Reads(), scanWait, `SELECT `+waitColumns+` FROM waits WHERE user_id = $1 ORDER BY created_at DESC, id DESC LIMIT 100`, user)
}

// WaitsWith implements schedule.Store.
func (s Store) WaitsWith(ctx context.Context, user rooms.UserID) ([]schedule.WaitID, error) {
	return engine.Collect(ctx, s.Reads(), func(row engine.Scanner) (id schedule.WaitID, err error) { return id, row.Scan(&id) },
		`SELECT id FROM waits WHERE (user_id = $1 OR doctor_id = $1) AND status IN ('waiting', 'offered') ORDER BY created_at, id`, user)
}

// OffersOf implements schedule.Store. What is offered is kept as a seat.
func (s Store) OffersOf(ctx context.Context, doctor rooms.UserID) ([]schedule.AppointmentID, error) {
	return engine.Collect(ctx, s.Reads(), func(row engine.Scanner) (schedule.AppointmentID, error) {
		var holder string
		err := row.Scan(&holder)
		return schedule.AppointmentID(strings.TrimPrefix(holder, "offer:")), err
	}, `SELECT holder FROM seats WHERE doctor_id = $1 AND holder LIKE 'offer:%' ORDER BY start_at, holder`, doctor)
}

// Schedule implements schedule.Tx.
func (tx Tx) Schedule(doctor rooms.UserID, since time.Time) (schedule.Schedule, error) {
	return scheduleOf(context.Background(), tx, doctor, since)
}

// SaveSchedule implements schedule.Tx.
func (tx Tx) SaveSchedule(v schedule.Schedule) error {
	rules, err := json.Marshal(v.Rules)
	if err != nil {
		return err
	}
	return tx.Exec(`INSERT INTO schedules (doctor_id, time_zone, rules, version) VALUES ($1, $2, $3, $4)
		ON CONFLICT (doctor_id) DO UPDATE SET time_zone = excluded.time_zone, rules = excluded.rules, version = excluded.version`,
		v.DoctorID, v.TimeZone, string(rules), v.Version)
}

// InsertException implements schedule.Tx.
func (tx Tx) InsertException(doctor rooms.UserID, e schedule.Exception) error {
	media, err := json.Marshal(e.Media)
	if err != nil {
		return err
	}
	return tx.Exec(`INSERT INTO exceptions (id, doctor_id, kind, start_at, end_at, note, slot_minutes, capacity, media) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		e.ID, doctor, e.Kind, engine.Micros(e.Start), engine.Micros(e.End), engine.Seal(tx, "exceptions.note", e.ID, e.Note), e.SlotMinutes, e.Capacity, string(media))
}

// DeleteException implements schedule.Tx.
func (tx Tx) DeleteException(doctor rooms.UserID, id schedule.ExceptionID) (schedule.Exception, error) {
	return scanException(tx.Row(context.Background(), `DELETE FROM exceptions WHERE doctor_id = $1 AND id = $2 RETURNING `+exceptionColumns, doctor, id))
}

// Taken implements schedule.Tx.
func (tx Tx) Taken(doctor rooms.UserID, from, to time.Time) ([]schedule.Seat, error) {
	return taken(context.Background(), tx, doctor, from, to)
}

// TakeSeat implements schedule.Tx.
func (tx Tx) TakeSeat(v schedule.Seat) error {
	err := tx.TryExec(`INSERT INTO seats (doctor_id, start_at, seat, end_at, holder) VALUES ($1, $2, $3, $4, $5)`, v.DoctorID, engine.Micros(v.Start), v.Number, engine.Micros(v.End), v.Holder)
	if engine.UniqueViolation(err) {
		return rooms.Conflict("taken", "this slot has just been taken")
	}
	return err
}

// FreeSeats implements schedule.Tx.
func (tx Tx) FreeSeats(holder string) ([]schedule.Seat, error) {
	return engine.Collect(context.Background(), tx, scanSeat, `DELETE FROM seats WHERE holder = $1 RETURNING doctor_id, start_at, end_at, seat, holder`, holder)
}

// HandOverSeats implements schedule.Tx.
func (tx Tx) HandOverSeats(from, to string) error {
	return tx.Exec(`UPDATE seats SET holder = $2 WHERE holder = $1`, from, to)
}

// Appointment implements schedule.Tx.
func (tx Tx) Appointment(id schedule.AppointmentID) (schedule.Appointment, error) {
	return appointmentBy(context.Background(), tx, `id = $1`, id)
}

// AppointmentOf implements schedule.Tx.
func (tx Tx) AppointmentOf(id consultation.ID) (schedule.Appointment, error) {
	return appointmentBy(context.Background(), tx, `consultation_id = $1`, id)
}

// OpenAppointments implements schedule.Tx.
func (tx Tx) OpenAppointments(doctor rooms.UserID, from, to time.Time) ([]schedule.Appointment, error) {
	return engine.Collect(context.Background(), tx, scanAppointment, `SELECT `+appointmentColumns+` FROM appointments
		WHERE doctor_id = $1 AND start_at < $3 AND end_at > $2 AND status IN ('held', 'booked', 'checked_in', 'reassign_pending') ORDER BY start_at, id`,
		doctor, engine.Micros(from), engine.Micros(to))
}

// PatientsAppointments implements schedule.Tx.
func (tx Tx) PatientsAppointments(patient account.PatientID, from, to time.Time) ([]schedule.Appointment, error) {
	return engine.Collect(context.Background(), tx, scanAppointment, `SELECT `+appointmentColumns+` FROM appointments
		WHERE patient_id = $1 AND start_at < $3 AND end_at > $2 AND status IN ('held', 'booked', 'checked_in', 'in_progress') ORDER BY start_at, id`,
		patient, engine.Micros(from), engine.Micros(to))
}

// InsertAppointment implements schedule.Tx.
func (tx Tx) InsertAppointment(a schedule.Appointment) error {
	return tx.Exec(`INSERT INTO appointments (`+appointmentColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, 0, 0, '', '', 0, '')`,
		a.ID, a.Status, a.ConsultationID, a.DoctorID, a.DoctorName, a.UserID, a.PatientID, a.PatientName, a.Service, a.Medium, engine.Seal(tx, "appointments.complaint", a.ID, a.Complaint),
		engine.Micros(a.Start), engine.Micros(a.End), a.TimeZone, a.Price, a.Currency, engine.Micros(a.CreatedAt), engine.Micros(a.UpdatedAt))
}

// SaveAppointment implements schedule.Tx.
func (tx Tx) SaveAppointment(a schedule.Appointment) error {
	offer, err := offerText(a.Offer)
	if err != nil {
		return err
	}
	return tx.Exec(`UPDATE appointments SET status = $2, doctor_id = $3, doctor_name = $4, start_at = $5, end_at = $6, time_zone = $7, updated_at = $8,
			reschedules = $9, sequence = $10, reason = $11, ended_by = $12, refund_percent = $13, offer = $14 WHERE id = $1`,
		a.ID, a.Status, a.DoctorID, a.DoctorName, engine.Micros(a.Start), engine.Micros(a.End), a.TimeZone, engine.Micros(a.UpdatedAt),
		a.Reschedules, a.Sequence, engine.Seal(tx, "appointments.reason", a.ID, a.Reason), a.EndedBy, a.RefundPercent, offer)
}

// Wait implements schedule.Tx.
func (tx Tx) Wait(id schedule.WaitID) (schedule.Wait, error) {
	return scanWait(tx.Row(context.Background(), `SELECT `+waitColumns+` FROM waits WHERE id = $1`, id))
}

// WaitsFor implements schedule.Tx.
func (tx Tx) WaitsFor(doctor rooms.UserID, start time.Time) ([]schedule.Wait, error) {
	return engine.Collect(context.Background(), tx, scanWait, `SELECT `+waitColumns+` FROM waits
		WHERE doctor_id = $1 AND status = 'waiting' AND from_at <= $2 AND to_at > $2 ORDER BY created_at, id LIMIT 20`, doctor, engine.Micros(start))
}

// OpenWaits implements schedule.Tx.
func (tx Tx) OpenWaits(user rooms.UserID) (n int, err error) {
	err = tx.Row(context.Background(), `SELECT count(*) FROM waits WHERE user_id = $1 AND status IN ('waiting', 'offered')`, user).Scan(&n)
	return n, err
}

// InsertWait implements schedule.Tx.
func (tx Tx) InsertWait(v schedule.Wait) error {
	return tx.Exec(`INSERT INTO waits (`+waitColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, '')`,
		v.ID, v.Status, v.DoctorID, v.UserID, v.PatientID, v.Service, v.Medium, engine.Seal(tx, "waits.complaint", v.ID, v.Complaint), engine.Seal(tx, "waits.prior_diagnosis", v.ID, v.PriorDiagnosis), engine.Micros(v.From), engine.Micros(v.To), engine.Micros(v.CreatedAt))
}

// SaveWait implements schedule.Tx.
func (tx Tx) SaveWait(v schedule.Wait) error {
	offer, err := offerText(v.Offer)
	if err != nil {
		return err
	}
	return tx.Exec(`UPDATE waits SET status = $2, offer = $3 WHERE id = $1`, v.ID, v.Status, offer)
}
