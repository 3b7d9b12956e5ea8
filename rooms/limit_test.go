package rooms

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"
)

type drawn struct {
	Colour string  `json:"colour" pattern:"^#[0-9a-f]{6}$"`
	Width  float64 `json:"width" limit:"0.5..200"`
}

type bounded struct {
	ID     string   `json:"id,omitempty" limit:"id"`
	Text   string   `json:"text" limit:"..3"`
	Name   *string  `json:"name,omitempty" limit:"1..4"`
	Words  []string `json:"words" limit:"1..2"`
	Days   int64    `json:"days,omitempty" limit:"1..365"`
	Least  int      `json:"least" limit:"0.."`
	Shapes []drawn  `json:"shapes,omitempty"`

	From  time.Time  `json:"from"`
	Until *time.Time `json:"until,omitempty"`
}

// The limits in the tags of fields are enforced before a command is executed.
func TestLimits(t *testing.T) {
	t.Parallel()
	command := Command[bounded, Nothing]{Name: "test:limits", For: Anyone}
	catalogue := NewCatalogue(CatalogueOptions{},
		[]Handler{command.Bind(func(context.Context, Actor, bounded) (Nothing, error) { return Nothing{}, nil })})
	for in, want := range map[string]struct {
		code  Code
		field string
	}{
		`{"words":["a"]}`: {},
		`{"id":"x","text":"äöü","name":" b ","words":["a","b"],"days":365,"shapes":[{"colour":"#00ff00","width":0.5}]}`: {},
		`{"words":["a"],"from":"2199-12-31T23:59:59Z","until":"0001-01-01T00:00:00Z"}`:                                  {},
		`{"words":["a"],"from":"2199-12-31T23:59:59-00:01"}`:                                                            {CodeInvalid, "from"}, // a minute later in UTC
		`{"words":["a"],"from":"2999-12-31T00:00:00Z"}`:                                                                 {CodeInvalid, "from"},
		`{"words":["a"],"until":"0001-01-01T00:00:00+23:59"}`:                                                           {CodeInvalid, "until"},
		`{"words":["a"],"days":0}`:                                                                                      {}, // as if it were left out
		`{"words":["a"],"id":"with blank"}`:                                                                             {CodeInvalid, "id"},
		`{"words":["a"],"text":"four"}`:                                                                                 {CodeTooLarge, "text"},
		`{"words":["a"],"name":""}`:                                                                                     {CodeInvalid, "name"},
		`{"words":["a"],"name":"   "}`:                                                                                  {CodeInvalid, "name"},
		`{"words":["a"],"name":"fives"}`:                                                                                {CodeInvalid, "name"},
		`{}`:                                                                                                            {CodeInvalid, "words"},
		`{"words":["a","b","c"]}`:                                                                                       {CodeTooLarge, "words"},
		`{"words":["a"],"days":366}`:                                                                                    {CodeInvalid, "days"},
		`{"words":["a"],"least":-1}`:                                                                                    {CodeInvalid, "least"},
		`{"words":["a"],"shapes":[{"colour":"#00ff00","width":201}]}`:                                                   {CodeInvalid, "shapes[0].width"},
		`{"words":["a"],"shapes":[{"colour":"red","width":1}]}`:                                                         {CodeInvalid, "shapes[0].colour"},
	} {
		_, err := catalogue.Answer(t.Context(), Actor{}, command.Name, json.RawMessage(in))
		var e *Error
		if !errors.As(err, &e) {
			e = &Error{}
		}
		if e.Code != want.code || e.Field != want.field {
			t.Errorf("%s: %v, want %q on %q", in, err, want.code, want.field)
		}
	}
	if most := MostOf[bounded]("Text"); most != 3 {
		t.Errorf("the most of text is %d", most)
	}
}
