package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// architecture has the diagram of the packages, and paths through them.
const architecture = "docs/architecture.md"

var (
	pathTitle = regexp.MustCompile(`^### (.+): (\d+) hops$`)
	pathRow   = regexp.MustCompile("^\\| (\\d+) \\| ((?:⇢ )?`.+`) \\| `([\\w./]+\\.go)` \\| .*\\|$")
	inDiagram = regexp.MustCompile(`\b(?:client|rooms|server|static|main\.go)(?:/[\w]+)*`)
)

// way is one path: its title with the hops that it counts, the rows that were
// read, and the names that the functions so far have in their bodies.
type way struct {
	title      string
	count, got int
	named      map[string]bool
}

// TestPathsExist checks that each function of the paths is declared in the file
// named beside it, that one above it calls it, unless it is marked as reached
// otherwise, and that each path has as many hops as its title counts.
func TestPathsExist(t *testing.T) {
	t.Parallel()
	var ways []*way
	for line := range strings.Lines(read(t, architecture)) {
		line = strings.TrimSpace(line)
		if m := pathTitle.FindStringSubmatch(line); m != nil {
			n, _ := strconv.Atoi(m[2]) // digits
			ways = append(ways, &way{title: m[1], count: n, named: map[string]bool{}})
		} else if len(ways) > 0 && strings.HasPrefix(line, "|") && !strings.HasPrefix(line, "| hop |") && !strings.HasPrefix(line, "|---") {
			ways[len(ways)-1].hop(t, line)
		}
	}
	for _, w := range ways {
		if w.got != w.count {
			t.Errorf("%s: the title says %d hops, and the table has %d", w.title, w.count, w.got)
		}
	}
	if len(ways) != 4 {
		t.Errorf("%d paths were read", len(ways))
	}
}

// hop checks one row.
func (w *way) hop(t *testing.T, line string) {
	t.Helper()
	w.got++
	m := pathRow.FindStringSubmatch(line)
	if m == nil {
		t.Errorf("%s: a row is not hop, functions, file, what happens: %s", w.title, line)
		return
	}
	if m[1] != strconv.Itoa(w.got) {
		t.Errorf("%s: hop %s is row %d", w.title, m[1], w.got)
	}
	file, err := parser.ParseFile(token.NewFileSet(), m[3], nil, 0)
	if err != nil {
		t.Errorf("%s: hop %s: %v", w.title, m[1], err)
		return
	}
	for _, name := range strings.Split(m[2], ", ") {
		name, otherwise := strings.CutPrefix(name, "⇢ ")
		name = strings.Trim(name, "`")
		f := declared(file, name)
		if f == nil {
			t.Errorf("%s: hop %s: %s does not declare %s", w.title, m[1], m[3], name)
			continue
		}
		if called := w.named[f.Name.Name]; !called && !otherwise && len(w.named) > 0 {
			t.Errorf("%s: hop %s: no function above calls %s", w.title, m[1], name)
		}
		w.named[f.Name.Name] = true // it may be entered again
		ast.Inspect(f.Body, func(n ast.Node) bool {
			if id, ok := n.(*ast.Ident); ok {
				w.named[id.Name] = true
			}
			return true
		})
	}
}

// declared is the function, Name, or the method, Type.Name, that a file declares;
// nil if it does not.
func declared(file *ast.File, name string) *ast.FuncDecl {
	for _, d := range file.Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok {
			continue
		}
		of := ""
		if f.Recv != nil {
			ast.Inspect(f.Recv.List[0].Type, func(n ast.Node) bool {
				if id, ok := n.(*ast.Ident); ok && of == "" {
					of = id.Name + "." // what follows are type parameters
				}
				return true
			})
		}
		if of+f.Name.Name == name {
			return f
		}
	}
	return nil
}

// TestDiagramHasAllPackages checks that each path in the diagram exists, and that
// each folder of rooms and server is named.
func TestDiagramHasAllPackages(t *testing.T) {
	t.Parallel()
	text := read(t, architecture)
	for _, name := range inDiagram.FindAllString(fenced.FindString(text), -1) {
		if _, err := os.Stat(name); err != nil {
			t.Errorf("the diagram has %s, which does not exist", name)
		}
	}
	packages, _, _ := strings.Cut(text, "## How hops are counted")
	words := strings.FieldsFunc(packages, func(r rune) bool { return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyz0123456789_", r) })
	for _, parent := range []string{"rooms", "server"} {
		entries, err := os.ReadDir(parent)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if e.IsDir() && !slices.Contains(words, e.Name()) {
				t.Errorf("%s lacks %s", architecture, path.Join(parent, e.Name()))
			}
		}
	}
}
