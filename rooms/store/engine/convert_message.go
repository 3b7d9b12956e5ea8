package engine

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/vault"
)

// converted is a row of the old table events and what becomes of it.
type converted struct {
	pos, seq, at                 int64
	room, id, name, actor, data  string
	xid, namespace, also, lost   string // only PostgreSQL has these
	roomNum, actorNum            int64
	senderNum, client, recalled  *int64
	message, attachment, content *string // content is what was recalled
	words                        string  // to be found by; only for PostgreSQL
	said                         *oldMessage
}

// oldMessage is a row of the old table messages, as it is stored.
type oldMessage struct {
	id, client, sender, kind, text, reply, detail, peaks string
	attachment                                           sql.NullString
	at                                                   int64
	recalled                                             sql.NullInt64
	file                                                 oldFile
}

// oldFile is a row of the table attachments, as it is stored.
type oldFile struct {
	uploader, kind, name, contentType, sum, thumbnail sql.NullString
	size, width, height, duration, at                 sql.NullInt64
}

// messageJSON is a message as the data of its event has it. It stays as it was in
// version 80, whatever becomes of chat.Message.
type messageJSON struct {
	ID             string          `json:"id"`
	ClientID       string          `json:"clientId"`
	ConsultationID string          `json:"consultationId"`
	Seq            int64           `json:"seq"`
	SenderID       string          `json:"senderId"`
	Kind           string          `json:"kind"`
	Text           string          `json:"text,omitempty"`
	Attachment     *fileJSON       `json:"attachment,omitempty"`
	Peaks          []int           `json:"peaks,omitempty"`
	ReplyTo        string          `json:"replyTo,omitempty"`
	Detail         json.RawMessage `json:"detail,omitempty"`
	CreatedAt      time.Time       `json:"createdAt"`
	RecalledAt     *time.Time      `json:"recalledAt,omitempty"`
}

type fileJSON struct {
	ID             string    `json:"id"`
	ConsultationID string    `json:"consultationId"`
	UploaderID     string    `json:"uploaderId"`
	Kind           string    `json:"kind"`
	Name           string    `json:"name"`
	Size           int64     `json:"size"`
	ContentType    string    `json:"contentType"`
	SHA256         string    `json:"sha256"`
	Width          int64     `json:"width,omitempty"`
	Height         int64     `json:"height,omitempty"`
	DurationMs     int64     `json:"durationMs,omitempty"`
	HasThumbnail   bool      `json:"hasThumbnail"`
	CreatedAt      time.Time `json:"createdAt"`
}

const (
	messageCreated     = "message:created"
	consultationPrefix = "consultation:"
)

// read reads the next events with their messages.
func (c *conversion) read(ctx context.Context) ([]converted, error) {
	rows, err := c.conn.QueryContext(ctx, `SELECT e.pos, e.room, e.seq, e.id, e.name, e.at, e.actor_id, e.data, `+c.copy.oldMore()+`,
			m.id, m.client_id, m.sender_id, m.kind, m.text, m.attachment_id, m.reply_to, m.created_at, m.recalled_at, m.detail, m.peaks,
			a.uploader_id, a.kind, a.name, a.size, a.content_type, a.sha256, a.width, a.height, a.thumbnail_sha256, a.duration_ms, a.created_at
		FROM events e
		LEFT JOIN messages m ON e.name = '`+messageCreated+`' AND m.consultation_id = substr(e.room, 14) AND m.seq = e.seq AND e.room = '`+consultationPrefix+`' || m.consultation_id
		LEFT JOIN attachments a ON a.id = m.attachment_id
		WHERE e.pos > $1 ORDER BY e.pos LIMIT $2`, c.state.Pos, convertPage)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	page := make([]converted, 0, convertPage)
	for rows.Next() {
		var r converted
		var m oldMessage
		var id, client, sender, kind, text, reply, detail, peaks sql.NullString
		var at sql.NullInt64
		f := &m.file
		if err := rows.Scan(&r.pos, &r.room, &r.seq, &r.id, &r.name, &r.at, &r.actor, &r.data, &r.xid, &r.namespace, &r.also, &r.lost,
			&id, &client, &sender, &kind, &text, &m.attachment, &reply, &at, &m.recalled, &detail, &peaks,
			&f.uploader, &f.kind, &f.name, &f.size, &f.contentType, &f.sum, &f.width, &f.height, &f.thumbnail, &f.duration, &f.at); err != nil {
			return nil, err
		}
		if id.Valid {
			m.id, m.client, m.sender, m.kind, m.text, m.reply, m.detail, m.peaks, m.at = id.String, client.String, sender.String, kind.String,
				text.String, reply.String, detail.String, peaks.String, at.Int64
			r.said = &m
		}
		page = append(page, r)
	}
	return page, rows.Err()
}

// take fills in what the log has of a message, compares it with its event, and
// counts both.
func (c *conversion) take(r *converted) error {
	var difference string
	err := error(nil)
	switch {
	case r.said != nil:
		hash := ClientHash(rooms.UserID(r.said.sender), r.said.client)
		r.client, r.message = &hash, &r.said.id
		if r.said.attachment.Valid {
			r.attachment = &r.said.attachment.String
		}
		if r.said.recalled.Valid {
			r.recalled = &r.said.recalled.Int64
		}
		difference, err = c.compare(r)
	case r.name == messageCreated:
		difference = "there is no message with it"
	}
	if errors.Is(err, rooms.ErrDamaged) {
		c.state.Damaged++
		c.log.Warn("something stored cannot be read; it is copied as it is", "what", eventPlace(rooms.RoomID(r.room), rooms.Seq(r.seq)), "error", err)
	} else if err != nil {
		return err
	}
	if difference != "" {
		c.differ(fmt.Sprintf("event %d of %s: %s", r.seq, r.room, difference))
	}
	c.state.Events.add(r.eventRow())
	if r.said != nil {
		c.state.Messages.add(r.messageRow(r.said.sender))
	}
	return nil
}

// differ notes a difference.
func (c *conversion) differ(what string) {
	c.state.Differences++
	if len(c.state.First) < convertListed {
		c.state.First = append(c.state.First, what)
	}
}

// row writes values so that no others look the same.
type row []byte

func (b *row) number(n int64) { *b = binary.BigEndian.AppendUint64(*b, uint64(n)) }

func (b *row) text(s string) {
	b.number(int64(len(s)))
	*b = append(*b, s...)
}

func (b *row) orNull(s *string) {
	if s == nil {
		b.number(-1)
		return
	}
	b.text(*s)
}

func (b *row) orNullNumber(n *int64) {
	if n == nil {
		b.number(0)
		return
	}
	b.number(1)
	b.number(*n)
}

// eventRow is what counts of an event.
func (r *converted) eventRow() []byte {
	b := make(row, 0, 256+len(r.data))
	b.number(r.pos)
	b.number(r.seq)
	b.number(r.at)
	for _, s := range []string{r.room, r.id, r.name, r.actor, r.data, r.xid, r.namespace, r.also, r.lost} {
		b.text(s)
	}
	return b
}

// messageRow is what counts of what only messages have.
func (r *converted) messageRow(sender string) []byte {
	var b row
	b.number(r.pos)
	b.text(sender)
	b.orNullNumber(r.client)
	b.orNullNumber(r.recalled)
	b.orNull(r.message)
	b.orNull(r.attachment)
	b.orNull(r.content)
	return b
}

// compare compares a message with its event, and makes what is kept of it if it
// was recalled. Where only the event is damaged it is written anew: people have
// been shown the message. The error is rooms.ErrDamaged if one of them cannot be read.
func (c *conversion) compare(r *converted) (difference string, err error) {
	row, rowErr := c.open(r)
	seen := row
	if r.recalled != nil {
		seen.Text, seen.Attachment, seen.Peaks = "", nil, nil
	}
	event, err := c.event(r)
	switch {
	case rowErr != nil:
		return "", errors.Join(rowErr, err)
	case errors.Is(err, rooms.ErrDamaged):
		if text, fileErr := c.encoded(r, seen); fileErr == nil {
			r.data = EncryptEvent(c.vault, rooms.RoomID(r.room), rooms.Seq(r.seq), text)
		} else {
			return "", errors.Join(err, fileErr)
		}
	case err != nil:
		return "", err
	default:
		difference = differs(seen, event)
	}
	if r.recalled == nil && !c.vault.On() {
		r.words = row.Text
	}
	if r.recalled != nil && (row.Text != "" || row.Attachment != nil) { // nor purged
		row.RecalledAt = nil
		text, fileErr := c.encoded(r, row)
		if fileErr != nil {
			return difference, errors.Join(err, fileErr)
		}
		kept := c.vault.Encrypt(recalledPlace(rooms.RoomID(r.room), rooms.Seq(r.seq)), text)
		r.content = &kept
	}
	return difference, err
}

// event is what an event says of its message.
func (c *conversion) event(r *converted) (m messageJSON, err error) {
	data, err := openJSON(c.vault, eventPlace(rooms.RoomID(r.room), rooms.Seq(r.seq)), r.data)
	if err != nil {
		return m, err
	}
	if err := json.Unmarshal(data, &m); err != nil {
		return m, fmt.Errorf("%w: %w", rooms.ErrDamaged, err)
	}
	return m, nil
}

// open is the message that a row of the old table has. Of its file it has the id.
func (c *conversion) open(r *converted) (messageJSON, error) {
	old, id := r.said, strings.TrimPrefix(r.room, consultationPrefix)
	m := messageJSON{ID: old.id, ClientID: old.client, ConsultationID: id, Seq: r.seq, SenderID: old.sender, Kind: old.kind, ReplyTo: old.reply, CreatedAt: time.UnixMicro(old.at).UTC()}
	if old.recalled.Valid {
		at := time.UnixMicro(old.recalled.Int64).UTC()
		m.RecalledAt = &at
	}
	if old.attachment.Valid {
		m.Attachment = &fileJSON{ID: old.attachment.String, ConsultationID: id}
	}
	var err error
	if m.Text, err = openAt(c.vault, "messages.text/"+old.id, old.text); err != nil {
		return m, err
	}
	if old.detail != "" {
		if m.Detail, err = openJSON(c.vault, "messages.detail/"+old.id, old.detail); err != nil {
			return m, err
		}
	}
	if old.peaks != "" {
		peaks, err := openJSON(c.vault, "messages.peaks/"+old.id, old.peaks)
		if err != nil {
			return m, err
		}
		if err := json.Unmarshal(peaks, &m.Peaks); err != nil {
			return m, fmt.Errorf("%w: %w", rooms.ErrDamaged, err)
		}
	}
	return m, nil
}

// encoded is the data of the event of a message, with all of its file.
func (c *conversion) encoded(r *converted, m messageJSON) (string, error) {
	if f := r.said.file; m.Attachment != nil {
		name, err := openAt(c.vault, "attachments.name/"+m.Attachment.ID, f.name.String)
		if err != nil {
			return "", err
		}
		m.Attachment = &fileJSON{ID: m.Attachment.ID, ConsultationID: m.ConsultationID, UploaderID: f.uploader.String, Kind: f.kind.String, Name: name, Size: f.size.Int64,
			ContentType: f.contentType.String, SHA256: f.sum.String, Width: f.width.Int64, Height: f.height.Int64, DurationMs: f.duration.Int64,
			HasThumbnail: f.thumbnail.String != "", CreatedAt: time.UnixMicro(f.at.Int64).UTC()}
	}
	b, err := json.Marshal(m)
	return string(b), err
}

// differs says what of a message is not the same in its row and in its event.
// Of a file they have to name the same one: what it is stands in its own table.
func differs(row, event messageJSON) string {
	var fields []string
	for name, same := range map[string]bool{
		"id": row.ID == event.ID, "clientId": row.ClientID == event.ClientID, "consultationId": row.ConsultationID == event.ConsultationID,
		"seq": row.Seq == event.Seq, "senderId": row.SenderID == event.SenderID, "kind": row.Kind == event.Kind, "replyTo": row.ReplyTo == event.ReplyTo,
		"text": sameText(row.Text, event.Text), "attachment": fileID(row) == fileID(event), "peaks": slices.Equal(row.Peaks, event.Peaks),
		"detail": sameJSON(row.Detail, event.Detail), "createdAt": row.CreatedAt.UnixMicro() == event.CreatedAt.UnixMicro(),
		"recalledAt": sameTime(row.RecalledAt, event.RecalledAt),
	} {
		if !same {
			fields = append(fields, name)
		}
	}
	if len(fields) == 0 {
		return ""
	}
	slices.Sort(fields)
	return "the message has another " + strings.Join(fields, ", ")
}

func fileID(m messageJSON) string {
	if m.Attachment == nil {
		return ""
	}
	return m.Attachment.ID
}

func sameTime(a, b *time.Time) bool {
	return a == b || a != nil && b != nil && a.UnixMicro() == b.UnixMicro()
}

// sameText compares a text with what JSON made of it. Bytes that are not UTF-8
// are U+FFFD there. A database that was moved to PostgreSQL has U+FFFD in the row
// for these and for U+0000, one for several.
func sameText(row, event string) bool {
	return row == event || plainText(row) == plainText(event)
}

func plainText(s string) string {
	var b strings.Builder
	last := rune(0)
	for _, r := range s {
		if r == 0 {
			r = utf8.RuneError
		}
		if r != utf8.RuneError || last != utf8.RuneError {
			b.WriteRune(r)
		}
		last = r
	}
	return b.String()
}

// sameJSON compares two values, whatever their white space and escapes.
func sameJSON(a, b json.RawMessage) bool {
	if len(a) == 0 || len(b) == 0 || bytes.Equal(a, b) {
		return len(a) == len(b)
	}
	decoded := make([]any, 2)
	for i, text := range []json.RawMessage{a, b} {
		d := json.NewDecoder(bytes.NewReader(text))
		d.UseNumber()
		if d.Decode(&decoded[i]) != nil {
			return false
		}
	}
	return reflect.DeepEqual(decoded[0], decoded[1])
}

// verify compares the log with what was copied to it.
func (c *conversion) verify(ctx context.Context) error {
	if err := c.orphans(ctx); err != nil {
		return err
	}
	var events, messages tally
	c.step(c.log, "comparing", c.state.Events.Rows, 0)
	for pos, more := int64(-1), true; more; {
		page, err := c.copies(ctx, pos)
		if err != nil {
			return err
		}
		for i := range page {
			events.add(page[i].eventRow())
			if page[i].said != nil {
				messages.add(page[i].messageRow(page[i].said.sender))
			}
			pos = page[i].pos
		}
		more = len(page) == convertPage
		c.at(events.Rows)
	}
	same := events == c.state.Events && messages == c.state.Messages && events.Rows == c.total
	if !same {
		c.state.Failed = true
	}
	if same && c.state.Differences == 0 {
		return nil
	}
	if err := c.inTx(ctx, c.save); err != nil {
		return err
	}
	if !same {
		return fmt.Errorf("the copy has %d events and %d messages, of %d events and %d messages that were read, or they are not the same: %w",
			events.Rows, messages.Rows, c.state.Events.Rows, c.state.Messages.Rows, errDiffer)
	}
	return fmt.Errorf("messages and the log are not the same in %d places (the first: %s): %w", c.state.Differences, strings.Join(c.state.First, "; "), errDiffer)
}

// orphans notes the messages that have no event.
func (c *conversion) orphans(ctx context.Context) error {
	var n int64
	if err := c.conn.QueryRowContext(ctx, `SELECT count(*) FROM messages`).Scan(&n); err != nil || n == c.state.Messages.Rows {
		return err
	}
	rows, err := c.conn.QueryContext(ctx, `SELECT m.id, m.consultation_id, m.seq FROM messages m
		WHERE NOT EXISTS (SELECT 1 FROM events e WHERE e.room = '`+consultationPrefix+`' || m.consultation_id AND e.seq = m.seq AND e.name = '`+messageCreated+`')`)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var id, consultation string
		var seq int64
		if err := rows.Scan(&id, &consultation, &seq); err != nil {
			return err
		}
		c.differ("message " + id + ", " + strconv.FormatInt(seq, 10) + " of " + consultationPrefix + consultation + ": there is no event with it")
	}
	return rows.Err()
}

// copies reads events from the log, as they were before.
func (c *conversion) copies(ctx context.Context, after int64) ([]converted, error) {
	rows, err := c.conn.QueryContext(ctx, `SELECT l.pos, r.id, l.seq, l.id, l.name, l.at, p.id, l.data, `+c.copy.newMore()+`,
			s.id, l.client, l.recalled_at, l.message, l.attachment_id, l.recalled
		FROM log l JOIN log_rooms r ON r.num = l.room JOIN log_people p ON p.num = l.actor LEFT JOIN log_people s ON s.num = l.sender
		WHERE l.pos > $1 ORDER BY l.pos LIMIT $2`, after, convertPage)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	page := make([]converted, 0, convertPage)
	for rows.Next() {
		var r converted
		var sender *string
		if err := rows.Scan(&r.pos, &r.room, &r.seq, &r.id, &r.name, &r.at, &r.actor, &r.data, &r.xid, &r.namespace, &r.also, &r.lost,
			&sender, &r.client, &r.recalled, &r.message, &r.attachment, &r.content); err != nil {
			return nil, err
		}
		if sender != nil {
			r.said = &oldMessage{sender: *sender}
		}
		page = append(page, r)
	}
	return page, rows.Err()
}

// unlocked is the vault of a database that is being converted. Where there is
// something to convert it needs the key: what is encrypted is compared.
func unlocked(ctx context.Context, q Querier, v *vault.Vault) error {
	keys := dataKeys{readers: q}
	list, err := keys.Keys(ctx)
	if err != nil || len(list) == 0 { // nothing is encrypted yet
		return err
	}
	if err := v.Load(ctx, keys, time.Time{}); err != nil {
		return err
	}
	return requireEncrypted(ctx, q, v)
}
