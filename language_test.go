package main

import (
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// glossary lists the phrases to avoid.
const glossary = "docs/glossary.md"

// oldPhrases has, for each directory, how many phrases to avoid its comments
// and texts still have. Lower a number when you remove some; never raise one.
var oldPhrases = map[string]int{
	".": 0, "bench": 0, "client": 0, "rooms": 0, "server": 0, "static": 0,
}

var (
	phraseRow = regexp.MustCompile("(?m)^\\| `([^`]+)` \\| ([^|]+) \\|$")
	// lineOfComment joins a phrase that two lines of a comment share.
	lineOfComment = regexp.MustCompile(`\s*\n\s*(?://|\*|--|#)?\s*`)
)

// phrase is one row of the table: what to avoid, and what to write.
type phrase struct {
	avoid *regexp.Regexp
	write string
}

// phrases reads the table of phrases from the glossary. Their expressions match
// text in lower case.
func phrases(t *testing.T) []phrase {
	t.Helper()
	_, table, ok := strings.Cut(read(t, glossary), "## Phrases to avoid")
	if !ok {
		t.Fatal(glossary + " has no table of phrases")
	}
	var found []phrase
	for _, m := range phraseRow.FindAllStringSubmatch(table, -1) {
		avoid := regexp.MustCompile(`\b(?:` + strings.ReplaceAll(m[1], `\|`, `|`) + `)\b`)
		found = append(found, phrase{avoid, strings.TrimSpace(m[2])})
	}
	if len(found) < 10 {
		t.Fatalf("%s has %d phrases", glossary, len(found))
	}
	return found
}

// TestPlainLanguage finds phrases that the glossary says to avoid: none may be
// in a document, and in code not more than there were.
func TestPlainLanguage(t *testing.T) {
	t.Parallel()
	list := phrases(t)
	var all []string
	for _, p := range list {
		all = append(all, p.avoid.String())
	}
	avoid := regexp.MustCompile(strings.Join(all, "|"))
	for _, file := range repository(t, ".md") {
		if file == glossary || strings.Contains(file, "testdata/") {
			continue
		}
		for _, m := range avoid.FindAllString(prose(t, file), -1) {
			i := slices.IndexFunc(list, func(p phrase) bool { return p.avoid.MatchString(m) })
			t.Errorf("%s: %q; write: %s", file, m, list[i].write)
		}
	}
	counts := map[string]int{}
	for _, file := range repository(t, ".go", ".ts", ".vue") {
		if !strings.HasSuffix(file, ".gen.ts") && file != "language_test.go" {
			dir, _, _ := strings.Cut(path.Dir(file), "/")
			counts[dir] += len(avoid.FindAllString(prose(t, file), -1))
		}
	}
	for _, dir := range slices.Sorted(maps.Keys(counts)) {
		switch n, most := counts[dir], oldPhrases[dir]; {
		case n > most:
			t.Errorf("%s has %d phrases to avoid (%s); it had %d", dir, n, glossary, most)
		case n < most:
			t.Logf("%s has %d phrases to avoid: lower its number in language_test.go from %d", dir, n, most)
		}
	}
}

// prose is the text of a file in lower case, with the lines of comments joined.
func prose(t *testing.T, file string) string {
	t.Helper()
	return lineOfComment.ReplaceAllString(strings.ToLower(read(t, file)), " ")
}
