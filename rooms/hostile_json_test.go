//go:build unix

package rooms_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/roomstest/cost"
)

// An input of 1 MB, which is the most that a body or a packet may have, takes no
// more than an upload may, whatever is in it.
func TestHostileJSON(t *testing.T) {
	type input struct {
		Text string   `json:"text" limit:"..10000"`
		List []string `json:"list" limit:"..10"`
	}
	command := rooms.Command[input, rooms.Nothing]{Name: "test:hostile", For: rooms.Anyone}
	catalogue := rooms.NewCatalogue(rooms.CatalogueOptions{}, []rooms.Handler{command.Bind(func(context.Context, rooms.Actor, input) (rooms.Nothing, error) {
		return rooms.Nothing{}, nil
	})})
	var names strings.Builder
	for n := 0; names.Len() < 990_000; n++ {
		fmt.Fprintf(&names, `"k%d":1,`, n)
	}
	for name, c := range map[string]struct {
		raw  string
		want rooms.Code
	}{
		"deep lists":              {`{"list":` + strings.Repeat("[", 1_000_000), rooms.CodeInvalid},
		"deep objects, elsewhere": {`{"z":` + strings.Repeat(`{"a":`, 150_000) + "1" + strings.Repeat("}", 150_001), rooms.CodeInvalid},
		"many names":              {"{" + names.String() + `"z":1}`, ""},
		"one name often":          {"{" + strings.Repeat(`"text":"",`, 100_000) + `"text":""}`, rooms.CodeInvalid},
		"a long list":             {`{"list":["` + strings.Repeat(`","`, 330_000) + `"]}`, rooms.CodeTooLarge},
		"escaped zeros":           {`{"text":"` + strings.Repeat(`\u0000`, 160_000) + `"}`, rooms.CodeInvalid},
		"a long number":           {`{"text":` + strings.Repeat("9", 999_000) + `}`, rooms.CodeInvalid},
		"a long text":             {`{"text":"` + strings.Repeat("x", 999_000) + `"}`, rooms.CodeTooLarge},
	} {
		var err error
		cost.Bounded(t, name, func() { _, err = catalogue.Answer(t.Context(), rooms.Actor{}, command.Name, []byte(c.raw)) })
		if code := rooms.CodeOf(err); code != c.want {
			t.Errorf("%s: %q, want %q", name, code, c.want)
		}
	}
}
