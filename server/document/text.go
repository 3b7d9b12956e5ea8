package document

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/go-text/typesetting/di"
	"github.com/go-text/typesetting/font"
	"github.com/go-text/typesetting/harfbuzz"
	"github.com/go-text/typesetting/segmenter"
	"github.com/go-text/typesetting/shaping"
	"golang.org/x/image/math/fixed"
	"golang.org/x/text/unicode/bidi"
	"golang.org/x/text/unicode/norm"

	"wenzhen.example/server/document/pdf"
)

// typesetter lays out text in fonts, each of which is preferred to those after
// it. It is for one goroutine.
type typesetter struct {
	fonts     []*pdf.Font
	faces     []*font.Face
	shapers   []*harfbuzz.Font
	buffer    *harfbuzz.Buffer
	runs      shaping.Segmenter
	wrapper   shaping.LineWrapper
	graphemes segmenter.Segmenter
}

func newTypesetter(fonts []*pdf.Font) *typesetter {
	t := &typesetter{fonts: fonts, buffer: harfbuzz.NewBuffer()}
	for _, f := range fonts {
		face := f.Face()
		shaper := harfbuzz.NewFont(face)
		shaper.XScale, shaper.YScale = 1000, 1000
		t.faces, t.shapers = append(t.faces, face), append(t.shapers, shaper)
	}
	return t
}

// ResolveFace implements shaping.Fontmap for runs that get their face later.
func (t *typesetter) ResolveFace(rune) *font.Face { return t.faces[0] }

// paragraph is a text without line ends. What it says of each character is in
// slices of the same length.
type paragraph struct {
	runes  []rune
	fonts  []int
	levels []int // of direction (UAX #9): right to left if odd
	from   []int // where its parts begin, each of which has its own direction
}

// lineEnds are the characters that end a line.
var lineEnds = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\v", "\n", "\f", "\n", "\u0085", "\n", "\u2028", "\n", "\u2029", "\n")

// lines breaks a text into lines of at most width millimetres. The parts of the
// text follow each other from left to right, and no part changes the order of
// the characters in another.
func (t *typesetter) lines(size, width float64, parts ...string) [][]pdf.Glyph {
	all := []*paragraph{{}}
	for _, part := range parts {
		for i, text := range strings.Split(lineEnds.Replace(part), "\n") {
			for j, text := range t.pieces([]rune(strings.ReplaceAll(text, "\t", "    "))) {
				if i+j > 0 {
					all = append(all, &paragraph{})
				}
				t.add(all[len(all)-1], text)
			}
		}
	}
	var lines [][]pdf.Glyph
	for i, p := range all {
		lines = append(lines, t.wrap(p, width*pdf.PointsPerMM/size*1000)...)
		all[i] = nil
	}
	return lines
}

// wordMost is how many characters can follow each other without a place for a
// line to end. For each line, the wrapper looks at all that follow up to the next
// such place: ten thousand would take a hundred times as much as their text.
const wordMost = 300

// pieces is a text that is cut where a word has more than wordMost characters.
// A line, which has place for fewer, ends there.
func (t *typesetter) pieces(text []rune) [][]rune {
	var all [][]rune
	from, breaks := 0, 0
	t.graphemes.Init(text)
	possible := map[int]bool{}
	for lines := t.graphemes.LineIterator(); len(text) > wordMost && lines.Next(); {
		possible[lines.Line().Offset] = true
	}
	for clusters := t.graphemes.GraphemeIterator(); len(text) > wordMost && clusters.Next(); {
		at := clusters.Grapheme().Offset
		if possible[at] {
			breaks = at
		} else if at-breaks >= wordMost {
			all = append(all, text[from:at])
			from, breaks = at, at
		}
	}
	return append(all, text[from:])
}

// add puts a text at the end of a paragraph, as it is shown: what cannot be
// shown is shown by its number.
func (t *typesetter) add(p *paragraph, text []rune) {
	p.from = append(p.from, len(p.runes))
	p.runes, p.fonts = slices.Grow(p.runes, len(text)), slices.Grow(p.fonts, len(text))
	t.graphemes.Init(text)
	for clusters := t.graphemes.GraphemeIterator(); clusters.Next(); {
		t.cluster(p, clusters.Grapheme().Text)
	}
}

// cluster adds a character and those that belong to it, in one font if there is
// one that has them all.
func (t *typesetter) cluster(p *paragraph, cluster []rune) {
	for _, runes := range forms(cluster) {
		if f := t.font(runes...); f >= 0 {
			if n := len(p.runes); n > 0 && runes[0] == ' ' && ofWords(p.runes[n-1]) {
				f = p.fonts[n-1] // as wide as spaces between the words of this font
			}
			p.add(f, runes...)
			return
		}
	}
	for _, r := range cluster {
		switch f := t.font(r); {
		case f >= 0:
			p.add(f, r)
		case unicode.Is(unicode.Z, r):
			p.add(0, ' ')
		default:
			for _, c := range fmt.Sprintf("%c%cU+%04X", missing, joiner, r) {
				p.add(max(0, t.font(c)), c)
			}
		}
	}
}

func ofWords(r rune) bool {
	return unicode.In(r, unicode.L, unicode.Mn, unicode.Mc) && !unicode.Is(unseen, r)
}

// font is the first that shows all of these characters; -1 if none does. A mark
// needs one that says where it goes, if there is any.
func (t *typesetter) font(runes ...rune) int {
	all := func(f *pdf.Font) bool { return !slices.ContainsFunc(runes, func(r rune) bool { return !shows(f, r) }) }
	if i := slices.IndexFunc(runes, func(r rune) bool { return unicode.Is(unicode.Mn, r) && !unicode.Is(unseen, r) }); i >= 0 {
		if f := slices.IndexFunc(t.fonts, func(f *pdf.Font) bool { return f.Places(runes[i]) && all(f) }); f >= 0 {
			return f
		}
	}
	return slices.IndexFunc(t.fonts, all)
}

func (p *paragraph) add(font int, runes ...rune) {
	for _, r := range runes {
		p.runes, p.fonts = append(p.runes, r), append(p.fonts, font)
	}
}

// missing stands for a character that no font has, before its number:
// "〓U+1F600"; joiner keeps the two on one line.
const (
	missing = '〓'
	joiner  = '\u2060'
)

// unseen are characters that shape others and have no look of their own:
// joiners, soft hyphens, variation selectors and tags.
var unseen = &unicode.RangeTable{R16: []unicode.Range16{{Lo: 0xAD, Hi: 0xAD, Stride: 1}, {Lo: 0x34F, Hi: 0x34F, Stride: 1},
	{Lo: 0x180B, Hi: 0x180F, Stride: 1}, {Lo: 0x200B, Hi: 0x200D, Stride: 1}, {Lo: 0x2060, Hi: 0x2064, Stride: 1},
	{Lo: 0xFE00, Hi: 0xFE0F, Stride: 1}, {Lo: 0xFEFF, Hi: 0xFEFF, Stride: 1}},
	R32: []unicode.Range32{{Lo: 0xE0020, Hi: 0xE007F, Stride: 1}, {Lo: 0xE0100, Hi: 0xE01EF, Stride: 1}}, LatinOffset: 1}

// shows reports whether a character can be shown in a font. Control characters,
// those that turn the order of others around and private ones cannot.
func shows(f *pdf.Font, r rune) bool {
	switch {
	case unicode.Is(unseen, r):
		return true
	case unicode.IsControl(r), unicode.Is(unicode.Co, r), harfbuzz.IsDefaultIgnorable(r):
		return false
	}
	return f.Has(r)
}

// forms are a cluster and what is equal to it by definition, the form that
// looks best first. A single character is tried to the letter first: some
// characters of names have a normal form that looks different.
func forms(cluster []rune) [][]rune {
	composed, apart := []rune(norm.NFC.String(string(cluster))), []rune(norm.NFD.String(string(cluster)))
	if len(cluster) > 1 && unicode.In(cluster[1], unicode.Mn) && !unicode.Is(unseen, cluster[1]) {
		return [][]rune{composed, cluster, apart}
	}
	return [][]rune{cluster, composed, apart}
}

// direct sets the levels of the characters of a part (UAX #9). They have no
// explicit embeddings, so the direction of its runs says it all but for numbers
// behind text from right to left, which are at its left.
func (p *paragraph) direct(from, to int, of di.Direction, runs []shaping.Input) {
	for _, run := range runs {
		level := 0
		if run.Direction == di.DirectionRTL {
			level = 1
		} else if of == di.DirectionRTL {
			level = 2
		}
		for i := run.RunStart; i < run.RunEnd; i++ {
			p.levels[i] = level
		}
	}
	for i := from + 1; i < to; i++ {
		if p.levels[i] == 0 && p.levels[i-1] == 1 {
			for range number(p.runes[i:to]) {
				p.levels[i] = 2
				i++
			}
		}
	}
}

// number is how many characters belong to the number at the beginning; 0 if
// there is none.
func number(runes []rune) int {
	n := 0
	for i, r := range runes {
		switch class(r) {
		case bidi.EN, bidi.AN:
			n = i + 1
		case bidi.ET:
			if n == i && n > 0 {
				n = i + 1
			}
		case bidi.ES, bidi.CS, bidi.NSM, bidi.BN:
		default:
			return n
		}
	}
	return n
}

func class(r rune) bidi.Class {
	properties, _ := bidi.LookupRune(r)
	return properties.Class()
}

// direction is that of the first letter.
func direction(runes []rune) di.Direction {
	for _, r := range runes {
		switch class(r) {
		case bidi.L:
			return di.DirectionLTR
		case bidi.R, bidi.AL:
			return di.DirectionRTL
		}
	}
	return di.DirectionLTR
}

// wrap breaks a paragraph into lines of at most width thousandths of the size
// of the text.
func (t *typesetter) wrap(p *paragraph, width float64) [][]pdf.Glyph {
	if len(p.runes) == 0 {
		return [][]pdf.Glyph{nil}
	}
	config := shaping.WrapConfig{DisableTrailingWhitespaceTrim: true}
	wrapped, _ := t.wrapper.WrapParagraphF(config, fixed.Int26_6(width*64), p.runes, shaping.NewSliceIterator(t.shape(p)))
	var all [][]pdf.Glyph
	for _, line := range wrapped {
		p.order(line)
		n := 0
		for _, run := range line {
			n += len(run.Glyphs)
		}
		glyphs := make([]pdf.Glyph, 0, n)
		for _, run := range line {
			glyphs = t.glyphs(glyphs, p, run)
		}
		all = append(all, glyphs)
	}
	return all
}

// shape finds the glyphs of a paragraph, in runs of one font, script and level.
func (t *typesetter) shape(p *paragraph) []shaping.Output {
	p.levels = make([]int, len(p.runes))
	var all []shaping.Output
	for i, from := range p.from {
		to := len(p.runes)
		if i+1 < len(p.from) {
			to = p.from[i+1]
		}
		if from == to {
			continue
		}
		part := shaping.Input{Text: p.runes, RunStart: from, RunEnd: to, Direction: direction(p.runes[from:to])}
		runs := t.runs.Split(part, t)
		p.direct(from, to, part.Direction, runs)
		for _, run := range runs {
			for end := run.RunEnd; run.RunStart < end; run.RunStart = run.RunEnd {
				run.RunEnd = run.RunStart + 1
				for run.RunEnd < end && p.alike(run.RunEnd, run.RunStart) {
					run.RunEnd++
				}
				all = append(all, t.shapeRun(run, p.fonts[run.RunStart]))
			}
		}
	}
	return all
}

// alike reports whether two characters have the same font and level.
func (p *paragraph) alike(i, j int) bool {
	return p.fonts[i] == p.fonts[j] && p.levels[i] == p.levels[j]
}

// shapeRun finds the glyphs of a run. It does what shaping.HarfbuzzShaper does,
// without the outlines of the glyphs, which the faces do not have. The wrapper
// takes a glyph without width for a space.
func (t *typesetter) shapeRun(run shaping.Input, font int) shaping.Output {
	t.buffer.Clear()
	t.buffer.AddRunes(run.Text, run.RunStart, run.RunEnd-run.RunStart)
	t.buffer.Props = harfbuzz.SegmentProperties{Direction: run.Direction.Harfbuzz(), Language: run.Language, Script: run.Script}
	t.buffer.Shape(t.shapers[font], nil)
	out := shaping.Output{Direction: run.Direction, Face: t.faces[font]}
	out.Runes = shaping.Range{Offset: run.RunStart, Count: run.RunEnd - run.RunStart}
	out.Glyphs = make([]shaping.Glyph, 0, len(t.buffer.Info))
	for i, info := range t.buffer.Info {
		at := t.buffer.Pos[i]
		g := shaping.Glyph{GlyphID: info.Glyph, Advance: fixed.I(int(at.XAdvance)), XOffset: fixed.I(int(at.XOffset)), YOffset: fixed.I(int(at.YOffset))}
		//lint:ignore SA1019 what is deprecated is to read them
		g.ClusterIndex, g.XAdvance = info.Cluster, g.Advance
		if run.Text[info.Cluster] != ' ' {
			g.Width = 1
		}
		out.Advance += g.Advance
		out.Glyphs = append(out.Glyphs, g)
	}
	count(out.Glyphs, run.RunEnd, run.Direction == di.DirectionRTL)
	return out
}

// count sets how many characters and glyphs are in the cluster of each glyph of
// a run, whose text ends at end.
func count(glyphs []shaping.Glyph, end int, backward bool) {
	if backward {
		slices.Reverse(glyphs)
		defer slices.Reverse(glyphs)
	}
	for from := 0; from < len(glyphs); {
		to := from
		for to < len(glyphs) && glyphs[to].TextIndex() == glyphs[from].TextIndex() {
			to++
		}
		next := end
		if to < len(glyphs) {
			next = glyphs[to].TextIndex()
		}
		for i := from; i < to; i++ {
			//lint:ignore SA1019 what is deprecated is to read them
			glyphs[i].RuneCount, glyphs[i].GlyphCount = next-glyphs[i].TextIndex(), to-from
		}
		from = to
	}
}

// order puts the runs of a line into the order in which they are seen, from the
// left (UAX #9, L2).
func (p *paragraph) order(line shaping.Line) {
	for level := 2; level > 0; level-- {
		for from := 0; from < len(line); from++ {
			to := from
			for to < len(line) && p.levels[line[to].Runes.Offset] >= level {
				to++
			}
			slices.Reverse(line[from:to])
			from = to
		}
	}
}

// glyphs adds those of a run.
func (t *typesetter) glyphs(all []pdf.Glyph, p *paragraph, run shaping.Output) []pdf.Glyph {
	face := slices.Index(t.faces, run.Face)
	place := 0 // in the cluster
	for i, g := range run.Glyphs {
		if place++; i == 0 || run.Glyphs[i-1].TextIndex() != g.TextIndex() {
			place = 0
		}
		cluster := p.runes[g.TextIndex() : g.TextIndex()+g.RunesCount()]
		text := shared(cluster, place, g.GlyphsCount(), run.Direction == di.DirectionRTL)
		all = append(all, pdf.Glyph{Font: face, ID: uint16(g.GlyphID), Text: strings.ReplaceAll(string(text), string(joiner), ""),
			Advance: g.Advance.Round(), X: g.XOffset.Round(), Y: g.YOffset.Round()})
	}
	return all
}

// shared is the part of a cluster that one of its glyphs stands for, which are
// counted from the left: a character each, and what is left over the last.
func shared(cluster []rune, place, glyphs int, backward bool) []rune {
	if backward {
		place = glyphs - 1 - place
	}
	from, to := min(place, len(cluster)), min(place+1, len(cluster))
	if place == glyphs-1 {
		to = len(cluster)
	}
	return cluster[from:to]
}
