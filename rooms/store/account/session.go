package account

import (
	"context"
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
	"wenzhen.example/rooms/store/engine"
)

type sessionColumn = engine.Column[account.Session]

var sessionRow = engine.RowOf(
	sessionColumn{Name: "id", To: func(v *account.Session) any { return &v.ID }},
	sessionColumn{Name: "user_id", To: func(v *account.Session) any { return &v.UserID }},
	sessionColumn{Name: "created_at", To: func(v *account.Session) any { return (*engine.At)(&v.CreatedAt) }},
	sessionColumn{Name: "last_used_at", To: func(v *account.Session) any { return (*engine.At)(&v.LastUsedAt) }},
	sessionColumn{Name: "expires_at", To: func(v *account.Session) any { return (*engine.At)(&v.ExpiresAt) }},
	sessionColumn{Name: "user_agent", To: func(v *account.Session) any { return &v.UserAgent }},
	sessionColumn{Name: "address", To: func(v *account.Session) any { return &v.Address }},
	sessionColumn{Name: "method", To: func(v *account.Session) any { return &v.Method }},
	sessionColumn{Name: "proved_at", To: func(v *account.Session) any { return (*engine.At)(&v.ProvedAt) }},
)

var sessionsFrom = `SELECT ` + sessionRow.Columns("") + ` FROM sessions`

func scanSession(s engine.Scanner) (account.Session, error) {
	var v account.Session
	err := sessionRow.Scan(s, &v)
	return v, engine.Found(err, "session")
}

func scanSessionID(s engine.Scanner) (rooms.SessionID, error) {
	var id rooms.SessionID
	return id, s.Scan(&id)
}

// Session implements account.Store.
func (s Store) Session(ctx context.Context, id rooms.SessionID) (account.Session, error) {
	return scanSession(s.Reads().Row(ctx, sessionsFrom+` WHERE id = $1`, id))
}

// RevokedSince implements account.Store.
func (s Store) RevokedSince(ctx context.Context, since time.Time) ([]rooms.SessionID, error) {
	return engine.Collect(ctx, s.Reads(), scanSessionID, `SELECT id FROM sessions WHERE revoked_at >= $1 AND revoked_at > 0`, engine.Micros(since))
}

// InsertSession implements account.Tx.
func (tx Tx) InsertSession(v account.Session) error {
	return tx.Insert("sessions",
		engine.Set("id", v.ID),
		engine.Set("user_id", v.UserID),
		engine.Set("created_at", engine.Micros(v.CreatedAt)),
		engine.Set("last_used_at", engine.Micros(v.LastUsedAt)),
		engine.Set("expires_at", engine.Micros(v.ExpiresAt)),
		engine.Set("user_agent", v.UserAgent),
		engine.Set("address", v.Address),
		engine.Set("method", v.Method),
		engine.Set("proved_at", engine.Micros(v.ProvedAt)),
		engine.Set("asked_at", engine.Micros(v.CreatedAt)),
	)
}

// PastSessions implements account.Tx.
func (tx Tx) PastSessions(user rooms.UserID, limit int) ([]account.Session, error) {
	return engine.Collect(context.Background(), tx, scanSession,
		sessionsFrom+` WHERE user_id = $1 ORDER BY created_at DESC LIMIT $2`, user, limit)
}

// RevokeOtherSessions implements account.Tx.
func (tx Tx) RevokeOtherSessions(user rooms.UserID, but rooms.SessionID, now time.Time) ([]rooms.SessionID, error) {
	ended, err := engine.Collect(context.Background(), tx, scanSessionID,
		`UPDATE sessions SET revoked_at = $3 WHERE user_id = $1 AND id <> $2 AND revoked_at = 0 RETURNING id`, user, but, engine.Micros(now))
	return tx.sessionsEnded(ended, err)
}

// SessionUsedAt implements account.Tx.
func (tx Tx) SessionUsedAt(id rooms.SessionID) (time.Time, error) {
	var used time.Time
	err := tx.Row(context.Background(), `SELECT asked_at FROM sessions WHERE id = $1 AND revoked_at = 0`, id).Scan((*engine.At)(&used))
	return used, engine.Found(err, "session")
}

// UseSession implements account.Tx.
func (tx Tx) UseSession(id rooms.SessionID, used time.Time) error {
	return tx.Exec(`UPDATE sessions SET asked_at = $2 WHERE id = $1 AND asked_at < $2`, id, engine.Micros(used))
}

// SessionExpiresAt implements account.Tx.
func (tx Tx) SessionExpiresAt(id rooms.SessionID) (time.Time, error) {
	var expires time.Time
	err := tx.Row(context.Background(), `SELECT expires_at FROM sessions WHERE id = $1 AND revoked_at = 0`, id).Scan((*engine.At)(&expires))
	return expires, engine.Found(err, "session")
}

// SessionProvedAt implements account.Tx.
func (tx Tx) SessionProvedAt(id rooms.SessionID) (time.Time, error) {
	var proved time.Time
	err := tx.Row(context.Background(), `SELECT proved_at FROM sessions WHERE id = $1 AND revoked_at = 0`, id).Scan((*engine.At)(&proved))
	return proved, engine.Found(err, "session")
}

// ProveSession implements account.Tx.
func (tx Tx) ProveSession(id rooms.SessionID, now time.Time) error {
	return tx.Exec(`UPDATE sessions SET proved_at = $2 WHERE id = $1`, id, engine.Micros(now))
}

// InsertRefreshToken implements account.Tx.
func (tx Tx) InsertRefreshToken(t account.RefreshToken) error {
	return tx.Exec(`INSERT INTO refresh_tokens (hash, session_id, expires_at) VALUES ($1, $2, $3)`, t.Hash[:], t.SessionID, engine.Micros(t.ExpiresAt))
}

// RefreshToken implements account.Tx.
func (tx Tx) RefreshToken(hash [32]byte) (account.RefreshToken, error) {
	t := account.RefreshToken{Hash: hash}
	err := tx.Row(context.Background(), `SELECT session_id, expires_at, used_at FROM refresh_tokens WHERE hash = $1`, hash[:]).
		Scan(&t.SessionID, (*engine.At)(&t.ExpiresAt), (*engine.AtOrZero)(&t.UsedAt))
	return t, engine.Found(err, "refresh token")
}

// UseRefreshToken implements account.Tx.
func (tx Tx) UseRefreshToken(hash [32]byte, now time.Time) (account.RefreshToken, error) {
	t, err := tx.RefreshToken(hash)
	if err != nil {
		return t, err
	}
	return t, tx.Exec(`UPDATE refresh_tokens SET used_at = $2 WHERE hash = $1 AND used_at = 0`, hash[:], engine.Micros(now))
}

// SigningKeys implements account.Store.
func (s Store) SigningKeys(ctx context.Context) ([]account.SigningKey, error) {
	return engine.Collect(ctx, s.Reads(), func(r engine.Scanner) (account.SigningKey, error) {
		var k account.SigningKey
		return k, r.Scan(&k.ID, (*engine.At)(&k.SignsFrom), (*engine.AtOrZero)(&k.EndsAt))
	}, `SELECT id, signs_from, ends_at FROM signing_keys`)
}

// InsertSigningKey implements account.Tx.
func (tx Tx) InsertSigningKey(k account.SigningKey) error {
	return tx.Exec(`INSERT INTO signing_keys (id, signs_from, ends_at) VALUES ($1, $2, 0)`, k.ID, engine.Micros(k.SignsFrom))
}

// EndSigningKeys implements account.Tx.
func (tx Tx) EndSigningKeys(end, now time.Time) error {
	return engine.FirstOf(
		tx.Exec(`DELETE FROM signing_keys WHERE ends_at > 0 AND ends_at < $1`, engine.Micros(now)),
		tx.Exec(`UPDATE signing_keys SET ends_at = $1 WHERE ends_at = 0`, engine.Micros(end)),
	)
}

// InsertProviderSession implements account.Tx.
func (tx Tx) InsertProviderSession(p account.ProviderSession) error {
	return tx.Exec(`INSERT INTO provider_sessions (session_id, provider, issuer, subject, sid, id_token) VALUES ($1, $2, $3, $4, $5, $6)`,
		p.SessionID, p.Provider, p.Issuer, p.Subject, p.SID, p.IDToken)
}

// ProviderSession implements account.Store.
func (s Store) ProviderSession(ctx context.Context, id rooms.SessionID) (account.ProviderSession, error) {
	p := account.ProviderSession{SessionID: id}
	err := s.Reads().Row(ctx, `SELECT provider, issuer, subject, sid, id_token FROM provider_sessions WHERE session_id = $1`, id).
		Scan(&p.Provider, &p.Issuer, &p.Subject, &p.SID, &p.IDToken)
	return p, engine.Found(err, "session at a provider")
}

// ProviderSessions implements account.Tx.
func (tx Tx) ProviderSessions(issuer, subject, sid string) ([]rooms.SessionID, error) {
	return engine.Collect(context.Background(), tx, scanSessionID, `SELECT session_id FROM provider_sessions
		WHERE issuer = $1 AND ($2 = '' OR subject = $2) AND ($3 = '' OR sid = $3)`, issuer, subject, sid)
}
