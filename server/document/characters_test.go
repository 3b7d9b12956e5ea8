package document_test

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"wenzhen.example/rooms/record"
	"wenzhen.example/rooms/record/icd10"
	"wenzhen.example/server/document"
	"wenzhen.example/static"
)

// awkward are characters that have stopped printers of documents before, and
// how each is shown: as what other programs find in the file.
var awkward = map[string]struct{ text, shown string }{
	"a rare name":               {"王𬱖㛃䶮", "王𬱖㛃䶮"},
	"names from Japan":          {"李𠮷𡈽", "李𠮷𡈽"},
	"names from Hong Kong":      {"陳𨋢𡃁", "陳𨋢𡃁"},
	"a name no font has":        {"李𠀂", "李〓U+20002"},
	"a variant of a name":       {"葛\U000E0100", "葛\U000E0100"},
	"a compatibility ideograph": {"\uFA0C", "\uFA0C"},
	"one that no font has":      {"\uF9D1", "六"},
	"Korean":                    {"김민준, 朝鲜말", "김민준,朝鲜말"},
	"an emoji":                  {"好转😀", "好转😀"},
	"a family of emoji":         {"👨\u200d👩\u200d👧", "👨\u200d👩\u200d👧"},
	"an emoji of two parts":     {"👍🏽❤️", "👍🏽❤️"},
	"letters and their marks":   {"Dvor\u030ca\u0301k Dvořák x\u030c", "DvořákDvořákx\u030c"},
	"Cyrillic":                  {"Ж\u0301 Ґ ә", "Ж\u0301Ґә"},
	"Hebrew":                    {"שלום אב", "שלוםאב"},
	"Arabic":                    {"السلام عليكم", "السلامعليكم"},
	"Uyghur":                    {"ئۇيغۇرچە", "ئۇيغۇرچە"},
	"Persian":                   {"می\u200cخواهم", "می\u200cخواهم"},
	"Tibetan":                   {"བཀྲ་ཤིས་བདེ་ལེགས།", "བཀྲ་ཤིས་བདེ་ལེགས།"},
	"Mongolian":                 {"ᠮᠣᠩᠭᠣᠯ", "ᠮᠣᠩᠭᠣᠯ"},
	"Yi":                        {"ꆈꌠꉙ", "ꆈꌠꉙ"},
	"Thai":                      {"น้ำใจ ปั๊ม", "น้ำใจปั๊ม"},
	"Lao":                       {"ສະບາຍດີ", "ສະບາຍດີ"},
	"Khmer":                     {"សួស្តី", "សួស្តី"},
	"Burmese":                   {"မင်္ဂလာပါ", "မင်္ဂလာပါ"},
	"Hindi":                     {"नमस्ते हिन्दी", "नमस्तेहिन्दी"},
	"Bengali":                   {"বাংলা ক্ষ", "বাংলাক্ষ"},
	"Tamil":                     {"தமிழ் கொ", "தமிழ்கொ"},
	"Georgian":                  {"საქართველო", "საქართველო"},
	"Ethiopic":                  {"አማርኛ", "አማርኛ"},
	"mathematical letters":      {"𝓦𝓪𝓷𝓰 ≤ ∑", "𝓦𝓪𝓷𝓰≤∑"},
	"an override of direction":  {"a\u202eb", "a〓U+202Eb"},
	"marks of direction":        {"a\u200fb\u2067c", "a〓U+200Fb〓U+2067c"},
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
	var fields []string
	for _, v := range printouts(func(field string) string {
		fields = append(fields, field)
		all := ""
		for _, c := range awkward {
			all += field + c.text + ".\n"
		}
		return all
	}) {
		path := fileOf(t, v, 1_000_000)
		// Only the second has words from right to left in their order.
		text := pageNumber.ReplaceAllString(norm.NFC.String(words(t, path, "-raw")+words(t, path)), "")
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
			for name, c := range awkward {
				if shown := field + norm.NFC.String(c.shown); !strings.Contains(text, shown) {
					t.Errorf("%s, %s: %q of %s is not in the text", v.Kind, name, shown, field)
				}
			}
		}
	}
}

// pageNumber is what stands between two pages, and between two lines of a text
// that is on both.
var pageNumber = regexp.MustCompile(`\d+/\d+\f`)

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
			if text := words(t, fileOf(t, v, 1_000_000), "-raw"); !strings.Contains(text, fmt.Sprintf("〓U+%04X", 251*4000)) {
				t.Error("the last of them are not there")
			}
		}
	}
}

// Text from right to left does not change the order of what is beside it: the
// strength and the quantity stay at the right of the drug, each in one piece.
func TestDirectionsDoNotMix(t *testing.T) {
	t.Parallel()
	v := printouts(func(field string) string {
		return map[string]string{"drug": "אקמול", "strength": "500 mg", "quantity": "אריזה", "unit": "טבליה",
			"itemnote": "12 אב abc 7"}[field]
	})[1]
	path := file(t, v)
	for _, want := range [][]string{{"1.", "אקמול", "500", "mg", "×", "1", "אריזה"}, {"1", "טבליה", "口服", "by", "mouth"},
		{"days", "abc", "7", "אב", "12"}} {
		if seen := fromTheLeft(t, path, want[1]); !strings.Contains(strings.Join(seen, " "), strings.Join(want, " ")) {
			t.Errorf("%q are not in this order in %q", want, seen)
		}
	}
}

// Letters have the form that their neighbours ask for: those of Arabic join, and
// are narrower than alone; a mark takes no place of its own; people of a family
// stand together.
func TestLettersTakeTheirForm(t *testing.T) {
	t.Parallel()
	for joined, apart := range map[string]string{"يييي": "ي\u200cي\u200cي\u200cي", "ننن": "ن\u200cن\u200cن",
		"क्षक्ष": "क्\u200cषक्\u200cष", "👨\u200d👩\u200d👧": "👨👩👧"} {
		if narrow, wide := broad(t, joined), broad(t, apart); narrow > wide*0.95 {
			t.Errorf("%q is %.1f points wide, %q %.1f", joined, narrow, apart, wide)
		}
	}
	for marked, bare := range map[string]string{"สู้สู้": "สส", "x\u030cx\u030c": "xx"} {
		if with, without := broad(t, marked), broad(t, bare); with > without+0.1 {
			t.Errorf("%q is %.1f points wide, %q %.1f", marked, with, bare, without)
		}
	}
}

// boxOfWord is how pdftotext says where a word is.
const boxOfWord = `<word xMin="%f" yMin="%f" xMax="%f" yMax="%f"`

// broad is how wide a text is in print, in points.
func broad(t *testing.T, text string) float64 {
	t.Helper()
	v := printouts(func(string) string { return "" })[2]
	v.Summary.Text = "i" + text + "i"
	var x, y, end, right, bottom float64
	for l := range strings.Lines(string(poppler(t, "pdftotext", "-bbox", file(t, v), "-"))) {
		n, _ := fmt.Sscanf(strings.TrimSpace(l), boxOfWord, &x, &y, &right, &bottom)
		if n == 4 && strings.HasSuffix(l, "i</word>\n") {
			end = right
		}
	}
	if end == 0 {
		t.Fatalf("%q is not printed", text)
	}
	return end
}

// fromTheLeft are the words on the line that a word is on, in the order in which
// they are seen.
func fromTheLeft(t *testing.T, path, word string) []string {
	t.Helper()
	type place struct {
		x, y float64
		word string
	}
	var all []place
	line := -1.0
	for l := range strings.Lines(string(poppler(t, "pdftotext", "-bbox", path, "-"))) {
		var at place
		var right, bottom float64
		if n, _ := fmt.Sscanf(strings.TrimSpace(l), boxOfWord, &at.x, &at.y, &right, &bottom); n == 4 {
			letters := []rune(strings.TrimSuffix(l[strings.Index(l, ">")+1:], "</word>\n"))
			if unicode.Is(unicode.Hebrew, letters[0]) {
				slices.Reverse(letters)
			}
			at.word = string(letters)
			if all = append(all, at); at.word == word {
				line = bottom
			}
		}
	}
	slices.SortFunc(all, func(a, b place) int { return cmp.Compare(a.x, b.x) })
	var words []string
	for _, at := range all {
		if at.y < line && at.y > line-20 {
			words = append(words, at.word)
		}
	}
	return words
}

// A word that is longer than a line is broken, and nothing goes over the edge
// of the page.
func TestLongWordsStayOnThePage(t *testing.T) {
	t.Parallel()
	for _, v := range printouts(func(field string) string { return strings.Repeat(field, 40) }) {
		path := file(t, v)
		for _, l := range strings.Split(string(poppler(t, "pdftotext", "-bbox", path, "-")), "\n") {
			var x, y, right, bottom float64
			if n, _ := fmt.Sscanf(strings.TrimSpace(l), boxOfWord, &x, &y, &right, &bottom); n == 4 && (x < 50 || right > 546 || y < 40 || bottom > 830) {
				t.Errorf("%s: %s", v.Kind, l)
			}
		}
	}
}

func TestInvalidFontIsReported(t *testing.T) {
	t.Parallel()
	fonts, err := static.Fonts()
	if err != nil || len(fonts) == 0 {
		t.Fatal("the fonts are not there: run make static/dist/fonts/00-NotoSansSC.ttf", err)
	}
	for _, raw := range append([][]byte{nil, []byte("no font"), fonts[0][:1000]}, damaged(fonts[0])...) {
		if _, err := document.New(func() ([][]byte, error) { return [][]byte{raw}, nil }, func() string { return "" }).Print(t.Context(), printouts(func(string) string { return "x" })[0]); err == nil {
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
