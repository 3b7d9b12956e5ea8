// Package consultation keeps consultations with who takes part, and who is invited.
package consultation

import (
	"context"
	"encoding/json"
	"time"

	"wenzhen/rooms"
	"wenzhen/rooms/consultation"
	accountstore "wenzhen/rooms/store/account"
	"wenzhen/rooms/store/engine"
)

// Sealed are the columns that are encrypted at rest.
var Sealed = []engine.SealedTable{
	{Name: "consultations", Key: []string{"id"}, Columns: []string{"complaint", "prior_diagnosis", "reason", "summary"}},
	{Name: "invitations", Key: []string{"id"}, Columns: []string{"invitee"}},
}

// Tx implements consultation.Tx. Other features put their own methods around it.
type Tx struct{ accountstore.People }

// In is Tx in a transaction of the database.
func In(tx *engine.Tx) Tx { return Tx{accountstore.PeopleIn(tx)} }

// Store implements consultation.Store.
type Store struct{ *engine.DB }

// InTx implements consultation.Store.
func (s Store) InTx(ctx context.Context, f func(consultation.Tx) error) error {
	return s.DB.InTx(ctx, func(tx *engine.Tx) error { return f(In(tx)) })
}

const Columns = `c.id, c.status, c.service, c.medium, c.doctor_id, c.doctor_name, c.user_id, c.patient_id, c.patient_name,
	c.complaint, c.prior_diagnosis, c.price, c.currency, c.minutes, c.created_at, c.updated_at, c.scheduled_at, c.queued_at, c.accepted_at,
	c.answered_at, c.ended_at, c.due_at, c.clock_left_ms, c.reason, c.summary, c.reopened, c.turns_left, c.turn_open, c.refund, c.refund_percent, c.ended_by, c.reason_seq, c.summary_seq`

func Scan(s engine.Scanner) (consultation.Consultation, error) {
	return scanConsultationAnd(s)
}

func scanConsultationAnd(s engine.Scanner, more ...any) (consultation.Consultation, error) {
	var c consultation.Consultation
	var summary string
	err := s.Scan(append([]any{&c.ID, &c.Status, &c.Service, &c.Medium, &c.DoctorID, &c.DoctorName, &c.UserID, &c.PatientID, &c.PatientName,
		engine.Unseal("consultations.complaint", &c.ID, &c.Complaint), engine.Unseal("consultations.prior_diagnosis", &c.ID, &c.PriorDiagnosis), &c.Price, &c.Currency, &c.Minutes, (*engine.At)(&c.CreatedAt), (*engine.At)(&c.UpdatedAt), engine.AtOrNil(&c.ScheduledAt), engine.AtOrNil(&c.QueuedAt), engine.AtOrNil(&c.AcceptedAt),
		engine.AtOrNil(&c.AnsweredAt), engine.AtOrNil(&c.EndedAt), engine.AtOrNil(&c.DueAt), &c.ClockLeftMs, engine.Unseal("consultations.reason", &c.ID, &c.Reason), engine.Unseal("consultations.summary", &c.ID, &summary), &c.Reopened, &c.TurnsLeft, &c.TurnOpen, &c.Refund, &c.RefundPercent, &c.EndedBy, &c.ReasonSeq, &c.SummarySeq}, more...)...)
	if err != nil {
		return c, engine.Found(err, "consultation")
	}
	if summary != "" {
		return c, json.Unmarshal([]byte(summary), &c.Summary)
	}
	return c, nil
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
		c, err := scanConsultationAnd(row, &lastSeq, (*engine.At)(&lastAt), &readUpTo, &me.Since, &unread)
		c = c.ShownTo(me)
		c.LastSeq, c.ReadUpTo, c.Unread, c.UpdatedAt = lastSeq, readUpTo, unread, lastAt
		return c, err
	}, `SELECT `+Columns+`, e.seq, e.at, p.read_up_to, p.since_seq,
			(SELECT count(*) FROM messages m WHERE m.consultation_id = c.id AND m.seq > p.read_up_to AND m.seq > p.since_seq AND m.sender_id <> p.user_id AND m.recalled_at IS NULL)
		FROM participants p JOIN consultations c ON c.id = p.consultation_id JOIN events e ON e.room = 'consultation:' || c.id
			AND e.seq = (SELECT max(l.seq) FROM events l WHERE l.room = 'consultation:' || c.id)`+w.SQL()+
		` ORDER BY e.at DESC, c.id DESC LIMIT `+w.Param(q.Limit), w.Args...)
}

// ShowsEarlierDiagnosis implements consultation.Tx.
func (tx Tx) ShowsEarlierDiagnosis(c consultation.Consultation) (shows bool, err error) {
	err = tx.Row(context.Background(), `SELECT EXISTS (SELECT 1 FROM messages m JOIN attachments a ON a.id = m.attachment_id
			WHERE m.consultation_id = $1 AND m.sender_id = $2 AND m.recalled_at IS NULL AND a.kind <> 'audio')
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

const participantColumns = `user_id, name, role, joined_at, delivered_up_to, read_up_to, invited_by, since_seq, expected`

func scanParticipant(s engine.Scanner) (consultation.Participant, error) {
	var p consultation.Participant
	err := s.Scan(&p.UserID, &p.Name, &p.Role, (*engine.At)(&p.JoinedAt), &p.DeliveredUpTo, &p.ReadUpTo, &p.InvitedBy, &p.Since, &p.Expected)
	return p, engine.Found(err, "consultation") // who takes no part learns no more than that
}

func participants(ctx context.Context, q engine.Querier, id consultation.ID) ([]consultation.Participant, error) {
	return engine.Collect(ctx, q, scanParticipant, `SELECT `+participantColumns+` FROM participants WHERE consultation_id = $1 AND expected = 0 ORDER BY joined_at, role DESC, user_id`, id)
}

func ParticipantOf(ctx context.Context, q engine.Querier, id consultation.ID, user rooms.UserID) (consultation.Participant, error) {
	return scanParticipant(q.Row(ctx, `SELECT `+participantColumns+` FROM participants WHERE consultation_id = $1 AND user_id = $2`, id, user))
}

// Participants implements consultation.Store.
func (s Store) Participants(ctx context.Context, id consultation.ID) ([]consultation.Participant, error) {
	return participants(ctx, s.Reads(), id)
}

// Events implements consultation.Store.
func (s Store) Events(ctx context.Context, room rooms.RoomID, after rooms.Seq, limit int) ([]rooms.Entry, rooms.Seq, error) {
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
	err := tx.Exec(`INSERT INTO consultations (id, status, service, medium, doctor_id, doctor_name, user_id, patient_id, patient_name,
			complaint, prior_diagnosis, price, currency, minutes, created_at, updated_at, clock_left_ms, reason, summary, reopened, turns_left, turn_open, refund)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, 0, '', '', 0, 0, 0, '')`,
		c.ID, c.Status, c.Service, c.Medium, c.DoctorID, c.DoctorName, c.UserID, c.PatientID, c.PatientName,
		engine.Seal(tx, "consultations.complaint", c.ID, c.Complaint), engine.Seal(tx, "consultations.prior_diagnosis", c.ID, c.PriorDiagnosis), c.Price, c.Currency, c.Minutes, engine.Micros(c.CreatedAt), engine.Micros(c.UpdatedAt))
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
	return tx.Exec(`UPDATE consultations SET status = $2, updated_at = $3, queued_at = $4, accepted_at = $5, answered_at = $6, ended_at = $7, due_at = $8,
			clock_left_ms = $9, reason = $10, summary = $11, reopened = $12, turns_left = $13, turn_open = $14, refund = $15,
			refund_percent = $16, scheduled_at = $17, doctor_id = $18, doctor_name = $19, minutes = $20, ended_by = $21,
			reason_seq = $22, summary_seq = $23 WHERE id = $1`,
		c.ID, c.Status, engine.Micros(c.UpdatedAt), engine.MicrosOrNull(c.QueuedAt), engine.MicrosOrNull(c.AcceptedAt), engine.MicrosOrNull(c.AnsweredAt), engine.MicrosOrNull(c.EndedAt), engine.MicrosOrNull(c.DueAt),
		c.ClockLeftMs, engine.Seal(tx, "consultations.reason", c.ID, c.Reason), engine.Seal(tx, "consultations.summary", c.ID, string(summary)), c.Reopened, c.TurnsLeft, c.TurnOpen, c.Refund,
		c.RefundPercent, engine.MicrosOrNull(c.ScheduledAt), c.DoctorID, c.DoctorName, c.Minutes, c.EndedBy, c.ReasonSeq, c.SummarySeq)
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

func SpeakerOf(ctx context.Context, q engine.Querier, id consultation.ID, user rooms.UserID) (consultation.Speaker, error) {
	s := consultation.Speaker{ConsultationID: id}
	err := q.Row(ctx, `SELECT p.role, c.status, c.reopened, c.turns_left, c.turn_open, c.accepted_at IS NOT NULL, c.answered_at IS NOT NULL, p.invited_by, p.since_seq
		FROM participants p JOIN consultations c ON c.id = p.consultation_id WHERE p.consultation_id = $1 AND p.user_id = $2`, id, user).
		Scan(&s.Role, &s.Status, &s.Reopened, &s.TurnsLeft, &s.TurnOpen, &s.Accepted, &s.Answered, &s.InvitedBy, &s.Since)
	return s, engine.Found(err, "consultation")
}
