package store

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"

	"wenzhen/rooms"
	"wenzhen/rooms/audit"
)

// Audits carries out audit.Store.
type Audits struct{ *DB }

const auditColumns = `num, at, actor_id, role, address, session_id, action, subject, patient_id, outcome, reason, detail, previous, sha256`

func scanAudit(s scanner, more ...any) (audit.LogEntry, error) {
	var e audit.LogEntry
	reason := unsealAt(func() string { return auditPlace(e.Num) }, &e.Reason)
	return e, s.Scan(append([]any{&e.Num, (*at)(&e.At), &e.ActorID, &e.Role, &e.Address, &e.SessionID, &e.Action, &e.Subject, &e.PatientID, &e.Outcome,
		reason, &e.Detail, &e.Previous, &e.SHA256}, more...)...)
}

// Audit implements audit.Store.
func (s Audits) Audit(ctx context.Context, q audit.Query) ([]audit.LogLine, error) {
	w := where{}
	w.same("actor_id", string(q.Filter.ActorID))
	w.same("action", q.Filter.Action)
	w.same("subject", q.Filter.Subject)
	w.same("patient_id", q.Filter.PatientID)
	if q.Filter.From != nil {
		w.add(`at >= ?`, micros(*q.Filter.From))
	}
	if q.Filter.To != nil {
		w.add(`at < ?`, micros(*q.Filter.To))
	}
	if q.Before > 0 {
		w.add(`num < ?`, q.Before)
	}
	plain := `1 = 1`
	if !q.Whole {
		plain = plainEntry
		if q.Filter.Subject != "" || q.Filter.PatientID != "" {
			w.add(plain)
		}
	}
	found := `1`
	if part := q.Filter.Q; part != "" {
		p := w.param(like(part))
		about := `((subject LIKE ` + p + ` ESCAPE '\' AND ` + plain + `) OR actor_id IN
			(SELECT id FROM users WHERE lower(name) LIKE ` + p + ` ESCAPE '\' OR email LIKE ` + p + ` ESCAPE '\'))`
		w.add(`(` + about + ` OR (reason <> '' AND ` + plain + `))`)
		found = `CASE WHEN ` + about + ` THEN 1 ELSE 0 END`
	}
	rows, err := s.readers.rows(ctx, `SELECT `+auditColumns+`, coalesce((SELECT name FROM users WHERE id = audit.actor_id), ''), `+found+
		` FROM audit`+w.sql()+` ORDER BY num DESC`, w.args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	return auditPage(opening{rows, s.readers.keys()}, rows, q)
}

// plainEntry is audit.LogEntry.plain.
const plainEntry = `(role = 'admin' OR actor_id = '' OR subject NOT LIKE '%:%' OR subject = 'user:' || actor_id)`

// auditPage reads rows until a page is full. Those that were not found by what
// they are about are looked for by their reasons, which may be sealed.
func auditPage(row scanner, rows results, q audit.Query) ([]audit.LogLine, error) {
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
func (s Audits) AuditAfter(ctx context.Context, num int64, limit int) ([]audit.LogEntry, error) {
	return collect(ctx, s.readers, func(row scanner) (audit.LogEntry, error) { return scanAudit(row) }, `SELECT `+auditColumns+` FROM audit WHERE num > $1 ORDER BY num LIMIT $2`, num, limit)
}

// AuditHead implements audit.Store.
func (s Audits) AuditHead(ctx context.Context) (audit.Head, error) { return auditHead(ctx, s.readers) }

const headColumns = `num, sha256, since, broken_at, broken_last, signature`

func scanHead(h *audit.Head) []any {
	return []any{&h.Num, &h.SHA256, &h.Since, &h.BrokenAt, &h.BrokenLast, &h.Signature}
}

func auditHead(ctx context.Context, q querier) (h audit.Head, err error) {
	err = q.row(ctx, `SELECT `+headColumns+` FROM audit_head WHERE name = 'audit'`).Scan(scanHead(&h)...)
	if errors.Is(err, sql.ErrNoRows) {
		return audit.Head{}, nil
	}
	return h, err
}

// InTx implements audit.Store.
func (s Audits) InTx(ctx context.Context, f func(audit.Tx) error) error {
	return s.write.InTx(ctx, func(tx *Tx) error { return f(tx) })
}

// SignAudit has every entry of the audit log signed with key from now on. It is
// called before anything else uses the database.
func (db *DB) SignAudit(key []byte) { db.opts.signs.key = key }

// BeginAudit is SignAudit for a server that starts. renewed says that the key
// has just been made: the end of the log is signed as it is, unless it is signed
// with this key already, and what is there of it is known not to be signed by
// this key. Otherwise it is compared with what this server has signed.
func (db *DB) BeginAudit(ctx context.Context, key []byte, renewed bool) error {
	db.SignAudit(key)
	return db.write.InTx(ctx, func(tx *Tx) error {
		end, err := tx.LockAudit()
		if err != nil {
			return err
		}
		anew := renewed && (end.Signature == "" || end.Unsigned)
		fresh := false
		if !anew && end.LastNum == 0 && end.Signature == "" {
			if err := tx.row(context.Background(), `SELECT NOT EXISTS (SELECT 1 FROM users)`).Scan(&fresh); err != nil {
				return err
			}
		}
		if !anew && !fresh {
			return audit.Inspect(tx, db.opts.Now())
		}
		head := end.Head
		if head.Num > 0 {
			head.Since = head.Num + 1
		}
		if err := tx.saveHead(head); err != nil || end.Signature == "" {
			return err
		}
		return audit.Append(tx, rooms.Actor{}, db.opts.Now(), audit.KeyAccepted, "audit", nil)
	})
}

// AuditBroken is the entry before which the audit log has been rewritten or cut,
// as far as this process has noticed; 0 if it has not.
func (db *DB) AuditBroken() int64 { return db.opts.signs.broken.Load() }

// signs is the key that signs the end of the audit log, shared by everything
// that writes one database.
type signs struct {
	key    []byte
	broken atomic.Int64
	log    *slog.Logger
}

// saw remembers and logs that the log is marked as broken.
func (s *signs) saw(brokenAt int64) {
	if brokenAt > 0 && s.broken.Swap(brokenAt) != brokenAt {
		s.log.Error("the audit log has been rewritten or cut by something else than this server; see wenzhen audit verify", "before entry", brokenAt)
	}
}

// auditTurn is what transactions queue for that lost a race for the head of the
// audit log, as others do for a room.
const auditTurn rooms.RoomID = "audit"

// auditAlone is what transactions that lost there postgresCrowd times have for
// themselves: until they end, others that reach the audit log lose (claim).
const auditAlone rooms.RoomID = "audit:alone"

// LockAudit implements audit.Tx. Writing the head locks it.
func (tx *Tx) LockAudit() (audit.End, error) {
	ctx := context.Background()
	tx.rooms = append(tx.rooms, auditTurn)
	var end audit.End
	if err := tx.claim(auditAlone); err != nil {
		return end, err
	}
	err := tx.row(ctx, `INSERT INTO audit_head (name, num, sha256) VALUES ('audit', 0, '')
		ON CONFLICT (name) DO UPDATE SET num = audit_head.num RETURNING `+headColumns).Scan(scanHead(&end.Head)...)
	if err != nil {
		return end, err
	}
	err = tx.row(ctx, `SELECT num, sha256 FROM audit ORDER BY num DESC LIMIT 1`).Scan(&end.LastNum, &end.LastSHA256)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return end, err
	}
	if len(tx.signs.key) == 0 && end.Signature != "" {
		return end, errors.New("the audit log is signed, and the data folder has no audit.key to go on with")
	}
	end.Unsigned = !end.Signed(tx.signs.key)
	tx.signs.saw(end.BrokenAt)
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
func (tx *Tx) PatientOf(subject string) (patient string, err error) {
	kind, id, _ := strings.Cut(subject, ":")
	query, about := patientOf[kind]
	if !about || id == "" {
		return "", nil
	}
	err = tx.row(context.Background(), query, id).Scan(&patient)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return patient, err
}

// InsertAudit implements audit.Tx.
func (tx *Tx) InsertAudit(e audit.LogEntry, head audit.Head) error {
	return firstOf(
		tx.exec(`INSERT INTO audit (`+auditColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`,
			e.Num, micros(e.At), e.ActorID, e.Role, e.Address, e.SessionID, e.Action, e.Subject, e.PatientID, e.Outcome, tx.keys().Seal(auditPlace(e.Num), e.Reason), e.Detail, e.Previous, e.SHA256),
		tx.saveHead(head))
}

// saveHead signs and writes the end of the audit log.
func (tx *Tx) saveHead(h audit.Head) error {
	tx.signs.saw(h.BrokenAt)
	return tx.exec(`UPDATE audit_head SET num = $1, sha256 = $2, since = $3, broken_at = $4, broken_last = $5, signature = $6 WHERE name = 'audit'`,
		h.Num, h.SHA256, h.Since, h.BrokenAt, h.BrokenLast, h.Sign(tx.signs.key))
}
