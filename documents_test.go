package main

import (
	"io/fs"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
)

// skipped are folders with files of others, or that are built.
var skipped = []string{".git", "node_modules", "dist", "bin", "data", "test-results"}

// repository returns the paths of our files with one of the endings.
func repository(t *testing.T, endings ...string) []string {
	t.Helper()
	var files []string
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && slices.Contains(skipped, d.Name()):
			return filepath.SkipDir
		case !d.IsDir() && slices.Contains(endings, filepath.Ext(path)):
			files = append(files, filepath.ToSlash(path))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

var (
	fenced = regexp.MustCompile("(?ms)^```.*?^```")
	link   = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	title  = regexp.MustCompile(`(?m)^#+ +(.+)$`)
	// comment names a document in code.
	comment = regexp.MustCompile(`\bdocs/[\w./-]+\.md\b`)
	// number refers to a decision, in a document or in code.
	number = regexp.MustCompile(`[Dd]ecisions?\s+(?://\s*)?\[?(\d{1,4})\b`)
	// named are tests that a document names as evidence; … stands for anything.
	named = regexp.MustCompile(`\b(?:Test|Fuzz|Benchmark)[A-Z…][\w…]*`)
	tests = regexp.MustCompile(`(?m)^func ((?:Test|Fuzz|Benchmark)\w+)\(`)
	// source is a file that a document names as evidence.
	source = regexp.MustCompile("`([\\w./*-]+\\.(?:go|ts|vue))`")
	// goTest is a command that runs some tests; pkg and which are its parts.
	goTest = regexp.MustCompile("(?:go|[$][(]GO[)]) test ([^`\n]*)")
	pkg    = regexp.MustCompile(`(?:^|\s)(\./[\w./-]+)`)
	which  = regexp.MustCompile(`-(?:run|bench)[= ]'?([^\s']+)`)
	record = regexp.MustCompile(`^(\d{4})-[a-z0-9]+(?:-[a-z0-9]+)*\.md$`)
)

// TestDocumentLinks follows every relative link and anchor in the documents, and
// every document that code names.
func TestDocumentLinks(t *testing.T) {
	t.Parallel()
	for _, file := range repository(t, ".md") {
		text := fenced.ReplaceAllString(read(t, file), "")
		for _, m := range link.FindAllStringSubmatch(text, -1) {
			if u, err := url.Parse(m[1]); err != nil || u.IsAbs() {
				continue
			}
			where, anchor, _ := strings.Cut(m[1], "#")
			target := file
			if where != "" {
				target = filepath.Join(filepath.Dir(file), where)
			}
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s links to %s, which does not exist", file, m[1])
			} else if anchor != "" && !slices.Contains(anchors(t, target), anchor) {
				t.Errorf("%s links to %s: there is no such heading", file, m[1])
			}
		}
	}
	for _, file := range repository(t, ".go", ".ts", ".vue", ".mjs", ".yaml", ".yml", ".sh") {
		for _, doc := range comment.FindAllString(read(t, file), -1) {
			if _, err := os.Stat(doc); err != nil {
				t.Errorf("%s names %s, which does not exist", file, doc)
			}
		}
	}
}

// anchors returns the anchors that GitHub gives the headings of a document.
func anchors(t *testing.T, file string) []string {
	t.Helper()
	var found []string
	for _, m := range title.FindAllStringSubmatch(fenced.ReplaceAllString(read(t, file), ""), -1) {
		found = append(found, strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case unicode.IsLetter(r), unicode.IsDigit(r), r == '-', r == '_':
				return unicode.ToLower(r)
			}
			return -1
		}, m[1]))
	}
	return found
}

// TestDecisionRecords checks that decision records have unique numbers, names
// that fit their titles, a line in the index, and that every reference to a
// decision names one that exists.
func TestDecisionRecords(t *testing.T) {
	t.Parallel()
	const dir = "docs/decisions"
	index := read(t, dir+"/README.md")
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]string{}
	for _, e := range entries {
		if e.Name() == "README.md" {
			continue
		}
		m := record.FindStringSubmatch(e.Name())
		if m == nil {
			t.Errorf("%s: the name is not NNNN-what-is-decided.md", e.Name())
			continue
		}
		if other := known[m[1]]; other != "" {
			t.Errorf("%s and %s have one number", other, e.Name())
		}
		known[m[1]] = e.Name()
		head, _, _ := strings.Cut(read(t, filepath.Join(dir, e.Name())), "\n")
		what, ok := strings.CutPrefix(head, "# "+m[1]+" – ")
		if !ok {
			t.Errorf("%s begins with %q, not with its number", e.Name(), head)
		}
		if line := "| [" + m[1] + "](" + e.Name() + ") | " + what + " |"; !strings.Contains(index, line) {
			t.Errorf("%s/README.md lacks the line\n%s", dir, line)
		}
	}
	for _, file := range repository(t, ".md", ".go", ".ts", ".vue", ".mjs") {
		text := read(t, file)
		for _, m := range number.FindAllStringSubmatch(text, -1) {
			if n := "0000"[len(m[1]):] + m[1]; known[n] == "" {
				t.Errorf("%s refers to decision %s, which does not exist", file, m[1])
			}
		}
		for _, m := range regexp.MustCompile(`\[(\d{4})\]\([^)]*?(\d{4})-`).FindAllStringSubmatch(text, -1) {
			if m[1] != m[2] {
				t.Errorf("%s: a link with the text %s leads to %s", file, m[1], m[2])
			}
		}
		if strings.HasPrefix(file, dir) {
			for _, m := range regexp.MustCompile(`\((0\d{3})\)`).FindAllStringSubmatch(text, -1) {
				if m[1] != "0600" { // the mode of a file
					t.Errorf("%s refers to %s: make it a link", file, m[1])
				}
			}
		}
	}
}

// TestEvidenceExists checks that the tests and source files that documents name
// exist.
func TestEvidenceExists(t *testing.T) {
	t.Parallel()
	var functions []string
	code := repository(t, ".go", ".ts", ".vue")
	for _, file := range code {
		if strings.HasSuffix(file, "_test.go") {
			for _, m := range tests.FindAllStringSubmatch(read(t, file), -1) {
				functions = append(functions, m[1])
			}
		}
	}
	all, files := strings.Join(functions, "\n"), strings.Join(code, "\n")
	for _, doc := range repository(t, ".md") {
		text := read(t, doc)
		for _, name := range named.FindAllString(goTest.ReplaceAllString(text, ""), -1) {
			pattern := strings.ReplaceAll(name, "…", `\w*`)
			if !regexp.MustCompile(`(?m)^` + pattern + `$`).MatchString(all) {
				t.Errorf("%s names %s, which is not a test", doc, name)
			}
		}
		for _, m := range source.FindAllStringSubmatch(text, -1) {
			pattern := strings.ReplaceAll(regexp.QuoteMeta(m[1]), `\*`, `[^/\n]*`)
			if !regexp.MustCompile(`(?m)(^|/)` + pattern + `$`).MatchString(files) {
				t.Errorf("%s names %s, which does not exist", doc, m[1])
			}
		}
	}
}

// TestDefencesNameTests checks that every defence in SECURITY.md names a test,
// not only a package.
func TestDefencesNameTests(t *testing.T) {
	t.Parallel()
	shown := regexp.MustCompile("`(?:(?:Test|Fuzz)[A-Z]\\S*|[\\w./*-]+[_.]test\\.(?:go|ts)|[\\w./*-]+/conformance/\\*\\.go)`|^the same, ")
	_, text, _ := strings.Cut(read(t, "SECURITY.md"), "| shown by |")
	rows := 0
	for line := range strings.Lines(text[:strings.Index(text, "\n\n")]) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), " | ")
		if len(cells) != 4 {
			continue
		}
		if rows++; !shown.MatchString(strings.TrimSpace(cells[3])) {
			t.Errorf("no test is named for %q: %s", cells[0], cells[3])
		}
	}
	if rows < 40 {
		t.Errorf("%d rows were read", rows)
	}
}

// TestCommandsRunTests checks that the commands `go test -run NAME ./PACKAGE` of
// documents and of the Makefile find a test.
func TestCommandsRunTests(t *testing.T) {
	t.Parallel()
	for _, file := range append(repository(t, ".md"), "Makefile") {
		for _, m := range goTest.FindAllStringSubmatch(strings.ReplaceAll(read(t, file), "\\\n", ""), -1) {
			name := which.FindAllStringSubmatch(m[1], -1)
			in := pkg.FindStringSubmatch(m[1])
			if len(name) == 0 || in == nil {
				continue
			}
			dir, below := strings.CutSuffix(strings.TrimPrefix(in[1], "./"), "/...")
			for _, part := range strings.Split(strings.Trim(name[len(name)-1][1], "^$()"), "|") {
				if !slices.ContainsFunc(functionsIn(t, dir, below), func(f string) bool { return strings.Contains(f, part) }) {
					t.Errorf("%s: %q finds no test %s in %s", file, "go test "+m[1], part, in[1])
				}
			}
		}
	}
}

// functionsIn returns the tests of a package, or of all packages below it.
func functionsIn(t *testing.T, dir string, below bool) []string {
	t.Helper()
	var found []string
	for _, file := range repository(t, ".go") {
		if !strings.HasSuffix(file, "_test.go") || (path.Dir(file) != dir && (!below || !strings.HasPrefix(file, dir+"/"))) {
			continue
		}
		for _, m := range tests.FindAllStringSubmatch(read(t, file), -1) {
			found = append(found, m[1])
		}
	}
	return found
}
