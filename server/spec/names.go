package spec

import (
	"encoding/json"
	"fmt"
	"path"
	"reflect"
	"slices"
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/server/spec/source"
)

// generic are names that say what a type is only beside the name of its package.
var generic = []string{"Answered", "Arrived", "Background", "Cleared", "Count", "Decision", "Difference", "Entered", "Exception",
	"Exported", "Filter", "Found", "Freq", "Input", "Invited", "Item", "Joined", "Kind", "Line", "List", "Marked", "Method", "Offer",
	"Opened", "Page", "Part", "Party", "Play", "Policy", "Preferences", "Preview", "Received", "Ref", "Report", "Route", "Rule",
	"Security", "Self", "Status", "Summary", "Template", "Tool", "Topic", "Undone", "Verdict", "Warning"}

// names are how the generated documents name the types that they refer to. All
// are in one namespace there: a type has its name in Go, with that of its
// package before it if the name is generic or a type of another package has it
// too.
type names map[reflect.Type]string

// names collects the structs and enums that the contract refers to. Errors: two
// types that would still have one name.
func (c Contract) names() (names, error) {
	w := walk{source: c.Source, seen: map[reflect.Type]bool{}}
	for _, t := range []reflect.Type{reflect.TypeFor[rooms.Error](), reflect.TypeFor[rooms.Event](), refresh.In, refresh.Out} {
		w.visit(t)
	}
	for _, command := range c.Commands {
		w.visit(command.In)
		w.visit(command.Out)
	}
	for _, e := range slices.Concat(events(), signals()) {
		w.visit(e.data)
	}
	sharing := map[string]int{}
	for _, t := range w.named {
		sharing[t.Name()]++
	}
	all, taken := names{}, map[string]reflect.Type{}
	for _, t := range w.named {
		name := t.Name()
		switch {
		case t == reflect.TypeFor[rooms.Error]():
			name = "WireError" // Error is JavaScript's own
		case t == reflect.TypeFor[rooms.Event]():
			name = "Entry" // so is Event
		case sharing[name] > 1, slices.Contains(generic, name):
			name = source.Sentence(path.Base(t.PkgPath())) + name
		}
		if other := taken[name]; other != nil {
			return nil, fmt.Errorf("spec: both %s and %s would be %s; rename one", other, t, name)
		}
		taken[name], all[t] = t, name
	}
	return all, nil
}

// walk finds the types that get names, in the order in which they are met.
type walk struct {
	source source.Source
	seen   map[reflect.Type]bool
	named  []reflect.Type
}

func (w *walk) visit(t reflect.Type) {
	if w.seen[t] || t == reflect.TypeFor[time.Time]() || t == reflect.TypeFor[json.RawMessage]() {
		return
	}
	w.seen[t] = true
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map:
		w.visit(t.Elem())
	case reflect.Struct:
		w.named = append(w.named, t)
		for _, f := range wireFields(t) {
			w.visit(f.of)
		}
	case reflect.String:
		if w.source.Enum(t) != nil {
			w.named = append(w.named, t)
		}
	}
}
