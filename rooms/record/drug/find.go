package drug

import (
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/mozillazg/go-pinyin"
	"golang.org/x/text/unicode/norm"

	"wenzhen.example/rooms/record/icd10"
)

// Table is a table of drugs made ready to be searched. It is safe for use by
// several goroutines.
type Table struct {
	drugs  map[string]*Drug
	names  []name // the longest first
	sounds map[string]string
	search *icd10.Index
}

// name is one name of a drug, folded.
type name struct {
	text string
	id   string
	han  bool
}

// Shipped is the table of the drugs that are shipped.
var Shipped = sync.OnceValue(func() *Table { return NewTable(nil) })

// NewTable makes a table of the drugs that are shipped and of more, which replace
// those with their id.
func NewTable(more []Drug) *Table {
	t := &Table{drugs: map[string]*Drug{}, sounds: map[string]string{}}
	for _, d := range slices.Concat(Common(), more) {
		t.drugs[d.ID] = &d
	}
	var words []icd10.Coding
	for id, d := range t.drugs {
		words = append(words, icd10.Coding{Code: id, Zh: d.Name.Zh, En: strings.Join(append([]string{d.Name.En}, d.Aliases...), " ")})
		for _, s := range append([]string{d.Name.Zh, d.Name.En}, d.Aliases...) {
			if s = fold(s); s == "" {
				continue
			}
			n := name{text: s, id: id, han: isHan(s)}
			t.names = append(t.names, n)
			if n.han && utf8.RuneCountInString(s) >= 3 {
				t.sounds[sound(s)] = id
			}
		}
	}
	slices.SortFunc(t.names, func(a, b name) int {
		if a.text != b.text {
			if d := len(b.text) - len(a.text); d != 0 {
				return d
			}
			return strings.Compare(a.text, b.text)
		}
		return strings.Compare(a.id, b.id)
	})
	slices.SortFunc(words, func(a, b icd10.Coding) int { return strings.Compare(a.Code, b.Code) })
	t.search = icd10.NewIndex(words)
	return t
}

// Search finds up to limit drugs for what was typed: a part of a name or brand in
// either language, or pinyin.
func (t *Table) Search(typed string, limit int) []Drug {
	list := []Drug{}
	for _, c := range t.search.Search(typed, limit) {
		list = append(list, *t.drugs[c.Code])
	}
	return list
}

// found is what a text names: drugs of the table, by id, and words that may be
// drugs and are in no table.
type found struct {
	ids     []string
	unknown []string
}

// matched stands for a name that was found.
const matched = '\uFFFC'

// find finds the drugs that a text names, in any spelling: with strength, salt
// and form, as a brand, several of them, or with a typing error.
func (t *Table) find(text string) found {
	rest, f := fold(text), found{}
	for _, n := range t.names {
		for {
			at := n.in(rest)
			if at < 0 {
				break
			}
			if !slices.Contains(f.ids, n.id) {
				f.ids = append(f.ids, n.id)
			}
			rest = rest[:at] + string(matched) + rest[at+len(n.text):]
		}
	}
	for _, part := range strings.FieldsFunc(rest, func(r rune) bool { return r == '+' }) {
		if strings.ContainsRune(part, matched) || !meaningful(part) {
			continue
		}
		if id := t.nearly(part); id != "" {
			f.ids = append(f.ids, id)
		} else {
			f.unknown = append(f.unknown, strings.TrimSpace(part))
		}
	}
	slices.Sort(f.ids)
	f.ids = slices.Compact(f.ids)
	return f
}

// in returns where a text has the name, or -1. A Latin name is a whole word; a
// Chinese one of one character is the whole text.
func (n name) in(text string) int {
	if n.han {
		if utf8.RuneCountInString(n.text) == 1 && strings.TrimSpace(text) != n.text {
			return -1
		}
		return strings.Index(text, n.text)
	}
	for from := 0; ; {
		i := strings.Index(text[from:], n.text)
		if i < 0 {
			return -1
		}
		i += from
		before, _ := utf8.DecodeLastRuneInString(text[:i])
		after, _ := utf8.DecodeRuneInString(text[i+len(n.text):])
		if !latin(before) && !latin(after) {
			return i
		}
		from = i + len(n.text)
	}
}

func latin(r rune) bool { return r >= 'a' && r <= 'z' }

// nearly returns the drug whose name sounds like a Chinese one, or has one letter
// more, fewer or other than a Latin one of eight letters or more.
func (t *Table) nearly(text string) string {
	for word := range strings.FieldsSeq(text) {
		if isHan(word) {
			if id, ok := t.sounds[sound(word)]; ok {
				return id
			}
			continue
		}
		if len(word) < 8 {
			continue
		}
		for _, n := range t.names {
			if !n.han && len(n.text) >= 8 && oneOff(n.text, word) {
				return n.id
			}
		}
	}
	return ""
}

// oneOff reports whether a and b differ by one letter.
func oneOff(a, b string) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	if len(b)-len(a) > 1 {
		return false
	}
	i := 0
	for i < len(a) && a[i] == b[i] {
		i++
	}
	if len(a) == len(b) {
		return i == len(a) || a[i+1:] == b[i+1:]
	}
	return a[i:] == b[i+1:]
}

// formWords are no names of drugs.
var formWords = []string{
	"tablet", "tablets", "capsule", "capsules", "syrup", "suspension", "solution", "cream", "ointment", "injection", "drops", "spray", "gel",
	"oral", "sodium", "potassium", "hydrochloride", "sustained", "release", "extended", "enteric", "coated", "dispersible", "granules",
	"片", "胶囊", "颗粒", "糖浆", "混悬液", "口服液", "注射液", "软膏", "乳膏", "滴眼液", "滴剂", "喷雾剂", "凝胶", "缓释片", "肠溶片", "分散片", "冲剂", "栓剂",
}

// meaningful reports whether a text may be the name of a drug.
func meaningful(text string) bool {
	for word := range strings.FieldsSeq(text) {
		letters := 0
		for _, r := range word {
			switch {
			case unicode.Is(unicode.Han, r):
				letters += 2
			case unicode.IsLetter(r):
				letters++
			}
		}
		if letters >= 4 && !slices.Contains(formWords, word) {
			return true
		}
	}
	return false
}

// lookalikes replaces Cyrillic and Greek letters by the Latin ones that they look
// like: a name that was pasted must not pass as an unknown drug.
var lookalikes = strings.NewReplacer("а", "a", "е", "e", "о", "o", "р", "p", "с", "c", "х", "x", "у", "y", "і", "i", "ј", "j", "ѕ", "s", "һ", "h",
	"к", "k", "м", "m", "т", "t", "в", "b", "н", "h", "α", "a", "ε", "e", "ο", "o", "ρ", "p", "ι", "i", "κ", "k", "ν", "v", "τ", "t", "υ", "u", "χ", "x")

// fold is a text in lower case and one width, with blanks for all that is no
// letter and no digit, and a plus for what stands between names.
func fold(s string) string {
	var b strings.Builder
	for _, r := range lookalikes.Replace(strings.ToLower(norm.NFKD.String(s))) {
		switch {
		case unicode.Is(unicode.Mn, r), unicode.Is(unicode.Cf, r):
		case unicode.IsLetter(r), unicode.IsDigit(r):
			b.WriteRune(r)
		case strings.ContainsRune("+/、,;&", r):
			b.WriteByte('+')
		default:
			b.WriteByte(' ')
		}
	}
	folded := strings.Join(strings.Fields(b.String()), " ")
	for _, word := range []string{" plus ", " with "} {
		folded = strings.ReplaceAll(folded, word, "+")
	}
	return folded
}

func isHan(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return unicode.Is(unicode.Han, r) })
}

// sound is how a Chinese text is read, without the difference of n and ng, which
// many speakers do not make.
func sound(s string) string {
	var b strings.Builder
	args := pinyin.NewArgs()
	for _, r := range s {
		if readings := pinyin.SinglePinyin(r, args); len(readings) > 0 {
			b.WriteString(strings.TrimSuffix(readings[0], "g") + " ")
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}
