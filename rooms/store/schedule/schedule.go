// Package schedule keeps schedules, seats, appointments and waitlists.
package schedule

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
	"wenzhen.example/rooms/consultation"
	"wenzhen.example/rooms/schedule"
	accountstore "wenzhen.example/rooms/store/account"
	consultationstore "wenzhen.example/rooms/store/consultation"
	"wenzhen.example/rooms/store/engine"
)

// Encrypted are the columns that are encrypted at rest.
var Encrypted = []engine.EncryptedTable{
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

// storedException is an exception as its columns have it.
type storedException struct {
	schedule.Exception
	media string // as JSON
}

type exceptionColumn = engine.Column[storedException]

var exceptionRow = engine.RowOf(
	exceptionColumn{Name: "id", To: func(e *storedException) any { return &e.ID }},
	exceptionColumn{Name: "kind", To: func(e *storedException) any { return &e.Kind }},
	exceptionColumn{Name: "start_at", To: func(e *storedException) any { return (*engine.At)(&e.Start) }},
	exceptionColumn{Name: "end_at", To: func(e *storedException) any { return (*engine.At)(&e.End) }},
	exceptionColumn{Name: "note", To: func(e *storedException) any { return engine.DecryptColumn("exceptions.note", &e.ID, &e.Note) }},
	exceptionColumn{Name: "slot_minutes", To: func(e *storedException) any { return &e.SlotMinutes }},
	exceptionColumn{Name: "capacity", To: func(e *storedException) any { return &e.Capacity }},
	exceptionColumn{Name: "media", To: func(e *storedException) any { return &e.media }},
)

func scanException(s engine.Scanner) (schedule.Exception, error) {
	var e storedException
	if err := exceptionRow.Scan(s, &e); err != nil {
		return e.Exception, engine.Found(err, "exception")
	}
	return e.Exception, json.Unmarshal([]byte(e.media), &e.Media)
}

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
	exceptions, err := engine.Collect(ctx, q, scanException, `SELECT `+exceptionRow.Columns("")+` FROM exceptions
		WHERE doctor_id = $1 AND end_at > $2 ORDER BY start_at, id`, doctor, engine.Micros(since))
	if exceptions != nil {
		v.Exceptions = exceptions
	}
	return v, err
}

// Schedule implements schedule.Store.
func (s Store) Schedule(ctx context.Context, doctor rooms.UserID, since time.Time) (schedule.Schedule, error) {
	return scheduleOf(ctx, s.Reads(), doctor, since)
}

type seatColumn = engine.Column[schedule.Seat]

var seatRow = engine.RowOf(
	seatColumn{Name: "doctor_id", To: func(v *schedule.Seat) any { return &v.DoctorID }},
	seatColumn{Name: "start_at", To: func(v *schedule.Seat) any { return (*engine.At)(&v.Start) }},
	seatColumn{Name: "end_at", To: func(v *schedule.Seat) any { return (*engine.At)(&v.End) }},
	seatColumn{Name: "seat", To: func(v *schedule.Seat) any { return &v.Number }},
	seatColumn{Name: "holder", To: func(v *schedule.Seat) any { return &v.Holder }},
)

func scanSeat(s engine.Scanner) (schedule.Seat, error) {
	var v schedule.Seat
	return v, seatRow.Scan(s, &v)
}

func taken(ctx context.Context, q engine.Querier, doctor rooms.UserID, from, to time.Time) ([]schedule.Seat, error) {
	return engine.Collect(ctx, q, scanSeat, `SELECT `+seatRow.Columns("")+` FROM seats
		WHERE doctor_id = $1 AND start_at < $3 AND end_at > $2 ORDER BY start_at, seat`, doctor, engine.Micros(from), engine.Micros(to))
}

// Taken implements schedule.Store.
func (s Store) Taken(ctx context.Context, doctor rooms.UserID, from, to time.Time) ([]schedule.Seat, error) {
	return taken(ctx, s.Reads(), doctor, from, to)
}

// storedAppointment is an appointment as its columns have it.
type storedAppointment struct {
	schedule.Appointment
	offer string // as JSON
}

type appointmentColumn = engine.Column[storedAppointment]

var appointmentRow = engine.RowOf(
	appointmentColumn{Name: "id", To: func(a *storedAppointment) any { return &a.ID }},
	appointmentColumn{Name: "status", To: func(a *storedAppointment) any { return &a.Status }},
	appointmentColumn{Name: "consultation_id", To: func(a *storedAppointment) any { return &a.ConsultationID }},
	appointmentColumn{Name: "doctor_id", To: func(a *storedAppointment) any { return &a.DoctorID }},
	appointmentColumn{Name: "doctor_name", To: func(a *storedAppointment) any { return &a.DoctorName }},
	appointmentColumn{Name: "user_id", To: func(a *storedAppointment) any { return &a.UserID }},
	appointmentColumn{Name: "patient_id", To: func(a *storedAppointment) any { return &a.PatientID }},
	appointmentColumn{Name: "patient_name", To: func(a *storedAppointment) any { return &a.PatientName }},
	appointmentColumn{Name: "service", To: func(a *storedAppointment) any { return &a.Service }},
	appointmentColumn{Name: "medium", To: func(a *storedAppointment) any { return &a.Medium }},
	appointmentColumn{Name: "complaint", To: func(a *storedAppointment) any {
		return engine.DecryptColumn("appointments.complaint", &a.ID, &a.Complaint)
	}},
	appointmentColumn{Name: "start_at", To: func(a *storedAppointment) any { return (*engine.At)(&a.Start) }},
	appointmentColumn{Name: "end_at", To: func(a *storedAppointment) any { return (*engine.At)(&a.End) }},
	appointmentColumn{Name: "time_zone", To: func(a *storedAppointment) any { return &a.TimeZone }},
	appointmentColumn{Name: "price", To: func(a *storedAppointment) any { return &a.Price }},
	appointmentColumn{Name: "currency", To: func(a *storedAppointment) any { return &a.Currency }},
	appointmentColumn{Name: "created_at", To: func(a *storedAppointment) any { return (*engine.At)(&a.CreatedAt) }},
	appointmentColumn{Name: "updated_at", To: func(a *storedAppointment) any { return (*engine.At)(&a.UpdatedAt) }},
	appointmentColumn{Name: "reschedules", To: func(a *storedAppointment) any { return &a.Reschedules }},
	appointmentColumn{Name: "sequence", To: func(a *storedAppointment) any { return &a.Sequence }},
	appointmentColumn{Name: "reason", To: func(a *storedAppointment) any {
		return engine.DecryptColumn("appointments.reason", &a.ID, &a.Reason)
	}},
	appointmentColumn{Name: "ended_by", To: func(a *storedAppointment) any { return &a.EndedBy }},
	appointmentColumn{Name: "refund_percent", To: func(a *storedAppointment) any { return &a.RefundPercent }},
	appointmentColumn{Name: "offer", To: func(a *storedAppointment) any { return &a.offer }},
)

var appointmentsFrom = `SELECT ` + appointmentRow.Columns("") + ` FROM appointments`

func scanAppointment(s engine.Scanner) (schedule.Appointment, error) {
	var a storedAppointment
	if err := appointmentRow.Scan(s, &a); err != nil {
		return a.Appointment, engine.Found(err, "appointment")
	}
	return a.Appointment, offerFrom(a.offer, &a.Offer)
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
	return scanAppointment(q.Row(ctx, appointmentsFrom+` WHERE `+condition, args...))
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
	return engine.Collect(ctx, s.Reads(), scanAppointment,
		appointmentsFrom+w.SQL()+` ORDER BY start_at, id LIMIT `+w.Param(q.Limit), w.Args...)
}

// storedWait is a place on a waitlist as its columns have it.
type storedWait struct {
	schedule.Wait
	offer string // as JSON
}

type waitColumn = engine.Column[storedWait]

var waitRow = engine.RowOf(
	waitColumn{Name: "id", To: func(v *storedWait) any { return &v.ID }},
	waitColumn{Name: "status", To: func(v *storedWait) any { return &v.Status }},
	waitColumn{Name: "doctor_id", To: func(v *storedWait) any { return &v.DoctorID }},
	waitColumn{Name: "user_id", To: func(v *storedWait) any { return &v.UserID }},
	waitColumn{Name: "patient_id", To: func(v *storedWait) any { return &v.PatientID }},
	waitColumn{Name: "service", To: func(v *storedWait) any { return &v.Service }},
	waitColumn{Name: "medium", To: func(v *storedWait) any { return &v.Medium }},
	waitColumn{Name: "complaint", To: func(v *storedWait) any { return engine.DecryptColumn("waits.complaint", &v.ID, &v.Complaint) }},
	waitColumn{Name: "prior_diagnosis", To: func(v *storedWait) any {
		return engine.DecryptColumn("waits.prior_diagnosis", &v.ID, &v.PriorDiagnosis)
	}},
	waitColumn{Name: "from_at", To: func(v *storedWait) any { return (*engine.At)(&v.From) }},
	waitColumn{Name: "to_at", To: func(v *storedWait) any { return (*engine.At)(&v.To) }},
	waitColumn{Name: "created_at", To: func(v *storedWait) any { return (*engine.At)(&v.CreatedAt) }},
	waitColumn{Name: "offer", To: func(v *storedWait) any { return &v.offer }},
)

var waitsFrom = `SELECT ` + waitRow.Columns("") + ` FROM waits`

func scanWait(s engine.Scanner) (schedule.Wait, error) {
	var v storedWait
	if err := waitRow.Scan(s, &v); err != nil {
		return v.Wait, engine.Found(err, "place on a waitlist")
	}
	return v.Wait, offerFrom(v.offer, &v.Offer)
}

// Waits implements schedule.Store.
func (s Store) Waits(ctx context.Context, user rooms.UserID) ([]schedule.Wait, error) {
	return engine.Collect(ctx, s.Reads(), scanWait, waitsFrom+` WHERE user_id = $1 ORDER BY created_at DESC, id DESC LIMIT 100`, user)
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
	return tx.Insert("exceptions",
		engine.Set("id", e.ID),
		engine.Set("doctor_id", doctor),
		engine.Set("kind", e.Kind),
		engine.Set("start_at", engine.Micros(e.Start)),
		engine.Set("end_at", engine.Micros(e.End)),
		engine.Set("note", engine.EncryptColumn(tx, "exceptions.note", e.ID, e.Note)),
		engine.Set("slot_minutes", e.SlotMinutes),
		engine.Set("capacity", e.Capacity),
		engine.Set("media", string(media)),
	)
}

// DeleteException implements schedule.Tx.
func (tx Tx) DeleteException(doctor rooms.UserID, id schedule.ExceptionID) (schedule.Exception, error) {
	return scanException(tx.Row(context.Background(),
		`DELETE FROM exceptions WHERE doctor_id = $1 AND id = $2 RETURNING `+exceptionRow.Columns(""), doctor, id))
}

// Taken implements schedule.Tx.
func (tx Tx) Taken(doctor rooms.UserID, from, to time.Time) ([]schedule.Seat, error) {
	return taken(context.Background(), tx, doctor, from, to)
}

// TakeSeat implements schedule.Tx.
func (tx Tx) TakeSeat(v schedule.Seat) error {
	err := tx.TryInsert("seats",
		engine.Set("doctor_id", v.DoctorID),
		engine.Set("start_at", engine.Micros(v.Start)),
		engine.Set("seat", v.Number),
		engine.Set("end_at", engine.Micros(v.End)),
		engine.Set("holder", v.Holder),
	)
	if engine.UniqueViolation(err) {
		return rooms.Conflict("taken", "this slot has just been taken")
	}
	return err
}

// FreeSeats implements schedule.Tx.
func (tx Tx) FreeSeats(holder string) ([]schedule.Seat, error) {
	return engine.Collect(context.Background(), tx, scanSeat, `DELETE FROM seats WHERE holder = $1 RETURNING `+seatRow.Columns(""), holder)
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
	return engine.Collect(context.Background(), tx, scanAppointment, appointmentsFrom+`
		WHERE doctor_id = $1 AND start_at < $3 AND end_at > $2 AND status IN ('held', 'booked', 'checked_in', 'reassign_pending') ORDER BY start_at, id`,
		doctor, engine.Micros(from), engine.Micros(to))
}

// PatientsAppointments implements schedule.Tx.
func (tx Tx) PatientsAppointments(patient account.PatientID, from, to time.Time) ([]schedule.Appointment, error) {
	return engine.Collect(context.Background(), tx, scanAppointment, appointmentsFrom+`
		WHERE patient_id = $1 AND start_at < $3 AND end_at > $2 AND status IN ('held', 'booked', 'checked_in', 'in_progress') ORDER BY start_at, id`,
		patient, engine.Micros(from), engine.Micros(to))
}

// InsertAppointment implements schedule.Tx.
func (tx Tx) InsertAppointment(a schedule.Appointment) error {
	return tx.Insert("appointments",
		engine.Set("id", a.ID),
		engine.Set("status", a.Status),
		engine.Set("consultation_id", a.ConsultationID),
		engine.Set("doctor_id", a.DoctorID),
		engine.Set("doctor_name", a.DoctorName),
		engine.Set("user_id", a.UserID),
		engine.Set("patient_id", a.PatientID),
		engine.Set("patient_name", a.PatientName),
		engine.Set("service", a.Service),
		engine.Set("medium", a.Medium),
		engine.Set("complaint", engine.EncryptColumn(tx, "appointments.complaint", a.ID, a.Complaint)),
		engine.Set("start_at", engine.Micros(a.Start)),
		engine.Set("end_at", engine.Micros(a.End)),
		engine.Set("time_zone", a.TimeZone),
		engine.Set("price", a.Price),
		engine.Set("currency", a.Currency),
		engine.Set("created_at", engine.Micros(a.CreatedAt)),
		engine.Set("updated_at", engine.Micros(a.UpdatedAt)),
		engine.Set("reschedules", 0),
		engine.Set("sequence", 0),
		engine.Set("reason", ""),
		engine.Set("ended_by", ""),
		engine.Set("refund_percent", 0),
		engine.Set("offer", ""),
	)
}

// SaveAppointment implements schedule.Tx.
func (tx Tx) SaveAppointment(a schedule.Appointment) error {
	offer, err := offerText(a.Offer)
	if err != nil {
		return err
	}
	return tx.Update("appointments", "id = $1", a.ID,
		engine.Set("status", a.Status),
		engine.Set("doctor_id", a.DoctorID),
		engine.Set("doctor_name", a.DoctorName),
		engine.Set("start_at", engine.Micros(a.Start)),
		engine.Set("end_at", engine.Micros(a.End)),
		engine.Set("time_zone", a.TimeZone),
		engine.Set("updated_at", engine.Micros(a.UpdatedAt)),
		engine.Set("reschedules", a.Reschedules),
		engine.Set("sequence", a.Sequence),
		engine.Set("reason", engine.EncryptColumn(tx, "appointments.reason", a.ID, a.Reason)),
		engine.Set("ended_by", a.EndedBy),
		engine.Set("refund_percent", a.RefundPercent),
		engine.Set("offer", offer),
	)
}

// Wait implements schedule.Tx.
func (tx Tx) Wait(id schedule.WaitID) (schedule.Wait, error) {
	return scanWait(tx.Row(context.Background(), waitsFrom+` WHERE id = $1`, id))
}

// WaitsFor implements schedule.Tx.
func (tx Tx) WaitsFor(doctor rooms.UserID, start time.Time) ([]schedule.Wait, error) {
	return engine.Collect(context.Background(), tx, scanWait, waitsFrom+`
		WHERE doctor_id = $1 AND status = 'waiting' AND from_at <= $2 AND to_at > $2 ORDER BY created_at, id LIMIT 20`, doctor, engine.Micros(start))
}

// OpenWaits implements schedule.Tx.
func (tx Tx) OpenWaits(user rooms.UserID) (n int, err error) {
	err = tx.Row(context.Background(), `SELECT count(*) FROM waits WHERE user_id = $1 AND status IN ('waiting', 'offered')`, user).Scan(&n)
	return n, err
}

// InsertWait implements schedule.Tx.
func (tx Tx) InsertWait(v schedule.Wait) error {
	return tx.Insert("waits",
		engine.Set("id", v.ID),
		engine.Set("status", v.Status),
		engine.Set("doctor_id", v.DoctorID),
		engine.Set("user_id", v.UserID),
		engine.Set("patient_id", v.PatientID),
		engine.Set("service", v.Service),
		engine.Set("medium", v.Medium),
		engine.Set("complaint", engine.EncryptColumn(tx, "waits.complaint", v.ID, v.Complaint)),
		engine.Set("prior_diagnosis", engine.EncryptColumn(tx, "waits.prior_diagnosis", v.ID, v.PriorDiagnosis)),
		engine.Set("from_at", engine.Micros(v.From)),
		engine.Set("to_at", engine.Micros(v.To)),
		engine.Set("created_at", engine.Micros(v.CreatedAt)),
		engine.Set("offer", ""),
	)
}

// SaveWait implements schedule.Tx.
func (tx Tx) SaveWait(v schedule.Wait) error {
	offer, err := offerText(v.Offer)
	if err != nil {
		return err
	}
	return tx.Exec(`UPDATE waits SET status = $2, offer = $3 WHERE id = $1`, v.ID, v.Status, offer)
}
