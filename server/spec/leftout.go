package spec

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"wenzhen/rooms"
)

// LeftOut tells what features declare and contract.go does not have: events,
// signals, and sets of fixed values.
func (c Contract) LeftOut() []string {
	var missing []string
	written := map[string]bool{}
	for _, t := range slices.Concat(events(), signals()) {
		written[t.name] = true
	}
	for name := range c.Source.Declared {
		if !written[name] {
			missing = append(missing, fmt.Sprintf("event or signal %s is not in contract.go", name))
		}
	}
	fixed, seen := enums(), map[reflect.Type]bool{}
	var look func(t reflect.Type)
	look = func(t reflect.Type) {
		if seen[t] {
			return
		}
		seen[t] = true
		switch t.Kind() {
		case reflect.Pointer, reflect.Slice, reflect.Map, reflect.Array:
			look(t.Elem())
		case reflect.Struct:
			if strings.HasPrefix(t.PkgPath(), "wenzhen/") {
				for _, f := range wireFields(t) {
					look(f.of)
				}
			}
		case reflect.String:
			if _, ok := fixed[t]; !ok && c.Source.Constants[key(t)] > 1 {
				missing = append(missing, fmt.Sprintf("the values of %s are not in contract.go", t))
			}
		}
	}
	look(reflect.TypeFor[rooms.Error]())
	for _, command := range c.Commands {
		look(command.In)
		look(command.Out)
	}
	for _, t := range slices.Concat(events(), signals()) {
		look(t.data)
	}
	slices.Sort(missing)
	return missing
}
