package consultation

import (
	"context"
	"database/sql"
	"time"

	"wenzhen/rooms"
	"wenzhen/rooms/consultation"
	"wenzhen/rooms/store/engine"
)

// Participant implements consultation.Store.
func (s Store) Participant(ctx context.Context, id consultation.ID, user rooms.UserID) (consultation.Participant, error) {
	return ParticipantOf(ctx, s.Reads(), id, user)
}

// Former implements consultation.Store.
func (s Store) Former(ctx context.Context, id consultation.ID, after rooms.Seq) ([]consultation.Former, error) {
	return engine.Collect(ctx, s.Reads(), func(row engine.Scanner) (consultation.Former, error) {
		var f consultation.Former
		return f, row.Scan(&f.UserID, &f.Name, &f.Role, (*engine.At)(&f.JoinedAt), (*engine.At)(&f.LeftAt), &f.LeftSeq)
	}, `SELECT user_id, name, role, joined_at, left_at, left_seq FROM former_participants WHERE consultation_id = $1 AND left_seq > $2 ORDER BY left_seq`, id, after)
}

// EnterParticipant implements consultation.Tx.
func (tx Tx) EnterParticipant(id consultation.ID, user rooms.UserID, at time.Time) error {
	return tx.Exec(`UPDATE participants SET expected = 0, joined_at = $3 WHERE consultation_id = $1 AND user_id = $2`, id, user, engine.Micros(at))
}

// RemoveExpected implements consultation.Tx.
func (tx Tx) RemoveExpected(id consultation.ID, user rooms.UserID) error {
	return tx.Exec(`DELETE FROM participants WHERE consultation_id = $1 AND user_id = $2 AND expected = 1`, id, user)
}

// InsertFormer implements consultation.Tx.
func (tx Tx) InsertFormer(id consultation.ID, f consultation.Former) error {
	return tx.Exec(`INSERT INTO former_participants (consultation_id, user_id, name, role, joined_at, left_at, left_seq) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (consultation_id, user_id) DO UPDATE SET name = excluded.name, role = excluded.role, joined_at = excluded.joined_at,
			left_at = excluded.left_at, left_seq = excluded.left_seq`,
		id, f.UserID, f.Name, f.Role, engine.Micros(f.JoinedAt), engine.Micros(f.LeftAt), f.LeftSeq)
}

const invitationRow = `SELECT id, consultation_id, status, role, invitee, user_id, by_address, by_id, by_name, by_role, history, created_at, answered_at FROM invitations`

func scanInvitation(s engine.Scanner) (consultation.Invitation, error) {
	var v consultation.Invitation
	var user sql.NullString
	err := s.Scan(&v.ID, &v.ConsultationID, &v.Status, &v.Role, engine.Unseal("invitations.invitee", &v.ID, &v.Invitee), &user, &v.ByAddress,
		&v.ByID, &v.ByName, &v.ByRole, &v.History, (*engine.At)(&v.CreatedAt), engine.AtOrNil(&v.AnsweredAt))
	v.UserID = rooms.UserID(user.String)
	return v, engine.Found(err, "invitation")
}

func invitations(ctx context.Context, q engine.Querier, id consultation.ID) ([]consultation.Invitation, error) {
	return engine.Collect(ctx, q, scanInvitation, invitationRow+` WHERE consultation_id = $1 ORDER BY created_at, id`, id)
}

// Invitations implements consultation.Store.
func (s Store) Invitations(ctx context.Context, id consultation.ID) ([]consultation.Invitation, error) {
	return invitations(ctx, s.Reads(), id)
}

// Invitations implements consultation.Tx.
func (tx Tx) Invitations(id consultation.ID) ([]consultation.Invitation, error) {
	return invitations(context.Background(), tx, id)
}

// Invitation implements consultation.Tx.
func (tx Tx) Invitation(id consultation.InvitationID) (consultation.Invitation, error) {
	return scanInvitation(tx.Row(context.Background(), invitationRow+` WHERE id = $1`, id))
}

// InsertInvitation implements consultation.Tx.
func (tx Tx) InsertInvitation(v consultation.Invitation) error {
	return tx.Exec(`INSERT INTO invitations (id, consultation_id, status, role, invitee, user_id, by_address, by_id, by_name, by_role, history, created_at, answered_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`,
		v.ID, v.ConsultationID, v.Status, v.Role, engine.Seal(tx, "invitations.invitee", v.ID, v.Invitee), userOrNull(v.UserID), v.ByAddress,
		v.ByID, v.ByName, v.ByRole, v.History, engine.Micros(v.CreatedAt), engine.MicrosOrNull(v.AnsweredAt))
}

// SaveInvitation implements consultation.Tx.
func (tx Tx) SaveInvitation(v consultation.Invitation) error {
	return tx.Exec(`UPDATE invitations SET status = $2, user_id = $3, history = $4, answered_at = $5 WHERE id = $1`,
		v.ID, v.Status, userOrNull(v.UserID), v.History, engine.MicrosOrNull(v.AnsweredAt))
}

func userOrNull(id rooms.UserID) any {
	if id == "" {
		return nil
	}
	return id
}
