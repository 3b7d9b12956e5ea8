package consultation

import (
	"context"
	"database/sql"
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/consultation"
	"wenzhen.example/rooms/store/engine"
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

// SecondDoctorIn implements consultation.Tx.
func (tx Tx) SecondDoctorIn(user rooms.UserID) ([]consultation.ID, error) {
	return engine.Collect(context.Background(), tx, func(row engine.Scanner) (id consultation.ID, err error) { return id, row.Scan(&id) },
		`SELECT consultation_id FROM participants WHERE user_id = $1 AND role = 'second_doctor' ORDER BY consultation_id`, user)
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

// storedInvitation is an invitation as its columns have it.
type storedInvitation struct {
	consultation.Invitation
	user sql.NullString
}

type invitationColumn = engine.Column[storedInvitation]

var invitationRow = engine.RowOf(
	invitationColumn{Name: "id", To: func(v *storedInvitation) any { return &v.ID }},
	invitationColumn{Name: "consultation_id", To: func(v *storedInvitation) any { return &v.ConsultationID }},
	invitationColumn{Name: "status", To: func(v *storedInvitation) any { return &v.Status }},
	invitationColumn{Name: "role", To: func(v *storedInvitation) any { return &v.Role }},
	invitationColumn{Name: "invitee", To: func(v *storedInvitation) any {
		return engine.DecryptColumn("invitations.invitee", &v.ID, &v.Invitee)
	}},
	invitationColumn{Name: "user_id", To: func(v *storedInvitation) any { return &v.user }},
	invitationColumn{Name: "by_address", To: func(v *storedInvitation) any { return &v.ByAddress }},
	invitationColumn{Name: "by_id", To: func(v *storedInvitation) any { return &v.ByID }},
	invitationColumn{Name: "by_name", To: func(v *storedInvitation) any { return &v.ByName }},
	invitationColumn{Name: "by_role", To: func(v *storedInvitation) any { return &v.ByRole }},
	invitationColumn{Name: "history", To: func(v *storedInvitation) any { return &v.History }},
	invitationColumn{Name: "created_at", To: func(v *storedInvitation) any { return (*engine.At)(&v.CreatedAt) }},
	invitationColumn{Name: "answered_at", To: func(v *storedInvitation) any { return engine.AtOrNil(&v.AnsweredAt) }},
)

var invitationsFrom = `SELECT ` + invitationRow.Columns("") + ` FROM invitations`

func scanInvitation(s engine.Scanner) (consultation.Invitation, error) {
	var v storedInvitation
	err := invitationRow.Scan(s, &v)
	v.UserID = rooms.UserID(v.user.String)
	return v.Invitation, engine.Found(err, "invitation")
}

func invitations(ctx context.Context, q engine.Querier, id consultation.ID) ([]consultation.Invitation, error) {
	return engine.Collect(ctx, q, scanInvitation, invitationsFrom+` WHERE consultation_id = $1 ORDER BY created_at, id`, id)
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
	return scanInvitation(tx.Row(context.Background(), invitationsFrom+` WHERE id = $1`, id))
}

// InsertInvitation implements consultation.Tx.
func (tx Tx) InsertInvitation(v consultation.Invitation) error {
	return tx.Insert("invitations",
		engine.Set("id", v.ID),
		engine.Set("consultation_id", v.ConsultationID),
		engine.Set("status", v.Status),
		engine.Set("role", v.Role),
		engine.Set("invitee", engine.EncryptColumn(tx, "invitations.invitee", v.ID, v.Invitee)),
		engine.Set("user_id", userOrNull(v.UserID)),
		engine.Set("by_address", v.ByAddress),
		engine.Set("by_id", v.ByID),
		engine.Set("by_name", v.ByName),
		engine.Set("by_role", v.ByRole),
		engine.Set("history", v.History),
		engine.Set("created_at", engine.Micros(v.CreatedAt)),
		engine.Set("answered_at", engine.MicrosOrNull(v.AnsweredAt)),
	)
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
