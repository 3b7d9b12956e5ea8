package document

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"wenzhen/server/document/pdf"
)

// missing stands for a character that no font has, before its number:
// "〓U+1F600".
const missing = '〓'

// unseen are characters that shape others and have no look of their own:
// joiners, direction marks, soft hyphens and variation selectors.
var unseen = &unicode.RangeTable{R16: []unicode.Range16{{Lo: 0xAD, Hi: 0xAD, Stride: 1}, {Lo: 0x61C, Hi: 0x61C, Stride: 1}, {Lo: 0x180B, Hi: 0x180F, Stride: 1},
	{Lo: 0x200B, Hi: 0x200F, Stride: 1}, {Lo: 0x2060, Hi: 0x2064, Stride: 1}, {Lo: 0xFE00, Hi: 0xFE0F, Stride: 1}, {Lo: 0xFEFF, Hi: 0xFEFF, Stride: 1}},
	R32: []unicode.Range32{{Lo: 0xE0100, Hi: 0xE01EF, Stride: 1}}, LatinOffset: 1}

// glyphs is a text without line ends as it is shown. What cannot be shown is
// shown by its number; that includes control characters and those that would
// turn the order of others around.
func glyphs(in *pdf.Document, text string) []pdf.Glyph {
	var all []pdf.Glyph
	runes := []rune(text)
	for i := 0; i < len(runes); {
		n := i + 1
		for n < len(runes) && unicode.Is(unicode.Mn, runes[n]) && !unicode.Is(unseen, runes[n]) {
			n++
		}
		for _, r := range shown(in, runes[i:n]) {
			all = append(all, glyph(in, r, all)...)
		}
		i = n
	}
	return all
}

// shown is a character and the marks on it, in the form that the fonts have:
// one character for all of it, or one for each. All else stays to the letter:
// some characters of names have a normal form that looks different.
func shown(in *pdf.Document, cluster []rune) []rune {
	if _, found := in.Find(cluster[0]); !unicode.IsLetter(cluster[0]) || (found && len(cluster) == 1) {
		return cluster
	}
	for _, form := range []norm.Form{norm.NFC, norm.NFD} {
		runes := []rune(form.String(string(cluster)))
		lacks := func(r rune) bool { _, found := in.Find(r); return !found }
		if !slices.ContainsFunc(runes, lacks) {
			return runes
		}
	}
	return cluster
}

// glyph is a character after those before.
func glyph(in *pdf.Document, r rune, before []pdf.Glyph) []pdf.Glyph {
	g, found := in.Find(r)
	switch {
	case unicode.Is(unseen, r):
		return nil
	case r == '\t':
		return glyphs(in, "    ")
	case unicode.Is(unicode.Z, r) && !found && r != ' ':
		return glyphs(in, " ")
	case !found, unicode.IsControl(r), unicode.Is(unicode.Cf, r):
		return placeholder(in, r)
	case unicode.Is(unicode.Mn, r):
		return []pdf.Glyph{mark(g, before)}
	}
	return []pdf.Glyph{g}
}

// markGap is between a letter and a mark over it, in thousandths of the size.
const markGap = 60

// mark is a glyph over or under the letter before, in its middle.
func mark(g pdf.Glyph, before []pdf.Glyph) pdf.Glyph {
	for _, letter := range slices.Backward(before) {
		if !letter.Mark {
			g.Mark, g.Back = true, letter.Width/2+g.Middle
			if g.Low > letter.High/2 { // it stands over the letter, and must not touch it
				g.Rise = max(0, letter.High+markGap-g.Low)
			}
			break
		}
	}
	return g
}

// placeholder shows a character by its number. What even that needs and no
// font has is left out.
func placeholder(in *pdf.Document, r rune) []pdf.Glyph {
	var all []pdf.Glyph
	for _, c := range fmt.Sprintf("%cU+%04X", missing, r) {
		if g, found := in.Find(c); found {
			all = append(all, g)
		}
	}
	return all
}

// lines breaks a text into lines of at most width millimetres.
func lines(in *pdf.Document, text string, size, width float64) [][]pdf.Glyph {
	var all [][]pdf.Glyph
	text = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\v", "\n", "\f", "\n", "\u0085", "\n", "\u2028", "\n", "\u2029", "\n").Replace(text)
	for paragraph := range strings.SplitSeq(text, "\n") {
		rest := glyphs(in, paragraph)
		for {
			n := fitting(rest, size, width)
			all = append(all, rest[:n])
			if rest = rest[n:]; len(rest) == 0 {
				break
			}
		}
	}
	return all
}

// fitting is how many glyphs go into a line: up to the last place where it may
// be broken, or as many as fit if there is none. At least one does.
func fitting(all []pdf.Glyph, size, width float64) int {
	used, good := 0.0, 0
	for i, g := range all {
		if i > 0 && breaks(all[i-1], g) {
			good = i
		}
		used += pdf.Width(all[i:i+1], size)
		if used > width && g.Rune != ' ' && i > 0 {
			if good > 0 {
				return good
			}
			for i > 1 && all[i].Mark {
				i--
			}
			return i
		}
	}
	return len(all)
}

// Characters that must not begin or end a line.
const (
	closing = "，。、；：？！）》」』】〕〉”’,.;:?!)]}%·…—"
	opening = "（《「『【〔〈“‘([{"
)

// breaks reports whether a line may end between two glyphs.
func breaks(before, after pdf.Glyph) bool {
	switch {
	case after.Mark, after.Rune == ' ':
		return false
	case before.Rune == ' ', before.Rune == '-':
		return true
	case strings.ContainsRune(closing, after.Rune), strings.ContainsRune(opening, before.Rune), before.Rune == missing:
		return false
	}
	return ideographic(before.Rune) || ideographic(after.Rune)
}

// ideographic reports whether lines may be broken on both sides of a character.
func ideographic(r rune) bool {
	return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul) || (r >= 0x3000 && r <= 0x303F) || (r >= 0xFF00 && r <= 0xFFEF)
}
