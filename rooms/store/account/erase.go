package account

import (
	"context"
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
	"wenzhen.example/rooms/store/engine"
)

// obstacles are what is in the way of erasing the user $1: each query answers
// whether there is such a thing.
var obstacles = []struct {
	what  account.ErasureBlocker
	query string
}{
	{account.BlockedByLegalHold, `SELECT EXISTS (SELECT 1 FROM legal_holds WHERE user_id = $1)`},
	{account.BlockedByConsultations, `SELECT EXISTS (SELECT 1 FROM participants p JOIN consultations c ON c.id = p.consultation_id
		WHERE p.user_id = $1 AND p.role IN ('patient', 'doctor') AND c.status IN ('pending_payment', 'waiting', 'active', 'on_hold'))`},
	{account.BlockedByAppointments, `SELECT EXISTS (SELECT 1 FROM appointments WHERE user_id = $1 AND status IN ('held', 'booked', 'checked_in', 'in_progress', 'reassign_pending'))
		OR EXISTS (SELECT 1 FROM appointments WHERE doctor_id = $1 AND status IN ('held', 'booked', 'checked_in', 'in_progress', 'reassign_pending'))
		OR EXISTS (SELECT 1 FROM waits WHERE user_id = $1 AND status IN ('waiting', 'offered'))`},
	{account.BlockedByMoney, `SELECT EXISTS (SELECT 1 FROM orders WHERE user_id = $1 AND status = 'refunding')`},
	{account.BlockedByLastAdmin, lastAdmin},
}

const lastAdmin = `SELECT EXISTS (SELECT 1 FROM users WHERE id = $1 AND role = 'admin')
	AND NOT EXISTS (SELECT 1 FROM users WHERE id <> $1 AND role = 'admin' AND suspended = 0)`

// Obstacles implements account.Tx.
func (tx Tx) Obstacles(user rooms.UserID) ([]account.ErasureBlocker, error) {
	var found []account.ErasureBlocker
	for _, o := range obstacles {
		var there bool
		if err := tx.Row(context.Background(), o.query, user).Scan(&there); err != nil {
			return nil, err
		}
		if there {
			found = append(found, o.what)
		}
	}
	return found, nil
}

// Treated implements account.Tx.
func (tx Tx) Treated(user rooms.UserID) (n int, latest time.Time, err error) {
	var at int64
	err = tx.Row(context.Background(), `SELECT count(*), coalesce(max(coalesce(c.ended_at, c.updated_at)), 0) FROM participants p JOIN consultations c ON c.id = p.consultation_id
		WHERE p.user_id = $1 AND p.role IN ('patient', 'doctor')`, user).Scan(&n, &at)
	return n, time.UnixMicro(at).UTC(), err
}

// EraseUser implements account.Tx. What other rows need of the user is the id.
func (tx Tx) EraseUser(user rooms.UserID, at time.Time) error {
	if err := tx.Exec(`UPDATE users SET name = '', email = $2, password_hash = '', email_verified = 0, calendar_token = '', suspended = 1, erased_at = $3 WHERE id = $1`,
		user, "erased-"+string(user)+"@erased.invalid", engine.Micros(at)); err != nil {
		return err
	}
	for _, statement := range []string{
		`UPDATE sessions SET user_agent = '', address = '' WHERE user_id = $1`,
		`UPDATE doctors SET bio = '', services = '[]', media = '', on_duty = 0, verified = 0, licence = '', rejection = '', withdrawn = 0, checked_name = '', checked_title = '', checked_department = '', checked_licence = '' WHERE user_id = $1`,
		`DELETE FROM documents WHERE doctor_id = $1 AND signed_at IS NULL`, // drafts, which nobody else can read or sign
		`DELETE FROM push_subscriptions WHERE user_id = $1`,
		`DELETE FROM notification_preferences WHERE user_id = $1`,
		`DELETE FROM deliveries WHERE user_id = $1`,
		`DELETE FROM notifications WHERE user_id = $1`,
		`DELETE FROM quick_replies WHERE user_id = $1`,
		`DELETE FROM templates WHERE user_id = $1`,
		`DELETE FROM pharmacists WHERE user_id = $1`,
		`DELETE FROM waits WHERE user_id = $1`,
		`DELETE FROM participants WHERE user_id = $1 AND expected = 1`,
		`DELETE FROM invitations WHERE user_id = $1`,
		`DELETE FROM patients WHERE user_id = $1 AND NOT EXISTS (SELECT 1 FROM consultations c WHERE c.patient_id = patients.id)
			AND NOT EXISTS (SELECT 1 FROM backgrounds b WHERE b.patient_id = patients.id)`,
	} {
		if err := tx.Exec(statement, user); err != nil {
			return err
		}
	}
	// What the log of the user's own room tells is notifications and the like.
	return tx.Exec(`UPDATE log SET data = '{}' WHERE room = `+engine.RoomNum("$1"), rooms.UserRoom(user))
}

// PlaceLegalHold implements account.Tx.
func (tx Tx) PlaceLegalHold(h account.LegalHold) error {
	err := tx.TryExec(`INSERT INTO legal_holds (user_id, reason, by_id, at) VALUES ($1, $2, $3, $4)`, h.UserID, engine.EncryptColumn(tx, "legal_holds.reason", h.UserID, h.Reason), h.By, engine.Micros(h.At))
	if engine.UniqueViolation(err) {
		return rooms.Conflict("", "there is a hold already")
	}
	return err
}

// ReleaseLegalHold implements account.Tx.
func (tx Tx) ReleaseLegalHold(user rooms.UserID) (reason string, err error) {
	err = tx.Row(context.Background(), `DELETE FROM legal_holds WHERE user_id = $1 RETURNING reason`, user).Scan(engine.DecryptColumn("legal_holds.reason", &user, &reason))
	return reason, engine.Found(err, "hold")
}

// LegalHolds implements account.Tx.
func (tx Tx) LegalHolds() ([]account.LegalHold, error) {
	return engine.Collect(context.Background(), tx, func(s engine.Scanner) (account.LegalHold, error) {
		var h account.LegalHold
		return h, s.Scan(&h.UserID, &h.UserName, &h.UserEmail, engine.DecryptColumn("legal_holds.reason", &h.UserID, &h.Reason), &h.By, &h.ByName, (*engine.At)(&h.At))
	}, `SELECT h.user_id, u.name, u.email, h.reason, h.by_id, b.name, h.at
		FROM legal_holds h LEFT JOIN users u ON u.id = h.user_id LEFT JOIN users b ON b.id = h.by_id ORDER BY h.at DESC, h.user_id`)
}
