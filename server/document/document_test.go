package document_test

import (
	"bytes"
	"context"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/record"
	"wenzhen.example/rooms/record/icd10"
	"wenzhen.example/server/document"
	"wenzhen.example/static"
)

func head() record.Head {
	at := time.Date(2026, 11, 1, 4, 0, 0, 0, time.UTC)
	return record.Head{ID: "0190-1", PatientName: "张三丰", DoctorName: "王芳", Status: record.Signed, Version: 1,
		Signature: &record.Signature{SignedAt: at, SHA256: strings.Repeat("0123456789abcdef", 4)}}
}

// printer has the fonts that the binary carries (make static/dist/fonts/00-NotoSansSC.ttf).
var printer = document.New(static.Fonts, func() string { return "https://clinic.example" })

// printed is the file of a PDF, for a patient and doctor with plain names.
func printed(t *testing.T, v record.Printout) string {
	t.Helper()
	v.SignedAs = record.SignedAs{Patient: record.SignedPatient{Name: "张三丰", BirthDate: "1980-02-29", Sex: "male"},
		Doctor: record.SignedDoctor{Name: "王芳", Title: "主任医师", Department: "内科"}}
	v.TimeZone = "Asia/Shanghai"
	return file(t, v)
}

func file(t *testing.T, v record.Printout) string {
	t.Helper()
	return fileOf(t, v, 600_000)
}

// fileOf is the file of a PDF of at most so many bytes.
func fileOf(t *testing.T, v record.Printout, most int) string {
	t.Helper()
	raw, err := printer.Print(t.Context(), v)
	if err != nil {
		t.Fatal(err)
	}
	if len(raw) > most {
		t.Errorf("%d bytes: the font is carried whole", len(raw))
	}
	path := filepath.Join(t.TempDir(), "document.pdf")
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	if keep := os.Getenv("WENZHEN_KEEP_PDF"); keep != "" {
		_ = os.WriteFile(filepath.Join(keep, strings.NewReplacer("/", "_").Replace(t.Name())+string(v.Kind)+".pdf"), raw, 0o600)
	}
	return path
}

// poppler runs one of Poppler's programs (make services installs them).
func poppler(t *testing.T, program string, args ...string) []byte {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, program, args...).Output()
	if err != nil {
		t.Fatalf("%s: %v (it comes with poppler-utils: run make services)", program, err)
	}
	return out
}

// words is the text of a PDF without spaces, as another program extracts it.
func words(t *testing.T, file string, options ...string) string {
	t.Helper()
	text := poppler(t, "pdftotext", append(options, file, "-")...)
	return strings.NewReplacer(" ", "", "\n", "", "\u202a", "", "\u202b", "", "\u202c", "").Replace(string(text))
}

// scanned is what a QR reader sees on a page as another program renders it. As
// with a camera, it may take more than one look.
func scanned(t *testing.T, file string, page string) string {
	t.Helper()
	var err error
	for _, resolution := range []string{"150", "200", "300", "110"} {
		picture, e := png.Decode(bytes.NewReader(poppler(t, "pdftoppm", "-r", resolution, "-f", page, "-l", page, "-gray", "-png", file)))
		if e != nil {
			t.Fatal(e)
		}
		bits, e := gozxing.NewBinaryBitmapFromImage(picture)
		if e != nil {
			t.Fatal(e)
		}
		var found *gozxing.Result
		if found, err = qrcode.NewQRCodeReader().Decode(bits, map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_TRY_HARDER: true}); err == nil {
			return found.GetText()
		}
	}
	t.Fatal(err)
	return ""
}

// tenth is no constant: a sum of it has the digits that a sum in a browser has.
var tenth = 0.1

func TestDocuments(t *testing.T) {
	t.Parallel()
	approved := []record.Decision{{Status: record.Approved, ByName: "裴药师", At: time.Date(2026, 11, 1, 5, 0, 0, 0, time.UTC)}}
	for name, c := range map[string]struct {
		page string // that the code is on
		v    record.Printout
		want []string
	}{
		"diagnosis": {"1", record.Printout{Kind: record.KindDiagnosis, Diagnosis: &record.Diagnosis{Head: head(), DiagnosisContent: record.DiagnosisContent{
			Codes: []icd10.Coding{{Code: "J06.9", Zh: "急性上呼吸道感染", En: "Acute upper respiratory infection"}}, Text: "咳嗽三天", Advice: "多休息，喝水"}}},
			[]string{"诊断书", "张三丰", "王芳", "主任医师", "内科", "J06.9", "急性上呼吸道感染", "Acuteupperrespiratoryinfection", "咳嗽三天", "多休息，喝水", "1980-02-29", "2026-11-0112:00CST"}},
		"prescription": {"1", record.Printout{Kind: record.KindPrescription, Prescription: &record.Prescription{Head: head(), Decisions: approved, PrescriptionContent: record.PrescriptionContent{
			Items: []record.Item{{Drug: "阿莫西林胶囊", Strength: "250 mg × 24", Dose: 0.5, DoseUnit: "g", Route: record.Oral, Frequency: record.ThriceDaily, Days: 7, Quantity: 2, QuantityUnit: "盒"},
				{Drug: "布洛芬", Dose: 0.1 + tenth + tenth, DoseUnit: "片"}, {Drug: "地高辛", Dose: 1.0 / 3, DoseUnit: "片"}}}}},
			[]string{"处方笺", "阿莫西林胶囊", "250mg×24", "0.5g", "0.3片", "0.3333片", "口服", "每日三次", "7天", "2盒", "裴药师", "药师审核通过"}},
		"summary": {"3", record.Printout{Kind: record.KindSummary, Summary: &record.ClosingSummary{Head: head(), SummaryContent: record.SummaryContent{Text: strings.Repeat("继续服药。Go on. 堃喆镕 ", 400)}}},
			[]string{"就诊小结", "继续服药。Goon.堃喆镕"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := printed(t, c.v)
			text := words(t, file)
			for _, w := range c.want {
				if !strings.Contains(text, w) {
					t.Errorf("%q is not in %s", w, text)
				}
			}
			if got, want := scanned(t, file, c.page), "https://clinic.example/verify/"+name+"/0190-1?sha256="+head().Signature.SHA256; got != want {
				t.Errorf("the code says %q, want %q", got, want)
			}
		})
	}
}

// A document that cannot be confirmed says so in both languages; one that can says
// nothing of it.
func TestUnconfirmedDocumentsSaySo(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 12, 1, 2, 3, 0, 0, time.UTC)
	for integrity, want := range map[record.Integrity][]string{
		record.Intact:      nil,
		record.UnknownKey:  {"密钥不在本系统中", "akeythatthisserverdoesnothave"},
		record.Unconfirmed: {"系统于2026-12-0110:03CST发现审计日志遭到改动", "theauditlogwasfoundon2026-12-0110:03CSTtohavebeenchanged"},
	} {
		t.Run(string(integrity), func(t *testing.T) {
			t.Parallel()
			v := record.Printout{Kind: record.KindSummary, LogBrokenAt: &at, Summary: &record.ClosingSummary{Head: head(), SummaryContent: record.SummaryContent{Text: "继续服药"}}}
			v.Summary.Integrity = integrity
			text := words(t, printed(t, v))
			for _, w := range want {
				if !strings.Contains(text, w) {
					t.Errorf("%q is not in %s", w, text)
				}
			}
			if says := strings.Contains(text, "Verifiedwhenprinted"); says != (want != nil) {
				t.Errorf("it says how it was verified: %t, in %s", says, text)
			}
		})
	}
}

func TestWithoutAFontNothingIsPrinted(t *testing.T) {
	t.Parallel()
	_, err := document.New(func() ([][]byte, error) { return nil, nil }, func() string { return "" }).Print(t.Context(), record.Printout{Summary: &record.ClosingSummary{Head: head()}})
	if rooms.CodeOf(err) != rooms.CodeUnavailable {
		t.Errorf("got %v", err)
	}
}
