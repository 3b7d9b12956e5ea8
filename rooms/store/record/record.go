// Package record keeps documents with their decisions, backgrounds of patients, the
// table of ICD-10 codes, and who is looking at what.
package record

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
	"wenzhen.example/rooms/consultation"
	"wenzhen.example/rooms/record"
	"wenzhen.example/rooms/record/drug"
	"wenzhen.example/rooms/record/icd10"
	accountstore "wenzhen.example/rooms/store/account"
	consultationstore "wenzhen.example/rooms/store/consultation"
	"wenzhen.example/rooms/store/engine"
)

// Encrypted are the columns that are encrypted at rest.
var Encrypted = []engine.EncryptedTable{
	{Name: "documents", Key: []string{"id"}, Columns: []string{"content", "signed_as"}},
	{Name: "decisions", Key: []string{"document_id", "num"}, Columns: []string{"reason"}},
	{Name: "backgrounds", Key: []string{"patient_id", "version"}, Columns: []string{"content"}},
	{Name: "templates", Key: []string{"user_id"}, Columns: []string{"templates"}},
}

// Tx implements record.Tx.
type Tx struct{ consultationstore.Tx }

// In is Tx in a transaction of the database.
func In(tx *engine.Tx) Tx { return Tx{consultationstore.In(tx)} }

// Store implements record.Store.
type Store struct{ *engine.DB }

// InTx implements record.Store.
func (s Store) InTx(ctx context.Context, f func(record.Tx) error) error {
	return s.DB.InTx(ctx, func(tx *engine.Tx) error { return f(In(tx)) })
}

// In implements record.Store.
func (Store) In(tx rooms.Tx) record.Tx { return In(engine.Of(tx)) }

// LogBroken implements record.Store.
func (s Store) LogBroken(ctx context.Context) (when time.Time, err error) {
	err = s.Reads().Row(ctx, `SELECT a.at FROM audit a JOIN audit_head h ON h.name = 'audit' AND h.broken_last = a.num`).Scan((*engine.At)(&when))
	if errors.Is(err, sql.ErrNoRows) {
		return time.Time{}, nil
	}
	return when, err
}

// Pharmacist implements record.Store.
func (s Store) Pharmacist(ctx context.Context, user rooms.UserID) (bool, error) {
	return pharmacist(ctx, s.Reads(), user)
}

// pharmacist reports whether a user has been appointed and may act: doctors only
// while they are verified.
func pharmacist(ctx context.Context, q engine.Querier, user rooms.UserID) (bool, error) {
	var is bool
	err := q.Row(ctx, `SELECT EXISTS (SELECT 1 FROM pharmacists p JOIN users u ON u.id = p.user_id LEFT JOIN doctors d ON d.user_id = u.id
		WHERE p.user_id = $1 AND u.suspended = 0 AND (u.role = 'admin' OR `+accountstore.IsVerified+` = 1))`, user).Scan(&is)
	return is, err
}

// Pharmacists implements record.Store.
func (s Store) Pharmacists(ctx context.Context) ([]account.User, error) {
	return engine.Collect(ctx, s.Reads(), accountstore.ScanUser, `SELECT `+accountstore.UserColumns+` FROM users u WHERE u.id IN (SELECT user_id FROM pharmacists) ORDER BY u.name, u.id`)
}

// Templates implements record.Store.
func (s Store) Templates(ctx context.Context, doctor rooms.UserID) ([]record.Template, error) {
	var text string
	err := s.Reads().Row(ctx, `SELECT templates FROM templates WHERE user_id = $1`, doctor).Scan(engine.DecryptColumn("templates.templates", &doctor, &text))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	var list []record.Template
	return list, json.Unmarshal([]byte(text), &list)
}

// icd10Cursor counts the loads of a table of codes.
const icd10Cursor = "icd10"

// CodesVersion implements record.Store.
func (s Store) CodesVersion(ctx context.Context) (int64, error) {
	return s.loads(ctx, icd10Cursor)
}

// loaded counts one more load of a table.
const loaded = `INSERT INTO cursors (name, pos) VALUES ($1, 1) ON CONFLICT (name) DO UPDATE SET pos = cursors.pos + 1`

// loads is how often a table was loaded.
func (s Store) loads(ctx context.Context, table string) (int64, error) {
	var version int64
	err := s.Reads().Row(ctx, `SELECT pos FROM cursors WHERE name = $1`, table).Scan(&version)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return version, err
}

// Codes implements record.Store.
func (s Store) Codes(ctx context.Context) ([]icd10.Coding, error) {
	return engine.Collect(ctx, s.Reads(), func(row engine.Scanner) (icd10.Coding, error) {
		var c icd10.Coding
		return c, row.Scan(&c.Code, &c.Zh, &c.En)
	}, `SELECT code, zh, en FROM icd10 ORDER BY code`)
}

// LoadCodes replaces the table of codes; a running server takes it in with the
// next search.
func (s Store) LoadCodes(ctx context.Context, table []icd10.Coding) error {
	return s.DB.InTx(ctx, func(tx *engine.Tx) error {
		if err := tx.Exec(`DELETE FROM icd10`); err != nil {
			return err
		}
		for _, c := range table {
			if err := tx.Exec(`INSERT INTO icd10 (code, zh, en) VALUES ($1, $2, $3)`, c.Code, c.Zh, c.En); err != nil {
				return err
			}
		}
		return tx.Exec(loaded, icd10Cursor)
	})
}

// drugsCursor counts the loads of a table of drugs.
const drugsCursor = "drugs"

// DrugsVersion implements record.Store.
func (s Store) DrugsVersion(ctx context.Context) (int64, error) { return s.loads(ctx, drugsCursor) }

// Drugs implements record.Store.
func (s Store) Drugs(ctx context.Context) ([]drug.Drug, error) {
	lines, err := engine.Collect(ctx, s.Reads(), func(row engine.Scanner) (string, error) {
		var line string
		return line, row.Scan(&line)
	}, `SELECT line FROM drugs ORDER BY num`)
	if err != nil {
		return nil, err
	}
	return drug.Read(strings.NewReader(strings.Join(lines, "")))
}

// LoadDrugs replaces the clinic's table of drugs by one in CSV that drug.Read has
// accepted; a running server takes it in with the next search or check.
func (s Store) LoadDrugs(ctx context.Context, table string) error {
	return s.DB.InTx(ctx, func(tx *engine.Tx) error {
		if err := tx.Exec(`DELETE FROM drugs`); err != nil {
			return err
		}
		num := 0
		for line := range strings.Lines(table) {
			num++
			if err := tx.Exec(`INSERT INTO drugs (num, line) VALUES ($1, $2)`, num, line); err != nil {
				return err
			}
		}
		return tx.Exec(loaded, drugsCursor)
	})
}

// Practitioner implements record.Tx.
func (tx Tx) Practitioner(id rooms.UserID) (account.Doctor, error) {
	return accountstore.ScanDoctor(tx.Row(context.Background(), accountstore.DoctorRow, id))
}

// Background implements record.Tx.
func (tx Tx) Background(patient account.PatientID) (record.BackgroundVersion, error) {
	v := record.BackgroundVersion{PatientID: patient}
	var content string
	err := tx.Row(context.Background(), `SELECT version, content, at, by_id, by_name, by_role FROM backgrounds WHERE patient_id = $1 ORDER BY version DESC LIMIT 1`, patient).
		Scan(&v.Version, engine.DecryptAt(func() string { return backgroundPlace(patient, v.Version) }, &content), (*engine.At)(&v.At), &v.ByID, &v.ByName, &v.ByRole)
	if errors.Is(err, sql.ErrNoRows) {
		return v, nil
	} else if err != nil {
		return v, err
	}
	return v, json.Unmarshal([]byte(content), &v.Background)
}

// InsertBackground implements record.Tx.
func (tx Tx) InsertBackground(v record.BackgroundVersion) error {
	content, err := json.Marshal(v.Background)
	if err != nil {
		return err
	}
	return tx.Insert("backgrounds",
		engine.Set("patient_id", v.PatientID),
		engine.Set("version", v.Version),
		engine.Set("content", tx.Keys().Encrypt(backgroundPlace(v.PatientID, v.Version), string(content))),
		engine.Set("at", engine.Micros(v.At)),
		engine.Set("by_id", v.ByID),
		engine.Set("by_name", v.ByName),
		engine.Set("by_role", v.ByRole),
	)
}

// treating are the consultations in which a doctor ($1) treats a patient, or did
// so until lately: a request that waits is none of them, and a second doctor is
// one only if the patient has shared what was before. A doctor whom an admin has
// rejected treats nobody.
const treating = ` FROM participants p JOIN consultations c ON c.id = p.consultation_id
	WHERE p.user_id = $1 AND (p.role = 'doctor' OR p.role = 'second_doctor' AND p.since_seq = 0) AND c.status IN ('active', 'on_hold', 'ended')
	AND NOT EXISTS (SELECT 1 FROM doctors d WHERE d.user_id = p.user_id AND d.withdrawn = 1)`

// Treats implements record.Tx.
func (tx Tx) Treats(user rooms.UserID, patient account.PatientID) (bool, error) {
	var does bool
	err := tx.Row(context.Background(), `SELECT EXISTS (SELECT 1`+treating+` AND c.patient_id = $2)`, user, patient).Scan(&does)
	return does, err
}

// HiddenFromSome implements record.Tx.
func (tx Tx) HiddenFromSome(id consultation.ID, seq rooms.Seq) (bool, error) {
	var hidden bool
	err := tx.Row(context.Background(), `SELECT EXISTS (SELECT 1 FROM participants WHERE consultation_id = $1 AND since_seq >= $2)`, id, seq).Scan(&hidden)
	return hidden, err
}

// Attends implements record.Tx.
func (tx Tx) Attends(user rooms.UserID, patient account.PatientID) (bool, error) {
	var does bool
	err := tx.Row(context.Background(), `SELECT EXISTS (SELECT 1 FROM consultations WHERE doctor_id = $1 AND patient_id = $2 AND status IN ('active', 'on_hold'))`,
		user, patient).Scan(&does)
	return does, err
}

// ReadablePatients implements record.Tx.
func (tx Tx) ReadablePatients(user rooms.UserID) ([]account.Patient, error) {
	return engine.Collect(context.Background(), tx, accountstore.ScanPatient, `SELECT `+accountstore.PatientColumns+` FROM patients
		WHERE id IN (SELECT id FROM patients WHERE user_id = $1 UNION ALL SELECT c.patient_id`+treating+`) ORDER BY name, id`, user)
}

// ConsultationsOf implements record.Tx.
func (tx Tx) ConsultationsOf(patient account.PatientID, limit int) ([]consultation.Consultation, error) {
	return engine.Collect(context.Background(), tx, consultationstore.Scan, `SELECT `+consultationstore.Columns+` FROM consultations c
		WHERE c.patient_id = $1 ORDER BY c.created_at DESC, c.id DESC LIMIT $2`, patient, limit)
}

// LogAfter implements record.Tx.
func (tx Tx) LogAfter(room rooms.RoomID, after rooms.Seq, limit int) ([]rooms.Event, rooms.Seq, error) {
	return engine.EventsAfter(context.Background(), tx, room, after, limit)
}

// Pharmacist implements record.Tx.
func (tx Tx) Pharmacist(user rooms.UserID) (bool, error) {
	return pharmacist(context.Background(), tx, user)
}

// SetPharmacist implements record.Tx.
func (tx Tx) SetPharmacist(user rooms.UserID, is bool) error {
	if !is {
		return tx.Exec(`DELETE FROM pharmacists WHERE user_id = $1`, user)
	}
	return tx.Exec(`INSERT INTO pharmacists (user_id) VALUES ($1) ON CONFLICT (user_id) DO NOTHING`, user)
}

// SaveTemplates implements record.Tx.
func (tx Tx) SaveTemplates(doctor rooms.UserID, list []record.Template) error {
	text, err := json.Marshal(list)
	if err != nil {
		return err
	}
	return tx.Exec(`INSERT INTO templates (user_id, templates) VALUES ($1, $2) ON CONFLICT (user_id) DO UPDATE SET templates = excluded.templates`, doctor, engine.EncryptColumn(tx, "templates.templates", doctor, string(text)))
}

// BreakGlassUntil implements record.Tx.
func (tx Tx) BreakGlassUntil(admin rooms.UserID, id consultation.ID) (until time.Time, err error) {
	err = tx.Row(context.Background(), `SELECT until FROM looks WHERE admin_id = $1 AND consultation_id = $2`, admin, id).Scan((*engine.At)(&until))
	if errors.Is(err, sql.ErrNoRows) {
		return time.Time{}, nil
	}
	return until, err
}

// SaveBreakGlass implements record.Tx.
func (tx Tx) SaveBreakGlass(admin rooms.UserID, id consultation.ID, until time.Time) error {
	return tx.Exec(`INSERT INTO looks (admin_id, consultation_id, until) VALUES ($1, $2, $3)
		ON CONFLICT (admin_id, consultation_id) DO UPDATE SET until = excluded.until`, admin, id, engine.Micros(until))
}

func backgroundPlace(patient account.PatientID, version int64) string {
	return "backgrounds.content/" + string(patient) + "/" + strconv.FormatInt(version, 10)
}
