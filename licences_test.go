package main

import (
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"testing"
)

// permissive are phrases of the licences that let a binary under the Apache
// License carry the code: MIT, BSD, ISC and Apache-2.0.
var permissive = []string{
	"Permission is hereby granted, free of charge",
	"Redistribution and use in source and binary forms",
	"Permission to use, copy, modify, and",
	"Apache License",
}

// TestLicences checks that every module in the binary has a licence that our own
// allows, and that NOTICE repeats the notice of each module that has one.
func TestLicences(t *testing.T) {
	t.Parallel()
	out, err := exec.Command("go", "list", "-deps", "-f", "{{with .Module}}{{if not .Main}}{{.Path}} {{.Dir}}{{end}}{{end}}", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	notice := read(t, "NOTICE")
	checked := map[string]bool{}
	for line := range strings.Lines(string(out)) {
		module, dir, ok := strings.Cut(strings.TrimSpace(line), " ")
		if !ok || checked[module] {
			continue
		}
		checked[module] = true
		if !allowed(t, dir) {
			t.Errorf("%s has no licence that we know to be compatible with Apache-2.0", module)
		}
		name := path.Base(strings.TrimSuffix(module, "/v3"))
		if len(glob(t, dir, "notice")) > 0 && !strings.Contains(notice, name) {
			t.Errorf("%s asks for its notice to be repeated: add it to NOTICE", module)
		}
	}
	if len(checked) < 50 {
		t.Errorf("found %d modules in the binary", len(checked))
	}
	if !strings.Contains(read(t, "LICENSE"), "Version 2.0, January 2004") {
		t.Error("LICENSE is not the Apache License 2.0")
	}
}

func allowed(t *testing.T, dir string) bool {
	t.Helper()
	for _, file := range append(glob(t, dir, "licen"), glob(t, dir, "copying")...) {
		text := strings.Join(strings.Fields(read(t, file)), " ")
		for _, phrase := range permissive {
			if strings.Contains(text, phrase) {
				return !strings.Contains(text, "GNU GENERAL PUBLIC LICENSE")
			}
		}
	}
	return false
}

// glob returns the files of dir whose name begins with prefix, in any case.
func glob(t *testing.T, dir, prefix string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var files []string
	for _, e := range entries {
		if !e.IsDir() && strings.HasPrefix(strings.ToLower(e.Name()), prefix) {
			files = append(files, filepath.Join(dir, e.Name()))
		}
	}
	return files
}

func read(t *testing.T, file string) string {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}
