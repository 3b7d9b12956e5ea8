package board

import (
	"context"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/consultation"
)

// Store is what the whiteboard needs remembered. A thing that is not there is
// an *rooms.Error of code not_found.
type Store interface {
	rooms.Transactions[Tx]

	Speaker(ctx context.Context, id consultation.ID, user rooms.UserID) (consultation.Speaker, error)
	// Board is the strokes that are neither undone nor cleared and came after
	// since, by seq, and as of which seq of the room.
	Board(ctx context.Context, id consultation.ID, since rooms.Seq) (Board, error)
}

// Tx is a transaction over the whiteboard and the consultation that it is in.
type Tx interface {
	consultation.Tx
	Speaker(id consultation.ID, user rooms.UserID) (consultation.Speaker, error)
	// Stroke is one that was ever drawn on the board, undone or not.
	Stroke(consultation.ID, StrokeID) (Stroke, error)
	InsertStroke(consultation.ID, Stroke) error
	// LatestStroke is the latest of an author's that is on the board.
	LatestStroke(id consultation.ID, author rooms.UserID) (Stroke, error)
	// CountStrokes counts those on the board.
	CountStrokes(consultation.ID) (int, error)
	RemoveStroke(consultation.ID, StrokeID) error
	ClearBoard(consultation.ID) error
	SetBackground(id consultation.ID, attachment string, seq rooms.Seq) error
	// IsPicture reports whether attachment is a picture of the consultation that
	// user uploaded or that was sent after since.
	IsPicture(id consultation.ID, attachment string, user rooms.UserID, since rooms.Seq) (bool, error)
}
