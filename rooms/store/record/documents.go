package record

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/record"
	"wenzhen.example/rooms/store/engine"
)

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
	column{Name: "d.content", To: func(d *stored) any { return engine.DecryptColumn("documents.content", &d.ID, &d.content) }},
	column{Name: "d.created_at", To: func(d *stored) any { return (*engine.At)(&d.CreatedAt) }},
	column{Name: "d.updated_at", To: func(d *stored) any { return (*engine.At)(&d.UpdatedAt) }},
	column{Name: "d.signed_by", To: func(d *stored) any { return &d.signature.SignedBy }},
	column{Name: "d.signed_at", To: func(d *stored) any { return engine.AtOrNil(&d.signedAt) }},
	column{Name: "d.sha256", To: func(d *stored) any { return &d.signature.SHA256 }},
	column{Name: "d.seal", To: func(d *stored) any { return &d.signature.Seal }},
	column{Name: "d.form", To: func(d *stored) any { return &d.signature.Form }},
	column{Name: "d.key_id", To: func(d *stored) any { return &d.signature.KeyID }},
	column{Name: "d.signed_as", To: func(d *stored) any { return engine.DecryptColumn("documents.signed_as", &d.ID, &d.SignedAs) }},
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
		engine.Set("content", engine.EncryptColumn(tx, "documents.content", d.ID, string(d.Content))),
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
		engine.Set("content", engine.EncryptColumn(tx, "documents.content", d.ID, string(d.Content))),
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
		engine.Set("content", engine.EncryptColumn(tx, "documents.content", d.ID, string(d.Content))),
		engine.Set("updated_at", engine.Micros(d.UpdatedAt)),
		engine.Set("signed_by", d.Signature.SignedBy),
		engine.Set("signed_at", engine.Micros(d.Signature.SignedAt)),
		engine.Set("sha256", d.Signature.SHA256),
		engine.Set("seal", d.Signature.Seal),
		engine.Set("form", d.Signature.Form),
		engine.Set("key_id", d.Signature.KeyID),
		engine.Set("signed_as", engine.EncryptColumn(tx, "documents.signed_as", d.ID, d.SignedAs)),
		engine.Set("patient_name", d.PatientName),
		engine.Set("doctor_name", d.DoctorName),
		engine.Set("signed_seq", last),
	)
}

// SaveState implements record.Tx.
func (tx Tx) SaveState(root record.DocumentID, v record.State) error {
	return tx.Exec(`INSERT INTO document_states (root, state, seal, key_id) VALUES ($1, $2, $3, $4)
		ON CONFLICT (root) DO UPDATE SET state = excluded.state, seal = excluded.seal, key_id = excluded.key_id`, root, v.Text, v.Seal, v.KeyID)
}
