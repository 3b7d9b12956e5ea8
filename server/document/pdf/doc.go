// Package pdf writes PDF (ISO 32000-1) of text and rectangles. Text is in
// TrueType fonts, of which a file carries the glyphs that it shows; what each
// shows, also beyond U+FFFF, is found by programs that search or copy text.
package pdf
