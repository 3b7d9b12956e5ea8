package icd10

import (
	"slices"
	"strings"
	"unicode"

	"github.com/mozillazg/go-pinyin"
)

// Index is a table made ready to be searched. It is safe for use by many.
type Index struct {
	lines  []line
	byCode map[string]int
}

type line struct {
	Coding
	code     string // folded: "j069"
	zh       string
	en       string   // lower case
	words    []string // of en
	initials string   // of the pinyin of zh: "gxy"
	pinyin   string   // "gaoxueya"
}

// NewIndex makes an index of a table.
func NewIndex(table []Coding) *Index {
	x := &Index{lines: make([]line, len(table)), byCode: make(map[string]int, len(table))}
	args := pinyin.NewArgs()
	for i, c := range table {
		l := line{Coding: c, code: foldCode(c.Code), zh: strings.ToLower(c.Zh), en: strings.ToLower(c.En)}
		l.words = strings.FieldsFunc(l.en, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsNumber(r) })
		for _, r := range l.zh {
			sound := string(r)
			if readings := pinyin.SinglePinyin(r, args); len(readings) > 0 {
				sound = readings[0]
			} else if !unicode.IsLetter(r) && !unicode.IsNumber(r) {
				continue
			}
			l.pinyin += sound
			l.initials += string([]rune(sound)[0])
		}
		x.lines[i] = l
		x.byCode[c.Code] = i
	}
	return x
}

// Len is how many codes there are.
func (x *Index) Len() int { return len(x.lines) }

// Find is the entry of a code, written as in the table ("J06.9").
func (x *Index) Find(code string) (Coding, bool) {
	i, ok := x.byCode[code]
	if !ok {
		return Coding{}, false
	}
	return x.lines[i].Coding, true
}

func foldCode(s string) string {
	return strings.ToLower(strings.Map(func(r rune) rune {
		if r == '.' || r == ' ' {
			return -1
		}
		return r
	}, s))
}

// How well a line fits; less is better. A line that fits in no way has none.
const (
	exactly = iota
	codeBegins
	nameBegins
	nameHas
	wordsBegin
	pinyinBegins
	pinyinHas
	mistyped
	none
)

// Search finds up to limit entries for what someone typed, the best first: by
// the beginning of a code, a part of the Chinese name, words of the English
// one, pinyin or its initials; and, where little fits as it was typed, what is
// one or two typing errors away.
func (x *Index) Search(typed string, limit int) []Coding {
	q := strings.ToLower(strings.TrimSpace(typed))
	if q == "" {
		return []Coding{}
	}
	found := x.ranked(q, (*line).fits)
	if len(found) < limit {
		seen := map[int]bool{}
		for _, h := range found {
			seen[h.at] = true
		}
		for _, h := range x.ranked(q, (*line).nearly) {
			if !seen[h.at] {
				found = append(found, h)
			}
		}
	}
	list := make([]Coding, 0, min(limit, len(found)))
	for _, h := range found[:min(limit, len(found))] {
		list = append(list, x.lines[h.at].Coding)
	}
	return list
}

type hit struct{ at, rank, length int }

// ranked are the lines that a rule accepts: by rank, then the shorter name.
func (x *Index) ranked(q string, rule func(*line, string) int) []hit {
	var hits []hit
	for i := range x.lines {
		l := &x.lines[i]
		if rank := rule(l, q); rank != none {
			hits = append(hits, hit{i, rank, len(l.zh) + len(l.en)})
		}
	}
	slices.SortStableFunc(hits, func(a, b hit) int {
		if a.rank != b.rank {
			return a.rank - b.rank
		}
		return a.length - b.length
	})
	return hits
}

func (l *line) fits(q string) int {
	code, sound := foldCode(q), strings.ReplaceAll(q, " ", "")
	switch {
	case l.code == code || l.zh == q || l.en == q:
		return exactly
	case strings.HasPrefix(l.code, code):
		return codeBegins
	case strings.HasPrefix(l.zh, q) || strings.HasPrefix(l.en, q):
		return nameBegins
	case strings.Contains(l.zh, q):
		return nameHas
	case everyWord(q, func(w string) bool { return l.hasWord(w) }):
		return wordsBegin
	case len(sound) >= 2 && (strings.HasPrefix(l.initials, sound) || strings.HasPrefix(l.pinyin, sound)):
		return pinyinBegins
	case len(sound) >= 3 && (strings.Contains(l.initials, sound) || strings.Contains(l.pinyin, sound)):
		return pinyinHas
	}
	return none
}

func everyWord(q string, holds func(string) bool) bool {
	for _, w := range strings.Fields(q) {
		if !holds(w) {
			return false
		}
	}
	return true
}

func (l *line) hasWord(prefix string) bool {
	return strings.Contains(l.zh, prefix) || slices.ContainsFunc(l.words, func(w string) bool { return strings.HasPrefix(w, prefix) })
}

// nearly accepts what fits but for typing errors: one in a word of 4 to 7
// letters, two in a longer one, one character in a Chinese name of 3 or more.
func (l *line) nearly(q string) int {
	if han := []rune(q); unicode.Is(unicode.Han, han[0]) {
		if len(han) >= 3 && within([]rune(l.zh), han, 1) {
			return mistyped
		}
		return none
	}
	if everyWord(q, func(w string) bool {
		return l.hasWord(w) || slices.ContainsFunc(l.words, func(word string) bool { return alike(word, w) })
	}) {
		return mistyped
	}
	if alike(l.pinyin, strings.ReplaceAll(q, " ", "")) {
		return mistyped
	}
	return none
}

func alike(word, typed string) bool {
	allowed := 0
	switch n := len(typed); {
	case n >= 8:
		allowed = 2
	case n >= 4:
		allowed = 1
	}
	if allowed == 0 || len(word)-len(typed) > allowed || len(typed)-len(word) > allowed {
		return false
	}
	return distance([]rune(word), []rune(typed)) <= allowed
}

// within reports whether some substring of name differs from typed by at most
// most errors.
func within(name, typed []rune, most int) bool {
	for size := len(typed) - most; size <= len(typed)+most; size++ {
		for from := 0; from+size <= len(name); from++ {
			if distance(name[from:from+size], typed) <= most {
				return true
			}
		}
	}
	return false
}

// distance counts the insertions, deletions, replacements and swaps of
// neighbours between a and b (optimal string alignment).
func distance(a, b []rune) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
