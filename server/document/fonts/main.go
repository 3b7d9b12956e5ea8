// Fonts makes the fonts of printed documents, which the binary carries, of
// those that npm has installed:
//
//	go run ./server/document/fonts static/node_modules static/dist/fonts
package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"wenzhen.example/server/document/pdf"
)

// source is a font of @expo-google-fonts.
type source struct {
	name string
	// rest takes only the characters that the fonts before it do not have. It
	// suits scripts that need no shaping.
	rest bool
}

// sources are the fonts in the order in which a character is looked for. The
// first is carried as it is, the others are compressed.
var sources = []source{
	{name: "Noto Sans SC"}, {name: "Noto Sans HK", rest: true}, {name: "Noto Sans JP", rest: true}, {name: "Nanum Gothic"},
	{name: "Noto Sans"}, {name: "Noto Sans Arabic"}, {name: "Noto Sans Hebrew"},
	{name: "Noto Serif Tibetan"}, {name: "Noto Sans Mongolian"}, {name: "Noto Sans Yi"},
	{name: "Noto Sans Thai"}, {name: "Noto Sans Lao"}, {name: "Noto Sans Khmer"}, {name: "Noto Sans Myanmar"},
	{name: "Noto Sans Devanagari"}, {name: "Noto Sans Bengali"}, {name: "Noto Sans Gurmukhi"}, {name: "Noto Sans Gujarati"},
	{name: "Noto Sans Tamil"}, {name: "Noto Sans Telugu"}, {name: "Noto Sans Kannada"}, {name: "Noto Sans Malayalam"},
	{name: "Noto Sans Sinhala"}, {name: "Noto Sans Georgian"}, {name: "Noto Sans Armenian"}, {name: "Noto Sans Ethiopic"},
	{name: "Noto Emoji"}, {name: "Noto Sans Symbols"}, {name: "Noto Sans Symbols 2"}, {name: "Noto Sans Math"},
}

func main() {
	log.SetFlags(0)
	if len(os.Args) != 3 {
		log.Fatal("usage: fonts NODE_MODULES OUT")
	}
	if err := build(os.Args[1], os.Args[2]); err != nil {
		log.Fatal(err)
	}
}

// build writes the fonts to a folder, in place of those that are there. Their
// names begin with their place in the order.
func build(modules, out string) error {
	if err := os.RemoveAll(out); err != nil {
		return err
	}
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	var before []*pdf.Font
	for i, s := range sources {
		raw, err := os.ReadFile(s.path(modules))
		if err != nil {
			return err
		}
		font, err := pdf.ParseFont(raw)
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		if s.rest {
			raw = font.Reduce(missing(font, before))
		}
		before = append(before, font)
		if err := write(filepath.Join(out, fmt.Sprintf("%02d-%s.ttf", i, strings.ReplaceAll(s.name, " ", ""))), raw, i > 0); err != nil {
			return err
		}
	}
	return nil
}

// path is where npm has the font: in noto-sans-sc/400Regular/NotoSansSC_400Regular.ttf.
func (s source) path(modules string) string {
	return filepath.Join(modules, "@expo-google-fonts", strings.ToLower(strings.ReplaceAll(s.name, " ", "-")),
		"400Regular", strings.ReplaceAll(s.name, " ", "")+"_400Regular.ttf")
}

// missing are the characters of a font that none of those before has.
func missing(font *pdf.Font, before []*pdf.Font) []rune {
	var all []rune
	for r := rune(' '); r <= 0x10FFFF; r++ {
		if font.Has(r) && !slices.ContainsFunc(before, func(f *pdf.Font) bool { return f.Has(r) }) {
			all = append(all, r)
		}
	}
	return all
}

func write(name string, raw []byte, compress bool) error {
	if !compress {
		return os.WriteFile(name, raw, 0o644)
	}
	var small bytes.Buffer
	w, err := gzip.NewWriterLevel(&small, gzip.BestCompression)
	if err != nil {
		return err
	}
	if _, err := w.Write(raw); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	return os.WriteFile(name+".gz", small.Bytes(), 0o644)
}
