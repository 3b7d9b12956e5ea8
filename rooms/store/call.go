package store

import (
	"context"
	"errors"
	"time"

	"wenzhen/rooms"
	"wenzhen/rooms/call"
	"wenzhen/rooms/consultation"
)

// Calls carries out call.Store.
type Calls struct{ *DB }

// InTx implements call.Store.
func (s Calls) InTx(ctx context.Context, f func(call.Tx) error) error {
	return s.write.InTx(ctx, func(tx *Tx) error { return f(tx) })
}

// Participant implements call.Store.
func (s Calls) Participant(ctx context.Context, id consultation.ID, user rooms.UserID) (consultation.Participant, error) {
	return participant(ctx, s.readers, id, user)
}

const callColumns = `id, consultation_id, caller_id, medium, status, created_at, answered_at, ended_at, ended_by`

func scanCall(s scanner) (call.Call, error) {
	var c call.Call
	err := s.Scan(&c.ID, &c.ConsultationID, &c.CallerID, &c.Medium, &c.Status, (*at)(&c.CreatedAt), atOrNil{&c.AnsweredAt}, atOrNil{&c.EndedAt}, &c.EndedBy)
	return c, found(err, "call")
}

func scanMember(s scanner) (call.Member, error) {
	var m call.Member
	return m, s.Scan(&m.UserID, &m.Name, &m.Role, &m.Status, atOrNil{&m.RingUntil}, &m.DeviceID, atOrNil{&m.JoinedAt}, atOrNil{&m.LeftAt}, atOrNil{&m.SeenAt}, &m.SessionID)
}

// withMembers fills in the members of a call that was read.
func withMembers(ctx context.Context, q querier, c call.Call, err error) (call.Call, error) {
	if err != nil {
		return c, err
	}
	c.Members, err = collect(ctx, q, scanMember, `SELECT user_id, name, role, status, ring_until, device_id, joined_at, left_at, seen_at, session_id
		FROM call_members WHERE call_id = $1 ORDER BY place`, c.ID)
	return c, err
}

// Call implements call.Store.
func (s Calls) Call(ctx context.Context, id call.ID) (call.Call, error) {
	return callByID(ctx, s.readers, id)
}

func callByID(ctx context.Context, q querier, id call.ID) (call.Call, error) {
	c, err := scanCall(q.row(ctx, `SELECT `+callColumns+` FROM calls WHERE id = $1`, id))
	return withMembers(ctx, q, c, err)
}

// LiveCalls implements call.Store.
func (s Calls) LiveCalls(ctx context.Context, user rooms.UserID) ([]call.Call, error) {
	list, err := collect(ctx, s.readers, scanCall, `SELECT `+callColumns+` FROM calls WHERE status IN ('ringing', 'active')
		AND consultation_id IN (SELECT consultation_id FROM participants WHERE user_id = $1) ORDER BY created_at, id`, user)
	for i, c := range list {
		if err == nil {
			list[i], err = withMembers(ctx, s.readers, c, nil)
		}
	}
	return list, err
}

// Call implements call.Tx.
func (tx *Tx) Call(id call.ID) (call.Call, error) {
	return callByID(context.Background(), tx, id)
}

// LiveCall implements call.Tx.
func (tx *Tx) LiveCall(id consultation.ID) (call.Call, error) {
	c, err := scanCall(tx.row(context.Background(), `SELECT `+callColumns+` FROM calls
		WHERE consultation_id = $1 AND status IN ('ringing', 'active')`, id))
	return withMembers(context.Background(), tx, c, err)
}

// Engaged implements call.Tx.
func (tx *Tx) Engaged(user rooms.UserID, id call.ID) (bool, error) {
	var n int
	err := tx.row(context.Background(), `SELECT count(*) FROM call_members m JOIN calls c ON c.id = m.call_id
		WHERE m.user_id = $1 AND m.status = 'joined' AND c.id <> $2 AND c.status IN ('ringing', 'active')`, user, id).Scan(&n)
	return n > 0, err
}

// SaveCall implements call.Tx.
func (tx *Tx) SaveCall(c call.Call) error {
	err := tx.exec(`INSERT INTO calls (`+callColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
		ON CONFLICT (id) DO UPDATE SET status = excluded.status, answered_at = excluded.answered_at, ended_at = excluded.ended_at, ended_by = excluded.ended_by`,
		c.ID, c.ConsultationID, c.CallerID, c.Medium, c.Status, micros(c.CreatedAt), microsOrNull(c.AnsweredAt), microsOrNull(c.EndedAt), c.EndedBy)
	if uniqueViolation(err) {
		return rooms.Unavailable(err, "another call began just now")
	}
	for place, m := range c.Members {
		if err == nil {
			err = tx.exec(`INSERT INTO call_members (call_id, user_id, place, name, role, status, ring_until, device_id, joined_at, left_at, seen_at, session_id)
				VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
				ON CONFLICT (call_id, user_id) DO UPDATE SET status = excluded.status, ring_until = excluded.ring_until, device_id = excluded.device_id,
					joined_at = excluded.joined_at, left_at = excluded.left_at, seen_at = excluded.seen_at, session_id = excluded.session_id`,
				c.ID, m.UserID, place, m.Name, m.Role, m.Status, microsOrNull(m.RingUntil), m.DeviceID, microsOrNull(m.JoinedAt), microsOrNull(m.LeftAt), microsOrNull(m.SeenAt), m.SessionID)
		}
	}
	return err
}

// SawMember implements call.Tx.
func (tx *Tx) SawMember(id call.ID, user rooms.UserID, at time.Time) error {
	return tx.exec(`UPDATE call_members SET seen_at = $3 WHERE call_id = $1 AND user_id = $2`, id, user, micros(at))
}

// SessionLives implements call.Tx.
func (tx *Tx) SessionLives(id rooms.SessionID) (bool, error) {
	var n int
	err := tx.row(context.Background(), `SELECT count(*) FROM sessions WHERE id = $1 AND revoked_at = 0`, id).Scan(&n)
	return n > 0, err
}

// HangsUp has f called, as part of the transaction that ends a login, for each
// live call that the login is in. It is called before anything else uses the
// database.
func (s Calls) HangsUp(f func(tx call.Tx, id call.ID) error) { s.opts.hooks.hangUp = f }

// hangUp takes a session that has ended out of its calls.
func (tx *Tx) hangUp(session rooms.SessionID) error {
	ids, err := collect(context.Background(), tx, func(s scanner) (id call.ID, err error) { return id, s.Scan(&id) },
		`SELECT c.id FROM call_members m JOIN calls c ON c.id = m.call_id
			WHERE m.session_id = $1 AND m.status = 'joined' AND c.status IN ('ringing', 'active')`, session)
	for _, id := range ids {
		if err != nil {
			return err
		}
		if tx.hooks.hangUp == nil {
			return errors.New("a session in a call ends, and HangsUp was not called")
		}
		err = tx.hooks.hangUp(tx, id)
	}
	return err
}
