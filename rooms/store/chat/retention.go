package chat

import (
	"context"
	"slices"
	"time"

	"wenzhen.example/rooms/chat"
	"wenzhen.example/rooms/consultation"
	"wenzhen.example/rooms/store/engine"
)

// personalKinds are the messages that people say, as chat knows them.
var personalKinds = []chat.Kind{chat.Text, chat.Image, chat.File, chat.Audio}

// Outlived implements chat.Tx.
func (tx Tx) Outlived(before time.Time, limit int) ([]consultation.ID, error) {
	return engine.Collect(context.Background(), tx, func(s engine.Scanner) (id consultation.ID, err error) { return id, s.Scan(&id) }, `SELECT c.id FROM consultations c
		WHERE c.status IN ('closed', 'cancelled', 'declined', 'expired', 'terminated') AND coalesce(c.ended_at, c.updated_at) < $1
			AND NOT EXISTS (SELECT 1 FROM purges g WHERE g.consultation_id = c.id)
			AND NOT EXISTS (SELECT 1 FROM legal_holds h JOIN participants p ON p.user_id = h.user_id WHERE p.consultation_id = c.id)
		ORDER BY c.id LIMIT $2`, engine.Micros(before), limit)
}

// PersonalMessages implements chat.Tx.
func (tx Tx) PersonalMessages(id consultation.ID) ([]chat.Message, error) {
	all, err := engine.Collect(context.Background(), tx, scanMessage, messageRow+`WHERE r.id = $1 AND l.message IS NOT NULL ORDER BY l.seq`, id.Room())
	return slices.DeleteFunc(all, func(m chat.Message) bool { return !slices.Contains(personalKinds, m.Kind) }), err
}

// EraseMessage implements chat.Tx.
func (tx Tx) EraseMessage(left chat.Message) error {
	return tx.replace(left, `recalled = NULL, attachment_id = NULL`)
}

// Purge implements chat.Tx.
func (tx Tx) Purge(id consultation.ID, at time.Time) ([]string, error) {
	sums, err := engine.Collect(context.Background(), tx, func(s engine.Scanner) (sum string, err error) { return sum, s.Scan(&sum) }, `SELECT sum FROM (
			SELECT sha256 AS sum FROM attachments WHERE consultation_id = $1 UNION SELECT thumbnail_sha256 FROM attachments WHERE consultation_id = $1 AND thumbnail_sha256 <> '') own
		WHERE NOT EXISTS (SELECT 1 FROM attachments a WHERE a.consultation_id <> $1 AND (a.sha256 = sum OR a.thumbnail_sha256 = sum))`, id)
	if err != nil {
		return nil, err
	}
	if err := tx.DropWords(string(id)); err != nil {
		return nil, err
	}
	for _, statement := range []string{
		`DELETE FROM board_strokes WHERE consultation_id = $1`,
		`DELETE FROM boards WHERE consultation_id = $1`,
		`UPDATE log SET data = '{}' WHERE room = ` + engine.RoomNum("'consultation:' || $1") + ` AND name LIKE 'board:%'`,
		`DELETE FROM attachments WHERE consultation_id = $1`,
	} {
		if err := tx.Exec(statement, id); err != nil {
			return nil, err
		}
	}
	return sums, tx.Exec(`INSERT INTO purges (consultation_id, at) VALUES ($1, $2) ON CONFLICT (consultation_id) DO NOTHING`, id, engine.Micros(at))
}
