// Package chat keeps messages, attachments and quick replies, and finds messages by
// their words.
package chat

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/chat"
	"wenzhen.example/rooms/consultation"
	consultationstore "wenzhen.example/rooms/store/consultation"
	"wenzhen.example/rooms/store/engine"
)

// Encrypted are the columns that are encrypted at rest.
var Encrypted = []engine.EncryptedTable{
	{Name: "attachments", Key: []string{"id"}, Columns: []string{"name"}},
	{Name: "quick_replies", Key: []string{"user_id"}, Columns: []string{"replies"}},
}

// Tx implements chat.Tx.
type Tx struct{ consultationstore.Tx }

// In is Tx in a transaction of the database.
func In(tx *engine.Tx) Tx { return Tx{consultationstore.In(tx)} }

// Store implements chat.Store.
type Store struct{ *engine.DB }

// InTx implements chat.Store.
func (s Store) InTx(ctx context.Context, f func(chat.Tx) error) error {
	return s.DB.InTx(ctx, func(tx *engine.Tx) error { return f(In(tx)) })
}

// In implements chat.Store.
func (Store) In(tx rooms.Tx) chat.Tx { return In(engine.Of(tx)) }

// Speaker implements chat.Store.
func (s Store) Speaker(ctx context.Context, id consultation.ID, user rooms.UserID) (consultation.Speaker, error) {
	return consultationstore.SpeakerOf(ctx, s.Reads(), id, user)
}

// Participant implements chat.Store.
func (s Store) Participant(ctx context.Context, id consultation.ID, user rooms.UserID) (consultation.Participant, error) {
	return consultationstore.ParticipantOf(ctx, s.Reads(), id, user)
}

// messageRow selects messages l of rooms r for scanMessage.
const (
	messageColumns = `l.message, r.id, l.seq, l.at, l.recalled_at, l.data, l.recalled, ` +
		`a.id, a.kind, a.uploader_id, a.name, a.size, a.content_type, a.sha256, a.width, a.height, a.thumbnail_sha256, a.duration_ms, a.created_at`
	messageRow = `SELECT ` + messageColumns + ` FROM log l JOIN log_rooms r ON r.num = l.room LEFT JOIN attachments a ON a.id = l.attachment_id `
)

type attachmentColumn = engine.Column[chat.Attachment]

var attachmentRow = engine.RowOf(
	attachmentColumn{Name: "id", To: func(a *chat.Attachment) any { return &a.ID }},
	attachmentColumn{Name: "consultation_id", To: func(a *chat.Attachment) any { return &a.ConsultationID }},
	attachmentColumn{Name: "uploader_id", To: func(a *chat.Attachment) any { return &a.UploaderID }},
	attachmentColumn{Name: "kind", To: func(a *chat.Attachment) any { return &a.Kind }},
	attachmentColumn{Name: "name", To: func(a *chat.Attachment) any { return engine.DecryptColumn("attachments.name", &a.ID, &a.Name) }},
	attachmentColumn{Name: "size", To: func(a *chat.Attachment) any { return &a.Size }},
	attachmentColumn{Name: "content_type", To: func(a *chat.Attachment) any { return &a.ContentType }},
	attachmentColumn{Name: "sha256", To: func(a *chat.Attachment) any { return &a.SHA256 }},
	attachmentColumn{Name: "width", To: func(a *chat.Attachment) any { return &a.Width }},
	attachmentColumn{Name: "height", To: func(a *chat.Attachment) any { return &a.Height }},
	attachmentColumn{Name: "thumbnail_sha256", To: func(a *chat.Attachment) any { return &a.ThumbnailSHA256 }},
	attachmentColumn{Name: "duration_ms", To: func(a *chat.Attachment) any { return &a.DurationMs }},
	attachmentColumn{Name: "created_at", To: func(a *chat.Attachment) any { return (*engine.At)(&a.CreatedAt) }},
)

func scanAttachment(s engine.Scanner) (chat.Attachment, error) {
	var a chat.Attachment
	err := attachmentRow.Scan(s, &a)
	a.HasThumbnail = a.ThumbnailSHA256 != ""
	return a, engine.Found(err, "attachment")
}

// scanMessage reads a message as it was before it was recalled. Its file is that
// of the row: the log does not have all of it, nor that it was purged.
func scanMessage(s engine.Scanner) (chat.Message, error) {
	var m chat.Message
	var e rooms.Event
	var at time.Time
	var recalledAt *time.Time
	var attachment, kind, uploader, contentType, sum, thumbnail sql.NullString
	var name, recalled string
	var size, width, height, duration, uploaded sql.NullInt64
	err := s.Scan(&m.ID, &e.Room, &e.Seq, (*engine.At)(&at), engine.AtOrNil(&recalledAt), engine.EventData(&e), engine.Recalled(&e, &recalled),
		&attachment, &kind, &uploader, engine.DecryptColumn("attachments.name", &attachment.String, &name), &size, &contentType, &sum, &width, &height, &thumbnail, &duration, &uploaded)
	if err != nil {
		return m, engine.Found(err, "message")
	}
	if recalled != "" {
		e.Data = json.RawMessage(recalled)
	}
	if err := json.Unmarshal(e.Data, &m); err != nil {
		return m, fmt.Errorf("message %s: %w: %w", m.ID, rooms.ErrDamaged, err)
	}
	m.Seq, m.CreatedAt, m.RecalledAt, m.Attachment = e.Seq, at, recalledAt, nil
	if attachment.Valid {
		m.Attachment = &chat.Attachment{ID: chat.AttachmentID(attachment.String), ConsultationID: m.ConsultationID, UploaderID: rooms.UserID(uploader.String),
			Kind: chat.Kind(kind.String), Name: name, Size: size.Int64, ContentType: contentType.String, SHA256: sum.String,
			Width: int(width.Int64), Height: int(height.Int64), HasThumbnail: thumbnail.String != "", ThumbnailSHA256: thumbnail.String, DurationMs: duration.Int64}
		err = (*engine.At)(&m.Attachment.CreatedAt).Scan(uploaded.Int64)
	}
	return m, err
}

// Messages implements chat.Store.
func (s Store) Messages(ctx context.Context, id consultation.ID, after, before rooms.Seq, limit int) ([]chat.Message, error) {
	// before has 64 bits; without the cast PostgreSQL takes it as 32, as it does 0.
	list, err := engine.Collect(ctx, s.Reads(), scanMessage, messageRow+`WHERE r.id = $1 AND l.seq > $2
		AND (CAST($3 AS BIGINT) = 0 OR l.seq < $3) AND l.message IS NOT NULL ORDER BY l.seq DESC LIMIT $4`, id.Room(), after, before, limit)
	slices.Reverse(list)
	return list, err
}

// Attachment implements chat.Store.
func (s Store) Attachment(ctx context.Context, id chat.AttachmentID) (chat.Attachment, bool, error) {
	a, err := attachmentByID(ctx, s.Reads(), id)
	if err != nil {
		return a, false, err
	}
	var recalled int
	err = s.Reads().Row(ctx, `SELECT count(*) FROM log WHERE attachment_id = $1 AND recalled_at IS NOT NULL`, id).Scan(&recalled)
	return a, recalled > 0, err
}

// ShownAfter implements chat.Store.
func (s Store) ShownAfter(ctx context.Context, id chat.AttachmentID, after rooms.Seq) (shown bool, err error) {
	err = s.Reads().Row(ctx, `SELECT EXISTS (SELECT 1 FROM log WHERE attachment_id = $1 AND seq > $2)
		OR EXISTS (SELECT 1 FROM boards b JOIN attachments a ON a.consultation_id = b.consultation_id AND a.id = b.attachment_id WHERE a.id = $1 AND b.attachment_seq > $2)`,
		id, after).Scan(&shown)
	return shown, err
}

func attachmentByID(ctx context.Context, q engine.Querier, id chat.AttachmentID) (chat.Attachment, error) {
	return scanAttachment(q.Row(ctx, `SELECT `+attachmentRow.Columns("a")+` FROM attachments a WHERE a.id = $1`, id))
}

// Uploaded implements chat.Store.
func (s Store) Uploaded(ctx context.Context, user rooms.UserID) (int64, error) {
	return uploaded(ctx, s.Reads(), user)
}

// Uploaded implements chat.Tx.
func (tx Tx) Uploaded(user rooms.UserID) (int64, error) {
	return uploaded(context.Background(), tx, user)
}

func uploaded(ctx context.Context, q engine.Querier, user rooms.UserID) (n int64, err error) {
	err = q.Row(ctx, `SELECT coalesce(CAST(sum(size) AS BIGINT), 0) FROM attachments WHERE uploader_id = $1`, user).Scan(&n)
	return n, err
}

// QuickReplies implements chat.Store.
func (s Store) QuickReplies(ctx context.Context, doctor rooms.UserID) ([]chat.QuickReply, error) {
	var replies string
	err := s.Reads().Row(ctx, `SELECT replies FROM quick_replies WHERE user_id = $1`, doctor).Scan(engine.DecryptColumn("quick_replies.replies", &doctor, &replies))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	var list []chat.QuickReply
	return list, json.Unmarshal([]byte(replies), &list)
}

// MessageByClientID implements chat.Tx.
func (tx Tx) MessageByClientID(id consultation.ID, sender rooms.UserID, clientID string) (chat.Message, error) {
	m, err := scanMessage(tx.Row(context.Background(), messageRow+`WHERE r.id = $1 AND l.client = $2`, id.Room(), engine.ClientHash(sender, clientID)))
	if err == nil && (m.SenderID != sender || m.ClientID != clientID) {
		err = rooms.NotFound("message")
	}
	return m, err
}

// Message implements chat.Tx.
func (tx Tx) Message(id chat.MessageID) (chat.Message, error) {
	return scanMessage(tx.Row(context.Background(), messageRow+`WHERE l.message = $1`, id))
}

// InsertMessage implements chat.Tx.
func (tx Tx) InsertMessage(m chat.Message) error {
	said := engine.Message{Room: m.ConsultationID.Room(), Seq: m.Seq, ID: string(m.ID), Sender: m.SenderID, ClientID: m.ClientID, Text: m.Text}
	if m.Attachment != nil {
		said.Attachment = string(m.Attachment.ID)
	}
	return tx.AsMessage(said)
}

// RecallMessage implements chat.Tx.
func (tx Tx) RecallMessage(left chat.Message) error {
	e := rooms.Event{Room: left.ConsultationID.Room(), Seq: left.Seq}
	if err := tx.Row(context.Background(), `SELECT data FROM log WHERE message = $1`, left.ID).Scan(engine.EventData(&e)); err != nil {
		return engine.Found(err, "message")
	}
	return tx.replace(left, `recalled = $4`, engine.EncryptRecalled(tx.Keys(), e.Room, e.Seq, string(e.Data)))
}

// replace makes left what the log shows of a message.
func (tx Tx) replace(left chat.Message, and string, args ...any) error {
	data, err := json.Marshal(left)
	if err != nil {
		return err
	}
	encrypted := engine.EncryptEvent(tx.Keys(), left.ConsultationID.Room(), left.Seq, string(data))
	return tx.Exec(`UPDATE log SET data = $2, recalled_at = $3, `+and+` WHERE message = $1`,
		append([]any{left.ID, encrypted, engine.MicrosOrNull(left.RecalledAt)}, args...)...)
}

// ForeignMessage implements chat.Tx.
func (tx Tx) ForeignMessage(id consultation.ID, user rooms.UserID, after, upTo rooms.Seq) (bool, error) {
	var there bool
	err := tx.Row(context.Background(), `SELECT EXISTS (SELECT 1 FROM log WHERE room = `+engine.RoomNum("$1")+` AND seq > $2 AND seq <= $3 AND sender <> `+engine.PersonNum("$4")+`)`,
		id.Room(), after, upTo, user).Scan(&there)
	return there, err
}

// Attachment implements chat.Tx.
func (tx Tx) Attachment(id chat.AttachmentID) (chat.Attachment, error) {
	return attachmentByID(context.Background(), tx, id)
}

// InsertAttachment implements chat.Tx.
func (tx Tx) InsertAttachment(a chat.Attachment) error {
	return tx.Insert("attachments",
		engine.Set("id", a.ID),
		engine.Set("consultation_id", a.ConsultationID),
		engine.Set("uploader_id", a.UploaderID),
		engine.Set("kind", a.Kind),
		engine.Set("name", engine.EncryptColumn(tx, "attachments.name", a.ID, a.Name)),
		engine.Set("size", a.Size),
		engine.Set("content_type", a.ContentType),
		engine.Set("sha256", a.SHA256),
		engine.Set("width", a.Width),
		engine.Set("height", a.Height),
		engine.Set("thumbnail_sha256", a.ThumbnailSHA256),
		engine.Set("duration_ms", a.DurationMs),
		engine.Set("created_at", engine.Micros(a.CreatedAt)),
	)
}

// SaveQuickReplies implements chat.Tx.
func (tx Tx) SaveQuickReplies(doctor rooms.UserID, list []chat.QuickReply) error {
	replies, err := json.Marshal(list)
	if err != nil {
		return err
	}
	return tx.Exec(`INSERT INTO quick_replies (user_id, replies) VALUES ($1, $2) ON CONFLICT (user_id) DO UPDATE SET replies = excluded.replies`, doctor, engine.EncryptColumn(tx, "quick_replies.replies", doctor, string(replies)))
}

// SaveWatermarks implements chat.Tx.
func (tx Tx) SaveWatermarks(id consultation.ID, p consultation.Participant) error {
	return tx.Exec(`UPDATE participants SET delivered_up_to = $3, read_up_to = $4 WHERE consultation_id = $1 AND user_id = $2`,
		id, p.UserID, p.DeliveredUpTo, p.ReadUpTo)
}
