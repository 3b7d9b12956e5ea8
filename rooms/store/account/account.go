// Package account keeps users, doctors, patients, logins and what they log in with.
package account

import (
	"context"
	"encoding/json"
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
	auditstore "wenzhen.example/rooms/store/audit"
	"wenzhen.example/rooms/store/engine"
)

// Encrypted are the columns that are encrypted at rest.
var Encrypted = []engine.EncryptedTable{
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

type userColumn = engine.Column[account.User]

var userRow = engine.RowOf(
	userColumn{Name: "u.id", To: func(u *account.User) any { return &u.ID }},
	userColumn{Name: "u.role", To: func(u *account.User) any { return &u.Role }},
	userColumn{Name: "u.name", To: func(u *account.User) any { return &u.Name }},
	userColumn{Name: "u.email", To: func(u *account.User) any { return &u.Email }},
	userColumn{Name: "u.locale", To: func(u *account.User) any { return &u.Locale }},
	userColumn{Name: "u.time_zone", To: func(u *account.User) any { return &u.TimeZone }},
	userColumn{Name: "u.created_at", To: func(u *account.User) any { return (*engine.At)(&u.CreatedAt) }},
	userColumn{Name: "u.suspended", To: func(u *account.User) any { return &u.Suspended }},
	userColumn{Name: "u.email_verified", To: func(u *account.User) any { return &u.EmailVerified }},
	userColumn{Name: "u.erased_at IS NOT NULL", To: func(u *account.User) any { return &u.Erased }},
)

// UserColumns are those that ScanUser reads, of a table users u.
var UserColumns = userRow.Columns("")

// ScanUser reads a user from UserColumns.
func ScanUser(s engine.Scanner) (account.User, error) {
	var u account.User
	err := userRow.Scan(s, &u)
	return u, engine.Found(err, "user")
}

// UserByID reads a user, or "not found".
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
	return engine.Collect(ctx, s.Reads(), scanSession, sessionsFrom+`
		WHERE user_id = $1 AND revoked_at = 0 AND expires_at > $2 ORDER BY last_used_at DESC, id`, user, engine.Micros(now))
}

// IsVerified is 1 for a doctor whose credentials are those that an admin has
// reviewed, by whichever way they may have changed since.
const IsVerified = `CASE WHEN d.verified = 1 AND d.checked_name = u.name AND d.checked_title = d.title
	AND d.checked_department = d.department AND d.checked_licence = d.licence THEN 1 ELSE 0 END`

// storedDoctor is a doctor as the columns have it.
type storedDoctor struct {
	account.Doctor
	languages, services string // as JSON
}

type doctorColumn = engine.Column[storedDoctor]

var doctorRow = engine.RowOf(
	doctorColumn{Name: "d.user_id", To: func(d *storedDoctor) any { return &d.ID }},
	doctorColumn{Name: "u.name", To: func(d *storedDoctor) any { return &d.Name }},
	doctorColumn{Name: "d.title", To: func(d *storedDoctor) any { return &d.Title }},
	doctorColumn{Name: "d.department", To: func(d *storedDoctor) any { return &d.Department }},
	doctorColumn{Name: "d.bio", To: func(d *storedDoctor) any { return &d.Bio }},
	doctorColumn{Name: "d.languages", To: func(d *storedDoctor) any { return &d.languages }},
	doctorColumn{Name: "d.services", To: func(d *storedDoctor) any { return &d.services }},
	doctorColumn{Name: "d.on_duty", To: func(d *storedDoctor) any { return &d.OnDuty }},
	doctorColumn{Name: "d.licence", To: func(d *storedDoctor) any { return &d.Licence }},
	doctorColumn{Name: IsVerified, To: func(d *storedDoctor) any { return &d.Verified }},
	doctorColumn{Name: "d.rejection", To: func(d *storedDoctor) any { return engine.DecryptColumn("doctors.rejection", &d.ID, &d.Rejection) }},
	doctorColumn{Name: "d.withdrawn", To: func(d *storedDoctor) any { return &d.Withdrawn }},
	doctorColumn{Name: "d.revision", To: func(d *storedDoctor) any { return &d.Revision }},
)

const doctorsFrom = ` FROM doctors d JOIN users u ON u.id = d.user_id`

// DoctorRow is a query for what ScanDoctor reads, of the doctor $1, whom an admin
// may have suspended.
var DoctorRow = `SELECT ` + doctorRow.Columns("") + doctorsFrom + ` WHERE d.user_id = $1`

// ScanDoctor reads a doctor from the columns of DoctorRow.
func ScanDoctor(s engine.Scanner) (account.Doctor, error) { return scanDoctorAnd(s) }

// scanDoctorAnd is ScanDoctor with destinations for the columns after those.
func scanDoctorAnd(s engine.Scanner, more ...any) (account.Doctor, error) {
	var d storedDoctor
	if err := doctorRow.Scan(s, &d, more...); err != nil {
		return d.Doctor, engine.Found(err, "doctor")
	}
	return d.Doctor, engine.FirstOf(json.Unmarshal([]byte(d.languages), &d.Languages), json.Unmarshal([]byte(d.services), &d.Services))
}

// DoctorByID reads a doctor who is not suspended, or "not found".
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
	return engine.Collect(ctx, s.Reads(), ScanDoctor, `SELECT `+doctorRow.Columns("")+doctorsFrom+where.SQL()+
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
	}, `SELECT `+doctorRow.Columns("")+`, u.email, u.email_verified, d.checked_name, d.checked_title, d.checked_department, d.checked_licence
		`+doctorsFrom+where.SQL()+` ORDER BY `+rank+`, u.name, u.id LIMIT `+where.Param(q.Limit), where.Args...)
}

type patientColumn = engine.Column[account.Patient]

var patientRow = engine.RowOf(
	patientColumn{Name: "id", To: func(p *account.Patient) any { return &p.ID }},
	patientColumn{Name: "user_id", To: func(p *account.Patient) any { return &p.UserID }},
	patientColumn{Name: "name", To: func(p *account.Patient) any { return &p.Name }},
	patientColumn{Name: "birth_date", To: func(p *account.Patient) any { return &p.BirthDate }},
	patientColumn{Name: "sex", To: func(p *account.Patient) any { return &p.Sex }},
	patientColumn{Name: "relation", To: func(p *account.Patient) any { return &p.Relation }},
)

// PatientColumns are those that ScanPatient reads, of the table patients.
var PatientColumns = patientRow.Columns("")

// ScanPatient reads a patient from PatientColumns.
func ScanPatient(s engine.Scanner) (account.Patient, error) {
	var p account.Patient
	return p, engine.Found(patientRow.Scan(s, &p), "patient")
}

// Patients implements account.Store.
func (s Store) Patients(ctx context.Context, user rooms.UserID) ([]account.Patient, error) {
	return engine.Collect(ctx, s.Reads(), ScanPatient, `SELECT `+PatientColumns+` FROM patients WHERE user_id = $1
		ORDER BY relation <> 'self', name, id`, user)
}

// InsertUser implements account.Tx.
func (tx Tx) InsertUser(c account.Credentials) error {
	u := c.User
	err := tx.TryInsert("users",
		engine.Set("id", u.ID),
		engine.Set("role", u.Role),
		engine.Set("name", u.Name),
		engine.Set("email", u.Email),
		engine.Set("password_hash", c.PasswordHash),
		engine.Set("locale", u.Locale),
		engine.Set("time_zone", u.TimeZone),
		engine.Set("created_at", engine.Micros(u.CreatedAt)),
		engine.Set("suspended", u.Suspended),
		engine.Set("email_verified", u.EmailVerified),
	)
	if engine.UniqueViolation(err) {
		e := rooms.Conflict("", "this e-mail address has an account")
		e.Field = "email"
		return e
	}
	return err
}

// SaveUser implements account.Tx.
func (tx Tx) SaveUser(u account.User) error {
	return tx.Update("users", "id = $1", u.ID,
		engine.Set("name", u.Name),
		engine.Set("locale", u.Locale),
		engine.Set("time_zone", u.TimeZone),
		engine.Set("suspended", u.Suspended),
		engine.Set("email_verified", u.EmailVerified),
	)
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
	err := tx.Row(context.Background(), `SELECT count(*) FROM attempts WHERE subject = $1 AND at > $2`, tx.Counter(subject), engine.Micros(since)).Scan(&n)
	return n, err
}

// AddAttempt implements account.Tx.
func (tx People) AddAttempt(subject string, now time.Time) error {
	return tx.Exec(`INSERT INTO attempts (subject, at) VALUES ($1, $2)`, tx.Counter(subject), engine.Micros(now))
}

// ForgetAttempts implements account.Tx.
func (tx Tx) ForgetAttempts(subject string, since time.Time) error {
	return tx.Exec(`DELETE FROM attempts WHERE subject = $1 AND at >= $2`, tx.Counter(subject), engine.Micros(since))
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
	return ScanDoctor(tx.Row(context.Background(), DoctorRow, id))
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
	return tx.Update("doctors", "user_id = $1", d.ID,
		engine.Set("title", d.Title),
		engine.Set("department", d.Department),
		engine.Set("bio", d.Bio),
		engine.Set("languages", string(languages)),
		engine.Set("services", string(services)),
		engine.Set("media", media),
		engine.Set("on_duty", d.OnDuty),
		engine.Set("verified", d.Verified),
		engine.Set("licence", d.Licence),
		engine.Set("rejection", engine.EncryptColumn(tx, "doctors.rejection", d.ID, d.Rejection)),
		engine.Set("withdrawn", d.Withdrawn),
		engine.Set("revision", d.Revision),
	)
}

// CheckDoctor implements account.Tx.
func (tx Tx) CheckDoctor(d account.Doctor) error {
	return tx.Update("doctors", "user_id = $1", d.ID,
		engine.Set("verified", 1),
		engine.Set("checked_name", d.Name),
		engine.Set("checked_title", d.Title),
		engine.Set("checked_department", d.Department),
		engine.Set("checked_licence", d.Licence),
	)
}

// InsertPatient implements account.Tx.
func (tx Tx) InsertPatient(p account.Patient) error {
	return tx.Insert("patients",
		engine.Set("id", p.ID),
		engine.Set("user_id", p.UserID),
		engine.Set("name", p.Name),
		engine.Set("birth_date", p.BirthDate),
		engine.Set("sex", p.Sex),
		engine.Set("relation", p.Relation),
	)
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
