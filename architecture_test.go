package main

import (
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
	pathRow   = regexp.MustCompile("^\\| (\\d+) \\| (`.+`) \\| `([\\w./]+\\.go)` \\| .*\\|$")
	inDiagram = regexp.MustCompile(`\b(?:client|rooms|server|static|main\.go)(?:/[\w]+)*`)
)

// TestPathsExist checks that each function of the paths is declared in the file
// named beside it, and that each path has as many hops as its title counts.
func TestPathsExist(t *testing.T) {
	t.Parallel()
	type way struct {
		title      string
		count, got int
	}
	var ways []way
	for line := range strings.Lines(read(t, architecture)) {
		line = strings.TrimSpace(line)
		if m := pathTitle.FindStringSubmatch(line); m != nil {
			n, _ := strconv.Atoi(m[2]) // digits
			ways = append(ways, way{title: m[1], count: n})
			continue
		}
		if len(ways) == 0 || !strings.HasPrefix(line, "|") || strings.HasPrefix(line, "| hop |") || strings.HasPrefix(line, "|---") {
			continue
		}
		w := &ways[len(ways)-1]
		w.got++
		m := pathRow.FindStringSubmatch(line)
		if m == nil {
			t.Errorf("%s: a row is not hop, functions, file, what happens: %s", w.title, line)
			continue
		}
		if m[1] != strconv.Itoa(w.got) {
			t.Errorf("%s: hop %s is row %d", w.title, m[1], w.got)
		}
		if _, err := os.Stat(m[3]); err != nil {
			t.Errorf("%s: hop %s: there is no file %s", w.title, m[1], m[3])
			continue
		}
		for _, name := range strings.Split(m[2], ", ") {
			if name = strings.Trim(name, "`"); !declares(read(t, m[3]), name) {
				t.Errorf("%s: hop %s: %s does not declare %s", w.title, m[1], m[3], name)
			}
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

// declares reports whether a file declares a function, Name, or a method,
// Type.Name.
func declares(file, name string) bool {
	receiver := ""
	if of, method, ok := strings.Cut(name, "."); ok {
		receiver, name = `\((?:\w+ )?\*?`+regexp.QuoteMeta(of)+`(?:\[\w+(?:, \w+)*\])?\) `, method
	}
	return regexp.MustCompile(`(?m)^func ` + receiver + regexp.QuoteMeta(name) + `[(\[]`).MatchString(file)
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
