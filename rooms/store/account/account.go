// Package account keeps users, doctors, patients, logins and what they log in with.
package account

import (
	"context"
	"encoding/json"
	"time"

	"wenzhen/rooms"
	"wenzhen/rooms/account"
	auditstore "wenzhen/rooms/store/audit"
	"wenzhen/rooms/store/engine"
)

// Sealed are the columns that are encrypted at rest.
var Sealed = []engine.SealedTable{
	{Name: "doctors", Key: []string{"user_id"}, Columns: []string{"rejection"}},
	{Name: "legal_holds", Key: []string{"user_id"}, Columns: []string{"reason"}},
}

// People is what other features do with users, doctors and patients in their
// transactions.
type People struct{ auditstore.Tx }

// Tx implements account.Tx.
type Tx struct{ People }

// In is Tx in a transaction of the database.
func In(tx *engine.Tx) Tx { return Tx{PeopleIn(tx)} }

// PeopleIn is People in a transaction of the database.
func PeopleIn(tx *engine.Tx) People { return People{auditstore.In(tx)} }

// Store implements account.Store.
type Store struct{ *engine.DB }

// InTx implements account.Store.
func (s Store) InTx(ctx context.Context, f func(account.Tx) error) error {
	return s.DB.InTx(ctx, func(tx *engine.Tx) error { return f(In(tx)) })
}

const UserColumns = `u.id, u.role, u.name, u.email, u.locale, u.time_zone, u.created_at, u.suspended, u.email_verified, u.erased_at IS NOT NULL`

func ScanUser(s engine.Scanner) (account.User, error) {
	var u account.User
	err := s.Scan(&u.ID, &u.Role, &u.Name, &u.Email, &u.Locale, &u.TimeZone, (*engine.At)(&u.CreatedAt), &u.Suspended, &u.EmailVerified, &u.Erased)
	return u, engine.Found(err, "user")
}

func UserByID(ctx context.Context, q engine.Querier, id rooms.UserID) (account.User, error) {
	return ScanUser(q.Row(ctx, `SELECT `+UserColumns+` FROM users u WHERE u.id = $1`, id))
}

// Credentials implements account.Store.
func (s Store) Credentials(ctx context.Context, email string) (account.Credentials, error) {
	var c account.Credentials
	var err error
	if c.User, err = ScanUser(s.Reads().Row(ctx, `SELECT `+UserColumns+` FROM users u WHERE u.email = $1`, email)); err != nil {
		return c, err
	}
	err = s.Reads().Row(ctx, `SELECT password_hash FROM users WHERE id = $1`, c.User.ID).Scan(&c.PasswordHash)
	return c, engine.Found(err, "user")
}

// User implements account.Store.
func (s Store) User(ctx context.Context, id rooms.UserID) (account.User, error) {
	return UserByID(ctx, s.Reads(), id)
}

// Users implements account.Store.
func (s Store) Users(ctx context.Context, q account.UserQuery) ([]account.User, error) {
	where := engine.Where{}
	if q.Filter.Q != "" {
		where.Add(`(lower(u.name) LIKE ? ESCAPE '\' OR u.email LIKE ? ESCAPE '\')`, engine.Like(q.Filter.Q), engine.Like(q.Filter.Q))
	}
	if q.Filter.Role != "" {
		where.Add(`u.role = ?`, q.Filter.Role)
	}
	if q.After != nil {
		where.Add(`(u.created_at, u.id) < (?, ?)`, q.After.Num, q.After.ID)
	}
	return engine.Collect(ctx, s.Reads(), ScanUser, `SELECT `+UserColumns+` FROM users u`+where.SQL()+
		` ORDER BY u.created_at DESC, u.id DESC LIMIT `+where.Param(q.Limit), where.Args...)
}

// CalendarToken implements account.Store.
func (s Store) CalendarToken(ctx context.Context, user rooms.UserID) (string, error) {
	var token string
	err := s.Reads().Row(ctx, `SELECT calendar_token FROM users WHERE id = $1`, user).Scan(&token)
	return token, engine.Found(err, "user")
}

// CalendarOwner implements account.Store.
func (s Store) CalendarOwner(ctx context.Context, id string) (account.User, error) {
	return ScanUser(s.Reads().Row(ctx, `SELECT `+UserColumns+` FROM users u WHERE u.calendar_token = $1 AND u.calendar_token <> '' AND u.suspended = 0`, id))
}

// SetCalendarToken implements account.Tx.
func (tx Tx) SetCalendarToken(user rooms.UserID, token string) error {
	return tx.Exec(`UPDATE users SET calendar_token = $2 WHERE id = $1`, user, token)
}

// Standing implements account.Store.
func (s Store) Standing(ctx context.Context, id rooms.SessionID, now time.Time) (account.Standing, error) {
	var v account.Standing
	err := s.Reads().Row(ctx, `SELECT u.id, u.role,
			CASE WHEN s.method = 'passkey' OR EXISTS (SELECT 1 FROM totp t WHERE t.user_id = u.id AND t.confirmed_at > 0) THEN 1 ELSE 0 END
		FROM sessions s JOIN users u ON u.id = s.user_id
		WHERE s.id = $1 AND s.revoked_at = 0 AND s.expires_at > $2 AND u.suspended = 0`, id, engine.Micros(now)).Scan(&v.UserID, &v.Role, &v.TwoFactors)
	return v, engine.Found(err, "session")
}

// Sessions implements account.Store.
func (s Store) Sessions(ctx context.Context, user rooms.UserID, now time.Time) ([]account.Session, error) {
	return engine.Collect(ctx, s.Reads(), scanSession, `SELECT `+sessionColumns+` FROM sessions
		WHERE user_id = $1 AND revoked_at = 0 AND expires_at > $2 ORDER BY last_used_at DESC, id`, user, engine.Micros(now))
}

// isVerified is 1 for a doctor whose credentials are those that an admin has
// reviewed, by whichever way they may have changed since.
const IsVerified = `CASE WHEN d.verified = 1 AND d.checked_name = u.name AND d.checked_title = d.title
	AND d.checked_department = d.department AND d.checked_licence = d.licence THEN 1 ELSE 0 END`

const doctorColumns = `d.user_id, u.name, d.title, d.department, d.bio, d.languages, d.services, d.on_duty, d.licence, ` + IsVerified + `, d.rejection, d.revision`

func ScanDoctor(s engine.Scanner) (account.Doctor, error) { return scanDoctorAnd(s) }

func scanDoctorAnd(s engine.Scanner, more ...any) (account.Doctor, error) {
	var d account.Doctor
	var languages, services string
	err := s.Scan(append([]any{&d.ID, &d.Name, &d.Title, &d.Department, &d.Bio, &languages, &services, &d.OnDuty, &d.Licence, &d.Verified,
		engine.Unseal("doctors.rejection", &d.ID, &d.Rejection), &d.Revision}, more...)...)
	if err != nil {
		return d, engine.Found(err, "doctor")
	}
	return d, engine.FirstOf(json.Unmarshal([]byte(languages), &d.Languages), json.Unmarshal([]byte(services), &d.Services))
}

const DoctorRow = `SELECT ` + doctorColumns + ` FROM doctors d JOIN users u ON u.id = d.user_id WHERE d.user_id = $1`

func DoctorByID(ctx context.Context, q engine.Querier, id rooms.UserID) (account.Doctor, error) {
	return ScanDoctor(q.Row(ctx, DoctorRow+` AND u.suspended = 0`, id))
}

// Doctor implements account.Store.
func (s Store) Doctor(ctx context.Context, id rooms.UserID) (account.Doctor, error) {
	return DoctorByID(ctx, s.Reads(), id)
}

// Doctors implements account.Store.
func (s Store) Doctors(ctx context.Context, q account.DoctorQuery) ([]account.Doctor, error) {
	where := engine.Where{}
	where.Add(`u.suspended = 0 AND d.verified = 1 AND ` + IsVerified + ` = 1`)
	if q.Filter.Q != "" {
		p := engine.Like(q.Filter.Q)
		where.Add(`(lower(u.name) LIKE ? ESCAPE '\' OR lower(d.title) LIKE ? ESCAPE '\' OR lower(d.department) LIKE ? ESCAPE '\' OR lower(d.bio) LIKE ? ESCAPE '\')`, p, p, p, p)
	}
	if q.Filter.Department != "" {
		where.Add(`d.department = ?`, q.Filter.Department)
	}
	if q.Filter.Medium != "" {
		where.Add(`d.media LIKE ? ESCAPE '\'`, engine.Like(","+string(q.Filter.Medium)+","))
	}
	if q.After != nil {
		where.Add(`(u.name, u.id) > (?, ?)`, q.After.Key, q.After.ID)
	}
	return engine.Collect(ctx, s.Reads(), ScanDoctor, `SELECT `+doctorColumns+` FROM doctors d JOIN users u ON u.id = d.user_id`+where.SQL()+
		` ORDER BY u.name, u.id LIMIT `+where.Param(q.Limit), where.Args...)
}

// Applicants implements account.Store.
func (s Store) Applicants(ctx context.Context, q account.ApplicantQuery) ([]account.Applicant, error) {
	// A cursor has 64 bits; without the cast PostgreSQL compares it as 32.
	const rank = `CAST(CASE WHEN ` + IsVerified + ` = 1 THEN 2 WHEN d.rejection <> '' THEN 1 ELSE 0 END AS BIGINT)`
	where := engine.Where{}
	where.Add(`u.suspended = 0`)
	if q.After != nil {
		where.Add(`(`+rank+`, u.name, u.id) > (?, ?, ?)`, q.After.Num, q.After.Key, q.After.ID)
	}
	return engine.Collect(ctx, s.Reads(), func(row engine.Scanner) (a account.Applicant, err error) {
		var c account.DoctorCredentials
		a.Doctor, err = scanDoctorAnd(row, &a.Email, &a.EmailVerified, &c.Name, &c.Title, &c.Department, &c.Licence)
		if c.Name != "" {
			a.Checked = &c
		}
		return a, err
	}, `SELECT `+doctorColumns+`, u.email, u.email_verified, d.checked_name, d.checked_title, d.checked_department, d.checked_licence
		FROM doctors d JOIN users u ON u.id = d.user_id`+where.SQL()+` ORDER BY `+rank+`, u.name, u.id LIMIT `+where.Param(q.Limit), where.Args...)
}

const PatientColumns = `id, user_id, name, birth_date, sex, relation`

func ScanPatient(s engine.Scanner) (account.Patient, error) {
	var p account.Patient
	return p, engine.Found(s.Scan(&p.ID, &p.UserID, &p.Name, &p.BirthDate, &p.Sex, &p.Relation), "patient")
}

// Patients implements account.Store.
func (s Store) Patients(ctx context.Context, user rooms.UserID) ([]account.Patient, error) {
	return engine.Collect(ctx, s.Reads(), ScanPatient, `SELECT `+PatientColumns+` FROM patients WHERE user_id = $1
		ORDER BY relation <> 'self', name, id`, user)
}

// InsertUser implements account.Tx.
func (tx Tx) InsertUser(c account.Credentials) error {
	u := c.User
	err := tx.TryExec(`INSERT INTO users (id, role, name, email, password_hash, locale, time_zone, created_at, suspended, email_verified)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`, u.ID, u.Role, u.Name, u.Email, c.PasswordHash, u.Locale, u.TimeZone, engine.Micros(u.CreatedAt), u.Suspended, u.EmailVerified)
	if engine.UniqueViolation(err) {
		e := rooms.Conflict("", "this e-mail address has an account")
		e.Field = "email"
		return e
	}
	return err
}

// SaveUser implements account.Tx.
func (tx Tx) SaveUser(u account.User) error {
	return tx.Exec(`UPDATE users SET name = $2, locale = $3, time_zone = $4, suspended = $5, email_verified = $6 WHERE id = $1`,
		u.ID, u.Name, u.Locale, u.TimeZone, u.Suspended, u.EmailVerified)
}

// SetRole implements account.Tx.
func (tx Tx) SetRole(user rooms.UserID, role rooms.Role, now time.Time) ([]rooms.SessionID, error) {
	if err := tx.Exec(`UPDATE users SET role = $2 WHERE id = $1`, user, role); err != nil {
		return nil, err
	}
	return tx.RevokeSessions(user, "", now)
}

// User implements account.Tx and consultation.Tx.
func (tx People) User(id rooms.UserID) (account.User, error) {
	return UserByID(context.Background(), tx, id)
}

// UserByEmail implements account.Tx and consultation.Tx.
func (tx People) UserByEmail(email string) (account.User, error) {
	return ScanUser(tx.Row(context.Background(), `SELECT `+UserColumns+` FROM users u WHERE u.email = $1`, email))
}

// TouchSession implements account.Tx.
func (tx Tx) TouchSession(id rooms.SessionID, used, expires time.Time) error {
	return tx.Exec(`UPDATE sessions SET last_used_at = $2, expires_at = $3 WHERE id = $1`, id, engine.Micros(used), engine.Micros(expires))
}

// RevokeSessions implements account.Tx.
func (tx Tx) RevokeSessions(user rooms.UserID, id rooms.SessionID, now time.Time) ([]rooms.SessionID, error) {
	ended, err := engine.Collect(context.Background(), tx, func(s engine.Scanner) (rooms.SessionID, error) {
		var id rooms.SessionID
		return id, s.Scan(&id)
	}, `UPDATE sessions SET revoked_at = $3 WHERE user_id = $1 AND ($2 = '' OR id = $2) AND revoked_at = 0 RETURNING id`, user, id, engine.Micros(now))
	return tx.sessionsEnded(ended, err)
}

// sessionsEnded reports sessions that were just ended: what they have open ends
// before the next event is delivered, and they leave their calls.
func (tx Tx) sessionsEnded(ended []rooms.SessionID, err error) ([]rooms.SessionID, error) {
	for _, id := range ended {
		account.SessionRevoked.After(tx, rooms.SessionRoom(id), account.SessionInput{SessionID: id})
		if err == nil {
			err = tx.SessionEnded(id)
		}
	}
	return ended, err
}

// SessionOwner implements account.Tx.
func (tx Tx) SessionOwner(id rooms.SessionID) (rooms.UserID, error) {
	var user rooms.UserID
	err := tx.Row(context.Background(), `SELECT user_id FROM sessions WHERE id = $1 AND revoked_at = 0`, id).Scan(&user)
	return user, engine.Found(err, "session")
}

// CountAttempts implements account.Tx.
func (tx People) CountAttempts(subject string, since time.Time) (int, error) {
	var n int
	err := tx.Row(context.Background(), `SELECT count(*) FROM attempts WHERE subject = $1 AND at > $2`, subject, engine.Micros(since)).Scan(&n)
	return n, err
}

// AddAttempt implements account.Tx.
func (tx People) AddAttempt(subject string, now time.Time) error {
	return tx.Exec(`INSERT INTO attempts (subject, at) VALUES ($1, $2)`, subject, engine.Micros(now))
}

// ForgetAttempts implements account.Tx.
func (tx Tx) ForgetAttempts(subject string, since time.Time) error {
	return tx.Exec(`DELETE FROM attempts WHERE subject = $1 AND at >= $2`, subject, engine.Micros(since))
}

// InsertDoctor implements account.Tx.
func (tx Tx) InsertDoctor(d account.Doctor) error {
	if err := tx.Exec(`INSERT INTO doctors (user_id, title, department, bio, languages, services, media, on_duty, verified)
		VALUES ($1, '', '', '', '[]', '[]', '', 0, 0)`, d.ID); err != nil {
		return err
	}
	return tx.SaveDoctor(d)
}

// Doctor implements account.Tx and consultation.Tx.
func (tx People) Doctor(id rooms.UserID) (account.Doctor, error) {
	return DoctorByID(context.Background(), tx, id)
}

// AnyDoctor implements account.Tx.
func (tx Tx) AnyDoctor(id rooms.UserID) (account.Doctor, error) {
	return ScanDoctor(tx.Row(context.Background(), `SELECT `+doctorColumns+` FROM doctors d JOIN users u ON u.id = d.user_id WHERE d.user_id = $1`, id))
}

// LastAdmin implements account.Tx.
func (tx Tx) LastAdmin(user rooms.UserID) (last bool, err error) {
	err = tx.Row(context.Background(), lastAdmin, user).Scan(&last)
	return last, err
}

// SaveDoctor implements account.Tx.
func (tx Tx) SaveDoctor(d account.Doctor) error {
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
	return tx.Exec(`UPDATE doctors SET title = $2, department = $3, bio = $4, languages = $5, services = $6, media = $7, on_duty = $8, verified = $9,
			licence = $10, rejection = $11, revision = $12
		WHERE user_id = $1`, d.ID, d.Title, d.Department, d.Bio, string(languages), string(services), media, d.OnDuty, d.Verified,
		d.Licence, engine.Seal(tx, "doctors.rejection", d.ID, d.Rejection), d.Revision)
}

// CheckDoctor implements account.Tx.
func (tx Tx) CheckDoctor(d account.Doctor) error {
	return tx.Exec(`UPDATE doctors SET verified = 1, checked_name = $2, checked_title = $3, checked_department = $4, checked_licence = $5 WHERE user_id = $1`,
		d.ID, d.Name, d.Title, d.Department, d.Licence)
}

// InsertPatient implements account.Tx.
func (tx Tx) InsertPatient(p account.Patient) error {
	return tx.Exec(`INSERT INTO patients (id, user_id, name, birth_date, sex, relation) VALUES ($1, $2, $3, $4, $5, $6)`,
		p.ID, p.UserID, p.Name, p.BirthDate, p.Sex, p.Relation)
}

// Patient implements account.Tx and consultation.Tx.
func (tx People) Patient(id account.PatientID) (account.Patient, error) {
	return ScanPatient(tx.Row(context.Background(), `SELECT `+PatientColumns+` FROM patients WHERE id = $1`, id))
}

// SelfPatient implements consultation.Tx.
func (tx People) SelfPatient(user rooms.UserID) (account.Patient, error) {
	return ScanPatient(tx.Row(context.Background(), `SELECT `+PatientColumns+` FROM patients WHERE user_id = $1 AND relation = 'self' ORDER BY id LIMIT 1`, user))
}

// SavePatient implements account.Tx.
func (tx Tx) SavePatient(p account.Patient) error {
	return tx.Exec(`UPDATE patients SET name = $2, birth_date = $3, sex = $4, relation = $5 WHERE id = $1`, p.ID, p.Name, p.BirthDate, p.Sex, p.Relation)
}
