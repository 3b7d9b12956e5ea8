// Package call keeps calls with their members.
package call

import (
	"context"
	"errors"
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/call"
	"wenzhen.example/rooms/consultation"
	consultationstore "wenzhen.example/rooms/store/consultation"
	"wenzhen.example/rooms/store/engine"
)

// Tx implements call.Tx.
type Tx struct{ consultationstore.Tx }

// In is Tx in a transaction of the database.
func In(tx *engine.Tx) Tx { return Tx{consultationstore.In(tx)} }

// Store implements call.Store.
type Store struct{ *engine.DB }

// InTx implements call.Store.
func (s Store) InTx(ctx context.Context, f func(call.Tx) error) error {
	return s.DB.InTx(ctx, func(tx *engine.Tx) error { return f(In(tx)) })
}

// In implements call.Store.
func (Store) In(tx rooms.Tx) call.Tx { return In(engine.Of(tx)) }

// Participant implements call.Store.
func (s Store) Participant(ctx context.Context, id consultation.ID, user rooms.UserID) (consultation.Participant, error) {
	return consultationstore.ParticipantOf(ctx, s.Reads(), id, user)
}

type callColumn = engine.Column[call.Call]

var callRow = engine.RowOf(
	callColumn{Name: "id", To: func(c *call.Call) any { return &c.ID }},
	callColumn{Name: "consultation_id", To: func(c *call.Call) any { return &c.ConsultationID }},
	callColumn{Name: "caller_id", To: func(c *call.Call) any { return &c.CallerID }},
	callColumn{Name: "medium", To: func(c *call.Call) any { return &c.Medium }},
	callColumn{Name: "status", To: func(c *call.Call) any { return &c.Status }},
	callColumn{Name: "created_at", To: func(c *call.Call) any { return (*engine.At)(&c.CreatedAt) }},
	callColumn{Name: "answered_at", To: func(c *call.Call) any { return engine.AtOrNil(&c.AnsweredAt) }},
	callColumn{Name: "ended_at", To: func(c *call.Call) any { return engine.AtOrNil(&c.EndedAt) }},
	callColumn{Name: "ended_by", To: func(c *call.Call) any { return &c.EndedBy }},
)

var callsFrom = `SELECT ` + callRow.Columns("") + ` FROM calls`

func scanCall(s engine.Scanner) (call.Call, error) {
	var c call.Call
	err := callRow.Scan(s, &c)
	return c, engine.Found(err, "call")
}

type memberColumn = engine.Column[call.Member]

var memberRow = engine.RowOf(
	memberColumn{Name: "user_id", To: func(m *call.Member) any { return &m.UserID }},
	memberColumn{Name: "name", To: func(m *call.Member) any { return &m.Name }},
	memberColumn{Name: "role", To: func(m *call.Member) any { return &m.Role }},
	memberColumn{Name: "status", To: func(m *call.Member) any { return &m.Status }},
	memberColumn{Name: "ring_until", To: func(m *call.Member) any { return engine.AtOrNil(&m.RingUntil) }},
	memberColumn{Name: "device_id", To: func(m *call.Member) any { return &m.DeviceID }},
	memberColumn{Name: "joined_at", To: func(m *call.Member) any { return engine.AtOrNil(&m.JoinedAt) }},
	memberColumn{Name: "left_at", To: func(m *call.Member) any { return engine.AtOrNil(&m.LeftAt) }},
	memberColumn{Name: "seen_at", To: func(m *call.Member) any { return engine.AtOrNil(&m.SeenAt) }},
	memberColumn{Name: "session_id", To: func(m *call.Member) any { return &m.SessionID }},
)

func scanMember(s engine.Scanner) (call.Member, error) {
	var m call.Member
	return m, memberRow.Scan(s, &m)
}

// withMembers fills in the members of a call that was read.
func withMembers(ctx context.Context, q engine.Querier, c call.Call, err error) (call.Call, error) {
	if err != nil {
		return c, err
	}
	c.Members, err = engine.Collect(ctx, q, scanMember, `SELECT `+memberRow.Columns("")+`
		FROM call_members WHERE call_id = $1 ORDER BY place`, c.ID)
	return c, err
}

// Call implements call.Store.
func (s Store) Call(ctx context.Context, id call.ID) (call.Call, error) {
	return callByID(ctx, s.Reads(), id)
}

func callByID(ctx context.Context, q engine.Querier, id call.ID) (call.Call, error) {
	c, err := scanCall(q.Row(ctx, callsFrom+` WHERE id = $1`, id))
	return withMembers(ctx, q, c, err)
}

// LiveCalls implements call.Store.
func (s Store) LiveCalls(ctx context.Context, user rooms.UserID) ([]call.Call, error) {
	list, err := engine.Collect(ctx, s.Reads(), scanCall, callsFrom+` WHERE status IN ('ringing', 'active')
		AND consultation_id IN (SELECT consultation_id FROM participants WHERE user_id = $1) ORDER BY created_at, id`, user)
	for i, c := range list {
		if err == nil {
			list[i], err = withMembers(ctx, s.Reads(), c, nil)
		}
	}
	return list, err
}

// Call implements call.Tx.
func (tx Tx) Call(id call.ID) (call.Call, error) {
	return callByID(context.Background(), tx, id)
}

// LiveCall implements call.Tx.
func (tx Tx) LiveCall(id consultation.ID) (call.Call, error) {
	c, err := scanCall(tx.Row(context.Background(), callsFrom+`
		WHERE consultation_id = $1 AND status IN ('ringing', 'active')`, id))
	return withMembers(context.Background(), tx, c, err)
}

// Engaged implements call.Tx.
func (tx Tx) Engaged(user rooms.UserID, id call.ID) (bool, error) {
	var n int
	err := tx.Row(context.Background(), `SELECT count(*) FROM call_members m JOIN calls c ON c.id = m.call_id
		WHERE m.user_id = $1 AND m.status = 'joined' AND c.id <> $2 AND c.status IN ('ringing', 'active')`, user, id).Scan(&n)
	return n > 0, err
}

// SaveCall implements call.Tx.
func (tx Tx) SaveCall(c call.Call) error {
	err := tx.Upsert("calls", "id", []engine.Value{
		engine.Set("id", c.ID),
		engine.Set("consultation_id", c.ConsultationID),
		engine.Set("caller_id", c.CallerID),
		engine.Set("medium", c.Medium),
		engine.Set("created_at", engine.Micros(c.CreatedAt)),
	},
		engine.Set("status", c.Status),
		engine.Set("answered_at", engine.MicrosOrNull(c.AnsweredAt)),
		engine.Set("ended_at", engine.MicrosOrNull(c.EndedAt)),
		engine.Set("ended_by", c.EndedBy),
	)
	if engine.UniqueViolation(err) {
		return rooms.Unavailable(err, "another call began just now")
	}
	for place, m := range c.Members {
		if err == nil {
			err = tx.saveMember(c.ID, place, m)
		}
	}
	return err
}

func (tx Tx) saveMember(id call.ID, place int, m call.Member) error {
	return tx.Upsert("call_members", "call_id, user_id", []engine.Value{
		engine.Set("call_id", id),
		engine.Set("user_id", m.UserID),
		engine.Set("place", place),
		engine.Set("name", m.Name),
		engine.Set("role", m.Role),
	},
		engine.Set("status", m.Status),
		engine.Set("ring_until", engine.MicrosOrNull(m.RingUntil)),
		engine.Set("device_id", m.DeviceID),
		engine.Set("joined_at", engine.MicrosOrNull(m.JoinedAt)),
		engine.Set("left_at", engine.MicrosOrNull(m.LeftAt)),
		engine.Set("seen_at", engine.MicrosOrNull(m.SeenAt)),
		engine.Set("session_id", m.SessionID),
	)
}

// SawMember implements call.Tx.
func (tx Tx) SawMember(id call.ID, user rooms.UserID, at time.Time) error {
	return tx.Exec(`UPDATE call_members SET seen_at = $3 WHERE call_id = $1 AND user_id = $2`, id, user, engine.Micros(at))
}

// SessionLives implements call.Tx.
func (tx Tx) SessionLives(id rooms.SessionID) (bool, error) {
	var n int
	err := tx.Row(context.Background(), `SELECT count(*) FROM sessions WHERE id = $1 AND revoked_at = 0`, id).Scan(&n)
	return n > 0, err
}

// HangUp takes a login that ends out of a live call, in the transaction that ends
// the login.
type HangUp func(tx call.Tx, id call.ID) error

// SessionEnded calls hangUp for each live call that a login is in which ends. If
// hangUp is nil, the login of someone in a call cannot be ended.
func SessionEnded(hangUp HangUp) func(*engine.Tx, rooms.SessionID) error {
	return func(tx *engine.Tx, session rooms.SessionID) error {
		ids, err := engine.Collect(context.Background(), tx, func(s engine.Scanner) (id call.ID, err error) { return id, s.Scan(&id) },
			`SELECT c.id FROM call_members m JOIN calls c ON c.id = m.call_id
				WHERE m.session_id = $1 AND m.status = 'joined' AND c.status IN ('ringing', 'active')`, session)
		for _, id := range ids {
			if err != nil {
				return err
			}
			if hangUp == nil {
				return errors.New("a session in a call ends, and the database was opened without what takes it out")
			}
			err = hangUp(In(tx), id)
		}
		return err
	}
}
