package source

import (
	"fmt"
	"go/format"
	"maps"
	"path"
	"slices"
	"strings"
)

// Go writes the lists of all events and signals, for package spec.
func (s Source) Go() ([]byte, error) {
	packages := map[string]bool{}
	list := func(doc, name, call string, all []Declaration) string {
		var b strings.Builder
		fmt.Fprintf(&b, "\n// %s %s\nfunc %s() []outgoing {\n\treturn []outgoing{\n", name, doc, name)
		for _, d := range all {
			packages[d.Package] = true
			fmt.Fprintf(&b, "\t\t%s(%s.%s),\n", call, path.Base(d.Package), d.Variable)
		}
		b.WriteString("\t}\n}\n")
		return b.String()
	}
	lists := list("carry a seq in the log of their room.", "events", "event", s.Events) +
		list("carry their data alone.", "signals", "signal", s.Signals)
	var imports strings.Builder
	for _, pkg := range slices.Sorted(maps.Keys(packages)) {
		fmt.Fprintf(&imports, "\t%q\n", pkg)
	}
	return format.Source([]byte("// Code generated from the features' declarations by `go generate ./server/spec`. DO NOT EDIT.\n\n" +
		"package spec\n\nimport (\n" + imports.String() + ")\n" + lists))
}
