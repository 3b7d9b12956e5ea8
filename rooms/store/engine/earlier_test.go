package engine_test

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"wenzhen.example/rooms/store/engine"
	"wenzhen.example/rooms/vault"
)

// earlier writes databases as version 80 did. It is frozen with that version:
// nothing of it follows what the program writes today.
type earlier struct {
	t    testing.TB
	opts engine.Options
	db   *sql.DB
	conn *sql.Conn

	messages, consultations int
	vault                   *vault.Vault
	waiting                 map[string][][]any // rows by table
	rows                    int
	pos, num                int64
	seqs                    []int64        // of each consultation
	broken                  map[int64]bool // positions of events that are damaged
	damaged                 int64
}

// earlierColumns are the columns that are written, by table, in the order in which
// tables refer to each other.
var earlierColumns = []struct{ table, columns string }{
	{"users", "id, role, name, email, password_hash, locale, time_zone, created_at"},
	{"patients", "id, user_id, name, birth_date, sex, relation"},
	{"consultations", "id, status, service, medium, doctor_id, doctor_name, user_id, patient_id, patient_name, complaint, prior_diagnosis, price, currency, minutes, created_at, updated_at, clock_left_ms, reason, summary, reopened, turns_left, turn_open, refund"},
	{"participants", "consultation_id, user_id, name, role, joined_at, delivered_up_to, read_up_to"},
	{"attachments", "id, consultation_id, uploader_id, kind, name, size, content_type, sha256, width, height, thumbnail_sha256, created_at, duration_ms"},
	{"messages", "num, id, consultation_id, seq, client_id, sender_id, kind, text, attachment_id, reply_to, created_at, recalled_at, detail, peaks"},
	{"events", "pos, room, seq, id, name, at, actor_id, data"},
	{"rooms", "id, last_seq, last_at"},
	{"purges", "consultation_id, at"},
	{"legal_holds", "user_id, reason, by_id, at"},
}

// A message of version 80, as its event has it.
type earlierMessage struct {
	ID             string          `json:"id"`
	ClientID       string          `json:"clientId"`
	ConsultationID string          `json:"consultationId"`
	Seq            int64           `json:"seq"`
	SenderID       string          `json:"senderId"`
	Kind           string          `json:"kind"`
	Text           string          `json:"text,omitempty"`
	Attachment     *earlierFile    `json:"attachment,omitempty"`
	Peaks          []int           `json:"peaks,omitempty"`
	ReplyTo        string          `json:"replyTo,omitempty"`
	Detail         json.RawMessage `json:"detail,omitempty"`
	CreatedAt      time.Time       `json:"createdAt"`
	RecalledAt     *time.Time      `json:"recalledAt,omitempty"`
}

type earlierFile struct {
	ID             string    `json:"id"`
	ConsultationID string    `json:"consultationId"`
	UploaderID     string    `json:"uploaderId"`
	Kind           string    `json:"kind"`
	Name           string    `json:"name"`
	Size           int64     `json:"size"`
	ContentType    string    `json:"contentType"`
	SHA256         string    `json:"sha256"`
	Width          int       `json:"width,omitempty"`
	Height         int       `json:"height,omitempty"`
	DurationMs     int64     `json:"durationMs,omitempty"`
	HasThumbnail   bool      `json:"hasThumbnail"`
	CreatedAt      time.Time `json:"createdAt"`
}

// What is unusual about a message.
const (
	usual = iota
	recalled
	purged
	rowDamaged
	eventDamaged
)

// What messages and files have in common.
var (
	earlierStart   = time.Date(2026, 1, 1, 8, 0, 0, 0, time.UTC)
	earlierDoctors = 20
)

func (e *earlier) id(kind string, n int) string { return fmt.Sprintf("%s%022d", kind, n) }

func (e *earlier) consultation(n int) string { return e.id("CONS", n) }
func (e *earlier) doctor(n int) string       { return e.id("DOCT", n%earlierDoctors) }
func (e *earlier) patient(n int) string      { return e.id("PATI", n%(1+e.consultations/10)) }

// message is the message n as it was sent, and what became of it.
func (e *earlier) message(n int, seq int64) (m earlierMessage, what int) {
	k := n % e.consultations
	m = earlierMessage{ID: e.id("MESS", n), ClientID: e.id("CLIE", n), ConsultationID: e.consultation(k), Seq: seq, SenderID: e.patient(k), Kind: "text",
		Text: fmt.Sprintf("第%d条：头痛三天了，体温38.5，吃了 aspirin100mg <b>&amp; word%d. %s", n, n, strings.Repeat("说明", n%40)), CreatedAt: earlierStart.Add(time.Duration(n) * time.Second)}
	if n/e.consultations%2 == 1 {
		m.SenderID = e.doctor(k)
	}
	switch special := n % 101; special {
	case 5, 7, 11:
		m.Kind, m.Attachment = "image", &earlierFile{ID: e.id("FILE", n), ConsultationID: m.ConsultationID, UploaderID: m.SenderID, Kind: "image", Name: fmt.Sprintf("照片 %d.png", n),
			Size: 1000, ContentType: "image/png", SHA256: sum(n), Width: 10, Height: 20, HasThumbnail: true, CreatedAt: m.CreatedAt}
		if special == 11 {
			m.Kind, m.Text, m.Peaks = "audio", "", []int{1, 50, n % 100}
			m.Attachment.Kind, m.Attachment.ContentType, m.Attachment.DurationMs = "audio", "audio/webm", 2000
			m.Attachment.Width, m.Attachment.Height, m.Attachment.HasThumbnail = 0, 0, false
		}
	case 13:
		m.Kind, m.Text, m.Detail = "call", "", json.RawMessage(`{"outcome": "ended", "by": "<a&b>", "seconds": 61}`)
	case 17:
		m.Kind = "diagnosis"
	case 19:
		m.Kind = "system"
	case 23:
		m.Text = "nothing\x00 at all"
	}
	if n%20 == 9 && n >= e.consultations {
		m.ReplyTo = e.id("MESS", n-e.consultations)
	}
	personal := m.Kind == "text" || m.Kind == "image" || m.Kind == "audio"
	switch {
	case k%50 == 1 && personal:
		what = purged
	case (n%101 == 3 || n%101 == 5) && personal:
		what = recalled
	case n%1009 == 501 && e.vault.On() && m.Text != "":
		what = rowDamaged
	case n%1009 == 777:
		what = eventDamaged
	}
	return m, what
}

func sum(n int) string {
	s := sha256.Sum256([]byte{byte(n), byte(n >> 8), byte(n >> 16)})
	return hex.EncodeToString(s[:])
}

// fill makes an empty database one of version 80 with so many messages in so many
// consultations. With a master key in the options everything is encrypted.
func fill(t testing.TB, opts engine.Options, messages, consultations int) *earlier {
	t.Helper()
	ctx := context.Background()
	must(t, engine.MigrateTo(ctx, opts, 80))
	db, err := engine.Connect(opts)
	must(t, err)
	defer db.Close()
	e := &earlier{t: t, opts: opts, db: db, messages: messages, consultations: consultations, vault: vault.New(opts.Master), waiting: map[string][][]any{},
		seqs: make([]int64, consultations), broken: map[int64]bool{}}
	if opts.Master != nil {
		must(t, e.vault.Load(ctx, e, earlierStart))
	}
	e.conn, err = db.Conn(ctx)
	must(t, err)
	defer e.conn.Close()
	e.exec(`BEGIN`)
	e.people()
	for n := range messages {
		e.say(n)
	}
	e.rest()
	e.flush()
	e.exec(`COMMIT`)
	if opts.URL == "" {
		e.exec(`PRAGMA wal_checkpoint(TRUNCATE)`)
	}
	return e
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (e *earlier) exec(statement string, args ...any) {
	e.t.Helper()
	_, err := e.conn.ExecContext(context.Background(), statement, args...)
	must(e.t, err)
}

// Keys implements vault.Store.
func (e *earlier) Keys(ctx context.Context) (list []vault.Key, err error) {
	rows, err := e.db.QueryContext(ctx, `SELECT id, wrapped FROM data_keys`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var k vault.Key
		if err := rows.Scan(&k.ID, &k.Wrapped); err != nil {
			return nil, err
		}
		list = append(list, k)
	}
	return list, rows.Err()
}

// AddKey implements vault.Store.
func (e *earlier) AddKey(ctx context.Context, k vault.Key) error {
	_, err := e.db.ExecContext(ctx, `INSERT INTO data_keys (id, wrapped, created_at, covered_at) VALUES ($1, $2, $3, $3)`, k.ID, k.Wrapped, k.CreatedAt.UnixMicro())
	if err == nil {
		_, err = e.db.ExecContext(ctx, `INSERT INTO sealed_columns (name, covered_at) VALUES ('events.data', $1), ('messages.text', $1), ('messages.detail', $1), ('messages.peaks', $1), ('attachments.name', $1)`, k.CreatedAt.UnixMicro())
	}
	return err
}

// SaveWrapped implements vault.Store.
func (*earlier) SaveWrapped(context.Context, []vault.Key) error { panic("not used") }

// put adds a row, which is written with others.
func (e *earlier) put(table string, values ...any) {
	e.waiting[table] = append(e.waiting[table], values)
	if e.rows++; e.rows >= 20_000 {
		e.flush()
	}
}

func (e *earlier) flush() {
	e.t.Helper()
	for _, into := range earlierColumns {
		rows := e.waiting[into.table]
		delete(e.waiting, into.table)
		if e.opts.URL != "" {
			must(e.t, e.conn.Raw(func(driver any) error {
				_, err := driver.(*stdlib.Conn).Conn().CopyFrom(context.Background(), pgx.Identifier{into.table}, strings.Split(into.columns, ", "), pgx.CopyFromRows(rows))
				return err
			}))
			continue
		}
		if len(rows) == 0 {
			continue
		}
		into, err := e.conn.PrepareContext(context.Background(), `INSERT INTO `+into.table+` (`+into.columns+`) VALUES (?`+strings.Repeat(", ?", len(rows[0])-1)+`)`)
		must(e.t, err)
		for _, row := range rows {
			_, err := into.Exec(row...)
			must(e.t, err)
		}
		must(e.t, into.Close())
	}
	e.rows = 0
}

// event writes an event at the end of a room.
func (e *earlier) event(room string, seq int64, name string, at time.Time, actor, data string) {
	e.pos++
	e.put("events", e.pos, room, seq, e.id("EVEN", int(e.pos)), name, at.UnixMicro(), actor, e.vault.Encrypt(fmt.Sprintf("events.data/%s/%d", room, seq), data))
}

func (e *earlier) people() {
	at := earlierStart.UnixMicro()
	user := func(id, role string) {
		e.put("users", id, role, "李雷", strings.ToLower(id)+"@example.com", "-", "zh-CN", "Asia/Shanghai", at)
		e.event("user:"+id, 1, "user:registered", earlierStart, id, `{"id":"`+id+`"}`)
	}
	for n := range earlierDoctors {
		user(e.doctor(n), "doctor")
	}
	for n := range 1 + e.consultations/10 {
		user(e.patient(n), "patient")
		e.put("patients", e.patient(n), e.patient(n), "韩梅梅", "1980-01-01", "female", "self")
	}
	for k := range e.consultations {
		id := e.consultation(k)
		e.put("consultations", id, "closed", "text", "text", e.doctor(k), "王医生", e.patient(k), e.patient(k), "韩梅梅", "", "", int64(0), "CNY", int64(15), at, at, int64(0), "", "", int64(0), int64(0), int64(0), "")
		e.seqs[k] = 1
		e.event("consultation:"+id, 1, "consultation:updated", earlierStart, e.patient(k), `{"id":"`+id+`","status":"waiting"}`)
	}
}

// say writes the message n: its file, its row and its event, as they are after
// all that became of it.
func (e *earlier) say(n int) {
	k := n % e.consultations
	e.seqs[k]++
	m, what := e.message(n, e.seqs[k])
	row, actor := m, m.SenderID
	if m.Kind == "call" {
		actor = "" // it ended by itself
	}
	at := m.CreatedAt.Add(time.Minute)
	event := m
	if what == recalled || what == purged {
		row.RecalledAt = &at
		event.Text, event.Attachment, event.Peaks, event.RecalledAt = "", nil, nil, &at
	}
	if f := m.Attachment; f != nil && what != purged {
		thumbnail := ""
		if f.HasThumbnail {
			thumbnail = sum(n + 1)
		}
		e.put("attachments", f.ID, f.ConsultationID, f.UploaderID, f.Kind, e.vault.Encrypt("attachments.name/"+f.ID, f.Name), f.Size, f.ContentType, f.SHA256, int64(f.Width), int64(f.Height), thumbnail, f.CreatedAt.UnixMicro(), f.DurationMs)
	}
	if what == purged {
		row.Text, row.Attachment, row.Peaks, row.Detail = "", nil, nil, nil
	}
	var attachment, recalledAt any
	if row.Attachment != nil {
		attachment = row.Attachment.ID
	}
	if row.RecalledAt != nil {
		recalledAt = row.RecalledAt.UnixMicro()
	}
	peaks := ""
	if row.Peaks != nil {
		b, err := json.Marshal(row.Peaks)
		must(e.t, err)
		peaks = string(b)
	}
	text := e.vault.Encrypt("messages.text/"+m.ID, row.Text)
	if e.opts.URL != "" && !e.vault.On() { // as it was moved from SQLite
		text = strings.ReplaceAll(text, "\x00", "\uFFFD")
	}
	if what == rowDamaged {
		text = text[:len(text)-8] + "AAAAAAAA"
	}
	e.num++
	e.put("messages", e.num, m.ID, m.ConsultationID, m.Seq, m.ClientID, m.SenderID, m.Kind, text, attachment, m.ReplyTo, m.CreatedAt.UnixMicro(), recalledAt,
		e.vault.Encrypt("messages.detail/"+m.ID, string(row.Detail)), e.vault.Encrypt("messages.peaks/"+m.ID, peaks))
	data, err := json.Marshal(event)
	must(e.t, err)
	room := "consultation:" + m.ConsultationID
	if what == eventDamaged {
		data = data[:10]
		e.broken[e.pos+1] = true
	}
	if what == eventDamaged || what == rowDamaged {
		e.damaged++
	}
	e.event(room, m.Seq, "message:created", m.CreatedAt, actor, string(data))
	if n%10 == 0 {
		e.seqs[k]++
		e.event(room, e.seqs[k], "message:read", m.CreatedAt, e.doctor(k), fmt.Sprintf(`{"consultationId":%q,"userId":%q,"upToSeq":%d}`, m.ConsultationID, e.doctor(k), m.Seq))
	}
}

// rest writes what is known at the end.
func (e *earlier) rest() {
	at := earlierStart.UnixMicro()
	for k := range e.consultations {
		id := e.consultation(k)
		e.put("participants", id, e.patient(k), "韩梅梅", "patient", at, e.seqs[k], e.seqs[k]/2)
		e.put("participants", id, e.doctor(k), "王医生", "doctor", at, e.seqs[k], e.seqs[k]/3)
		if k%50 == 1 {
			e.put("purges", id, at)
		}
		if k == 0 { // in the first one seqs were taken without an event
			e.seqs[k] += 4
		}
		if e.opts.URL != "" || k == 0 {
			e.put("rooms", "consultation:"+id, e.seqs[k], at)
		}
	}
	e.put("legal_holds", e.patient(0), "a lawsuit", e.doctor(0), at)
	e.put("rooms", "lobby", int64(7), at)
}
