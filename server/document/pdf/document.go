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

	PointsPerMM = 72 / 25.4
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
	ids  map[character]int // from 1
	used []character       // by id, less 1
}

// character is a glyph, and the text that it shows.
type character struct {
	glyph uint16
	text  string
}

// New begins a document without pages that has these fonts.
func New(title string, fonts ...*Font) *Document {
	d := &Document{title: title}
	for _, f := range fonts {
		d.fonts = append(d.fonts, face{font: f, ids: map[character]int{}})
	}
	return d
}

// Glyph is a sign in a font. Its measures are in thousandths of the size of the
// text.
type Glyph struct {
	Font int // of the document, from 0
	ID   uint16
	// Text is what the sign shows, for those who search or copy it; empty if
	// another sign of the same letter has it.
	Text string
	// Advance is how far the next glyph is from here.
	Advance int
	// X and Y are how far to the right of its place and above the line it is.
	X, Y int
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
		sum += g.Advance
	}
	return float64(sum) / 1000 * size / PointsPerMM
}

// Text writes glyphs on a page, from left to right; y is that of the line that
// they stand on.
func (d *Document) Text(page int, x, y, size float64, color Color, glyphs []Glyph) {
	to := d.pages[page]
	for len(glyphs) > 0 {
		n := 1
		for n < len(glyphs) && glyphs[n].Font == glyphs[0].Font {
			n++
		}
		fmt.Fprintf(to, "BT /F%d %.2f Tf %s rg 1 0 0 1 %.2f %.2f Tm [", glyphs[0].Font, size, color, x*PointsPerMM, (PageHeight-y)*PointsPerMM)
		moved := 0 // how far the pen is right of where the next glyph has its place
		for _, g := range glyphs[:n] {
			if moved -= g.X; moved != 0 {
				fmt.Fprintf(to, "%d", moved)
			}
			if g.Y != 0 {
				fmt.Fprintf(to, "] TJ %.2f Ts [<%04X>] TJ 0 Ts [", float64(g.Y)/1000*size, d.id(g))
			} else {
				fmt.Fprintf(to, "<%04X>", d.id(g))
			}
			moved = g.X + d.fonts[g.Font].font.advance(g.ID) - g.Advance
		}
		to.WriteString("] TJ ET\n")
		x += Width(glyphs[:n], size)
		glyphs = glyphs[n:]
	}
}

// id is what a glyph is called in the document. It has one for each text that
// it shows, so that every character is extracted as what it is.
func (d *Document) id(g Glyph) int {
	f, c := &d.fonts[g.Font], character{g.ID, g.Text}
	id, there := f.ids[c]
	if !there {
		f.used = append(f.used, c)
		id = len(f.used)
		f.ids[c] = id
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
		fmt.Fprintf(to, "%.3f %.3f %.3f %.3f re\n", r.X*PointsPerMM, (PageHeight-r.Y-r.Height)*PointsPerMM, r.Width*PointsPerMM, r.Height*PointsPerMM)
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
