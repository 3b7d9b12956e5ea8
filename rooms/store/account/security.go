package account

import (
	"context"
	"encoding/json"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
	"wenzhen.example/rooms/store/engine"
)

func scanTicket(s engine.Scanner) (account.Ticket, error) {
	var t account.Ticket
	var data string
	err := s.Scan(&t.ID, &t.Kind, &t.UserID, &data, (*engine.At)(&t.Expires))
	t.Data = json.RawMessage(data)
	return t, engine.Found(err, "ticket")
}

// Ticket implements account.Store.
func (s Store) Ticket(ctx context.Context, id string) (account.Ticket, error) {
	return scanTicket(s.Reads().Row(ctx, `SELECT id, kind, user_id, data, expires_at FROM tickets WHERE id = $1`, id))
}

// InsertTicket implements account.Tx.
func (tx Tx) InsertTicket(t account.Ticket) error {
	err := tx.TryExec(`INSERT INTO tickets (id, kind, user_id, data, expires_at) VALUES ($1, $2, $3, $4, $5)`,
		t.ID, t.Kind, t.UserID, string(t.Data), engine.Micros(t.Expires))
	if engine.UniqueViolation(err) {
		return rooms.Conflict("", "there is such a ticket")
	}
	return err
}

// TakeTicket implements account.Tx.
func (tx Tx) TakeTicket(id string) (account.Ticket, error) {
	return scanTicket(tx.Row(context.Background(), `DELETE FROM tickets WHERE id = $1 RETURNING id, kind, user_id, data, expires_at`, id))
}

// DeleteTickets implements account.Tx.
func (tx Tx) DeleteTickets(user rooms.UserID) error {
	return tx.Exec(`DELETE FROM tickets WHERE user_id = $1`, user)
}

// SetPasswordHash implements account.Tx.
func (tx Tx) SetPasswordHash(user rooms.UserID, hash string) error {
	return tx.Exec(`UPDATE users SET password_hash = $2 WHERE id = $1`, user, hash)
}

func totpOf(ctx context.Context, q engine.Querier, user rooms.UserID) (account.TOTP, error) {
	t := account.TOTP{UserID: user}
	err := q.Row(ctx, `SELECT secret, confirmed_at, last_step FROM totp WHERE user_id = $1`, user).
		Scan(&t.Secret, (*engine.AtOrZero)(&t.ConfirmedAt), &t.LastStep)
	return t, engine.Found(err, "second factor")
}

// TOTP implements account.Store.
func (s Store) TOTP(ctx context.Context, user rooms.UserID) (account.TOTP, error) {
	return totpOf(ctx, s.Reads(), user)
}

// TOTP implements account.Tx.
func (tx Tx) TOTP(user rooms.UserID) (account.TOTP, error) {
	return totpOf(context.Background(), tx, user)
}

// SaveTOTP implements account.Tx.
func (tx Tx) SaveTOTP(t account.TOTP) error {
	return tx.Exec(`INSERT INTO totp (user_id, secret, confirmed_at, last_step) VALUES ($1, $2, $3, $4)
		ON CONFLICT (user_id) DO UPDATE SET secret = excluded.secret, confirmed_at = excluded.confirmed_at, last_step = excluded.last_step`,
		t.UserID, t.Secret, engine.MicrosOrZero(t.ConfirmedAt), t.LastStep)
}

// DeleteTOTP implements account.Tx.
func (tx Tx) DeleteTOTP(user rooms.UserID) error {
	return engine.FirstOf(tx.Exec(`DELETE FROM recovery_codes WHERE user_id = $1`, user), tx.Exec(`DELETE FROM totp WHERE user_id = $1`, user))
}

// RecoveryCodesLeft implements account.Store.
func (s Store) RecoveryCodesLeft(ctx context.Context, user rooms.UserID) (int, error) {
	var n int
	return n, s.Reads().Row(ctx, `SELECT count(*) FROM recovery_codes WHERE user_id = $1`, user).Scan(&n)
}

// SetRecoveryCodes implements account.Tx.
func (tx Tx) SetRecoveryCodes(user rooms.UserID, hashes [][]byte) error {
	err := tx.Exec(`DELETE FROM recovery_codes WHERE user_id = $1`, user)
	for _, hash := range hashes {
		err = engine.FirstOf(err, tx.Exec(`INSERT INTO recovery_codes (user_id, hash) VALUES ($1, $2)`, user, hash))
	}
	return err
}

// UseRecoveryCode implements account.Tx.
func (tx Tx) UseRecoveryCode(user rooms.UserID, hash []byte) (bool, error) {
	used, err := engine.Collect(context.Background(), tx, func(s engine.Scanner) (rooms.UserID, error) {
		var id rooms.UserID
		return id, s.Scan(&id)
	}, `DELETE FROM recovery_codes WHERE user_id = $1 AND hash = $2 RETURNING user_id`, user, hash)
	return len(used) == 1, err
}

// Passkeys implements account.Store.
func (s Store) Passkeys(ctx context.Context, user rooms.UserID) ([]account.Passkey, error) {
	return engine.Collect(ctx, s.Reads(), func(r engine.Scanner) (account.Passkey, error) {
		var p account.Passkey
		var credential string
		err := r.Scan(&p.ID, &p.UserID, &p.Name, &credential, (*engine.At)(&p.CreatedAt), (*engine.At)(&p.LastUsedAt))
		p.Credential = json.RawMessage(credential)
		return p, err
	}, `SELECT id, user_id, name, credential, created_at, last_used_at FROM passkeys WHERE user_id = $1 ORDER BY created_at, id`, user)
}

// InsertPasskey implements account.Tx.
func (tx Tx) InsertPasskey(p account.Passkey) error {
	err := tx.TryExec(`INSERT INTO passkeys (id, user_id, name, credential, created_at, last_used_at) VALUES ($1, $2, $3, $4, $5, $6)`,
		p.ID, p.UserID, p.Name, string(p.Credential), engine.Micros(p.CreatedAt), engine.Micros(p.LastUsedAt))
	if engine.UniqueViolation(err) {
		return rooms.Conflict("", "this passkey is known")
	}
	return err
}

// UsePasskey implements account.Tx.
func (tx Tx) UsePasskey(p account.Passkey) error {
	var id string
	err := tx.Row(context.Background(), `UPDATE passkeys SET credential = $3, last_used_at = $4 WHERE id = $1 AND user_id = $2 RETURNING id`,
		p.ID, p.UserID, string(p.Credential), engine.Micros(p.LastUsedAt)).Scan(&id)
	return engine.Found(err, "passkey")
}

// DeletePasskey implements account.Tx.
func (tx Tx) DeletePasskey(user rooms.UserID, id string) error {
	err := tx.Row(context.Background(), `DELETE FROM passkeys WHERE user_id = $1 AND id = $2 RETURNING id`, user, id).Scan(&id)
	return engine.Found(err, "passkey")
}

// DeletePasskeys implements account.Tx.
func (tx Tx) DeletePasskeys(user rooms.UserID) error {
	return tx.Exec(`DELETE FROM passkeys WHERE user_id = $1`, user)
}

const identityColumns = `id, user_id, provider, issuer, subject, email, linked_at`

func scanIdentity(s engine.Scanner) (account.LinkedIdentity, error) {
	var v account.LinkedIdentity
	err := s.Scan(&v.ID, &v.UserID, &v.Provider, &v.Issuer, &v.Subject, &v.Email, (*engine.At)(&v.LinkedAt))
	return v, engine.Found(err, "identity")
}

// Identities implements account.Store.
func (s Store) Identities(ctx context.Context, user rooms.UserID) ([]account.LinkedIdentity, error) {
	return engine.Collect(ctx, s.Reads(), scanIdentity, `SELECT `+identityColumns+` FROM identities WHERE user_id = $1 ORDER BY linked_at, id`, user)
}

// Identity implements account.Tx.
func (tx Tx) Identity(issuer, subject string) (account.LinkedIdentity, error) {
	return scanIdentity(tx.Row(context.Background(), `SELECT `+identityColumns+` FROM identities WHERE issuer = $1 AND subject = $2`, issuer, subject))
}

// InsertIdentity implements account.Tx.
func (tx Tx) InsertIdentity(v account.LinkedIdentity) error {
	return tx.Exec(`INSERT INTO identities (`+identityColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		v.ID, v.UserID, v.Provider, v.Issuer, v.Subject, v.Email, engine.Micros(v.LinkedAt))
}

// DeleteIdentity implements account.Tx.
func (tx Tx) DeleteIdentity(user rooms.UserID, id string) error {
	err := tx.Row(context.Background(), `DELETE FROM identities WHERE user_id = $1 AND id = $2 RETURNING id`, user, id).Scan(&id)
	return engine.Found(err, "identity")
}

// DeleteIdentities implements account.Tx.
func (tx Tx) DeleteIdentities(user rooms.UserID) error {
	return tx.Exec(`DELETE FROM identities WHERE user_id = $1`, user)
}

// CountWaysIn implements account.Tx.
func (tx Tx) CountWaysIn(user rooms.UserID) (int, error) {
	var n int
	err := tx.Row(context.Background(), `SELECT (SELECT count(*) FROM users WHERE id = $1 AND password_hash <> '')
		+ (SELECT count(*) FROM passkeys WHERE user_id = $1) + (SELECT count(*) FROM identities WHERE user_id = $1)`, user).Scan(&n)
	return n, err
}
