package spec

import (
	"fmt"
	"go/format"
	"maps"
	"path"
	"slices"
	"strings"
)

// GoRoutes writes the table of routes of the Go client, which names commands
// as features declare them. Errors: a command that no feature declares.
func (c Contract) GoRoutes() ([]byte, error) {
	var table strings.Builder
	packages := map[string]bool{}
	for _, r := range c.Routes {
		declared, ok := c.Source.Commands[r.Command]
		if !ok {
			return nil, fmt.Errorf("spec: no feature declares %s", r.Command)
		}
		packages[declared.Package] = true
		anonymous := ""
		if r.Anonymous {
			anonymous = ", Anonymous: true"
		}
		at := pathParameter.ReplaceAllString(strings.TrimPrefix(r.Path, "/api/v1"), ":$1")
		fmt.Fprintf(&table, "\t{Method: %q, Path: %q, Command: %s.%s.Name%s},\n", r.Method, at, path.Base(declared.Package), declared.Variable, anonymous)
	}
	var imports strings.Builder
	for _, pkg := range slices.Sorted(maps.Keys(packages)) {
		fmt.Fprintf(&imports, "\t%q\n", pkg)
	}
	return format.Source([]byte("// Code generated from the server's routes by `go generate ./server/spec`. DO NOT EDIT.\n\n" +
		"package client\n\nimport (\n" + imports.String() + ")\n\nvar routes = []Route{\n" + table.String() + "}\n"))
}
