package main

import (
	"encoding/json"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// The specifications, the npm package and the changelog have the version that
// server/VERSION has, and the build sets a variable that exists.
func TestOneVersion(t *testing.T) {
	t.Parallel()
	want := strings.TrimSpace(read(t, "server/VERSION"))
	if !regexp.MustCompile(`^[0-9]+\.[0-9]+\.[0-9]+$`).MatchString(want) {
		t.Fatalf("server/VERSION is %q, want a version such as 0.1.0", want)
	}
	for _, file := range []string{"server/spec/openapi.json", "server/spec/asyncapi.json", "static/packages/client/package.json"} {
		var described struct {
			Version string
			Info    struct{ Version string }
		}
		if err := json.Unmarshal([]byte(read(t, file)), &described); err != nil {
			t.Fatal(err)
		}
		if have := described.Info.Version + described.Version; have != want {
			t.Errorf("%s has version %q, want %q; run: go generate ./server/spec", file, have, want)
		}
	}
	if !strings.Contains(read(t, "CHANGELOG.md"), "\n## ["+want+"]") {
		t.Errorf("CHANGELOG.md has no section for %s", want)
	}
	linked := regexp.MustCompile(`-X \S[^"]*/server\.(\w+)=`)
	for _, file := range []string{"Makefile", "deploy/Dockerfile"} {
		m := linked.FindStringSubmatch(read(t, file))
		if m == nil || !strings.Contains(read(t, "server/doc.go"), "\nvar "+m[1]+" = \"\"\n") {
			t.Errorf("%s links %q, which is not a variable of server", file, m)
		}
	}
}

// The notes of a release are the section of the changelog, without those around it.
func TestReleaseNotes(t *testing.T) {
	t.Parallel()
	notes, err := exec.Command(".ci/release-notes", "v0.1.0").CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, notes)
	}
	_, section, _ := strings.Cut(read(t, "CHANGELOG.md"), "\n## [0.1.0]")
	_, section, _ = strings.Cut(section, "\n")
	section, _, _ = strings.Cut(section, "\n## ")
	if want := strings.TrimSpace(section); strings.TrimSpace(string(notes)) != want || !strings.HasPrefix(want, "### Added\n") {
		t.Errorf("the notes are\n%s\nwant\n%s", notes, want)
	}
	if out, err := exec.Command(".ci/release-notes", "9.9.9").CombinedOutput(); err == nil || !strings.Contains(string(out), "9.9.9") {
		t.Errorf("a version without a section: %v: %s", err, out)
	}
}
