// Package audit keeps the audit log in the database, signed at its end.
package audit

import (
	"context"
	"database/sql"
	"errors"
	"strconv"
	"strings"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/audit"
	"wenzhen.example/rooms/store/engine"
)

// Encrypted are the columns that are encrypted at rest.
var Encrypted = []engine.EncryptedTable{
	{Name: "audit", Key: []string{"num"}, Columns: []string{"reason"}},
}

// Tx implements audit.Tx. Other features put their own methods around it.
type Tx struct{ *engine.Tx }

// In is Tx in a transaction of the database.
func In(tx *engine.Tx) Tx { return Tx{tx} }

// Store implements audit.Store.
type Store struct{ *engine.DB }

const auditColumns = `num, at, actor_id, role, address, session_id, action, subject, patient_id, outcome, reason, detail, previous, sha256`

func scanAudit(s engine.Scanner, more ...any) (audit.LogEntry, error) {
	var e audit.LogEntry
	reason := engine.DecryptAt(func() string { return auditPlace(e.Num) }, &e.Reason)
	return e, s.Scan(append([]any{&e.Num, (*engine.At)(&e.At), &e.ActorID, &e.Role, &e.Address, &e.SessionID, &e.Action, &e.Subject, &e.PatientID, &e.Outcome,
		reason, &e.Detail, &e.Previous, &e.SHA256}, more...)...)
}

// Audit implements audit.Store.
func (s Store) Audit(ctx context.Context, q audit.Query) ([]audit.LogLine, error) {
	w := engine.Where{}
	w.Same("actor_id", string(q.Filter.ActorID))
	w.Same("action", q.Filter.Action)
	w.Same("subject", q.Filter.Subject)
	w.Same("patient_id", q.Filter.PatientID)
	same := len(w.Args)
	if q.Filter.From != nil {
		w.Add(`at >= ?`, engine.Micros(*q.Filter.From))
	}
	if q.Filter.To != nil {
		w.Add(`at < ?`, engine.Micros(*q.Filter.To))
	}
	// Between two times the log is read by them, unless another index finds less.
	byTime := same == 0 && len(w.Args) > 0
	order := ` ORDER BY num DESC`
	if byTime {
		order = ` ORDER BY at DESC, num DESC`
	}
	switch {
	case q.Before > 0 && byTime:
		w.Add(`(at, num) < ((SELECT b.at FROM audit b WHERE b.num = ?), ?)`, q.Before, q.Before)
	case q.Before > 0:
		w.Add(`num < ?`, q.Before)
	}
	plain := `1 = 1`
	if !q.Whole {
		plain = plainEntry
		if q.Filter.Subject != "" || q.Filter.PatientID != "" {
			w.Add(plain)
		}
	}
	found := `1`
	if part := q.Filter.Q; part != "" {
		p := w.Param(engine.Like(part))
		about := `((subject LIKE ` + p + ` ESCAPE '\' AND ` + plain + `) OR actor_id IN
			(SELECT id FROM users WHERE lower(name) LIKE ` + p + ` ESCAPE '\' OR email LIKE ` + p + ` ESCAPE '\'))`
		w.Add(`(` + about + ` OR (reason <> '' AND ` + plain + `))`)
		found = `CASE WHEN ` + about + ` THEN 1 ELSE 0 END`
	}
	rows, err := s.Reads().Rows(ctx, `SELECT `+auditColumns+`, coalesce((SELECT name FROM users WHERE id = audit.actor_id), ''), `+found+
		` FROM audit`+w.SQL()+order, w.Args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	return auditPage(engine.Decrypting(rows, s.Reads().Keys()), rows, q)
}

// plainEntry is audit.LogEntry.plain.
const plainEntry = `(role = 'admin' OR actor_id = '' OR subject NOT LIKE '%:%' OR subject = 'user:' || actor_id)`

// auditPage reads rows until a page is full. Those that were not found by what
// they are about are looked for by their reasons, which may be sealed.
func auditPage(row engine.Scanner, rows engine.Results, q audit.Query) ([]audit.LogLine, error) {
	var page []audit.LogLine
	for len(page) < q.Limit && rows.Next() {
		var name string
		var found int
		e, err := scanAudit(row, &name, &found)
		if err != nil {
			return nil, err
		}
		if found == 1 || strings.Contains(strings.ToLower(e.Reason), strings.ToLower(q.Filter.Q)) {
			page = append(page, audit.LogLine{LogEntry: e, ActorName: name})
		}
	}
	return page, rows.Err()
}

// AuditAfter implements audit.Store.
func (s Store) AuditAfter(ctx context.Context, num int64, limit int) ([]audit.LogEntry, error) {
	return engine.Collect(ctx, s.Reads(), func(row engine.Scanner) (audit.LogEntry, error) { return scanAudit(row) }, `SELECT `+auditColumns+` FROM audit WHERE num > $1 ORDER BY num LIMIT $2`, num, limit)
}

// AuditHead implements audit.Store.
func (s Store) AuditHead(ctx context.Context) (audit.Head, error) { return auditHead(ctx, s.Reads()) }

const headColumns = `num, sha256, since, broken_at, broken_last, signature`

func scanHead(h *audit.Head) []any {
	return []any{&h.Num, &h.SHA256, &h.Since, &h.BrokenAt, &h.BrokenLast, &h.Signature}
}

func auditHead(ctx context.Context, q engine.Querier) (h audit.Head, err error) {
	err = q.Row(ctx, `SELECT `+headColumns+` FROM audit_head WHERE name = 'audit'`).Scan(scanHead(&h)...)
	if errors.Is(err, sql.ErrNoRows) {
		return audit.Head{}, nil
	}
	return h, err
}

// InTx implements audit.Store.
func (s Store) InTx(ctx context.Context, f func(audit.Tx) error) error {
	return s.DB.InTx(ctx, func(tx *engine.Tx) error { return f(In(tx)) })
}

// Begin is SignAudit for a server that starts. renewed says that the key
// has just been made: the end of the log is signed as it is, unless it is signed
// with this key already, and what is there of it is known not to be signed by
// this key. Otherwise it is compared with what this server has signed, and with
// kept, the end of the log that is kept outside the database. If there is none of
// a log that was signed, that is entered.
func (s Store) Begin(ctx context.Context, key []byte, renewed bool, kept audit.Head) error {
	s.SignAudit(key)
	s.SeeAudit(kept.Num, kept.SHA256)
	now := s.Now()
	return s.DB.InTx(ctx, func(of *engine.Tx) error {
		tx := In(of)
		end, err := tx.LockAudit()
		if err != nil {
			return err
		}
		anew := renewed && (end.Signature == "" || end.Unsigned)
		fresh := false
		if !anew && end.LastNum == 0 && end.Signature == "" && kept.Num == 0 {
			if err := tx.Row(context.Background(), `SELECT NOT EXISTS (SELECT 1 FROM users)`).Scan(&fresh); err != nil {
				return err
			}
		}
		switch {
		case anew, fresh:
		case kept.Signature == "" && end.Signature != "":
			return audit.Append(tx, rooms.Actor{}, now, audit.HeadKept, "audit", nil)
		default:
			return audit.Inspect(tx, now)
		}
		head := end.Head
		if head.Num > 0 {
			head.Since = head.Num + 1
		}
		if err := tx.saveHead(head); err != nil || end.Signature == "" {
			return err
		}
		return audit.Append(tx, rooms.Actor{}, now, audit.KeyAccepted, "audit", nil)
	})
}

// LockAudit implements audit.Tx. Writing the head locks it.
func (tx Tx) LockAudit() (audit.End, error) {
	ctx := context.Background()
	var end audit.End
	if err := tx.QueueForAudit(); err != nil {
		return end, err
	}
	err := tx.Row(ctx, `INSERT INTO audit_head (name, num, sha256) VALUES ('audit', 0, '')
		ON CONFLICT (name) DO UPDATE SET num = audit_head.num RETURNING `+headColumns).Scan(scanHead(&end.Head)...)
	if err != nil {
		return end, err
	}
	end.SeenNum, end.SeenSHA256 = tx.AuditSeen(end.Num, end.SHA256)
	err = tx.Row(ctx, `SELECT num, sha256, coalesce((SELECT s.sha256 FROM audit s WHERE s.num = $1), '') FROM audit ORDER BY num DESC LIMIT 1`,
		end.SeenNum).Scan(&end.LastNum, &end.LastSHA256, &end.AtSeen)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return end, err
	}
	if len(tx.AuditKey()) == 0 && end.Signature != "" {
		return end, errors.New("the audit log is signed, and the data folder has no audit.key to go on with")
	}
	end.Unsigned = !end.Signed(tx.AuditKey())
	tx.SawAudit(end.BrokenAt)
	return end, nil
}

const patientOfDocument = `SELECT patient_id FROM documents WHERE id = $1`

// patientOf is how the patient of a subject is found, by the kind of subject.
var patientOf = map[string]string{
	"patient":      `SELECT id FROM patients WHERE id = $1`,
	"consultation": `SELECT patient_id FROM consultations WHERE id = $1`,
	"diagnosis":    patientOfDocument, "prescription": patientOfDocument, "summary": patientOfDocument,
	"attachment":  `SELECT c.patient_id FROM attachments a JOIN consultations c ON c.id = a.consultation_id WHERE a.id = $1`,
	"order":       `SELECT c.patient_id FROM orders o JOIN consultations c ON c.id = o.consultation_id WHERE o.id = $1`,
	"appointment": `SELECT patient_id FROM appointments WHERE id = $1`,
}

// PatientOf implements audit.Tx.
func (tx Tx) PatientOf(subject string) (patient string, err error) {
	kind, id, _ := strings.Cut(subject, ":")
	query, about := patientOf[kind]
	if !about || id == "" {
		return "", nil
	}
	err = tx.Row(context.Background(), query, id).Scan(&patient)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return patient, err
}

// InsertAudit implements audit.Tx.
func (tx Tx) InsertAudit(e audit.LogEntry, head audit.Head) error {
	return engine.FirstOf(
		tx.Exec(`INSERT INTO audit (`+auditColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`,
			e.Num, engine.Micros(e.At), e.ActorID, e.Role, e.Address, e.SessionID, e.Action, e.Subject, e.PatientID, e.Outcome, tx.Keys().Encrypt(auditPlace(e.Num), e.Reason), e.Detail, e.Previous, e.SHA256),
		tx.saveHead(head))
}

// saveHead signs and writes the end of the audit log.
func (tx Tx) saveHead(h audit.Head) error {
	tx.SawAudit(h.BrokenAt)
	tx.AuditEnds(h.Num, h.SHA256, h.Num > 0 && h.Num == h.BrokenLast)
	return tx.Exec(`UPDATE audit_head SET num = $1, sha256 = $2, since = $3, broken_at = $4, broken_last = $5, signature = $6 WHERE name = 'audit'`,
		h.Num, h.SHA256, h.Since, h.BrokenAt, h.BrokenLast, h.Sign(tx.AuditKey()))
}

func auditPlace(num int64) string { return "audit.reason/" + strconv.FormatInt(num, 10) }
