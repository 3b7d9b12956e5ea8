// Package board keeps whiteboards.
package board

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"strconv"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/board"
	"wenzhen.example/rooms/consultation"
	consultationstore "wenzhen.example/rooms/store/consultation"
	"wenzhen.example/rooms/store/engine"
)

// Encrypted are the columns that are encrypted at rest.
var Encrypted = []engine.EncryptedTable{
	{Name: "board_strokes", Key: []string{"consultation_id", "seq"}, Columns: []string{"stroke"}},
}

// Tx implements board.Tx.
type Tx struct{ consultationstore.Tx }

// In is Tx in a transaction of the database.
func In(tx *engine.Tx) Tx { return Tx{consultationstore.In(tx)} }

// Store implements board.Store.
type Store struct{ *engine.DB }

// InTx implements board.Store.
func (s Store) InTx(ctx context.Context, f func(board.Tx) error) error {
	return s.DB.InTx(ctx, func(tx *engine.Tx) error { return f(In(tx)) })
}

// Speaker implements board.Store.
func (s Store) Speaker(ctx context.Context, id consultation.ID, user rooms.UserID) (consultation.Speaker, error) {
	return consultationstore.SpeakerOf(ctx, s.Reads(), id, user)
}

func scanStroke(s engine.Scanner) (board.Stroke, error) {
	var v board.Stroke
	var id consultation.ID
	var seq rooms.Seq
	var text string
	if err := s.Scan(&id, &seq, engine.DecryptAt(func() string { return strokePlace(id, seq) }, &text)); err != nil {
		return v, engine.Found(err, "stroke")
	}
	return v, json.Unmarshal([]byte(text), &v)
}

// Board implements board.Store. The seq is read first: a stroke that is drawn
// in between is in the answer and in a later event, and clients drop the second
// by its id.
func (s Store) Board(ctx context.Context, id consultation.ID, since rooms.Seq) (board.Board, error) {
	b := board.Board{Strokes: []board.Stroke{}}
	var err error
	if b.LastSeq, err = engine.LastSeq(ctx, s.Reads(), id.Room()); err != nil {
		return b, err
	}
	err = s.Reads().Row(ctx, `SELECT attachment_id FROM boards WHERE consultation_id = $1
		AND (CAST($2 AS BIGINT) = 0 OR attachment_seq > $2)`, id, since).Scan(&b.AttachmentID)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return b, err
	}
	strokes, err := engine.Collect(ctx, s.Reads(), scanStroke, `SELECT consultation_id, seq, stroke FROM board_strokes WHERE consultation_id = $1 AND gone = 0 AND seq > $2 ORDER BY seq`, id, since)
	if strokes != nil {
		b.Strokes = strokes
	}
	return b, err
}

// Stroke implements board.Tx.
func (tx Tx) Stroke(id consultation.ID, stroke board.StrokeID) (board.Stroke, error) {
	return scanStroke(tx.Row(context.Background(), `SELECT consultation_id, seq, stroke FROM board_strokes WHERE consultation_id = $1 AND id = $2`, id, stroke))
}

// InsertStroke implements board.Tx.
func (tx Tx) InsertStroke(id consultation.ID, v board.Stroke) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return engine.FirstOf(
		tx.Insert("board_strokes",
			engine.Set("consultation_id", id),
			engine.Set("seq", v.Seq),
			engine.Set("id", v.ID),
			engine.Set("author_id", v.AuthorID),
			engine.Set("stroke", tx.Keys().Encrypt(strokePlace(id, v.Seq), string(text)))),
		tx.Exec(`INSERT INTO boards (consultation_id, strokes, attachment_id) VALUES ($1, 1, '')
			ON CONFLICT (consultation_id) DO UPDATE SET strokes = boards.strokes + 1`, id))
}

// LatestStroke implements board.Tx.
func (tx Tx) LatestStroke(id consultation.ID, author rooms.UserID) (board.Stroke, error) {
	return scanStroke(tx.Row(context.Background(), `SELECT consultation_id, seq, stroke FROM board_strokes
		WHERE consultation_id = $1 AND author_id = $2 AND gone = 0 ORDER BY seq DESC LIMIT 1`, id, author))
}

// CountStrokes implements board.Tx.
func (tx Tx) CountStrokes(id consultation.ID) (int, error) {
	var n int
	err := tx.Row(context.Background(), `SELECT strokes FROM boards WHERE consultation_id = $1`, id).Scan(&n)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return n, err
}

// RemoveStroke implements board.Tx.
func (tx Tx) RemoveStroke(id consultation.ID, stroke board.StrokeID) error {
	return engine.FirstOf(
		tx.Exec(`UPDATE board_strokes SET gone = 1 WHERE consultation_id = $1 AND id = $2`, id, stroke),
		tx.Exec(`UPDATE boards SET strokes = strokes - 1 WHERE consultation_id = $1`, id))
}

// ClearBoard implements board.Tx.
func (tx Tx) ClearBoard(id consultation.ID) error {
	return engine.FirstOf(
		tx.Exec(`UPDATE board_strokes SET gone = 1 WHERE consultation_id = $1 AND gone = 0`, id),
		tx.Exec(`UPDATE boards SET strokes = 0 WHERE consultation_id = $1`, id))
}

// SetBackground implements board.Tx.
func (tx Tx) SetBackground(id consultation.ID, attachment string, seq rooms.Seq) error {
	return tx.Exec(`INSERT INTO boards (consultation_id, strokes, attachment_id, attachment_seq) VALUES ($1, 0, $2, $3)
		ON CONFLICT (consultation_id) DO UPDATE SET attachment_id = excluded.attachment_id, attachment_seq = excluded.attachment_seq`, id, attachment, seq)
}

// IsPicture implements board.Tx.
func (tx Tx) IsPicture(id consultation.ID, attachment string, user rooms.UserID, since rooms.Seq) (is bool, err error) {
	err = tx.Row(context.Background(), `SELECT EXISTS (SELECT 1 FROM attachments a WHERE a.consultation_id = $1 AND a.id = $2 AND a.kind = 'image'
		AND (CAST($4 AS BIGINT) = 0 OR a.uploader_id = $3 OR EXISTS (SELECT 1 FROM log l WHERE l.attachment_id = a.id AND l.seq > $4)))`, id, attachment, user, since).Scan(&is)
	return is, err
}

func strokePlace(id consultation.ID, seq rooms.Seq) string {
	return "board_strokes.stroke/" + string(id) + "/" + strconv.FormatInt(int64(seq), 10)
}
