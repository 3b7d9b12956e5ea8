package store

import (
	"context"
	"database/sql"
	"errors"
	"strings"

	"wenzhen/rooms"
	"wenzhen/rooms/audit"
)

// Audits carries out audit.Store.
type Audits struct{ *DB }

const auditColumns = `num, at, actor_id, role, address, action, subject, reason, detail, previous, sha256`

func scanAudit(s scanner, more ...any) (audit.LogEntry, error) {
	var e audit.LogEntry
	reason := unsealAt(func() string { return auditPlace(e.Num) }, &e.Reason)
	return e, s.Scan(append([]any{&e.Num, (*at)(&e.At), &e.ActorID, &e.Role, &e.Address, &e.Action, &e.Subject, reason, &e.Detail, &e.Previous, &e.SHA256}, more...)...)
}

// Audit implements audit.Store.
func (s Audits) Audit(ctx context.Context, q audit.Query) ([]audit.LogLine, error) {
	w := where{}
	w.same("actor_id", string(q.Filter.ActorID))
	w.same("action", q.Filter.Action)
	w.same("subject", q.Filter.Subject)
	if q.Filter.From != nil {
		w.add(`at >= ?`, micros(*q.Filter.From))
	}
	if q.Filter.To != nil {
		w.add(`at < ?`, micros(*q.Filter.To))
	}
	if q.Before > 0 {
		w.add(`num < ?`, q.Before)
	}
	found := `1`
	if part := q.Filter.Q; part != "" {
		p := w.param(like(part))
		about := `(subject LIKE ` + p + ` ESCAPE '\' OR actor_id IN
			(SELECT id FROM users WHERE lower(name) LIKE ` + p + ` ESCAPE '\' OR email LIKE ` + p + ` ESCAPE '\'))`
		w.add(`(` + about + ` OR reason <> '')`)
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

func auditHead(ctx context.Context, q querier) (h audit.Head, err error) {
	err = q.row(ctx, `SELECT num, sha256, signature FROM audit_head WHERE name = 'audit'`).Scan(&h.Num, &h.SHA256, &h.Signature)
	if errors.Is(err, sql.ErrNoRows) {
		return audit.Head{}, nil
	}
	return h, err
}

// Write runs a function in a transaction, as audit.NewReads wants it.
func (s Audits) Write(ctx context.Context, f func(audit.Tx) error) error {
	return s.write.InTx(ctx, func(tx *Tx) error { return f(tx) })
}

// SignAudit has every entry of the audit log signed with key from now on. With
// first, the end of the log is signed as it is: the key has only just been made.
// It is called before anything else uses the database.
func (db *DB) SignAudit(ctx context.Context, key []byte, first bool) error {
	db.opts.signs.key = key
	if !first {
		return nil
	}
	return db.write.InTx(ctx, func(tx *Tx) error {
		h, err := auditHead(context.Background(), tx)
		if err != nil {
			return err
		}
		return tx.exec(`UPDATE audit_head SET signature = $1 WHERE name = 'audit'`, h.Sign(key))
	})
}

// signs is the key that signs the end of the audit log, shared by everything
// that writes one database.
type signs struct{ key []byte }

// auditTurn is what transactions queue for that lost a race for the head of the
// audit log, as others do for a room.
const auditTurn rooms.RoomID = "audit"

// NextAudit implements audit.Tx. Counting the head up locks it.
func (tx *Tx) NextAudit() (num int64, previous string, err error) {
	tx.rooms = append(tx.rooms, auditTurn)
	err = tx.row(context.Background(), `INSERT INTO audit_head (name, num, sha256) VALUES ('audit', 1, '')
		ON CONFLICT (name) DO UPDATE SET num = audit_head.num + 1 RETURNING num, sha256`).Scan(&num, &previous)
	return num, previous, err
}

// InsertAudit implements audit.Tx.
func (tx *Tx) InsertAudit(e audit.LogEntry) error {
	return firstOf(
		tx.exec(`INSERT INTO audit (`+auditColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
			e.Num, micros(e.At), e.ActorID, e.Role, e.Address, e.Action, e.Subject, tx.keys().Seal(auditPlace(e.Num), e.Reason), e.Detail, e.Previous, e.SHA256),
		tx.exec(`UPDATE audit_head SET sha256 = $1, signature = $2 WHERE name = 'audit'`, e.SHA256, audit.Head{Num: e.Num, SHA256: e.SHA256}.Sign(tx.signs.key)))
}
