// Command modulepath changes the path of this Go module: in go.mod, in the imports
// of every Go file, which it sorts, and in the documents.
//
//	go run ./tools/modulepath example.org/wenzhen
//
// It runs in the folder of go.mod. A second run with the same path changes nothing,
// and a run that was interrupted may be repeated.
package main

import (
	"bytes"
	"errors"
	"fmt"
	"go/format"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// skipped are folders with files of others, or that are built.
var skipped = []string{".git", "node_modules", "dist", "bin", "data", "test-results"}

// valid is a path that other modules can require: the first element has a dot.
var valid = regexp.MustCompile(`^[a-z0-9-]+(\.[a-z0-9-]+)+(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*$`)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: go run ./tools/modulepath HOST/PATH")
		os.Exit(2)
	}
	n, err := change(".", os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Printf("%d files changed\n", n)
}

// change gives the module in the folder root the path to, and returns how many
// files it changed. go.mod comes last: until then a repeated run finds the rest.
func change(root, to string) (int, error) {
	if !valid.MatchString(to) {
		return 0, fmt.Errorf("%q is not a path that other modules can require: it begins with a host, such as example.org/wenzhen", to)
	}
	file := filepath.Join(root, "go.mod")
	text, err := os.ReadFile(file)
	if err != nil {
		return 0, err
	}
	line, rest, _ := bytes.Cut(text, []byte("\n"))
	from, ok := strings.CutPrefix(string(line), "module ")
	if !ok {
		return 0, fmt.Errorf("%s begins with %q, not with the path of the module", file, line)
	}
	if from == to {
		return 0, nil
	}
	n, err := changeFiles(root, from, to)
	if err != nil {
		return n, err
	}
	return n + 1, os.WriteFile(file, append([]byte("module "+to+"\n"), rest...), 0o644)
}

// changeFiles changes the Go files and the documents below root.
func changeFiles(root, from, to string) (n int, err error) {
	// In a document the path is a word, or begins one, and is followed by a
	// folder, a version or the folder of a replacement.
	inDocument := regexp.MustCompile("(?m)(^|[\\s\"'`=(])" + regexp.QuoteMeta(from) + "(/[a-z]|@v|=[./])")
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && slices.Contains(skipped, d.Name()):
			return filepath.SkipDir
		case !d.Type().IsRegular():
			return nil
		}
		var after func([]byte) ([]byte, error)
		switch filepath.Ext(path) {
		case ".go":
			after = func(code []byte) ([]byte, error) { return imports(path, code, from, to) }
		case ".md":
			after = func(text []byte) ([]byte, error) {
				return inDocument.ReplaceAll(text, []byte("${1}"+to+"${2}")), nil
			}
		default:
			return nil
		}
		before, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		text, err := after(before)
		if err != nil || bytes.Equal(text, before) {
			return err
		}
		n++
		return os.WriteFile(path, text, 0o644) // the mode of a file that exists stays
	})
	return n, err
}

// imports returns a Go file that imports packages of the module to instead of
// from, with its imports sorted; without such an import, the file as it is.
func imports(path string, code []byte, from, to string) ([]byte, error) {
	files := token.NewFileSet()
	parsed, err := parser.ParseFile(files, path, code, parser.ImportsOnly)
	if err != nil {
		return nil, err
	}
	var changed bytes.Buffer
	written := 0
	for _, i := range parsed.Imports {
		imported, err := strconv.Unquote(i.Path.Value)
		if err != nil {
			return nil, errors.Join(errors.New(path), err)
		}
		below, ok := strings.CutPrefix(imported, from)
		if !ok || (below != "" && below[0] != '/') {
			continue
		}
		changed.Write(code[written:files.Position(i.Path.Pos()).Offset])
		changed.WriteString(strconv.Quote(to + below))
		written = files.Position(i.Path.End()).Offset
	}
	if written == 0 {
		return code, nil
	}
	changed.Write(code[written:])
	return format.Source(changed.Bytes())
}
