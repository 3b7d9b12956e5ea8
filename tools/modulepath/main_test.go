package main

import (
	"bytes"
	"go/format"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// files returns the Go files, documents and go.mod below root, by their paths.
func files(t *testing.T, root string) map[string][]byte {
	t.Helper()
	found := map[string][]byte{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && slices.Contains(skipped, d.Name()):
			return filepath.SkipDir
		case d.IsDir() || !slices.Contains([]string{".go", ".md", ".mod", ".sum"}, filepath.Ext(path)):
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, path)
		found[name] = text
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func changes(t *testing.T, root, to string) int {
	t.Helper()
	n, err := change(root, to)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// A copy of this repository gets another path: every import follows, files are
// formatted, a second run changes nothing, and the way back gives the same files.
func TestPathChangesEverywhere(t *testing.T) {
	t.Parallel()
	before, root := files(t, "../.."), t.TempDir()
	for name, text := range before {
		file := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const first, second = "wenzhen-copy.example", "aa.example/clinic/wenzhen" // before and after other hosts
	changes(t, root, first)
	once := files(t, root)
	for _, to := range []string{second, first} {
		if n := changes(t, root, to); n < 500 {
			t.Errorf("%s: %d files were changed", to, n)
		}
		if n := changes(t, root, to); n != 0 {
			t.Errorf("%s: the second run changed %d files", to, n)
		}
		formatted(t, root)
		resolved(t, root, to)
	}
	for name, text := range files(t, root) {
		if !bytes.Equal(text, once[name]) {
			t.Errorf("%s differs after a change and the way back", name)
		}
	}
}

func formatted(t *testing.T, root string) {
	t.Helper()
	for name, text := range files(t, root) {
		if filepath.Ext(name) != ".go" {
			continue
		}
		if want, err := format.Source(text); err != nil || !bytes.Equal(text, want) {
			t.Errorf("%s is not formatted: %v", name, err)
		}
	}
}

// resolved checks that each import is of the standard library or of a module
// that go.mod names, and that our packages have the new path.
func resolved(t *testing.T, root, module string) {
	t.Helper()
	list := exec.Command("go", "list", "-e", "-deps", "-test",
		"-f", "{{if not .Standard}}{{.ImportPath}} {{with .Module}}{{.Path}}{{end}}{{end}}", "./...")
	list.Dir = root
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	ours := 0
	for line := range strings.Lines(string(out)) {
		name, in, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		switch {
		case in == module || strings.HasSuffix(in, " "+module):
			ours++
		case in == "" && !strings.Contains(name, ".test"):
			t.Errorf("%s: no module has %s", module, name)
		}
	}
	if ours < 100 {
		t.Errorf("%s has %d packages", module, ours)
	}
}

// Imports are sorted again, also where the new path belongs before others; names
// and comments of imports stay, and so does a path that only begins alike.
func TestImportsAreSorted(t *testing.T) {
	t.Parallel()
	const before = "package x\n\nimport (\n\t\"fmt\"\n\tr \"wenzhen/rooms\" // why\n\t\"wenzhenlike/rooms\"\n)\n\nvar s = \"wenzhen/rooms\"\n"
	const want = "package x\n\nimport (\n\tr \"aa.example/rooms\" // why\n\t\"fmt\"\n\t\"wenzhenlike/rooms\"\n)\n\nvar s = \"wenzhen/rooms\"\n"
	if have, err := imports("x.go", []byte(before), "wenzhen", "aa.example"); err != nil || string(have) != want {
		t.Errorf("%v:\n%s\nwant\n%s", err, have, want)
	}
}

// Documents name the module where other modules require it. What looks like the
// path is left alone: the demo's addresses, folders, commands.
func TestDocumentsFollow(t *testing.T) {
	t.Parallel()
	const other = "bo@clinic.example, https://clinic.example/verify, /etc/clinic.example/x, clinic.example is the site\n"
	const go1 = "import \"clinic.example/client\"\n\n    go get clinic.example/client\n    go mod edit -require=clinic.example@v0.1.0 -replace=clinic.example=../wenzhen\n"
	root := t.TempDir()
	for name, text := range map[string]string{"go.mod": "module clinic.example\n\ngo 1.26.0\n", "guide.md": other + go1} {
		if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if n := changes(t, root, "example.org/wenzhen"); n != 2 {
		t.Errorf("%d files were changed, want 2", n)
	}
	want := other + strings.ReplaceAll(go1, "clinic.example", "example.org/wenzhen")
	if have := files(t, root)["guide.md"]; string(have) != want {
		t.Errorf("the document is\n%s\nwant\n%s", have, want)
	}
}

func TestPathsThatNobodyCanRequire(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"", "wenzhen", "/example.org", "example.org/", "https://example.org/wenzhen", "example.org/a b", "example.org/../a"} {
		if n, err := change("../..", path); err == nil || n != 0 {
			t.Errorf("%q: %d files, %v", path, n, err)
		}
	}
}

// The path in go.mod is one that other modules can require: the go command takes
// a first element without a dot for the standard library.
func TestOthersCanRequireThisModule(t *testing.T) {
	t.Parallel()
	path, err := exec.Command("go", "list", "-m").Output()
	if err != nil {
		t.Fatal(err)
	}
	if path := strings.TrimSpace(string(path)); !valid.MatchString(path) {
		t.Errorf("no other module can require %q", path)
	}
}
