package pdf

import (
	"bytes"
	"fmt"
	"unicode/utf16"
)

// The page is A4. Places are in millimetres from its top left corner, sizes of
// text in points.
const (
	PageWidth  = 210.0
	PageHeight = 297.0

	pointsPerMM = 72 / 25.4
)

// Color is red, green and blue.
type Color [3]uint8

// Document is a file that is being written. Its pages can be written on in any
// order until Bytes.
type Document struct {
	title string
	fonts []face
	pages []*bytes.Buffer
}

// face is a font of a document, and what the document shows of it.
type face struct {
	font *Font
	ids  map[rune]int // from 1
	used []character  // by id, less 1
}

type character struct {
	r     rune
	glyph uint16
}

// New begins a document without pages. A character is looked for in the fonts
// in their order.
func New(title string, fonts ...*Font) *Document {
	d := &Document{title: title}
	for _, f := range fonts {
		d.fonts = append(d.fonts, face{font: f, ids: map[rune]int{}})
	}
	return d
}

// Glyph is a character in a font.
type Glyph struct {
	Rune  rune
	Width int // in thousandths of the size of the text, as are the following
	// Middle is where the outline has its middle; Low and High are its ends.
	Middle, Low, High int
	// Back moves the glyph to the left, and Width does not count: it is a mark
	// on what is before it.
	Back int
	Mark bool
	Rise int // of a mark

	font  int
	glyph uint16
}

// Find is the glyph of a character; false if no font has it.
func (d *Document) Find(r rune) (Glyph, bool) {
	for i, f := range d.fonts {
		if g := f.font.glyph(r); g != 0 {
			left, low, right, high := f.font.bounds(g)
			return Glyph{Rune: r, Width: f.font.advance(g), Middle: (left + right) / 2, Low: low, High: high, font: i, glyph: g}, true
		}
	}
	return Glyph{}, false
}

// AddPage adds an empty page and returns its number, from 0.
func (d *Document) AddPage() int {
	d.pages = append(d.pages, &bytes.Buffer{})
	return len(d.pages) - 1
}

// Pages is how many there are.
func (d *Document) Pages() int { return len(d.pages) }

// Width is how wide glyphs are, in millimetres.
func Width(glyphs []Glyph, size float64) float64 {
	sum := 0
	for _, g := range glyphs {
		if !g.Mark {
			sum += g.Width
		}
	}
	return float64(sum) / 1000 * size / pointsPerMM
}

// Text writes glyphs on a page; y is that of the line that they stand on.
func (d *Document) Text(page int, x, y, size float64, color Color, glyphs []Glyph) {
	to := d.pages[page]
	for len(glyphs) > 0 {
		n := 1
		for n < len(glyphs) && glyphs[n].font == glyphs[0].font {
			n++
		}
		fmt.Fprintf(to, "BT /F%d %.2f Tf %s rg 1 0 0 1 %.2f %.2f Tm [", glyphs[0].font, size, color, x*pointsPerMM, (PageHeight-y)*pointsPerMM)
		for _, g := range glyphs[:n] {
			if g.Mark {
				fmt.Fprintf(to, "%d] TJ %.2f Ts [<%04X>] TJ 0 Ts [%d", g.Back, float64(g.Rise)/1000*size, d.id(g), g.Width-g.Back)
			} else {
				fmt.Fprintf(to, "<%04X>", d.id(g))
			}
		}
		to.WriteString("] TJ ET\n")
		x += Width(glyphs[:n], size)
		glyphs = glyphs[n:]
	}
}

// id is what a glyph is called in the document. Each character has one of its
// own, also those that share a glyph, so that it is extracted as what it is.
func (d *Document) id(g Glyph) int {
	f := &d.fonts[g.font]
	id, there := f.ids[g.Rune]
	if !there {
		f.used = append(f.used, character{g.Rune, g.glyph})
		id = len(f.used)
		f.ids[g.Rune] = id
	}
	return id
}

// Rectangle is its top left corner, width and height.
type Rectangle struct{ X, Y, Width, Height float64 }

// Fill fills rectangles as one figure, without seams where they touch.
func (d *Document) Fill(page int, color Color, all ...Rectangle) {
	to := d.pages[page]
	fmt.Fprintf(to, "%s rg\n", color)
	for _, r := range all {
		fmt.Fprintf(to, "%.3f %.3f %.3f %.3f re\n", r.X*pointsPerMM, (PageHeight-r.Y-r.Height)*pointsPerMM, r.Width*pointsPerMM, r.Height*pointsPerMM)
	}
	to.WriteString("f\n")
}

// String implements fmt.Stringer as the operands of rg.
func (c Color) String() string {
	return fmt.Sprintf("%.3f %.3f %.3f", float64(c[0])/255, float64(c[1])/255, float64(c[2])/255)
}

// utf16Hex is text in UTF-16BE as hexadecimal digits.
func utf16Hex(text string) string {
	out := ""
	for _, unit := range utf16.Encode([]rune(text)) {
		out += fmt.Sprintf("%04X", unit)
	}
	return out
}
