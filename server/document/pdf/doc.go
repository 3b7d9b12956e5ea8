// Package pdf writes PDF (ISO 32000-1) of text and rectangles. Text is in
// TrueType fonts, of which a file carries the glyphs that it shows; every
// character that one of the fonts has can be shown, also beyond U+FFFF, and is
// found by programs that search or copy text.
package pdf
