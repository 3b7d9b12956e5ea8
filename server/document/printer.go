package document

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"sync"
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/record"
	"wenzhen.example/server/document/pdf"
)

// Printer makes documents. It is safe for use by many; only a few are made at
// the same time.
type Printer struct {
	fonts  func() ([]*pdf.Font, error)
	public func() string
	slots  chan struct{}
}

// New makes a printer. fonts returns TrueType fonts, the first with the
// characters of Chinese; a character is looked for in them in their order. They
// are read when the first document is printed. Without any nothing can be
// printed. public returns the address at which browsers reach the server, such
// as https://clinic.example, without a path.
func New(fonts func() ([][]byte, error), public func() string) *Printer {
	return &Printer{public: public, slots: make(chan struct{}, 2), fonts: sync.OnceValues(func() ([]*pdf.Font, error) {
		files, err := fonts()
		if err == nil && len(files) == 0 {
			err = errors.New("no font")
		}
		if err != nil {
			return nil, err
		}
		var all []*pdf.Font
		for _, raw := range files {
			font, err := pdf.ParseFont(raw)
			if err != nil {
				return nil, err
			}
			all = append(all, font)
		}
		return all, nil
	})}
}

// Print makes the PDF (ISO 32000-1) of one signed document. Errors:
// unavailable, without a font or when ctx ends before it is its turn.
func (p *Printer) Print(ctx context.Context, v record.Printout) ([]byte, error) {
	if v.Head().Signature == nil {
		return nil, errors.New("document: what is not signed cannot be printed")
	}
	select {
	case p.slots <- struct{}{}:
		defer func() { <-p.slots }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	fonts, err := p.fonts()
	if err != nil {
		return nil, rooms.Unavailable(err, "this server was built without the fonts for documents; build it with make")
	}
	zone, err := time.LoadLocation(v.TimeZone)
	if err != nil || v.TimeZone == "" {
		zone = time.UTC
	}
	s := newSheet(titles[v.Kind], zone, fonts)
	switch {
	case v.Diagnosis != nil:
		s.diagnosis(v)
	case v.Prescription != nil:
		s.prescription(v)
	default:
		s.summary(v)
	}
	if err := s.signature(v, p.verification(v)); err != nil {
		return nil, err
	}
	s.numbers()
	out, err := s.out.Bytes()
	if err != nil {
		return nil, fmt.Errorf("print %s: %w", v.Head().ID, err)
	}
	return out, nil
}

// verification is the page that a document's QR code opens.
func (p *Printer) verification(v record.Printout) string {
	h := v.Head()
	return p.public() + "/verify/" + string(v.Kind) + "/" + url.PathEscape(string(h.ID)) + "?sha256=" + h.Signature.SHA256
}

// sheet is a document that is being written, top down.
type sheet struct {
	out  *pdf.Document
	text *typesetter
	page int
	y    float64 // where the next line begins
	// right is where lines end.
	right float64
	zone  *time.Location
}

// Measures of the page, in millimetres and points.
const (
	margin    = 18.0
	width     = pdf.PageWidth - 2*margin
	bottom    = pdf.PageHeight - margin
	line      = 6.0
	labelSide = 58.0
	codeSide  = 35.0
	textSize  = 10.5
	smallSize = 8.5
)

// The colors of what is written.
var (
	ink    = pdf.Color{22, 38, 42}
	soft   = pdf.Color{60, 72, 74}
	faint  = pdf.Color{90, 102, 104}
	accent = pdf.Color{14, 94, 86}
	ruled  = pdf.Color{201, 214, 212}
)

// titles are what documents are called, in Chinese and English.
var titles = map[record.DocumentKind][2]string{
	record.KindDiagnosis: {"诊断书", "Diagnosis"}, record.KindPrescription: {"处方笺", "Prescription"}, record.KindSummary: {"就诊小结", "Consultation summary"},
}

func newSheet(title [2]string, zone *time.Location, fonts []*pdf.Font) *sheet {
	s := &sheet{out: pdf.New(title[0]+" "+title[1], fonts...), text: newTypesetter(fonts), zone: zone, right: margin + width}
	s.turn()
	return s
}

// turn begins a page.
func (s *sheet) turn() { s.page, s.y = s.out.AddPage(), margin }

// write writes a text from x on, in lines of a height, and turns the page when
// it is full. Parts of a text whose directions must not mix are given apart.
func (s *sheet) write(x, size, height float64, color pdf.Color, parts ...string) {
	for _, l := range s.text.lines(size, s.right-x, parts...) {
		if s.y+height > bottom {
			s.turn()
		}
		s.out.Text(s.page, x, s.y+height/2+size*capHeight/2, size, color, l)
		s.y += height
	}
}

// capHeight is about how high letters are, in millimetres for each point.
const capHeight = 0.26

// numbers writes the numbers of pages at their feet.
func (s *sheet) numbers() {
	for page := range s.out.Pages() {
		n := s.text.lines(smallSize, width, fmt.Sprintf("%d / %d", page+1, s.out.Pages()))[0]
		s.out.Text(page, (pdf.PageWidth-pdf.Width(n, smallSize))/2, pdf.PageHeight-9, smallSize, faint, n)
	}
}

// title is what the document is, and whom it is about.
func (s *sheet) title(v record.Printout) {
	h, title := v.Head(), titles[v.Kind]
	s.write(margin, smallSize, line, accent, "问诊 Wenzhen")
	s.write(margin, 19, 11, ink, title[0])
	s.write(margin, 12, 7, faint, title[1])
	s.rule()
	patient, doctor := v.SignedAs.Patient, v.SignedAs.Doctor
	s.pair("姓名 Patient", patient.Name)
	if patient.BirthDate != "" || patient.Sex != "" {
		s.pair("出生日期 / 性别  Born / sex", join(" / ", patient.BirthDate, sexes[patient.Sex])...)
	}
	s.pair("医生 Doctor", join("  ", doctor.Name, doctor.Title, doctor.Department)...)
	s.pair("日期 Date", h.Signature.SignedAt.In(s.zone).Format("2006-01-02 15:04 MST"))
	s.pair("版本 Version", strconv.Itoa(h.Version))
	if note := standing[h.Status]; note != "" {
		s.pair("打印时状态 Status when printed", note)
	}
	if note := s.doubt(v); note != "" {
		s.pair("打印时核验 Verified when printed", note)
	}
	s.rule()
}

// doubt says of a document that it cannot be confirmed, as /verify does.
func (s *sheet) doubt(v record.Printout) string {
	switch v.Head().Integrity {
	case record.UnknownKey:
		return "无法确认：这份文书所用的签名密钥不在本系统中。这并不表示内容被更改，请向出具文书的医疗机构核实。\n" +
			"It cannot be confirmed: it was signed with a key that this server does not have. That does not mean that it has been changed: " +
			"ask the clinic that issued it."
	case record.Unconfirmed:
		at := "?"
		if v.LogBrokenAt != nil {
			at = v.LogBrokenAt.In(s.zone).Format("2006-01-02 15:04 MST")
		}
		return "内容自签名后未被更改。但系统于 " + at + " 发现审计日志遭到改动，无法确认这份文书在此之前是否已被修订或作废，请向出具文书的医疗机构核实。\n" +
			"It has not been changed since it was signed. But the audit log was found on " + at + " to have been changed: whether the document " +
			"was amended or withdrawn before then cannot be confirmed. Ask the clinic that issued it."
	}
	return ""
}

var sexes = map[string]string{"male": "男 male", "female": "女 female", "other": "其他 other", "unknown": "未知 unknown"}

// standing says of a document that it does not count, or not yet.
var standing = map[record.DocumentStatus]string{
	record.Amended:  "已被新版本取代 superseded by a later version",
	record.Void:     "已作废 VOID",
	record.Rejected: "药师未通过 rejected by the pharmacist",
	record.Approved: "药师已审核 approved by a pharmacist",
}

func (s *sheet) rule() {
	s.out.Fill(s.page, ruled, pdf.Rectangle{X: margin, Y: s.y + 2, Width: width, Height: 0.2})
	s.y += 5
}

// pair is a label and what it is of, which begins on the same page.
func (s *sheet) pair(label string, value ...string) {
	if s.y+line > bottom {
		s.turn()
	}
	top, page := s.y, s.page
	s.write(margin, smallSize, line, faint, label)
	s.y, s.page = top, page
	s.write(margin+labelSide, textSize, line, ink, value...)
}

func (s *sheet) heading(zh, en string) {
	s.y += 2
	if s.y+2*line > bottom { // not the last line of a page
		s.turn()
	}
	s.write(margin, smallSize, line, accent, zh+"  "+en)
}

func (s *sheet) words(parts ...string) { s.write(margin, textSize, line, ink, parts...) }

// join is the parts that are not empty, and what is between each two.
func join(between string, parts ...string) (all []string) {
	for _, p := range parts {
		if p != "" && len(all) > 0 {
			all = append(all, between)
		}
		if p != "" {
			all = append(all, p)
		}
	}
	return all
}
