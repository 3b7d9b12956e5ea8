//go:build unix

package document_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"wenzhen.example/rooms/roomstest/cost"
	"wenzhen.example/rooms/roomstest/prove"
)

// costly are texts that take more to print than others of as many characters.
func costly() map[string]string {
	var mixed, rare strings.Builder
	for i := range 2500 {
		fmt.Fprintf(&mixed, "ي😀%c王", rune(0x20000+i*7))
	}
	for i := range 10_000 {
		rare.WriteRune(rune(0x4E00 + i*2))
	}
	return map[string]string{"scripts in turn": mixed.String(), "different characters": rare.String(), "directions in turn": "يx", "what no font has": "\uE000",
		"joined": "ي", "marks": "\u030c", "marks of two parts": "\u0344", "syllables": "\u1112\u1161\u11ab", "families": "👨\u200d", "stacks": "\u0f40\u0f90",
		"empty lines": "\n", "short lines": "x\n", "tabs": "\t", "spaces": " ", "words": "x "}
}

// However its fields are filled, up to their limits, which are 30,000 characters
// in all, a document is printed in 2 s and with 5 kB of memory for each, of which
// 20 MB are in use at a time.
func TestCostOfPrinting(t *testing.T) {
	const most, atOnce = 150_000_000, 20_000_000
	if _, err := printer.Print(t.Context(), printouts(func(string) string { return "x" })[0]); err != nil { // reads the fonts
		t.Fatal(err)
	}
	kinds := prove.Size(t, "kinds of documents with costly texts", 1, 3)
	for name, text := range costly() {
		limits := map[string]int{"text": 10_000, "advice": 10_000, "summary": 10_000, "note": 2000, "reason": 2000, "drug": 200, "strength": 100, "unit": 20, "quantity": 20,
			"itemnote": 500, "patient": 100, "doctor": 100, "title": 100, "department": 100, "by": 100, "warned": 200, "substance": 200}
		list := printouts(func(field string) string {
			return string([]rune(strings.Repeat(text, limits[field]/len([]rune(text))+1))[:limits[field]])
		})
		list[0], list[1] = list[1], list[0] // the prescription has the most characters
		for _, v := range list[:kinds] {
			if p := v.Prescription; p != nil {
				p.Items, p.Warned, p.Decisions = slices.Repeat(p.Items, 20), slices.Repeat(p.Warned, 20), slices.Repeat(p.Decisions, 2)
			}
			work := func() {
				if _, err := printer.Print(t.Context(), v); err != nil {
					t.Error(err)
				}
			}
			what := fmt.Sprintf("a %s of %s", v.Kind, name)
			cost.Within(t, what, most, work)
			cost.Live(t, what, atOnce, work)
		}
	}
}
