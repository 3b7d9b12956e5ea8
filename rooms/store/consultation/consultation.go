// Package consultation keeps consultations with who takes part, and who is invited.
package consultation

import (
	"context"
	"encoding/json"
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/consultation"
	accountstore "wenzhen.example/rooms/store/account"
	"wenzhen.example/rooms/store/engine"
)

// Encrypted are the columns that are encrypted at rest.
var Encrypted = []engine.EncryptedTable{
	{Name: "consultations", Key: []string{"id"}, Columns: []string{"complaint", "prior_diagnosis", "reason", "summary"}},
	{Name: "invitations", Key: []string{"id"}, Columns: []string{"invitee"}},
}

// Tx implements consultation.Tx. Other features put their own methods around it.
type Tx struct{ accountstore.People }

// In is Tx in a transaction of the database.
func In(tx *engine.Tx) Tx { return Tx{accountstore.PeopleIn(tx)} }

// Store implements consultation.Store.
type Store struct{ *engine.DB }

// In implements consultation.Store.
func (Store) In(tx rooms.Tx) consultation.Tx { return In(engine.Of(tx)) }

// InTx implements consultation.Store.
func (s Store) InTx(ctx context.Context, f func(consultation.Tx) error) error {
	return s.DB.InTx(ctx, func(tx *engine.Tx) error { return f(In(tx)) })
}

// stored is a consultation as its columns have it.
type stored struct {
	consultation.Consultation
	summary string // as JSON
}

type column = engine.Column[stored]

var consultationRow = engine.RowOf(
	column{Name: "id", To: func(c *stored) any { return &c.ID }},
	column{Name: "status", To: func(c *stored) any { return &c.Status }},
	column{Name: "service", To: func(c *stored) any { return &c.Service }},
	column{Name: "medium", To: func(c *stored) any { return &c.Medium }},
	column{Name: "doctor_id", To: func(c *stored) any { return &c.DoctorID }},
	column{Name: "doctor_name", To: func(c *stored) any { return &c.DoctorName }},
	column{Name: "user_id", To: func(c *stored) any { return &c.UserID }},
	column{Name: "patient_id", To: func(c *stored) any { return &c.PatientID }},
	column{Name: "patient_name", To: func(c *stored) any { return &c.PatientName }},
	column{Name: "complaint", To: func(c *stored) any { return engine.DecryptColumn("consultations.complaint", &c.ID, &c.Complaint) }},
	column{Name: "prior_diagnosis", To: func(c *stored) any {
		return engine.DecryptColumn("consultations.prior_diagnosis", &c.ID, &c.PriorDiagnosis)
	}},
	column{Name: "price", To: func(c *stored) any { return &c.Price }},
	column{Name: "currency", To: func(c *stored) any { return &c.Currency }},
	column{Name: "minutes", To: func(c *stored) any { return &c.Minutes }},
	column{Name: "created_at", To: func(c *stored) any { return (*engine.At)(&c.CreatedAt) }},
	column{Name: "updated_at", To: func(c *stored) any { return (*engine.At)(&c.UpdatedAt) }},
	column{Name: "scheduled_at", To: func(c *stored) any { return engine.AtOrNil(&c.ScheduledAt) }},
	column{Name: "queued_at", To: func(c *stored) any { return engine.AtOrNil(&c.QueuedAt) }},
	column{Name: "accepted_at", To: func(c *stored) any { return engine.AtOrNil(&c.AcceptedAt) }},
	column{Name: "answered_at", To: func(c *stored) any { return engine.AtOrNil(&c.AnsweredAt) }},
	column{Name: "ended_at", To: func(c *stored) any { return engine.AtOrNil(&c.EndedAt) }},
	column{Name: "due_at", To: func(c *stored) any { return engine.AtOrNil(&c.DueAt) }},
	column{Name: "clock_left_ms", To: func(c *stored) any { return &c.ClockLeftMs }},
	column{Name: "reason", To: func(c *stored) any { return engine.DecryptColumn("consultations.reason", &c.ID, &c.Reason) }},
	column{Name: "summary", To: func(c *stored) any { return engine.DecryptColumn("consultations.summary", &c.ID, &c.summary) }},
	column{Name: "reopened", To: func(c *stored) any { return &c.Reopened }},
	column{Name: "turns_left", To: func(c *stored) any { return &c.TurnsLeft }},
	column{Name: "turn_open", To: func(c *stored) any { return &c.TurnOpen }},
	column{Name: "doctor_review", To: func(c *stored) any { return &c.DoctorReview }},
	column{Name: "refund", To: func(c *stored) any { return &c.Refund }},
	column{Name: "refund_percent", To: func(c *stored) any { return &c.RefundPercent }},
	column{Name: "ended_by", To: func(c *stored) any { return &c.EndedBy }},
	column{Name: "reason_seq", To: func(c *stored) any { return &c.ReasonSeq }},
	column{Name: "summary_seq", To: func(c *stored) any { return &c.SummarySeq }},
)

// Columns are those that Scan reads, of a table consultations c.
var Columns = consultationRow.Columns("c")

// Scan reads a consultation from Columns.
func Scan(s engine.Scanner) (consultation.Consultation, error) { return scanAnd(s) }

// scanAnd is Scan with destinations for the columns after Columns.
func scanAnd(s engine.Scanner, more ...any) (consultation.Consultation, error) {
	var c stored
	if err := consultationRow.Scan(s, &c, more...); err != nil {
		return c.Consultation, engine.Found(err, "consultation")
	}
	if c.summary != "" {
		return c.Consultation, json.Unmarshal([]byte(c.summary), &c.Summary)
	}
	return c.Consultation, nil
}

func consultationByID(ctx context.Context, q engine.Querier, id consultation.ID) (consultation.Consultation, error) {
	return Scan(q.Row(ctx, `SELECT `+Columns+` FROM consultations c WHERE c.id = $1`, id))
}

// Consultation implements consultation.Store.
func (s Store) Consultation(ctx context.Context, id consultation.ID) (consultation.Consultation, error) {
	return consultationByID(ctx, s.Reads(), id)
}

// Consultations implements consultation.Store.
func (s Store) Consultations(ctx context.Context, q consultation.Query) ([]consultation.Consultation, error) {
	w := engine.Where{}
	w.Add(`p.user_id = ?`, q.User)
	engine.Amongst(&w, `c.status`, q.Statuses)
	if q.After != nil {
		w.Add(`(e.at, c.id) < (?, ?)`, q.After.Num, q.After.ID)
	}
	return engine.Collect(ctx, s.Reads(), func(row engine.Scanner) (consultation.Consultation, error) {
		var lastAt time.Time
		var lastSeq, readUpTo rooms.Seq
		var me consultation.Participant
		var unread int
		c, err := scanAnd(row, &lastSeq, (*engine.At)(&lastAt), &readUpTo, &me.Since, &me.Role, &unread)
		c = c.ShownTo(me)
		c.LastSeq, c.ReadUpTo, c.Unread, c.UpdatedAt = lastSeq, readUpTo, unread, lastAt
		return c, err
	}, `SELECT `+Columns+`, e.seq, e.at, p.read_up_to, p.since_seq, p.role,
			(SELECT count(*) FROM log m WHERE m.room = r.num AND m.seq > p.read_up_to AND m.seq > p.since_seq AND m.sender <> coalesce(me.num, -1) AND m.recalled_at IS NULL)
		FROM participants p JOIN consultations c ON c.id = p.consultation_id LEFT JOIN log_people me ON me.id = p.user_id
			JOIN log_rooms r ON r.id = 'consultation:' || c.id JOIN log e ON e.room = r.num AND e.seq = (SELECT max(l.seq) FROM log l WHERE l.room = r.num)`+w.SQL()+
		` ORDER BY e.at DESC, c.id DESC LIMIT `+w.Param(q.Limit), w.Args...)
}

// ShowsEarlierDiagnosis implements consultation.Tx.
func (tx Tx) ShowsEarlierDiagnosis(c consultation.Consultation) (shows bool, err error) {
	err = tx.Row(context.Background(), `SELECT EXISTS (SELECT 1 FROM log l JOIN attachments a ON a.id = l.attachment_id
			WHERE l.room = `+engine.RoomNum("'consultation:' || $1")+` AND l.sender = `+engine.PersonNum("$2")+` AND l.recalled_at IS NULL AND a.kind <> 'audio')
		OR EXISTS (SELECT 1 FROM documents d WHERE d.patient_id = $3 AND d.kind = 'diagnosis' AND d.signed_at IS NOT NULL)`,
		c.ID, c.UserID, c.PatientID).Scan(&shows)
	return shows, err
}

// Cases implements consultation.Store.
func (s Store) Cases(ctx context.Context, q consultation.CaseQuery) ([]consultation.Case, error) {
	w := engine.Where{}
	engine.Amongst(&w, `c.status`, q.Statuses)
	if q.Text != "" {
		w.Add(`(c.id = ? OR lower(c.patient_name) LIKE ? ESCAPE '\')`, q.Text, engine.Like(q.Text))
	}
	if q.After != nil {
		w.Add(`(c.created_at, c.id) < (?, ?)`, q.After.Num, q.After.ID)
	}
	return engine.Collect(ctx, s.Reads(), func(row engine.Scanner) (consultation.Case, error) {
		var c consultation.Case
		return c, row.Scan(&c.ID, &c.Status, &c.Service, &c.Medium, &c.UserID, &c.PatientID, &c.PatientName,
			(*engine.At)(&c.CreatedAt), (*engine.At)(&c.UpdatedAt), engine.AtOrNil(&c.ScheduledAt))
	}, `SELECT c.id, c.status, c.service, c.medium, c.user_id, c.patient_id, c.patient_name, c.created_at, c.updated_at, c.scheduled_at
		FROM consultations c`+w.SQL()+` ORDER BY c.created_at DESC, c.id DESC LIMIT `+w.Param(q.Limit), w.Args...)
}

type participantColumn = engine.Column[consultation.Participant]

var participantRow = engine.RowOf(
	participantColumn{Name: "user_id", To: func(p *consultation.Participant) any { return &p.UserID }},
	participantColumn{Name: "name", To: func(p *consultation.Participant) any { return &p.Name }},
	participantColumn{Name: "role", To: func(p *consultation.Participant) any { return &p.Role }},
	participantColumn{Name: "joined_at", To: func(p *consultation.Participant) any { return (*engine.At)(&p.JoinedAt) }},
	participantColumn{Name: "delivered_up_to", To: func(p *consultation.Participant) any { return &p.DeliveredUpTo }},
	participantColumn{Name: "read_up_to", To: func(p *consultation.Participant) any { return &p.ReadUpTo }},
	participantColumn{Name: "invited_by", To: func(p *consultation.Participant) any { return &p.InvitedBy }},
	participantColumn{Name: "since_seq", To: func(p *consultation.Participant) any { return &p.Since }},
	participantColumn{Name: "expected", To: func(p *consultation.Participant) any { return &p.Expected }},
)

var participantsFrom = `SELECT ` + participantRow.Columns("") + ` FROM participants WHERE consultation_id = $1`

func scanParticipant(s engine.Scanner) (consultation.Participant, error) {
	var p consultation.Participant
	err := participantRow.Scan(s, &p)
	return p, engine.Found(err, "consultation") // others learn no more than that
}

func participants(ctx context.Context, q engine.Querier, id consultation.ID) ([]consultation.Participant, error) {
	return engine.Collect(ctx, q, scanParticipant, participantsFrom+` AND expected = 0 ORDER BY joined_at, role DESC, user_id`, id)
}

// ParticipantOf is the part of a user in a consultation, or "not found".
func ParticipantOf(ctx context.Context, q engine.Querier, id consultation.ID, user rooms.UserID) (consultation.Participant, error) {
	return scanParticipant(q.Row(ctx, participantsFrom+` AND user_id = $2`, id, user))
}

// Participants implements consultation.Store.
func (s Store) Participants(ctx context.Context, id consultation.ID) ([]consultation.Participant, error) {
	return participants(ctx, s.Reads(), id)
}

// Events implements consultation.Store.
func (s Store) Events(ctx context.Context, room rooms.RoomID, after rooms.Seq, limit int) ([]rooms.Event, rooms.Seq, error) {
	return engine.EventsAfter(ctx, s.Reads(), room, after, limit)
}

// Queue implements consultation.Store.
func (s Store) Queue(ctx context.Context, doctor rooms.UserID) ([]consultation.ID, error) {
	return engine.Collect(ctx, s.Reads(), func(row engine.Scanner) (consultation.ID, error) {
		var id consultation.ID
		return id, row.Scan(&id)
	}, `SELECT id FROM consultations WHERE doctor_id = $1 AND status = 'waiting' AND queued_at IS NOT NULL ORDER BY queued_at, id`, doctor)
}

// OpenOf implements consultation.Store.
func (s Store) OpenOf(ctx context.Context, user rooms.UserID) ([]consultation.ID, error) {
	return engine.Collect(ctx, s.Reads(), func(row engine.Scanner) (consultation.ID, error) {
		var id consultation.ID
		return id, row.Scan(&id)
	}, `SELECT c.id FROM participants p JOIN consultations c ON c.id = p.consultation_id
		WHERE p.user_id = $1 AND p.role IN ('patient', 'doctor') AND c.status IN ('pending_payment', 'waiting', 'active', 'on_hold') ORDER BY c.created_at, c.id`, user)
}

// LastAccepts implements consultation.Store.
func (s Store) LastAccepts(ctx context.Context, doctor rooms.UserID, n int) ([]time.Time, error) {
	return engine.Collect(ctx, s.Reads(), func(row engine.Scanner) (time.Time, error) {
		var t time.Time
		return t, row.Scan((*engine.At)(&t))
	}, `SELECT accepted_at FROM consultations WHERE doctor_id = $1 AND accepted_at IS NOT NULL ORDER BY accepted_at DESC LIMIT $2`, doctor, n)
}

// Consultation implements consultation.Tx.
func (tx Tx) Consultation(id consultation.ID) (consultation.Consultation, error) {
	return consultationByID(context.Background(), tx, id)
}

// Load implements consultation.Tx.
func (tx Tx) Load(user rooms.UserID, since time.Time) (l consultation.Load, err error) {
	err = tx.Row(context.Background(), `SELECT
			coalesce(sum(CASE WHEN status = 'pending_payment' THEN 1 ELSE 0 END), 0),
			coalesce(sum(CASE WHEN price > 0 AND created_at > $2 AND status IN ('pending_payment', 'expired', 'cancelled') THEN 1 ELSE 0 END), 0),
			coalesce(sum(CASE WHEN price = 0 AND status IN ('waiting', 'active', 'on_hold') THEN 1 ELSE 0 END), 0),
			coalesce(sum(CASE WHEN price = 0 AND created_at > $2 THEN 1 ELSE 0 END), 0)
		FROM consultations WHERE user_id = $1`, user, engine.Micros(since)).Scan(&l.Unpaid, &l.UnpaidToday, &l.Free, &l.FreeToday)
	return l, err
}

// InsertConsultation implements consultation.Tx.
func (tx Tx) InsertConsultation(c consultation.Consultation) error {
	err := tx.Insert("consultations",
		engine.Set("id", c.ID),
		engine.Set("status", c.Status),
		engine.Set("service", c.Service),
		engine.Set("medium", c.Medium),
		engine.Set("doctor_id", c.DoctorID),
		engine.Set("doctor_name", c.DoctorName),
		engine.Set("user_id", c.UserID),
		engine.Set("patient_id", c.PatientID),
		engine.Set("patient_name", c.PatientName),
		engine.Set("complaint", engine.EncryptColumn(tx, "consultations.complaint", c.ID, c.Complaint)),
		engine.Set("prior_diagnosis", engine.EncryptColumn(tx, "consultations.prior_diagnosis", c.ID, c.PriorDiagnosis)),
		engine.Set("price", c.Price),
		engine.Set("currency", c.Currency),
		engine.Set("minutes", c.Minutes),
		engine.Set("created_at", engine.Micros(c.CreatedAt)),
		engine.Set("updated_at", engine.Micros(c.UpdatedAt)),
		engine.Set("clock_left_ms", 0),
		engine.Set("reason", ""),
		engine.Set("summary", ""),
		engine.Set("reopened", 0),
		engine.Set("turns_left", 0),
		engine.Set("turn_open", 0),
		engine.Set("refund", ""),
	)
	if err != nil {
		return err
	}
	return tx.SaveConsultation(c)
}

// SaveConsultation implements consultation.Tx.
func (tx Tx) SaveConsultation(c consultation.Consultation) error {
	var summary []byte
	if c.Summary != nil {
		var err error
		if summary, err = json.Marshal(c.Summary); err != nil {
			return err
		}
	}
	return tx.Update("consultations", "id = $1", c.ID,
		engine.Set("status", c.Status),
		engine.Set("updated_at", engine.Micros(c.UpdatedAt)),
		engine.Set("queued_at", engine.MicrosOrNull(c.QueuedAt)),
		engine.Set("accepted_at", engine.MicrosOrNull(c.AcceptedAt)),
		engine.Set("answered_at", engine.MicrosOrNull(c.AnsweredAt)),
		engine.Set("ended_at", engine.MicrosOrNull(c.EndedAt)),
		engine.Set("due_at", engine.MicrosOrNull(c.DueAt)),
		engine.Set("clock_left_ms", c.ClockLeftMs),
		engine.Set("reason", engine.EncryptColumn(tx, "consultations.reason", c.ID, c.Reason)),
		engine.Set("summary", engine.EncryptColumn(tx, "consultations.summary", c.ID, string(summary))),
		engine.Set("reopened", c.Reopened),
		engine.Set("turns_left", c.TurnsLeft),
		engine.Set("turn_open", c.TurnOpen),
		engine.Set("doctor_review", c.DoctorReview),
		engine.Set("refund", c.Refund),
		engine.Set("refund_percent", c.RefundPercent),
		engine.Set("scheduled_at", engine.MicrosOrNull(c.ScheduledAt)),
		engine.Set("doctor_id", c.DoctorID),
		engine.Set("doctor_name", c.DoctorName),
		engine.Set("minutes", c.Minutes),
		engine.Set("ended_by", c.EndedBy),
		engine.Set("reason_seq", c.ReasonSeq),
		engine.Set("summary_seq", c.SummarySeq),
	)
}

// Participant implements consultation.Tx.
func (tx Tx) Participant(id consultation.ID, user rooms.UserID) (consultation.Participant, error) {
	return ParticipantOf(context.Background(), tx, id, user)
}

// Participants implements consultation.Tx.
func (tx Tx) Participants(id consultation.ID) ([]consultation.Participant, error) {
	return participants(context.Background(), tx, id)
}

// InsertParticipant implements consultation.Tx.
func (tx Tx) InsertParticipant(id consultation.ID, p consultation.Participant) error {
	return tx.Exec(`INSERT INTO participants (consultation_id, user_id, name, role, joined_at, invited_by, since_seq, expected) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		id, p.UserID, p.Name, p.Role, engine.Micros(p.JoinedAt), p.InvitedBy, p.Since, p.Expected)
}

// RemoveParticipant implements consultation.Tx.
func (tx Tx) RemoveParticipant(id consultation.ID, user rooms.UserID) error {
	tx.Lost(id.Room(), user)
	return tx.Exec(`DELETE FROM participants WHERE consultation_id = $1 AND user_id = $2`, id, user)
}

// SetPart implements consultation.Tx.
func (tx Tx) SetPart(id consultation.ID, user rooms.UserID, part consultation.Part) error {
	return tx.Exec(`UPDATE participants SET role = $3, invited_by = '', since_seq = 0, expected = 0 WHERE consultation_id = $1 AND user_id = $2`, id, user, part)
}

// Speaker implements the Tx interfaces of chat, board and call.
func (tx Tx) Speaker(id consultation.ID, user rooms.UserID) (consultation.Speaker, error) {
	return SpeakerOf(context.Background(), tx, id, user)
}

// SpeakerOf is what decides whether a user may speak in a consultation, or "not
// found" for someone who takes no part.
func SpeakerOf(ctx context.Context, q engine.Querier, id consultation.ID, user rooms.UserID) (consultation.Speaker, error) {
	s := consultation.Speaker{ConsultationID: id}
	err := q.Row(ctx, `SELECT c.medium, p.role, c.status, c.reopened, c.turns_left, c.turn_open, c.accepted_at IS NOT NULL, c.answered_at IS NOT NULL, p.invited_by, p.since_seq
		FROM participants p JOIN consultations c ON c.id = p.consultation_id WHERE p.consultation_id = $1 AND p.user_id = $2`, id, user).
		Scan(&s.Medium, &s.Role, &s.Status, &s.Reopened, &s.TurnsLeft, &s.TurnOpen, &s.Accepted, &s.Answered, &s.InvitedBy, &s.Since)
	return s, engine.Found(err, "consultation")
}
