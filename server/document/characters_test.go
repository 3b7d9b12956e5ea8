package document_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"wenzhen/rooms/record"
	"wenzhen/rooms/record/icd10"
	"wenzhen/server/document"
	"wenzhen/static"
)

// awkward are characters that have stopped printers of documents before, and
// how each is shown.
var awkward = map[string]struct{ text, shown string }{
	"a rare name":               {"王𬱖", "王𬱖"},
	"a name no font has":        {"李𠮷", "李〓U+20BB7"},
	"a variant of a name":       {"葛\U000E0100", "葛"},
	"a compatibility ideograph": {"\uFA0C", "\uFA0C"},
	"one that no font has":      {"\uF9D1", "六"},
	"an emoji":                  {"好转😀", "好转〓U+1F600"},
	"a family of emoji":         {"👨\u200d👩", "〓U+1F468〓U+1F469"},
	"letters and their marks":   {"Dvor\u030ca\u0301k Dvořák", "DvořákDvořák"},
	"right to left":             {"אב", "〓U+05D0〓U+05D1"},
	"an override of direction":  {"a\u202eb", "a〓U+202Eb"},
	"control characters":        {"a\x00b\x1b", "a〓U+0000b〓U+001B"},
	"no UTF-8":                  {"a\xff", "a"},
	"a private character":       {"\uE000", "〓U+E000"},
	"the last character":        {"\U0010FFFF", "〓U+10FFFF"},
	"tabs and line ends":        {"x\ty\r\nz\u2028w", "xyzw"},
}

// printouts are documents of each kind with text in every field that is printed
// and that people write.
func printouts(text func(field string) string) []record.Printout {
	h := head()
	as := record.SignedAs{Patient: record.SignedPatient{Name: text("patient"), BirthDate: "1980-02-29", Sex: "male"},
		Doctor: record.SignedDoctor{Name: text("doctor"), Title: text("title"), Department: text("department")}}
	return []record.Printout{
		{Kind: record.KindDiagnosis, SignedAs: as, Diagnosis: &record.Diagnosis{Head: h, DiagnosisContent: record.DiagnosisContent{
			Codes: []icd10.Coding{{Code: "J06.9", Zh: text("zh"), En: text("en")}}, Text: text("text"), Advice: text("advice")}}},
		{Kind: record.KindPrescription, SignedAs: as, Prescription: &record.Prescription{Head: h,
			Decisions: []record.Decision{{Status: record.Approved, ByName: text("by"), Reason: text("reason"), At: h.Signature.SignedAt.Add(time.Hour)}},
			PrescriptionContent: record.PrescriptionContent{Note: text("note"), Warned: []record.Warning{{Drug: text("warned"), Substance: text("substance")}},
				Items: []record.Item{{Drug: text("drug"), Strength: text("strength"), Dose: 1, DoseUnit: text("unit"), Route: record.Oral, Frequency: record.OnceDaily,
					Days: 1, Quantity: 1, QuantityUnit: text("quantity"), Note: text("itemnote")}}}}},
		{Kind: record.KindSummary, SignedAs: as, Summary: &record.ClosingSummary{Head: h, SummaryContent: record.SummaryContent{Text: text("summary")}}},
	}
}

// Every character prints in every field: as itself, or as a visible stand-in
// with its number.
func TestEveryFieldPrintsEveryCharacter(t *testing.T) {
	t.Parallel()
	for name, c := range awkward {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var fields []string
			for _, v := range printouts(func(field string) string {
				fields = append(fields, field)
				return field + c.text + "."
			}) {
				text := norm.NFC.String(words(t, file(t, v)))
				want := fields[:4]
				switch v.Kind {
				case record.KindDiagnosis:
					want = append(want[:4:4], fields[4:8]...)
				case record.KindPrescription:
					want = append(want[:4:4], fields[8:len(fields)-1]...)
				default:
					want = append(want[:4:4], fields[len(fields)-1])
				}
				for _, field := range want {
					if shown := field + norm.NFC.String(c.shown); !strings.Contains(text, shown) {
						t.Fatalf("%s: %q of %s is not in %q", v.Kind, shown, field, text)
					}
				}
			}
		})
	}
}

// No character, wherever in Unicode, stops a document from being printed.
func TestNoCharacterStopsAPrint(t *testing.T) {
	t.Parallel()
	var all strings.Builder
	for r := rune(0); r <= utf8.MaxRune; r += 251 {
		all.WriteRune(r)
	}
	for r := rune(0); r < 0x3100; r++ {
		all.WriteRune(r)
	}
	for _, v := range printouts(func(string) string { return "x" }) {
		if v.Summary != nil {
			v.Summary.Text = all.String()
			if text := words(t, file(t, v)); !strings.Contains(text, fmt.Sprintf("〓U+%04X", 251*4000)) {
				t.Error("the last of them are not there")
			}
		}
	}
}

// A word that is longer than a line is broken, and nothing goes over the edge
// of the page.
func TestLongWordsStayOnThePage(t *testing.T) {
	t.Parallel()
	for _, v := range printouts(func(field string) string { return strings.Repeat(field, 40) }) {
		path := file(t, v)
		for _, l := range strings.Split(string(poppler(t, "pdftotext", "-bbox", path, "-")), "\n") {
			var x, y, right, bottom float64
			if n, _ := fmt.Sscanf(strings.TrimSpace(l), `<word xMin="%f" yMin="%f" xMax="%f" yMax="%f"`, &x, &y, &right, &bottom); n == 4 && (x < 50 || right > 546 || y < 40 || bottom > 830) {
				t.Errorf("%s: %s", v.Kind, l)
			}
		}
	}
}

func TestAFontThatIsNoneIsSaid(t *testing.T) {
	t.Parallel()
	for _, raw := range append([][]byte{nil, []byte("no font"), static.Fonts()[0][:1000]}, damaged(static.Fonts()[0])...) {
		if _, err := document.New([][]byte{raw}, func() string { return "" }).Print(t.Context(), printouts(func(string) string { return "x" })[0]); err == nil {
			t.Errorf("%d bytes pass for a font", len(raw))
		}
	}
}

// damaged are copies of a font with a table missing.
func damaged(font []byte) (all [][]byte) {
	for _, table := range []string{"glyf", "hmtx"} {
		broken := append([]byte(nil), font[:2000]...)
		copy(broken[strings.Index(string(broken), table):], "none")
		all = append(all, append(broken, font[2000:]...))
	}
	return all
}
