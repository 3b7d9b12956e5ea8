package store

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"wenzhen/rooms"
	"wenzhen/rooms/account"
)

// Accounts carries out account.Store.
type Accounts struct{ *DB }

// InTx implements account.Store.
func (s Accounts) InTx(ctx context.Context, f func(account.Tx) error) error {
	return s.write.InTx(ctx, func(tx *Tx) error { return f(tx) })
}

const userColumns = `u.id, u.role, u.name, u.email, u.locale, u.time_zone, u.created_at, u.suspended, u.email_verified, u.erased_at IS NOT NULL`

func scanUser(s scanner) (account.User, error) {
	var u account.User
	err := s.Scan(&u.ID, &u.Role, &u.Name, &u.Email, &u.Locale, &u.TimeZone, (*at)(&u.CreatedAt), &u.Suspended, &u.EmailVerified, &u.Erased)
	return u, found(err, "user")
}

func userByID(ctx context.Context, q querier, id rooms.UserID) (account.User, error) {
	return scanUser(q.row(ctx, `SELECT `+userColumns+` FROM users u WHERE u.id = $1`, id))
}

// Credentials implements account.Store.
func (s Accounts) Credentials(ctx context.Context, email string) (account.Credentials, error) {
	var c account.Credentials
	var err error
	if c.User, err = scanUser(s.readers.row(ctx, `SELECT `+userColumns+` FROM users u WHERE u.email = $1`, email)); err != nil {
		return c, err
	}
	err = s.readers.row(ctx, `SELECT password_hash FROM users WHERE id = $1`, c.User.ID).Scan(&c.PasswordHash)
	return c, found(err, "user")
}

// User implements account.Store.
func (s Accounts) User(ctx context.Context, id rooms.UserID) (account.User, error) {
	return userByID(ctx, s.readers, id)
}

// Users implements account.Store.
func (s Accounts) Users(ctx context.Context, q account.UserQuery) ([]account.User, error) {
	where := where{}
	if q.Filter.Q != "" {
		where.add(`(lower(u.name) LIKE ? ESCAPE '\' OR u.email LIKE ? ESCAPE '\')`, like(q.Filter.Q), like(q.Filter.Q))
	}
	if q.Filter.Role != "" {
		where.add(`u.role = ?`, q.Filter.Role)
	}
	if q.After != nil {
		where.add(`(u.created_at, u.id) < (?, ?)`, q.After.Num, q.After.ID)
	}
	return collect(ctx, s.readers, scanUser, `SELECT `+userColumns+` FROM users u`+where.sql()+
		` ORDER BY u.created_at DESC, u.id DESC LIMIT `+where.param(q.Limit), where.args...)
}

// CalendarToken implements account.Store.
func (s Accounts) CalendarToken(ctx context.Context, user rooms.UserID) (string, error) {
	var token string
	err := s.readers.row(ctx, `SELECT calendar_token FROM users WHERE id = $1`, user).Scan(&token)
	return token, found(err, "user")
}

// CalendarOwner implements account.Store.
func (s Accounts) CalendarOwner(ctx context.Context, id string) (account.User, error) {
	return scanUser(s.readers.row(ctx, `SELECT `+userColumns+` FROM users u WHERE u.calendar_token = $1 AND u.calendar_token <> '' AND u.suspended = 0`, id))
}

// SetCalendarToken implements account.Tx.
func (tx *Tx) SetCalendarToken(user rooms.UserID, token string) error {
	return tx.exec(`UPDATE users SET calendar_token = $2 WHERE id = $1`, user, token)
}

// Standing implements account.Store.
func (s Accounts) Standing(ctx context.Context, id rooms.SessionID, now time.Time) (account.Standing, error) {
	var v account.Standing
	err := s.readers.row(ctx, `SELECT u.id, u.role,
			CASE WHEN s.method = 'passkey' OR EXISTS (SELECT 1 FROM totp t WHERE t.user_id = u.id AND t.confirmed_at > 0) THEN 1 ELSE 0 END
		FROM sessions s JOIN users u ON u.id = s.user_id
		WHERE s.id = $1 AND s.revoked_at = 0 AND s.expires_at > $2 AND u.suspended = 0`, id, micros(now)).Scan(&v.UserID, &v.Role, &v.TwoFactors)
	return v, found(err, "session")
}

// Sessions implements account.Store.
func (s Accounts) Sessions(ctx context.Context, user rooms.UserID, now time.Time) ([]account.Session, error) {
	return collect(ctx, s.readers, scanSession, `SELECT `+sessionColumns+` FROM sessions
		WHERE user_id = $1 AND revoked_at = 0 AND expires_at > $2 ORDER BY last_used_at DESC, id`, user, micros(now))
}

// isVerified is 1 for a doctor whose credentials are those that an admin has
// reviewed, by whichever way they may have changed since.
const isVerified = `CASE WHEN d.verified = 1 AND d.checked_name = u.name AND d.checked_title = d.title
	AND d.checked_department = d.department AND d.checked_licence = d.licence THEN 1 ELSE 0 END`

const doctorColumns = `d.user_id, u.name, d.title, d.department, d.bio, d.languages, d.services, d.on_duty, d.licence, ` + isVerified + `, d.rejection, d.revision`

func scanDoctor(s scanner) (account.Doctor, error) { return scanDoctorAnd(s) }

func scanDoctorAnd(s scanner, more ...any) (account.Doctor, error) {
	var d account.Doctor
	var languages, services string
	err := s.Scan(append([]any{&d.ID, &d.Name, &d.Title, &d.Department, &d.Bio, &languages, &services, &d.OnDuty, &d.Licence, &d.Verified,
		unseal("doctors.rejection", &d.ID, &d.Rejection), &d.Revision}, more...)...)
	if err != nil {
		return d, found(err, "doctor")
	}
	return d, firstOf(json.Unmarshal([]byte(languages), &d.Languages), json.Unmarshal([]byte(services), &d.Services))
}

const doctorRow = `SELECT ` + doctorColumns + ` FROM doctors d JOIN users u ON u.id = d.user_id WHERE d.user_id = $1`

func doctorByID(ctx context.Context, q querier, id rooms.UserID) (account.Doctor, error) {
	return scanDoctor(q.row(ctx, doctorRow+` AND u.suspended = 0`, id))
}

// Doctor implements account.Store.
func (s Accounts) Doctor(ctx context.Context, id rooms.UserID) (account.Doctor, error) {
	return doctorByID(ctx, s.readers, id)
}

// Doctors implements account.Store.
func (s Accounts) Doctors(ctx context.Context, q account.DoctorQuery) ([]account.Doctor, error) {
	where := where{}
	where.add(`u.suspended = 0 AND d.verified = 1 AND ` + isVerified + ` = 1`)
	if q.Filter.Q != "" {
		p := like(q.Filter.Q)
		where.add(`(lower(u.name) LIKE ? ESCAPE '\' OR lower(d.title) LIKE ? ESCAPE '\' OR lower(d.department) LIKE ? ESCAPE '\' OR lower(d.bio) LIKE ? ESCAPE '\')`, p, p, p, p)
	}
	if q.Filter.Department != "" {
		where.add(`d.department = ?`, q.Filter.Department)
	}
	if q.Filter.Medium != "" {
		where.add(`d.media LIKE ? ESCAPE '\'`, like(","+string(q.Filter.Medium)+","))
	}
	if q.After != nil {
		where.add(`(u.name, u.id) > (?, ?)`, q.After.Key, q.After.ID)
	}
	return collect(ctx, s.readers, scanDoctor, `SELECT `+doctorColumns+` FROM doctors d JOIN users u ON u.id = d.user_id`+where.sql()+
		` ORDER BY u.name, u.id LIMIT `+where.param(q.Limit), where.args...)
}

// Applicants implements account.Store.
func (s Accounts) Applicants(ctx context.Context, q account.ApplicantQuery) ([]account.Applicant, error) {
	// A cursor has 64 bits; without the cast PostgreSQL compares it as 32.
	const rank = `CAST(CASE WHEN ` + isVerified + ` = 1 THEN 2 WHEN d.rejection <> '' THEN 1 ELSE 0 END AS BIGINT)`
	where := where{}
	where.add(`u.suspended = 0`)
	if q.After != nil {
		where.add(`(`+rank+`, u.name, u.id) > (?, ?, ?)`, q.After.Num, q.After.Key, q.After.ID)
	}
	return collect(ctx, s.readers, func(row scanner) (a account.Applicant, err error) {
		var c account.DoctorCredentials
		a.Doctor, err = scanDoctorAnd(row, &a.Email, &a.EmailVerified, &c.Name, &c.Title, &c.Department, &c.Licence)
		if c.Name != "" {
			a.Checked = &c
		}
		return a, err
	}, `SELECT `+doctorColumns+`, u.email, u.email_verified, d.checked_name, d.checked_title, d.checked_department, d.checked_licence
		FROM doctors d JOIN users u ON u.id = d.user_id`+where.sql()+` ORDER BY `+rank+`, u.name, u.id LIMIT `+where.param(q.Limit), where.args...)
}

const patientColumns = `id, user_id, name, birth_date, sex, relation`

func scanPatient(s scanner) (account.Patient, error) {
	var p account.Patient
	return p, found(s.Scan(&p.ID, &p.UserID, &p.Name, &p.BirthDate, &p.Sex, &p.Relation), "patient")
}

// Patients implements account.Store.
func (s Accounts) Patients(ctx context.Context, user rooms.UserID) ([]account.Patient, error) {
	return collect(ctx, s.readers, scanPatient, `SELECT `+patientColumns+` FROM patients WHERE user_id = $1
		ORDER BY relation <> 'self', name, id`, user)
}

// InsertUser implements account.Tx.
func (tx *Tx) InsertUser(c account.Credentials) error {
	u := c.User
	err := tx.tryExec(`INSERT INTO users (id, role, name, email, password_hash, locale, time_zone, created_at, suspended, email_verified)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`, u.ID, u.Role, u.Name, u.Email, c.PasswordHash, u.Locale, u.TimeZone, micros(u.CreatedAt), u.Suspended, u.EmailVerified)
	if uniqueViolation(err) {
		e := rooms.Conflict("", "this e-mail address has an account")
		e.Field = "email"
		return e
	}
	return err
}

// SaveUser implements account.Tx.
func (tx *Tx) SaveUser(u account.User) error {
	return tx.exec(`UPDATE users SET name = $2, locale = $3, time_zone = $4, suspended = $5, email_verified = $6 WHERE id = $1`,
		u.ID, u.Name, u.Locale, u.TimeZone, u.Suspended, u.EmailVerified)
}

// SetRole implements account.Tx.
func (tx *Tx) SetRole(user rooms.UserID, role rooms.Role, now time.Time) ([]rooms.SessionID, error) {
	if err := tx.exec(`UPDATE users SET role = $2 WHERE id = $1`, user, role); err != nil {
		return nil, err
	}
	return tx.RevokeSessions(user, "", now)
}

// User implements account.Tx and consultation.Tx.
func (tx *Tx) User(id rooms.UserID) (account.User, error) {
	return userByID(context.Background(), tx, id)
}

// UserByEmail implements account.Tx and consultation.Tx.
func (tx *Tx) UserByEmail(email string) (account.User, error) {
	return scanUser(tx.row(context.Background(), `SELECT `+userColumns+` FROM users u WHERE u.email = $1`, email))
}

// TouchSession implements account.Tx.
func (tx *Tx) TouchSession(id rooms.SessionID, used, expires time.Time) error {
	return tx.exec(`UPDATE sessions SET last_used_at = $2, expires_at = $3 WHERE id = $1`, id, micros(used), micros(expires))
}

// RevokeSessions implements account.Tx.
func (tx *Tx) RevokeSessions(user rooms.UserID, id rooms.SessionID, now time.Time) ([]rooms.SessionID, error) {
	ended, err := collect(context.Background(), tx, func(s scanner) (rooms.SessionID, error) {
		var id rooms.SessionID
		return id, s.Scan(&id)
	}, `UPDATE sessions SET revoked_at = $3 WHERE user_id = $1 AND ($2 = '' OR id = $2) AND revoked_at = 0 RETURNING id`, user, id, micros(now))
	return tx.sessionsEnded(ended, err)
}

// sessionsEnded reports sessions that were just ended: what they have open ends
// before the next event is delivered, and they leave their calls.
func (tx *Tx) sessionsEnded(ended []rooms.SessionID, err error) ([]rooms.SessionID, error) {
	for _, id := range ended {
		account.SessionRevoked.After(tx, rooms.SessionRoom(id), account.SessionInput{SessionID: id})
		if err == nil {
			err = tx.hangUp(id)
		}
	}
	return ended, err
}

// SessionOwner implements account.Tx.
func (tx *Tx) SessionOwner(id rooms.SessionID) (rooms.UserID, error) {
	var user rooms.UserID
	err := tx.row(context.Background(), `SELECT user_id FROM sessions WHERE id = $1 AND revoked_at = 0`, id).Scan(&user)
	return user, found(err, "session")
}

// CountAttempts implements account.Tx.
func (tx *Tx) CountAttempts(subject string, since time.Time) (int, error) {
	var n int
	err := tx.row(context.Background(), `SELECT count(*) FROM attempts WHERE subject = $1 AND at > $2`, subject, micros(since)).Scan(&n)
	return n, err
}

// AddAttempt implements account.Tx.
func (tx *Tx) AddAttempt(subject string, now time.Time) error {
	return tx.exec(`INSERT INTO attempts (subject, at) VALUES ($1, $2)`, subject, micros(now))
}

// ForgetAttempts implements account.Tx.
func (tx *Tx) ForgetAttempts(subject string, since time.Time) error {
	return tx.exec(`DELETE FROM attempts WHERE subject = $1 AND at >= $2`, subject, micros(since))
}

// InsertDoctor implements account.Tx.
func (tx *Tx) InsertDoctor(d account.Doctor) error {
	if err := tx.exec(`INSERT INTO doctors (user_id, title, department, bio, languages, services, media, on_duty, verified)
		VALUES ($1, '', '', '', '[]', '[]', '', 0, 0)`, d.ID); err != nil {
		return err
	}
	return tx.SaveDoctor(d)
}

// Doctor implements account.Tx and consultation.Tx.
func (tx *Tx) Doctor(id rooms.UserID) (account.Doctor, error) {
	return doctorByID(context.Background(), tx, id)
}

// AnyDoctor implements account.Tx.
func (tx *Tx) AnyDoctor(id rooms.UserID) (account.Doctor, error) {
	return scanDoctor(tx.row(context.Background(), `SELECT `+doctorColumns+` FROM doctors d JOIN users u ON u.id = d.user_id WHERE d.user_id = $1`, id))
}

// LastAdmin implements account.Tx.
func (tx *Tx) LastAdmin(user rooms.UserID) (last bool, err error) {
	err = tx.row(context.Background(), lastAdmin, user).Scan(&last)
	return last, err
}

// SaveDoctor implements account.Tx.
func (tx *Tx) SaveDoctor(d account.Doctor) error {
	languages, err := json.Marshal(d.Languages)
	if err != nil {
		return err
	}
	services, err := json.Marshal(d.Services)
	if err != nil {
		return err
	}
	media := ","
	for _, v := range d.Services {
		media += string(v.Medium) + ","
	}
	return tx.exec(`UPDATE doctors SET title = $2, department = $3, bio = $4, languages = $5, services = $6, media = $7, on_duty = $8, verified = $9,
			licence = $10, rejection = $11, revision = $12
		WHERE user_id = $1`, d.ID, d.Title, d.Department, d.Bio, string(languages), string(services), media, d.OnDuty, d.Verified,
		d.Licence, seal(tx, "doctors.rejection", d.ID, d.Rejection), d.Revision)
}

// CheckDoctor implements account.Tx.
func (tx *Tx) CheckDoctor(d account.Doctor) error {
	return tx.exec(`UPDATE doctors SET verified = 1, checked_name = $2, checked_title = $3, checked_department = $4, checked_licence = $5 WHERE user_id = $1`,
		d.ID, d.Name, d.Title, d.Department, d.Licence)
}

// InsertPatient implements account.Tx.
func (tx *Tx) InsertPatient(p account.Patient) error {
	return tx.exec(`INSERT INTO patients (id, user_id, name, birth_date, sex, relation) VALUES ($1, $2, $3, $4, $5, $6)`,
		p.ID, p.UserID, p.Name, p.BirthDate, p.Sex, p.Relation)
}

// Patient implements account.Tx and consultation.Tx.
func (tx *Tx) Patient(id account.PatientID) (account.Patient, error) {
	return scanPatient(tx.row(context.Background(), `SELECT `+patientColumns+` FROM patients WHERE id = $1`, id))
}

// SelfPatient implements consultation.Tx.
func (tx *Tx) SelfPatient(user rooms.UserID) (account.Patient, error) {
	return scanPatient(tx.row(context.Background(), `SELECT `+patientColumns+` FROM patients WHERE user_id = $1 AND relation = 'self' ORDER BY id LIMIT 1`, user))
}

// SavePatient implements account.Tx.
func (tx *Tx) SavePatient(p account.Patient) error {
	return tx.exec(`UPDATE patients SET name = $2, birth_date = $3, sex = $4, relation = $5 WHERE id = $1`, p.ID, p.Name, p.BirthDate, p.Sex, p.Relation)
}

// where collects conditions written with ? and numbers their parameters.
type where struct {
	conditions []string
	args       []any
}

func (w *where) add(condition string, args ...any) {
	for _, a := range args {
		condition = strings.Replace(condition, "?", w.param(a), 1)
	}
	w.conditions = append(w.conditions, condition)
}

// same asks for a value of a column, unless that is empty.
func (w *where) same(column, value string) {
	if value != "" {
		w.add(column+` = ?`, value)
	}
}

// amongst asks for one of several values of a column, unless there are none.
func amongst[T any](w *where, column string, values []T) {
	if len(values) == 0 {
		return
	}
	params := make([]string, len(values))
	for i, v := range values {
		params[i] = w.param(v)
	}
	w.add(column + ` IN (` + strings.Join(params, ", ") + `)`)
}

func (w *where) param(a any) string {
	w.args = append(w.args, a)
	return "$" + strconv.Itoa(len(w.args))
}

func (w *where) sql() string {
	if len(w.conditions) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(w.conditions, " AND ")
}
