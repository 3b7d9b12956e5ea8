package board

import (
	"encoding/json"
	"math"
	"time"
	"unicode/utf8"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/consultation"
)

// The board is Width by Height units, whatever the screen that shows it.
const (
	Width  = 1600
	Height = 1200
)

// Bounds of what one stroke, and one board, may have.
const (
	pointsMost  = 5000
	charsMost   = 500
	strokesMost = 20_000
	liveMost    = 500 // points in one signal
)

// StrokeID names a stroke. The client makes it (UUIDv7), so that it can resend it.
type StrokeID string

// Tool is what a stroke was drawn with.
type Tool string

// The tools. A shape has two points: its corners, or its ends.
const (
	Pen       Tool = "pen"
	Eraser    Tool = "eraser"
	Line      Tool = "line"
	Arrow     Tool = "arrow"
	Rectangle Tool = "rectangle"
	Ellipse   Tool = "ellipse"
	Label     Tool = "text"
)

// Stroke is one thing drawn.
type Stroke struct {
	ID       StrokeID     `json:"id"`
	AuthorID rooms.UserID `json:"authorId"`
	// Seq is that of the board:committed that announced it: its place in the picture.
	Seq    rooms.Seq `json:"seq"`
	Tool   Tool      `json:"tool"`
	Colour string    `json:"colour"` // #rrggbb
	Width  float64   `json:"width"`  // in units; of a text, the height of its letters
	// Points are x, y, pressure, x, y, pressure … in units and from 0 to 1.
	Points    []float64 `json:"points"`
	Text      string    `json:"text,omitempty"`
	CreatedAt time.Time `json:"createdAt"`
}

// Validate implements rooms.Validator for what a client draws.
func (s Stroke) validate() error {
	switch {
	case s.Tool != Label && s.Text != "":
		return rooms.Invalid("text", "only a text has text")
	}
	if err := validPoints(s.Points, pointsMost); err != nil {
		return err
	}
	n := len(s.Points) / 3
	switch s.Tool {
	case Pen, Eraser:
		if n < 1 {
			return rooms.Invalid("points", "a stroke has at least one point")
		}
	case Line, Arrow, Rectangle, Ellipse:
		if n != 2 {
			return rooms.Invalid("points", "a shape has two points")
		}
	case Label:
		if n != 1 {
			return rooms.Invalid("points", "a text has one point")
		}
		if c := utf8.RuneCountInString(s.Text); c < 1 || c > charsMost {
			return rooms.Invalid("text", "a text has 1 to %d characters", charsMost)
		}
	default:
		return rooms.Invalid("tool", "tool must be pen, eraser, line, arrow, rectangle, ellipse or text")
	}
	return nil
}

// validPoints judges x, y, pressure, x, y, pressure …
func validPoints(points []float64, most int) error {
	switch {
	case len(points)%3 != 0:
		return rooms.Invalid("points", "points are x, y, pressure, x, y, pressure …")
	case len(points) > 3*most:
		return rooms.TooLarge("points", "at most %d points", most)
	}
	for i, v := range points {
		switch {
		case math.IsNaN(v) || i%3 == 2 && (v < 0 || v > 1):
			return rooms.Invalid("points", "pressure must be 0 to 1")
		case i%3 != 2 && (v < -Width || v > 2*Width):
			return rooms.Invalid("points", "a point is far off the board")
		}
	}
	return nil
}

// same reports whether two strokes are the same drawing.
func (s Stroke) same(o Stroke) bool {
	s.Seq, s.CreatedAt, o.Seq, o.CreatedAt = 0, time.Time{}, 0, time.Time{}
	a, err1 := json.Marshal(s)
	b, err2 := json.Marshal(o)
	return err1 == nil && err2 == nil && string(a) == string(b)
}

// Background is the picture under the strokes.
type Background struct {
	ConsultationID consultation.ID `json:"consultationId"`
	// AttachmentID names a picture of the consultation; "" is blank.
	AttachmentID string `json:"attachmentId"`
}
