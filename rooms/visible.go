package rooms

import (
	"strings"
	"unicode"
)

// marksMost is how many marks may follow one character: the languages of the
// world need up to four, and a tower of them hides the lines above.
const marksMost = 4

// Visible is s in one line, with nothing in it that cannot be seen: no control
// characters, none that turn the direction of writing, none without a width.
// Blanks are single.
func Visible(s string) string {
	var b strings.Builder
	marks := 0
	for _, r := range strings.ToValidUTF8(s, "") {
		switch {
		case unicode.IsSpace(r), unicode.IsControl(r), unicode.Is(unicode.Zl, r), unicode.Is(unicode.Zp, r), blank(r):
			marks = 0
			b.WriteByte(' ')
		case invisible(r):
		case unicode.Is(unicode.M, r):
			if marks++; marks <= marksMost {
				b.WriteRune(r)
			}
		default:
			marks = 0
			b.WriteRune(r)
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

// blank reports whether r is drawn as nothing although it is a letter or a symbol.
func blank(r rune) bool {
	switch r {
	case '\u115f', '\u1160', '\u2800', '\u3164', '\uffa0':
		return true
	}
	return false
}

// invisible reports whether r changes how others are drawn, or is not for display.
func invisible(r rune) bool {
	return unicode.In(r, unicode.Cf, unicode.Co, unicode.Cs, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector) ||
		r == '\ufffd' || r&0xfffe == 0xfffe
}

// WithoutLinks is what a person has written about themselves, such as a name, as our
// mails and notices to others may repeat it: visible, of at most so many
// characters, and with nothing that a mail program makes a link of, or takes
// for an encoded word (RFC 2047). Where nothing is left it is a dash.
func WithoutLinks(s string, most int) string {
	in := []rune(Visible(s))
	var b strings.Builder
	for i, r := range in {
		next := ' '
		if i+1 < len(in) {
			next = in[i+1]
		}
		switch r {
		case '/', '\\', '@', '＠', '／', '＼':
			if unicode.IsDigit(next) && r == '/' {
				b.WriteRune(r)
			} else {
				b.WriteByte(' ')
			}
		case '.', '．', '。', '｡': // separates the labels of a domain (RFC 3490)
			b.WriteRune(r)
			if !unicode.IsDigit(next) {
				b.WriteByte(' ')
			}
		case '=':
			b.WriteRune(r)
			if next == '?' {
				b.WriteByte(' ')
			}
		default:
			b.WriteRune(r)
		}
	}
	out := []rune(strings.Join(strings.Fields(b.String()), " "))
	switch {
	case len(out) == 0:
		return "–"
	case len(out) > most:
		return strings.TrimSpace(string(out[:most-1])) + "…"
	}
	return string(out)
}
