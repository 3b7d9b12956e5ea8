package board_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"wenzhen.example/rooms"
	. "wenzhen.example/rooms/board"
	"wenzhen.example/rooms/consultation"
	"wenzhen.example/rooms/roomstest"
)

func pair(t *testing.T) (w *roomstest.World, bo, wang *roomstest.Person, id consultation.ID) {
	w = roomstest.New(t)
	bo, wang = w.Patient("bo"), w.Doctor("wang")
	id = bo.Consults(wang, "headache")
	wang.Accepts(id)
	return w, bo, wang, id
}

func pen(id consultation.ID, stroke string) CommitInput {
	return CommitInput{ConsultationID: id, ID: StrokeID(stroke), Tool: Pen, Colour: "#1d6b62", Width: 4, Points: []float64{1, 2, 0.5, 3, 4, 0.5}}
}

func ids(b Board) string {
	var list []string
	for _, s := range b.Strokes {
		list = append(list, string(s.ID))
	}
	return strings.Join(list, " ")
}

func TestDrawingAndUndoing(t *testing.T) {
	t.Parallel()
	w, bo, wang, id := pair(t)
	on := func() string { return ids(roomstest.Must(wang, Read, BoardRef{ConsultationID: id})) }
	first := roomstest.Must(bo, Commit, pen(id, "a"))
	roomstest.Must(wang, Commit, pen(id, "b"))
	roomstest.Must(bo, Commit, pen(id, "c"))
	if again := roomstest.Must(bo, Commit, pen(id, "a")); !cmp.Equal(again, first) {
		t.Errorf("resent: %+v, want %+v", again, first)
	}
	if code := roomstest.Code(wang, Commit, pen(id, "a")); code != rooms.CodeConflict {
		t.Errorf("another's stroke: %q", code)
	}
	if got := on(); got != "a b c" {
		t.Fatalf("on the board: %s", got)
	}
	if u := roomstest.Must(bo, Undo, BoardRef{ConsultationID: id}); u.StrokeID != "c" {
		t.Errorf("undone: %+v", u)
	}
	roomstest.Must(bo, Undo, BoardRef{ConsultationID: id})
	if u := roomstest.Must(bo, Undo, BoardRef{ConsultationID: id}); u.StrokeID != "" {
		t.Errorf("bo undoes %q", u.StrokeID)
	}
	if again := roomstest.Must(bo, Commit, pen(id, "a")); again.ID != "a" || on() != "b" {
		t.Errorf("an undone stroke that is sent again is back: %s", on())
	}
	w.Restarts(0)
	if got := on(); got != "b" {
		t.Errorf("after a restart: %s", got)
	}
	roomstest.Must(wang, Clear, BoardRef{ConsultationID: id})
	roomstest.Must(bo, Commit, pen(id, "d"))
	if u := roomstest.Must(wang, Undo, BoardRef{ConsultationID: id}); u.StrokeID != "" || on() != "d" {
		t.Errorf("undo reaches behind the clearing: %+v", u)
	}
}

func TestBadStrokes(t *testing.T) {
	t.Parallel()
	_, bo, wang, id := pair(t)
	for name, c := range map[string]struct {
		change func(*CommitInput)
		code   rooms.Code
		field  string
	}{
		"no id":           {func(in *CommitInput) { in.ID = "" }, rooms.CodeInvalid, "id"},
		"no such tool":    {func(in *CommitInput) { in.Tool = "brush" }, rooms.CodeInvalid, "tool"},
		"a colour's name": {func(in *CommitInput) { in.Colour = "red" }, rooms.CodeInvalid, "colour"},
		"no width":        {func(in *CommitInput) { in.Width = 0 }, rooms.CodeInvalid, "width"},
		"half a point":    {func(in *CommitInput) { in.Points = []float64{1, 2} }, rooms.CodeInvalid, "points"},
		"no point":        {func(in *CommitInput) { in.Points = nil }, rooms.CodeInvalid, "points"},
		"far away":        {func(in *CommitInput) { in.Points = []float64{1e9, 0, 1} }, rooms.CodeInvalid, "points"},
		"too hard":        {func(in *CommitInput) { in.Points = []float64{1, 0, 2} }, rooms.CodeInvalid, "points"},
		"endless":         {func(in *CommitInput) { in.Points = make([]float64, 3*5001) }, rooms.CodeTooLarge, "points"},
		"a short line":    {func(in *CommitInput) { in.Tool, in.Points = Line, []float64{1, 1, 1} }, rooms.CodeInvalid, "points"},
		"no words":        {func(in *CommitInput) { in.Tool, in.Points = Label, []float64{1, 1, 1} }, rooms.CodeInvalid, "text"},
		"a talking pen":   {func(in *CommitInput) { in.Text = "hello" }, rooms.CodeInvalid, "text"},
	} {
		in := pen(id, "x")
		c.change(&in)
		_, err := roomstest.Ask(bo.W, bo.As, Commit, in)
		if e, _ := err.(*rooms.Error); rooms.CodeOf(err) != c.code || e.Field != c.field {
			t.Errorf("%s: %v", name, err)
		}
	}
	if code := roomstest.Code(bo, SetBackground, Background{ConsultationID: id, AttachmentID: "nothing"}); code != rooms.CodeInvalid {
		t.Errorf("a background that is no picture: %q", code)
	}
	roomstest.Must(wang, consultation.End, consultation.EndInput{ConsultationID: id})
	if code := roomstest.Code(bo, Commit, pen(id, "late")); code != rooms.CodeConflict {
		t.Errorf("after the end: %q", code)
	}
	roomstest.Must(bo, Read, BoardRef{ConsultationID: id}) // still to be seen
}

func TestSketchesAreNotKept(t *testing.T) {
	t.Parallel()
	w, bo, _, id := pair(t)
	before := len(bo.Log(id))
	roomstest.Must(bo, Sketch, SketchInput{ConsultationID: id, X: 3, Y: 4, StrokeID: "s", Tool: Pen, Colour: "#000000", Width: 2, Points: []float64{3, 4, 1}})
	received := w.Signals(id.Room(), Sketched.Name)
	var s Sketching
	if len(received) != 1 || json.Unmarshal(received[0].Data, &s) != nil || s.UserID != bo.User.ID || s.StrokeID != "s" || s.X != 3 {
		t.Errorf("received %s", received)
	}
	if len(bo.Log(id)) != before {
		t.Error("a sketch is in the log")
	}
	if code := roomstest.Code(bo, Sketch, SketchInput{ConsultationID: id, StrokeID: "s", Colour: "#000000", Width: 2, Points: make([]float64, 3*501)}); code != rooms.CodeTooLarge {
		t.Errorf("a sketch without end: %q", code)
	}
}

// Whatever two authors do, the events say the same as the board: who applied
// them one by one has what a late joiner reads.
func TestEventsAddUpToTheBoard(t *testing.T) {
	t.Parallel()
	_, bo, wang, id := pair(t)
	random := rand.New(rand.NewPCG(1, 2))
	for i := range 150 {
		who := []*roomstest.Person{bo, wang}[random.IntN(2)]
		switch n := random.IntN(100); {
		case n < 65:
			roomstest.Must(who, Commit, pen(id, fmt.Sprint("s", i)))
		case n < 98:
			roomstest.Must(who, Undo, BoardRef{ConsultationID: id})
		default:
			roomstest.Must(who, Clear, BoardRef{ConsultationID: id})
		}
	}
	var on []StrokeID
	for _, e := range bo.Log(id) {
		switch e.Name {
		case StrokeCommitted.Name:
			var s Stroke
			if err := json.Unmarshal(e.Data, &s); err != nil || s.Seq != e.Seq {
				t.Fatalf("%v: %s", err, e.Data)
			}
			on = append(on, s.ID)
		case StrokeUndone.Name:
			var u Undone
			if err := json.Unmarshal(e.Data, &u); err != nil {
				t.Fatal(err)
			}
			for i, s := range on {
				if s == u.StrokeID {
					on = append(on[:i:i], on[i+1:]...)
					break
				}
			}
		case BoardCleared.Name:
			on = nil
		}
	}
	b := roomstest.Must(wang, Read, BoardRef{ConsultationID: id})
	if got, want := ids(b), strings.Trim(fmt.Sprint(on), "[]"); got != want {
		t.Errorf("the board has\n%s\nthe events say\n%s", got, want)
	}
}
