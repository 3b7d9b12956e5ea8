package spec_test

import (
	"bytes"
	"crypto/sha256"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"wenzhen.example/rooms/roomstest/prove"
)

// guide has the steps, with the code of an example.
const guide = "docs/contributor-guide.md"

// steps are the blocks of code in the guide's section, by the file that each
// one is for, which the line before the block names.
func steps(t *testing.T, root string) map[string]string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, guide))
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(text), "## Add a command and its event")
	section, _, _ = strings.Cut(section, "\n## ")
	blocks := map[string]string{}
	for _, m := range regexp.MustCompile("(?s)`(rooms/[^`]+\\.go)`[^`]*\n```go\n(.*?)```").FindAllStringSubmatch(section, -1) {
		blocks[m[1]] += "\n" + m[2]
	}
	return blocks
}

// checkout is a copy of the repository without what neither Go nor make
// generate reads, and the hashes of its files.
func checkout(t *testing.T) (to string, hashes map[string][sha256.Size]byte) {
	t.Helper()
	to, hashes = t.TempDir(), map[string][sha256.Size]byte{}
	left := regexp.MustCompile(`^(\.git|\.ci|bench|bin|deploy|examples|static/(src|e2e|public|node_modules|dist/app)|.*node_modules)$`)
	err := filepath.WalkDir("../..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel("../..", path)
		switch {
		case err != nil:
			return err
		case entry.IsDir() && left.MatchString(filepath.ToSlash(name)):
			return filepath.SkipDir
		case entry.IsDir():
			return os.MkdirAll(filepath.Join(to, name), 0o755)
		case !entry.Type().IsRegular():
			return nil
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		hashes[name] = sha256.Sum256(data)
		return os.WriteFile(filepath.Join(to, name), data, 0o600)
	})
	if err != nil {
		t.Fatal(err)
	}
	return to, hashes
}

// changed are the files below to that do not have their hash.
func changed(t *testing.T, to string, hashes map[string][sha256.Size]byte) []string {
	t.Helper()
	var names []string
	err := filepath.WalkDir(to, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name, err := filepath.Rel(to, path)
		if err != nil {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if hashes[name] != sha256.Sum256(data) {
			names = append(names, filepath.ToSlash(name))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(names)
	return names
}

// A command with an event takes three steps: declare it, bind it, make
// generate. The test follows the guide in a copy of the repository, and counts
// the files. At full size it also runs what make generate runs on the whole
// server, and tries the new command as every kind of stranger.
func TestAddingAnEventTakesThreeSteps(t *testing.T) {
	t.Parallel()
	root, before := checkout(t)
	code := steps(t, root)
	if diff := cmp.Diff([]string{"rooms/board/commands.go", "rooms/board/service.go"}, slices.Sorted(maps.Keys(code))); diff != "" {
		t.Fatalf("the files of %s: %s", guide, diff)
	}
	for name, text := range code {
		file := filepath.Join(root, name)
		have, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		// The first line of the second step goes into the list of commands.
		if bound, rest, ok := strings.Cut(text, "// … in Commands\n"); ok {
			list := []byte("\t}\n}\n")
			have = bytes.Replace(have, list, append([]byte("\t\t"+strings.TrimSpace(bound)+"\n"), list...), 1)
			text = rest
		}
		if err := os.WriteFile(file, append(have, text...), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	run(t, root, "go", "vet", "./rooms/board")

	want := []string{"rooms/board/commands.go", "rooms/board/service.go", "server/spec/declared.go"}
	if !prove.Size(t, "the server of the toy feature is built and tried", false, true) {
		run(t, root, "go", "generate", "-run", "TestDeclared", "./server/spec")
	} else {
		run(t, root, "go", "generate", "./server/spec")
		run(t, root, "go", "test", "-count=1", "-run", "TestStrangersAreKeptOut|TestPoliciesAreConsistent", "./server/e2e/access")
		want = append(want, "server/spec/asyncapi.json", "static/packages/client/src/wire.gen.ts")
		contains(t, filepath.Join(root, "static/packages/client/src/wire.gen.ts"),
			"'board:wave': (input: WaveInput", "  'board:waved',\n", "export type Mood = 'calm' | 'glad'")
	}
	slices.Sort(want)
	if diff := cmp.Diff(want, changed(t, root, before)); diff != "" {
		t.Errorf("files that differ after the three steps: %s", diff)
	}
	contains(t, filepath.Join(root, "server/spec/declared.go"), "event(board.HasWaved),")
}

func run(t *testing.T, dir string, command ...string) {
	t.Helper()
	c := exec.CommandContext(t.Context(), command[0], command[1:]...)
	c.Dir = dir
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(command, " "), err, out)
	}
}

func contains(t *testing.T, file string, texts ...string) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range texts {
		if !bytes.Contains(data, []byte(text)) {
			t.Errorf("%s does not contain %q", file, text)
		}
	}
}
