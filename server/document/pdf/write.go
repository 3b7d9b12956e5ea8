package pdf

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"strings"
)

// Bytes is the whole file.
func (d *Document) Bytes() ([]byte, error) {
	w := &writer{}
	w.WriteString("%PDF-1.7\n%\xE2\xE3\xCF\xD3\n")
	catalog, pages, info := w.reserve(), w.reserve(), w.reserve()
	w.object(catalog, fmt.Sprintf("<< /Type /Catalog /Pages %d 0 R /ViewerPreferences << /DisplayDocTitle true >> >>", pages))
	w.object(info, "<< /Title <FEFF"+utf16Hex(d.title)+"> /Creator (Wenzhen) >>")
	fonts := ""
	for i, f := range d.fonts {
		if len(f.used) > 0 {
			fonts += fmt.Sprintf("/F%d %d 0 R ", i, w.face(f, i))
		}
	}
	var kids []string
	for _, content := range d.pages {
		at := w.stream("", content.Bytes())
		page := w.reserve()
		w.object(page, fmt.Sprintf("<< /Type /Page /Parent %d 0 R /MediaBox [0 0 %.2f %.2f] /Resources << /Font << %s>> >> /Contents %d 0 R >>",
			pages, PageWidth*PointsPerMM, PageHeight*PointsPerMM, fonts, at))
		kids = append(kids, fmt.Sprintf("%d 0 R", page))
	}
	w.object(pages, fmt.Sprintf("<< /Type /Pages /Count %d /Kids [%s] >>", len(kids), strings.Join(kids, " ")))
	table := w.Len()
	fmt.Fprintf(w, "xref\n0 %d\n0000000000 65535 f \n", len(w.at)+1)
	for _, at := range w.at {
		fmt.Fprintf(w, "%010d 00000 n \n", at)
	}
	fmt.Fprintf(w, "trailer\n<< /Size %d /Root %d 0 R /Info %d 0 R >>\nstartxref\n%d\n%%%%EOF\n", len(w.at)+1, catalog, info, table)
	return w.Bytes(), w.err
}

// writer writes objects and remembers where they are.
type writer struct {
	bytes.Buffer
	at  []int // of object i+1
	zip *zlib.Writer
	err error
}

// reserve takes the number of an object that is to be written.
func (w *writer) reserve() int {
	w.at = append(w.at, 0)
	return len(w.at)
}

func (w *writer) object(number int, content string) {
	w.at[number-1] = w.Len()
	fmt.Fprintf(w, "%d 0 obj\n%s\nendobj\n", number, content)
}

// stream writes content compressed, with further entries of its dictionary. One
// compressor, which takes 800 kB, is for all.
func (w *writer) stream(entries string, content []byte) int {
	var small bytes.Buffer
	if w.zip == nil {
		w.zip = zlib.NewWriter(&small)
	} else {
		w.zip.Reset(&small)
	}
	if _, err := w.zip.Write(content); err != nil {
		w.err = err
	}
	if err := w.zip.Close(); err != nil {
		w.err = err
	}
	number := w.reserve()
	w.at[number-1] = w.Len()
	fmt.Fprintf(w, "%d 0 obj\n<< /Length %d /Filter /FlateDecode %s>>\nstream\n", number, small.Len(), entries)
	w.Write(small.Bytes())
	w.WriteString("\nendstream\nendobj\n")
	return number
}

// face writes a composite font (ISO 32000-1, 9.7) of the characters in use.
func (w *writer) face(f face, i int) int {
	glyphs := make([]uint16, len(f.used))
	widths, numbers := make([]string, len(f.used)), []byte{0, 0}
	for j, c := range f.used {
		glyphs[j] = c.glyph
		widths[j] = fmt.Sprint(f.font.advance(c.glyph))
		numbers = append(numbers, byte(c.glyph>>8), byte(c.glyph))
	}
	name := fmt.Sprintf("WENZ%c%c+Sans", 'A'+i/26, 'A'+i%26)
	raw := f.font.subset(glyphs)
	file := w.stream(fmt.Sprintf("/Length1 %d ", len(raw)), raw)
	box := make([]string, 4)
	for j := range box {
		box[j] = fmt.Sprint(f.font.measure("head", 36+2*j))
	}
	descriptor, descendant, font := w.reserve(), w.reserve(), w.reserve()
	ascent, descent := f.font.measure("hhea", 4), f.font.measure("hhea", 6)
	w.object(descriptor, fmt.Sprintf("<< /Type /FontDescriptor /FontName /%s /Flags 4 /FontBBox [%s] /ItalicAngle 0 /Ascent %d /Descent %d /CapHeight %d /StemV 80 /FontFile2 %d 0 R >>",
		name, strings.Join(box, " "), ascent, descent, ascent, file))
	w.object(descendant, fmt.Sprintf("<< /Type /Font /Subtype /CIDFontType2 /BaseFont /%s /CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> "+
		"/FontDescriptor %d 0 R /DW 1000 /W [1 [%s]] /CIDToGIDMap %d 0 R >>", name, descriptor, strings.Join(widths, " "), w.stream("", numbers)))
	w.object(font, fmt.Sprintf("<< /Type /Font /Subtype /Type0 /BaseFont /%s /Encoding /Identity-H /DescendantFonts [%d 0 R] /ToUnicode %d 0 R >>",
		name, descendant, w.stream("", characters(f.used))))
	return font
}

// perBlock is how many lines a block of a character map may have.
const perBlock = 100

// characters maps what is in use to Unicode, for those who search or copy text.
func characters(used []character) []byte {
	var b bytes.Buffer
	b.WriteString("/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n" +
		"/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def\n/CMapName /Adobe-Identity-UCS def\n/CMapType 2 def\n" +
		"1 begincodespacerange\n<0000> <FFFF>\nendcodespacerange\n")
	for from := 0; from < len(used); from += perBlock {
		block := used[from:min(from+perBlock, len(used))]
		fmt.Fprintf(&b, "%d beginbfchar\n", len(block))
		for i, c := range block {
			fmt.Fprintf(&b, "<%04X> <%s>\n", from+i+1, utf16Hex(c.text))
		}
		b.WriteString("endbfchar\n")
	}
	b.WriteString("endcmap\nCMapName currentdict /CMap defineresource pop\nend\nend\n")
	return b.Bytes()
}
