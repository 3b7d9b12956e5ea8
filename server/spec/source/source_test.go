package source_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"wenzhen.example/server/spec/source"
)

var update = flag.Bool("update", false, "write the generated file")

// The list that the specifications are made from has every event and signal
// that a feature declares.
func TestDeclared(t *testing.T) {
	t.Parallel()
	s, err := source.Read("../../..")
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Events) == 0 || len(s.Signals) == 0 || len(s.Commands) == 0 {
		t.Fatalf("found %d events, %d signals and %d commands in the sources", len(s.Events), len(s.Signals), len(s.Commands))
	}
	want, err := s.Go()
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile("../declared.go", want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile("../declared.go")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(have, want) {
		t.Error("declared.go is not what the features declare; run: go generate ./server/spec")
	}
}

// An event that the list could not have is an error, not left out.
func TestDeclarationsElsewhereAreRefused(t *testing.T) {
	t.Parallel()
	for name, code := range map[string]string{
		"in a function":       `func f() { _ = rooms.EventType[int]{Name: "a:b"} }`,
		"unexported":          `var happened = rooms.EventType[int]{Name: "a:b"}`,
		"a name elsewhere":    `var Happened = rooms.EventType[int]{Name: name}`,
		"without a name":      `var Happened = rooms.SignalType[int]{}`,
		"within a call":       `var Happened = wrap(rooms.SignalType[int]{Name: "a:b"})`,
		"a command in a func": `func f() any { return rooms.Command[int, int]{Name: "a:b"} }`,
	} {
		root := t.TempDir()
		if err := os.MkdirAll(filepath.Join(root, "rooms/toy"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(root, "rooms/toy/toy.go"), []byte("package toy\n\n"+code+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(root, "go.mod"), []byte("module toy.example\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := source.Read(root); err == nil || !strings.Contains(err.Error(), "toy.go:3:") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
