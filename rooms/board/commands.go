package board

import (
	"wenzhen.example/rooms"
	"wenzhen.example/rooms/consultation"
)

// The commands of the whiteboard.
var (
	Read = rooms.Command[BoardRef, Board]{Name: "board:read", Namespace: rooms.Consultations, For: rooms.Users,
		Access: rooms.Participants,
		Rate:   rooms.Rate{PerSecond: 2, Burst: 30},
		Doc:    "Read the whiteboard as of a seq of the room; later events change it."}
	Commit = rooms.Command[CommitInput, Stroke]{Name: "board:commit", Namespace: rooms.Consultations, For: rooms.Users,
		Access: rooms.Participants,
		Rate:   rooms.Rate{PerSecond: 20, Burst: 200},
		Doc:    "Add a finished stroke to the board. Sending the same id and drawing again returns the first result."}
	Undo = rooms.Command[BoardRef, Undone]{Name: "board:undo", Namespace: rooms.Consultations, For: rooms.Users,
		Access: rooms.Participants,
		Doc:    "Remove the caller's latest stroke from the board."}
	Clear = rooms.Command[BoardRef, Cleared]{Name: "board:clear", Namespace: rooms.Consultations, For: rooms.Users,
		Access: rooms.Participants,
		Doc:    "Remove all strokes from the board; the background stays."}
	SetBackground = rooms.Command[Background, Background]{Name: "board:background", Namespace: rooms.Consultations, For: rooms.Users,
		Access: rooms.Participants,
		Doc:    "Set or remove the background of the board, a picture of the consultation."}
	Sketch = rooms.Command[SketchInput, rooms.Nothing]{Name: "board:stroke", Namespace: rooms.Consultations, For: rooms.Users,
		Access: rooms.Participants,
		Rate:   rooms.Rate{PerSecond: 30, Burst: 100},
		Doc:    "Show the other participants the caller's pointer and unfinished stroke. It is not stored."}
)

// What happens on the whiteboard.
var (
	StrokeCommitted = rooms.EventType[Stroke]{Name: "board:committed", Doc: "A participant added a stroke."}
	StrokeUndone    = rooms.EventType[Undone]{Name: "board:undone", Doc: "A participant removed their latest stroke."}
	BoardCleared    = rooms.EventType[Cleared]{Name: "board:cleared", Doc: "A participant cleared the board: strokes with " +
		"a smaller seq are removed."}
	BackgroundChanged = rooms.EventType[Background]{Name: "board:background-changed", Doc: "The background was set or removed."}

	Sketched = rooms.SignalType[Sketching]{Name: "board:stroke", Doc: "A participant's pointer and unfinished stroke."}
)

// BoardRef names the whiteboard of a consultation.
type BoardRef struct {
	ConsultationID consultation.ID `json:"consultationId"`
}

// Board is the whiteboard as of LastSeq.
type Board struct {
	Strokes      []Stroke  `json:"strokes"` // in the order in which they are drawn
	AttachmentID string    `json:"attachmentId"`
	LastSeq      rooms.Seq `json:"lastSeq"`
}

// CommitInput is a finished stroke.
type CommitInput struct {
	ConsultationID consultation.ID `json:"consultationId"`
	ID             StrokeID        `json:"id" limit:"id"`
	Tool           Tool            `json:"tool"`
	Colour         string          `json:"colour" pattern:"^#[0-9a-f]{6}$"`
	Width          float64         `json:"width" limit:"0.5..200"`
	Points         []float64       `json:"points"`
	Text           string          `json:"text,omitempty"`
}

// Validate implements rooms.Validator.
func (in CommitInput) Validate() error {
	if in.ConsultationID == "" {
		return rooms.Invalid("consultationId", "consultationId is missing")
	}
	return in.stroke().validate()
}

func (in CommitInput) stroke() Stroke {
	return Stroke{ID: in.ID, Tool: in.Tool, Colour: in.Colour, Width: in.Width, Points: in.Points, Text: in.Text}
}

// Undone is a stroke that was taken back; StrokeID is "" where there was none.
type Undone struct {
	ConsultationID consultation.ID `json:"consultationId"`
	StrokeID       StrokeID        `json:"strokeId"`
}

// Cleared says since when the board is empty.
type Cleared struct {
	ConsultationID consultation.ID `json:"consultationId"`
	Seq            rooms.Seq       `json:"seq"`
}

// SketchInput is a piece of a stroke in the making: its points from place From
// on. X and Y are where one points; without a StrokeID that is all.
type SketchInput struct {
	ConsultationID consultation.ID `json:"consultationId"`
	X              float64         `json:"x"`
	Y              float64         `json:"y"`
	StrokeID       StrokeID        `json:"strokeId,omitempty" limit:"id"`
	Tool           Tool            `json:"tool,omitempty"`
	Colour         string          `json:"colour,omitempty" pattern:"^#[0-9a-f]{6}$"`
	Width          float64         `json:"width,omitempty" limit:"0.5..200"`
	From           int             `json:"from,omitempty"` // counted in points
	Points         []float64       `json:"points,omitempty"`
}

// Validate implements rooms.Validator.
func (in SketchInput) Validate() error {
	switch {
	case in.ConsultationID == "":
		return rooms.Invalid("consultationId", "consultationId is missing")
	case in.StrokeID == "":
		return validPoints([]float64{in.X, in.Y, 0}, 1)
	case in.From < 0 || in.From > pointsMost:
		return rooms.Invalid("from", "from must be 0 to %d", pointsMost)
	case in.Colour == "" || in.Width == 0:
		return rooms.Invalid("strokeId", "a stroke in the making has an id, a colour and a width, as a finished one")
	}
	return validPoints(in.Points, liveMost)
}

// Sketching is what someone draws and where they point.
type Sketching struct {
	SketchInput
	UserID rooms.UserID `json:"userId"`
}
