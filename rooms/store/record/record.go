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

	"wenzhen/rooms"
	"wenzhen/rooms/account"
	"wenzhen/rooms/consultation"
	"wenzhen/rooms/record"
	"wenzhen/rooms/record/icd10"
	accountstore "wenzhen/rooms/store/account"
	consultationstore "wenzhen/rooms/store/consultation"
	"wenzhen/rooms/store/engine"
)

// Sealed are the columns that are encrypted at rest.
var Sealed = []engine.SealedTable{
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

// stored is a document as its columns have it.
type stored struct {
	record.Document
	content, versions string
	signature         record.Signature
	signedAt          *time.Time
}

type column = engine.Column[stored]

var documentRow = engine.RowOf(
	column{Name: "d.id", To: func(d *stored) any { return &d.ID }},
	column{Name: "d.kind", To: func(d *stored) any { return &d.Kind }},
	column{Name: "d.root", To: func(d *stored) any { return &d.Root }},
	column{Name: "d.version", To: func(d *stored) any { return &d.Version }},
	column{Name: "d.supersedes", To: func(d *stored) any { return &d.Supersedes }},
	column{Name: "d.consultation_id", To: func(d *stored) any { return &d.ConsultationID }},
	column{Name: "d.patient_id", To: func(d *stored) any { return &d.PatientID }},
	column{Name: "d.patient_name", To: func(d *stored) any { return &d.PatientName }},
	column{Name: "d.user_id", To: func(d *stored) any { return &d.UserID }},
	column{Name: "d.doctor_id", To: func(d *stored) any { return &d.DoctorID }},
	column{Name: "d.doctor_name", To: func(d *stored) any { return &d.DoctorName }},
	column{Name: "d.content", To: func(d *stored) any { return engine.Unseal("documents.content", &d.ID, &d.content) }},
	column{Name: "d.created_at", To: func(d *stored) any { return (*engine.At)(&d.CreatedAt) }},
	column{Name: "d.updated_at", To: func(d *stored) any { return (*engine.At)(&d.UpdatedAt) }},
	column{Name: "d.signed_by", To: func(d *stored) any { return &d.signature.SignedBy }},
	column{Name: "d.signed_at", To: func(d *stored) any { return engine.AtOrNil(&d.signedAt) }},
	column{Name: "d.sha256", To: func(d *stored) any { return &d.signature.SHA256 }},
	column{Name: "d.seal", To: func(d *stored) any { return &d.signature.Seal }},
	column{Name: "d.form", To: func(d *stored) any { return &d.signature.Form }},
	column{Name: "d.key_id", To: func(d *stored) any { return &d.signature.KeyID }},
	column{Name: "d.signed_as", To: func(d *stored) any { return engine.Unseal("documents.signed_as", &d.ID, &d.SignedAs) }},
	column{Name: "d.signed_seq", To: func(d *stored) any { return &d.SignedSeq }},
	column{Name: supersededBy, To: func(d *stored) any { return &d.SupersededBy }},
	column{Name: signedVersions, To: func(d *stored) any { return &d.versions }},
	column{Name: "coalesce(s.state, '')", To: func(d *stored) any { return &d.State.Text }},
	column{Name: "coalesce(s.seal, '')", To: func(d *stored) any { return &d.State.Seal }},
	column{Name: "coalesce(s.key_id, '')", To: func(d *stored) any { return &d.State.KeyID }},
	column{Name: "coalesce(l.num, 0)", To: func(d *stored) any { return &d.Logged.Num }},
	column{Name: "coalesce(l.detail, '')", To: func(d *stored) any { return &d.Logged.SHA256 }},
	column{Name: brokenLast, To: func(d *stored) any { return &d.Logged.Broken }},
)

var documentsFrom = `SELECT ` + documentRow.Columns("") + ` FROM documents d LEFT JOIN document_states s ON s.root = d.root
	LEFT JOIN audit l ON l.num = (SELECT max(a.num) FROM audit a WHERE a.subject = d.kind || ':' || d.id AND a.` + documentActions + `)`

const (
	supersededBy = `coalesce((SELECT n.id FROM documents n
		WHERE n.supersedes = d.id AND n.supersedes <> '' AND n.signed_at IS NOT NULL), '')`
	signedVersions = `coalesce((SELECT string_agg(v.version || ' ' || v.sha256, ',' ORDER BY v.version)
		FROM documents v WHERE v.root = d.root AND v.signed_at IS NOT NULL), '')`
	brokenLast = `coalesce((SELECT h.broken_last FROM audit_head h WHERE h.name = 'audit'), 0)`
)

// documentActions are those that leave a document at another hash, which is the
// detail of their entries. The index audit_documents has the same ones.
const documentActions = `action IN ('diagnosis:sign', 'prescription:sign', 'summary:sign', ` +
	`'prescription:approve', 'prescription:reject', 'prescription:void', 'document:supersede')`

func scanDocument(s engine.Scanner) (record.Document, error) {
	var d stored
	if err := documentRow.Scan(s, &d); err != nil {
		return d.Document, engine.Found(err, "document")
	}
	d.Content = json.RawMessage(d.content)
	if d.versions != "" {
		d.Versions = strings.Split(d.versions, ",")
	}
	if d.signedAt != nil {
		d.signature.SignedAt = *d.signedAt
		d.Signature = &d.signature
	}
	return d.Document, nil
}

func documents(ctx context.Context, q engine.Querier, condition string, args ...any) ([]record.Document, error) {
	list, err := engine.Collect(ctx, q, scanDocument, documentsFrom+condition, args...)
	if err != nil {
		return nil, err
	}
	for i := range list {
		if list[i].Decisions, err = decisions(ctx, q, list[i].ID); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// storedDecision is a decision with its key.
type storedDecision struct {
	record.Decision
	document record.DocumentID
	num      int
}

type decisionColumn = engine.Column[storedDecision]

var decisionRow = engine.RowOf(
	decisionColumn{Name: "document_id", To: func(d *storedDecision) any { return &d.document }},
	decisionColumn{Name: "num", To: func(d *storedDecision) any { return &d.num }},
	decisionColumn{Name: "status", To: func(d *storedDecision) any { return &d.Status }},
	decisionColumn{Name: "by_id", To: func(d *storedDecision) any { return &d.By }},
	decisionColumn{Name: "by_name", To: func(d *storedDecision) any { return &d.ByName }},
	decisionColumn{Name: "at", To: func(d *storedDecision) any { return (*engine.At)(&d.At) }},
	decisionColumn{Name: "reason", To: func(d *storedDecision) any {
		return engine.UnsealAt(func() string { return decisionPlace(d.document, d.num) }, &d.Reason)
	}},
	decisionColumn{Name: "sha256", To: func(d *storedDecision) any { return &d.SHA256 }},
	decisionColumn{Name: "seal", To: func(d *storedDecision) any { return &d.Seal }},
	decisionColumn{Name: "key_id", To: func(d *storedDecision) any { return &d.KeyID }},
)

func decisions(ctx context.Context, q engine.Querier, id record.DocumentID) ([]record.Decision, error) {
	return engine.Collect(ctx, q, func(s engine.Scanner) (record.Decision, error) {
		var d storedDecision
		err := decisionRow.Scan(s, &d)
		return d.Decision, err
	}, `SELECT `+decisionRow.Columns("")+` FROM decisions WHERE document_id = $1 ORDER BY num`, id)
}

func documentByID(ctx context.Context, q engine.Querier, id record.DocumentID) (record.Document, error) {
	list, err := documents(ctx, q, ` WHERE d.id = $1`, id)
	if err == nil && len(list) == 0 {
		return record.Document{}, rooms.NotFound("document")
	} else if err != nil {
		return record.Document{}, err
	}
	return list[0], nil
}

// Document implements record.Store.
func (s Store) Document(ctx context.Context, id record.DocumentID) (record.Document, error) {
	return documentByID(ctx, s.Reads(), id)
}

// SignedAs implements record.Store.
func (s Store) SignedAs(ctx context.Context, subject, hash string) (bool, error) {
	var was bool
	err := s.Reads().Row(ctx, `SELECT EXISTS (SELECT 1 FROM audit WHERE subject = $1 AND detail = $2 AND `+documentActions+`)`, subject, hash).Scan(&was)
	return was, err
}

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
	err := s.Reads().Row(ctx, `SELECT templates FROM templates WHERE user_id = $1`, doctor).Scan(engine.Unseal("templates.templates", &doctor, &text))
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
	var version int64
	err := s.Reads().Row(ctx, `SELECT pos FROM cursors WHERE name = $1`, icd10Cursor).Scan(&version)
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
		return tx.Exec(`INSERT INTO cursors (name, pos) VALUES ($1, 1) ON CONFLICT (name) DO UPDATE SET pos = cursors.pos + 1`, icd10Cursor)
	})
}

// Document implements record.Tx.
func (tx Tx) Document(id record.DocumentID) (record.Document, error) {
	return documentByID(context.Background(), tx, id)
}

// Documents implements record.Tx.
func (tx Tx) Documents(q record.DocumentQuery) ([]record.Document, error) {
	w := engine.Where{}
	if q.Consultation != "" {
		w.Add(`d.consultation_id = ?`, q.Consultation)
	}
	if q.Patient != "" {
		w.Add(`d.patient_id = ?`, q.Patient)
	}
	if q.Kind != "" {
		w.Add(`d.kind = ?`, q.Kind)
	}
	if q.Root != "" {
		w.Add(`d.root = ?`, q.Root)
	}
	if q.Undecided {
		w.Add(`d.signed_at IS NOT NULL AND NOT EXISTS (SELECT 1 FROM decisions v WHERE v.document_id = d.id)
			AND NOT EXISTS (SELECT 1 FROM documents n WHERE n.supersedes = d.id AND n.supersedes <> '' AND n.signed_at IS NOT NULL)`)
	}
	if q.After != nil {
		w.Add(`(d.created_at, d.id) > (?, ?)`, q.After.Num, q.After.ID)
	}
	tail := w.SQL() + ` ORDER BY d.created_at, d.id`
	if q.Limit > 0 {
		tail += ` LIMIT ` + w.Param(q.Limit)
	}
	return documents(context.Background(), tx, tail, w.Args...)
}

// InsertDraft implements record.Tx.
func (tx Tx) InsertDraft(d record.Document) error {
	err := tx.Insert("documents",
		engine.Set("id", d.ID),
		engine.Set("kind", d.Kind),
		engine.Set("root", d.Root),
		engine.Set("version", d.Version),
		engine.Set("supersedes", d.Supersedes),
		engine.Set("consultation_id", d.ConsultationID),
		engine.Set("patient_id", d.PatientID),
		engine.Set("patient_name", d.PatientName),
		engine.Set("user_id", d.UserID),
		engine.Set("doctor_id", d.DoctorID),
		engine.Set("doctor_name", d.DoctorName),
		engine.Set("content", engine.Seal(tx, "documents.content", d.ID, string(d.Content))),
		engine.Set("created_at", engine.Micros(d.CreatedAt)),
		engine.Set("updated_at", engine.Micros(d.UpdatedAt)),
	)
	if engine.UniqueViolation(err) {
		return rooms.Conflict(string(record.Draft), "there is a draft of the next version already; revise that one")
	}
	return err
}

// SaveDraft implements record.Tx.
func (tx Tx) SaveDraft(d record.Document) error {
	return tx.Update("documents", "id = $1 AND signed_at IS NULL", d.ID,
		engine.Set("content", engine.Seal(tx, "documents.content", d.ID, string(d.Content))),
		engine.Set("updated_at", engine.Micros(d.UpdatedAt)))
}

// DeleteDraft implements record.Tx.
func (tx Tx) DeleteDraft(id record.DocumentID) error {
	return tx.Exec(`DELETE FROM documents WHERE id = $1 AND signed_at IS NULL`, id)
}

// SignDocument implements record.Tx.
func (tx Tx) SignDocument(d record.Document) error {
	last, err := tx.LastSeq(d.ConsultationID.Room())
	if err != nil {
		return err
	}
	return tx.Update("documents", "id = $1 AND signed_at IS NULL", d.ID,
		engine.Set("content", engine.Seal(tx, "documents.content", d.ID, string(d.Content))),
		engine.Set("updated_at", engine.Micros(d.UpdatedAt)),
		engine.Set("signed_by", d.Signature.SignedBy),
		engine.Set("signed_at", engine.Micros(d.Signature.SignedAt)),
		engine.Set("sha256", d.Signature.SHA256),
		engine.Set("seal", d.Signature.Seal),
		engine.Set("form", d.Signature.Form),
		engine.Set("key_id", d.Signature.KeyID),
		engine.Set("signed_as", engine.Seal(tx, "documents.signed_as", d.ID, d.SignedAs)),
		engine.Set("patient_name", d.PatientName),
		engine.Set("doctor_name", d.DoctorName),
		engine.Set("signed_seq", last),
	)
}

// Practitioner implements record.Tx.
func (tx Tx) Practitioner(id rooms.UserID) (account.Doctor, error) {
	return accountstore.ScanDoctor(tx.Row(context.Background(), accountstore.DoctorRow, id))
}

// AddDecision implements record.Tx.
func (tx Tx) AddDecision(id record.DocumentID, num int, d record.Decision) error {
	return tx.Insert("decisions",
		engine.Set("document_id", id),
		engine.Set("num", num),
		engine.Set("status", d.Status),
		engine.Set("by_id", d.By),
		engine.Set("by_name", d.ByName),
		engine.Set("at", engine.Micros(d.At)),
		engine.Set("reason", tx.Keys().Seal(decisionPlace(id, num), d.Reason)),
		engine.Set("sha256", d.SHA256),
		engine.Set("seal", d.Seal),
		engine.Set("key_id", d.KeyID),
	)
}

// SaveState implements record.Tx.
func (tx Tx) SaveState(root record.DocumentID, v record.State) error {
	return tx.Exec(`INSERT INTO document_states (root, state, seal, key_id) VALUES ($1, $2, $3, $4)
		ON CONFLICT (root) DO UPDATE SET state = excluded.state, seal = excluded.seal, key_id = excluded.key_id`, root, v.Text, v.Seal, v.KeyID)
}

// Background implements record.Tx.
func (tx Tx) Background(patient account.PatientID) (record.BackgroundVersion, error) {
	v := record.BackgroundVersion{PatientID: patient}
	var content string
	err := tx.Row(context.Background(), `SELECT version, content, at, by_id, by_name, by_role FROM backgrounds WHERE patient_id = $1 ORDER BY version DESC LIMIT 1`, patient).
		Scan(&v.Version, engine.UnsealAt(func() string { return backgroundPlace(patient, v.Version) }, &content), (*engine.At)(&v.At), &v.ByID, &v.ByName, &v.ByRole)
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
		engine.Set("content", tx.Keys().Seal(backgroundPlace(v.PatientID, v.Version), string(content))),
		engine.Set("at", engine.Micros(v.At)),
		engine.Set("by_id", v.ByID),
		engine.Set("by_name", v.ByName),
		engine.Set("by_role", v.ByRole),
	)
}

// treating are the consultations in which a doctor ($1) treats a patient, or did
// so until lately: a request that waits is none of them, and a second doctor is
// one only if the patient has shared what was before.
const treating = ` FROM participants p JOIN consultations c ON c.id = p.consultation_id
	WHERE p.user_id = $1 AND (p.role = 'doctor' OR p.role = 'second_doctor' AND p.since_seq = 0) AND c.status IN ('active', 'on_hold', 'ended')`

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
		WHERE user_id = $1 OR id IN (SELECT c.patient_id`+treating+`) ORDER BY name, id`, user)
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
	return tx.Exec(`INSERT INTO templates (user_id, templates) VALUES ($1, $2) ON CONFLICT (user_id) DO UPDATE SET templates = excluded.templates`, doctor, engine.Seal(tx, "templates.templates", doctor, string(text)))
}

// LookUntil implements record.Tx.
func (tx Tx) LookUntil(admin rooms.UserID, id consultation.ID) (until time.Time, err error) {
	err = tx.Row(context.Background(), `SELECT until FROM looks WHERE admin_id = $1 AND consultation_id = $2`, admin, id).Scan((*engine.At)(&until))
	if errors.Is(err, sql.ErrNoRows) {
		return time.Time{}, nil
	}
	return until, err
}

// SaveLook implements record.Tx.
func (tx Tx) SaveLook(admin rooms.UserID, id consultation.ID, until time.Time) error {
	return tx.Exec(`INSERT INTO looks (admin_id, consultation_id, until) VALUES ($1, $2, $3)
		ON CONFLICT (admin_id, consultation_id) DO UPDATE SET until = excluded.until`, admin, id, engine.Micros(until))
}

func decisionPlace(id record.DocumentID, num int) string {
	return "decisions.reason/" + string(id) + "/" + strconv.Itoa(num)
}

func backgroundPlace(patient account.PatientID, version int64) string {
	return "backgrounds.content/" + string(patient) + "/" + strconv.FormatInt(version, 10)
}
