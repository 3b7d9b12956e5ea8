// Package call keeps calls with their members.
package call

import (
	"context"
	"errors"
	"time"

	"wenzhen/rooms"
	"wenzhen/rooms/call"
	"wenzhen/rooms/consultation"
	consultationstore "wenzhen/rooms/store/consultation"
	"wenzhen/rooms/store/engine"
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

const callColumns = `id, consultation_id, caller_id, medium, status, created_at, answered_at, ended_at, ended_by`

func scanCall(s engine.Scanner) (call.Call, error) {
	var c call.Call
	err := s.Scan(&c.ID, &c.ConsultationID, &c.CallerID, &c.Medium, &c.Status, (*engine.At)(&c.CreatedAt), engine.AtOrNil(&c.AnsweredAt), engine.AtOrNil(&c.EndedAt), &c.EndedBy)
	return c, engine.Found(err, "call")
}

func scanMember(s engine.Scanner) (call.Member, error) {
	var m call.Member
	return m, s.Scan(&m.UserID, &m.Name, &m.Role, &m.Status, engine.AtOrNil(&m.RingUntil), &m.DeviceID, engine.AtOrNil(&m.JoinedAt), engine.AtOrNil(&m.LeftAt), engine.AtOrNil(&m.SeenAt), &m.SessionID)
}

// withMembers fills in the members of a call that was read.
func withMembers(ctx context.Context, q engine.Querier, c call.Call, err error) (call.Call, error) {
	if err != nil {
		return c, err
	}
	c.Members, err = engine.Collect(ctx, q, scanMember, `SELECT user_id, name, role, status, ring_until, device_id, joined_at, left_at, seen_at, session_id
		FROM call_members WHERE call_id = $1 ORDER BY place`, c.ID)
	return c, err
}

// Call implements call.Store.
func (s Store) Call(ctx context.Context, id call.ID) (call.Call, error) {
	return callByID(ctx, s.Reads(), id)
}

func callByID(ctx context.Context, q engine.Querier, id call.ID) (call.Call, error) {
	c, err := scanCall(q.Row(ctx, `SELECT `+callColumns+` FROM calls WHERE id = $1`, id))
	return withMembers(ctx, q, c, err)
}

// LiveCalls implements call.Store.
func (s Store) LiveCalls(ctx context.Context, user rooms.UserID) ([]call.Call, error) {
	list, err := engine.Collect(ctx, s.Reads(), scanCall, `SELECT `+callColumns+` FROM calls WHERE status IN ('ringing', 'active')
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
	c, err := scanCall(tx.Row(context.Background(), `SELECT `+callColumns+` FROM calls
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
	err := tx.Exec(`INSERT INTO calls (`+callColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
		ON CONFLICT (id) DO UPDATE SET status = excluded.status, answered_at = excluded.answered_at, ended_at = excluded.ended_at, ended_by = excluded.ended_by`,
		c.ID, c.ConsultationID, c.CallerID, c.Medium, c.Status, engine.Micros(c.CreatedAt), engine.MicrosOrNull(c.AnsweredAt), engine.MicrosOrNull(c.EndedAt), c.EndedBy)
	if engine.UniqueViolation(err) {
		return rooms.Unavailable(err, "another call began just now")
	}
	for place, m := range c.Members {
		if err == nil {
			err = tx.Exec(`INSERT INTO call_members (call_id, user_id, place, name, role, status, ring_until, device_id, joined_at, left_at, seen_at, session_id)
				VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
				ON CONFLICT (call_id, user_id) DO UPDATE SET status = excluded.status, ring_until = excluded.ring_until, device_id = excluded.device_id,
					joined_at = excluded.joined_at, left_at = excluded.left_at, seen_at = excluded.seen_at, session_id = excluded.session_id`,
				c.ID, m.UserID, place, m.Name, m.Role, m.Status, engine.MicrosOrNull(m.RingUntil), m.DeviceID, engine.MicrosOrNull(m.JoinedAt), engine.MicrosOrNull(m.LeftAt), engine.MicrosOrNull(m.SeenAt), m.SessionID)
		}
	}
	return err
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

// HangsUp has f called, as part of the transaction that ends a login, for each
// live call that the login is in. It is called before anything else uses the
// database. If f is nil, the login of someone in a call cannot be ended.
func (s Store) HangsUp(f func(tx call.Tx, id call.ID) error) {
	s.OnSessionEnd(func(tx *engine.Tx, session rooms.SessionID) error {
		ids, err := engine.Collect(context.Background(), tx, func(s engine.Scanner) (id call.ID, err error) { return id, s.Scan(&id) },
			`SELECT c.id FROM call_members m JOIN calls c ON c.id = m.call_id
				WHERE m.session_id = $1 AND m.status = 'joined' AND c.status IN ('ringing', 'active')`, session)
		for _, id := range ids {
			if err != nil {
				return err
			}
			if f == nil {
				return errors.New("a session in a call ends, and HangsUp was not called")
			}
			err = f(In(tx), id)
		}
		return err
	})
}
