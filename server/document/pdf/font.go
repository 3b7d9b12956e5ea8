package pdf

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"sort"

	"github.com/go-text/typesetting/font"
	"github.com/go-text/typesetting/font/opentype"
	"github.com/go-text/typesetting/font/opentype/tables"
)

// Font is a TrueType font. It is safe for use by many.
type Font struct {
	layout     *font.Font // without outlines
	tables     map[string][]byte
	glyphs     int
	unitsPerEm int
	metrics    int // glyphs that have an advance of their own
	longLoca   bool
}

// Tables that a font in a PDF has, those first that must be there.
var kept = []string{"glyf", "head", "hhea", "hmtx", "loca", "maxp", "cvt ", "fpgm", "prep"}

const mustHave = 6

// ParseFont reads a font, which must not be changed afterwards.
func ParseFont(raw []byte) (*Font, error) {
	f := &Font{}
	var err error
	if f.tables, err = parts(raw); err != nil {
		return nil, err
	}
	for i, name := range kept[:mustHave] {
		if least := []int{1, 54, 36, 4, 4, 6}[i]; len(f.tables[name]) < least {
			return nil, fmt.Errorf("font: no table %q; only TrueType outlines can be printed", name)
		}
	}
	f.glyphs = int(binary.BigEndian.Uint16(f.tables["maxp"][4:]))
	f.unitsPerEm = int(binary.BigEndian.Uint16(f.tables["head"][18:]))
	f.longLoca = binary.BigEndian.Uint16(f.tables["head"][50:]) == 1
	f.metrics = int(binary.BigEndian.Uint16(f.tables["hhea"][34:]))
	entry := 2
	if f.longLoca {
		entry = 4
	}
	if f.unitsPerEm == 0 || f.metrics == 0 || f.metrics*4 > len(f.tables["hmtx"]) || (f.glyphs+1)*entry > len(f.tables["loca"]) {
		return nil, errors.New("font: its tables contradict each other")
	}
	if err := f.parseLayout(); err != nil {
		return nil, fmt.Errorf("font: %w", err)
	}
	return f, nil
}

// parseLayout reads what text is laid out by. Outlines are not needed for it,
// and parsed they would take more memory than the file.
func (f *Font) parseLayout() error {
	small := maps.Clone(f.tables)
	delete(small, "glyf")
	delete(small, "loca")
	loader, err := opentype.NewLoader(bytes.NewReader(fontFile(small)))
	if err != nil {
		return err
	}
	f.layout, err = font.NewFont(loader)
	return err
}

// parts are the tables of a font file by name.
func parts(raw []byte) (map[string][]byte, error) {
	if len(raw) < 12 || len(raw) < 12+16*int(binary.BigEndian.Uint16(raw[4:])) {
		return nil, errors.New("font: the file is too short")
	}
	all := map[string][]byte{}
	for i := range int(binary.BigEndian.Uint16(raw[4:])) {
		entry := raw[12+16*i:]
		from, size := binary.BigEndian.Uint32(entry[8:]), binary.BigEndian.Uint32(entry[12:])
		if uint64(from)+uint64(size) > uint64(len(raw)) {
			return nil, errors.New("font: a table lies outside of the file")
		}
		all[string(entry[:4])] = raw[from : from+size]
	}
	return all, nil
}

// Face is for laying out text in the font. A face is for one goroutine.
func (f *Font) Face() *font.Face { return font.NewFace(f.layout) }

// Has reports whether the font has a glyph for a character.
func (f *Font) Has(r rune) bool {
	_, found := f.layout.NominalGlyph(r)
	return found
}

// Places reports whether the font says where a mark goes on letters.
func (f *Font) Places(mark rune) bool {
	glyph, found := f.layout.NominalGlyph(mark)
	for _, lookup := range f.layout.GPOS.Lookups {
		for _, table := range lookup.Subtables {
			if marks, is := table.(tables.MarkBasePos); is && found {
				if _, covered := marks.Cov().Index(tables.GlyphID(glyph)); covered {
					return true
				}
			}
		}
	}
	return false
}

// thousandths converts a measure of the font to thousandths of its size.
func (f *Font) thousandths(units int) int { return units * 1000 / f.unitsPerEm }

// advance is how far a glyph moves on, in thousandths of the font's size.
func (f *Font) advance(glyph uint16) int {
	i := min(int(glyph), f.metrics-1)
	return f.thousandths(int(binary.BigEndian.Uint16(f.tables["hmtx"][4*i:])))
}

// measure reads a signed number of a table.
func (f *Font) measure(table string, at int) int {
	return f.thousandths(int(int16(binary.BigEndian.Uint16(f.tables[table][at:]))))
}

// outline is the description of a glyph; empty for a space.
func (f *Font) outline(glyph int) []byte {
	at := func(i int) int {
		if f.longLoca {
			return int(binary.BigEndian.Uint32(f.tables["loca"][4*i:]))
		}
		return 2 * int(binary.BigEndian.Uint16(f.tables["loca"][2*i:]))
	}
	if glyph >= f.glyphs {
		return nil
	}
	from, to := at(glyph), at(glyph+1)
	if from >= to || to > len(f.tables["glyf"]) {
		return nil
	}
	return f.tables["glyf"][from:to]
}

// Flags of a component of a composite glyph (OpenType, table glyf).
const (
	argumentsAreWords = 1 << 0
	haveScale         = 1 << 3
	moreComponents    = 1 << 5
	haveTwoScales     = 1 << 6
	haveMatrix        = 1 << 7
)

// components are the glyphs that a glyph is made of; none for a simple one.
func components(outline []byte) []int {
	if len(outline) < 10 || int16(binary.BigEndian.Uint16(outline)) >= 0 {
		return nil
	}
	var all []int
	for rest := outline[10:]; len(rest) >= 4; {
		flags := binary.BigEndian.Uint16(rest)
		all = append(all, int(binary.BigEndian.Uint16(rest[2:])))
		size := 6
		if flags&argumentsAreWords != 0 {
			size += 2
		}
		switch {
		case flags&haveScale != 0:
			size += 2
		case flags&haveTwoScales != 0:
			size += 4
		case flags&haveMatrix != 0:
			size += 8
		}
		if flags&moreComponents == 0 || len(rest) < size {
			break
		}
		rest = rest[size:]
	}
	return all
}

// subset is a font file that describes these glyphs, which keep their numbers,
// and what they are made of.
func (f *Font) subset(glyphs []uint16) []byte {
	tables := f.described(glyphs)
	for _, name := range kept {
		if raw, there := f.tables[name]; there && tables[name] == nil {
			tables[name] = raw
		}
	}
	return fontFile(tables)
}

// described are the tables of a font that describe these glyphs and what they
// are made of.
func (f *Font) described(glyphs []uint16) map[string][]byte {
	wanted := map[int]bool{0: true}
	var want func(int)
	want = func(g int) {
		if g >= f.glyphs || (wanted[g] && g != 0) {
			return
		}
		wanted[g] = true
		for _, part := range components(f.outline(g)) {
			want(part)
		}
	}
	for _, g := range glyphs {
		want(int(g))
	}
	var outlines []byte
	places, advances := make([]byte, 4*(f.glyphs+1)), make([]byte, len(f.tables["hmtx"]))
	for g := range f.glyphs {
		if wanted[g] {
			outlines = append(outlines, f.outline(g)...)
			for len(outlines)%4 != 0 {
				outlines = append(outlines, 0)
			}
			f.copyMetrics(advances, g)
		}
		binary.BigEndian.PutUint32(places[4*(g+1):], uint32(len(outlines)))
	}
	head := bytes.Clone(f.tables["head"])
	binary.BigEndian.PutUint16(head[50:], 1)
	return map[string][]byte{"glyf": outlines, "loca": places, "hmtx": advances, "head": head}
}

// Reduce is a font file with the glyphs of these characters, which the font
// has and which are in ascending order, for text that needs no shaping.
func (f *Font) Reduce(characters []rune) []byte {
	var glyphs []uint16
	// One group for each character (OpenType, table cmap, format 12).
	groups := binary.BigEndian.AppendUint32(nil, uint32(len(characters)))
	for _, r := range characters {
		g, _ := f.layout.NominalGlyph(r)
		glyphs = append(glyphs, uint16(g))
		for _, n := range []uint32{uint32(r), uint32(r), uint32(g)} {
			groups = binary.BigEndian.AppendUint32(groups, n)
		}
	}
	characterMap := []byte{0, 0, 0, 1, 0, 3, 0, 10, 0, 0, 0, 12, 0, 12, 0, 0}
	characterMap = binary.BigEndian.AppendUint32(characterMap, uint32(12+len(groups)))
	characterMap = append(binary.BigEndian.AppendUint32(characterMap, 0), groups...)
	tables := f.described(glyphs)
	tables["cmap"] = characterMap
	for _, name := range append(kept, "name", "OS/2") { // name has the copyright and the licence
		if raw, there := f.tables[name]; there && tables[name] == nil {
			tables[name] = raw
		}
	}
	return fontFile(tables)
}

// copyMetrics copies the advance and bearing of a glyph; those of all others
// are nothing, which takes no space when it is compressed.
func (f *Font) copyMetrics(to []byte, glyph int) {
	from := f.tables["hmtx"]
	last := 4 * (f.metrics - 1)
	if glyph < f.metrics {
		copy(to[4*glyph:4*glyph+4], from[4*glyph:])
		return
	}
	copy(to[last:last+2], from[last:])
	if at := last + 4 + 2*(glyph-f.metrics); at+2 <= len(from) {
		copy(to[at:at+2], from[at:])
	}
}

// fontFile puts tables together (OpenType, "Organization of an OpenType font").
func fontFile(tables map[string][]byte) []byte {
	var names []string
	for name := range tables {
		names = append(names, name)
	}
	sort.Strings(names)
	power := 0
	for 2<<power <= len(names) {
		power++
	}
	out := binary.BigEndian.AppendUint32(nil, 0x00010000)
	for _, n := range []int{len(names), 16 << power, power, 16*len(names) - 16<<power} {
		out = binary.BigEndian.AppendUint16(out, uint16(n))
	}
	size := len(out) + 16*len(names)
	for _, raw := range tables {
		size += (len(raw) + 3) / 4 * 4
	}
	entry := len(out)
	out = append(make([]byte, 0, size), out...)[:entry+16*len(names)]
	for _, name := range names {
		at := len(out)
		out = append(append(out, tables[name]...), make([]byte, (4-len(tables[name])%4)%4)...)
		copy(out[entry:], name)
		for i, n := range []uint32{checksum(out[at:]), uint32(at), uint32(len(tables[name]))} {
			binary.BigEndian.PutUint32(out[entry+4+4*i:], n)
		}
		entry += 16
	}
	return out
}

func checksum(padded []byte) (sum uint32) {
	for ; len(padded) > 0; padded = padded[4:] {
		sum += binary.BigEndian.Uint32(padded)
	}
	return sum
}
