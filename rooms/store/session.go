package store

import (
	"context"
	"time"

	"wenzhen/rooms"
	"wenzhen/rooms/account"
)

const sessionColumns = `id, user_id, created_at, last_used_at, expires_at, user_agent, address, method, proved_at`

func scanSession(s scanner) (account.Session, error) {
	var v account.Session
	err := s.Scan(&v.ID, &v.UserID, (*at)(&v.CreatedAt), (*at)(&v.LastUsedAt), (*at)(&v.ExpiresAt), &v.UserAgent, &v.Address, &v.Method, (*at)(&v.ProvedAt))
	return v, found(err, "session")
}

func scanSessionID(s scanner) (rooms.SessionID, error) {
	var id rooms.SessionID
	return id, s.Scan(&id)
}

// Session implements account.Store.
func (s Accounts) Session(ctx context.Context, id rooms.SessionID) (account.Session, error) {
	return scanSession(s.readers.row(ctx, `SELECT `+sessionColumns+` FROM sessions WHERE id = $1`, id))
}

// RevokedSince implements account.Store.
func (s Accounts) RevokedSince(ctx context.Context, since time.Time) ([]rooms.SessionID, error) {
	return collect(ctx, s.readers, scanSessionID, `SELECT id FROM sessions WHERE revoked_at >= $1 AND revoked_at > 0`, micros(since))
}

// InsertSession implements account.Tx.
func (tx *Tx) InsertSession(v account.Session) error {
	return tx.exec(`INSERT INTO sessions (`+sessionColumns+`, asked_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $3)`,
		v.ID, v.UserID, micros(v.CreatedAt), micros(v.LastUsedAt), micros(v.ExpiresAt), v.UserAgent, v.Address, v.Method, micros(v.ProvedAt))
}

// PastSessions implements account.Tx.
func (tx *Tx) PastSessions(user rooms.UserID, limit int) ([]account.Session, error) {
	return collect(context.Background(), tx, scanSession, `SELECT `+sessionColumns+` FROM sessions WHERE user_id = $1 ORDER BY created_at DESC LIMIT $2`, user, limit)
}

// RevokeOtherSessions implements account.Tx.
func (tx *Tx) RevokeOtherSessions(user rooms.UserID, but rooms.SessionID, now time.Time) ([]rooms.SessionID, error) {
	ended, err := collect(context.Background(), tx, scanSessionID,
		`UPDATE sessions SET revoked_at = $3 WHERE user_id = $1 AND id <> $2 AND revoked_at = 0 RETURNING id`, user, but, micros(now))
	return tx.sessionsEnded(ended, err)
}

// SessionUsedAt implements account.Tx.
func (tx *Tx) SessionUsedAt(id rooms.SessionID) (time.Time, error) {
	var used time.Time
	err := tx.row(context.Background(), `SELECT asked_at FROM sessions WHERE id = $1 AND revoked_at = 0`, id).Scan((*at)(&used))
	return used, found(err, "session")
}

// UseSession implements account.Tx.
func (tx *Tx) UseSession(id rooms.SessionID, used time.Time) error {
	return tx.exec(`UPDATE sessions SET asked_at = $2 WHERE id = $1 AND asked_at < $2`, id, micros(used))
}

// SessionExpiresAt implements account.Tx.
func (tx *Tx) SessionExpiresAt(id rooms.SessionID) (time.Time, error) {
	var expires time.Time
	err := tx.row(context.Background(), `SELECT expires_at FROM sessions WHERE id = $1 AND revoked_at = 0`, id).Scan((*at)(&expires))
	return expires, found(err, "session")
}

// SessionProvedAt implements account.Tx.
func (tx *Tx) SessionProvedAt(id rooms.SessionID) (time.Time, error) {
	var proved time.Time
	err := tx.row(context.Background(), `SELECT proved_at FROM sessions WHERE id = $1 AND revoked_at = 0`, id).Scan((*at)(&proved))
	return proved, found(err, "session")
}

// ProveSession implements account.Tx.
func (tx *Tx) ProveSession(id rooms.SessionID, now time.Time) error {
	return tx.exec(`UPDATE sessions SET proved_at = $2 WHERE id = $1`, id, micros(now))
}

// InsertRefreshToken implements account.Tx.
func (tx *Tx) InsertRefreshToken(t account.RefreshToken) error {
	return tx.exec(`INSERT INTO refresh_tokens (hash, session_id, expires_at) VALUES ($1, $2, $3)`, t.Hash[:], t.SessionID, micros(t.ExpiresAt))
}

// RefreshToken implements account.Tx.
func (tx *Tx) RefreshToken(hash [32]byte) (account.RefreshToken, error) {
	t := account.RefreshToken{Hash: hash}
	err := tx.row(context.Background(), `SELECT session_id, expires_at, used_at FROM refresh_tokens WHERE hash = $1`, hash[:]).
		Scan(&t.SessionID, (*at)(&t.ExpiresAt), (*atOrZero)(&t.UsedAt))
	return t, found(err, "refresh token")
}

// UseRefreshToken implements account.Tx.
func (tx *Tx) UseRefreshToken(hash [32]byte, now time.Time) (account.RefreshToken, error) {
	t, err := tx.RefreshToken(hash)
	if err != nil {
		return t, err
	}
	return t, tx.exec(`UPDATE refresh_tokens SET used_at = $2 WHERE hash = $1 AND used_at = 0`, hash[:], micros(now))
}

// SigningKeys implements account.Store.
func (s Accounts) SigningKeys(ctx context.Context) ([]account.SigningKey, error) {
	return collect(ctx, s.readers, func(r scanner) (account.SigningKey, error) {
		var k account.SigningKey
		return k, r.Scan(&k.ID, (*at)(&k.SignsFrom), (*atOrZero)(&k.EndsAt))
	}, `SELECT id, signs_from, ends_at FROM signing_keys`)
}

// InsertSigningKey implements account.Tx.
func (tx *Tx) InsertSigningKey(k account.SigningKey) error {
	return tx.exec(`INSERT INTO signing_keys (id, signs_from, ends_at) VALUES ($1, $2, 0)`, k.ID, micros(k.SignsFrom))
}

// EndSigningKeys implements account.Tx.
func (tx *Tx) EndSigningKeys(end, now time.Time) error {
	return firstOf(
		tx.exec(`DELETE FROM signing_keys WHERE ends_at > 0 AND ends_at < $1`, micros(now)),
		tx.exec(`UPDATE signing_keys SET ends_at = $1 WHERE ends_at = 0`, micros(end)),
	)
}

// InsertProviderSession implements account.Tx.
func (tx *Tx) InsertProviderSession(p account.ProviderSession) error {
	return tx.exec(`INSERT INTO provider_sessions (session_id, provider, issuer, subject, sid, id_token) VALUES ($1, $2, $3, $4, $5, $6)`,
		p.SessionID, p.Provider, p.Issuer, p.Subject, p.SID, p.IDToken)
}

// ProviderSession implements account.Store.
func (s Accounts) ProviderSession(ctx context.Context, id rooms.SessionID) (account.ProviderSession, error) {
	p := account.ProviderSession{SessionID: id}
	err := s.readers.row(ctx, `SELECT provider, issuer, subject, sid, id_token FROM provider_sessions WHERE session_id = $1`, id).
		Scan(&p.Provider, &p.Issuer, &p.Subject, &p.SID, &p.IDToken)
	return p, found(err, "session at a provider")
}

// ProviderSessions implements account.Tx.
func (tx *Tx) ProviderSessions(issuer, subject, sid string) ([]rooms.SessionID, error) {
	return collect(context.Background(), tx, scanSessionID, `SELECT session_id FROM provider_sessions
		WHERE issuer = $1 AND ($2 = '' OR subject = $2) AND ($3 = '' OR sid = $3)`, issuer, subject, sid)
}
