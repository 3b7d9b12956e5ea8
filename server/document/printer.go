package document

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"time"

	"codeberg.org/go-pdf/fpdf"

	"wenzhen/rooms"
	"wenzhen/rooms/record"
)

// Printer makes documents. It is safe for use by many; only a few are made at
// the same time, for each takes the font's size in memory while it is made.
type Printer struct {
	font   []byte
	public func() string
	slots  chan struct{}
}

// New makes a printer. font is a TrueType font with the characters of Chinese;
// without one nothing can be printed. public tells at which address browsers
// reach the server, such as https://clinic.example, without a path.
func New(font []byte, public func() string) *Printer {
	return &Printer{font: font, public: public, slots: make(chan struct{}, 2)}
}

// Print makes the PDF (ISO 32000-1) of one signed document. Errors:
// unavailable, without a font or when ctx ends before it is its turn.
func (p *Printer) Print(ctx context.Context, v record.Printout) ([]byte, error) {
	if len(p.font) == 0 {
		return nil, rooms.Unavailable(errors.New("no font"), "this server was built without the font for documents; build it with make")
	}
	if v.Head().Signature == nil {
		return nil, errors.New("document: what is not signed cannot be printed")
	}
	select {
	case p.slots <- struct{}{}:
		defer func() { <-p.slots }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	zone, err := time.LoadLocation(v.TimeZone)
	if err != nil || v.TimeZone == "" {
		zone = time.UTC
	}
	s := newSheet(p.font, zone)
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
	var out bytes.Buffer
	if err := s.Output(&out); err != nil {
		return nil, fmt.Errorf("print %s: %w", v.Head().ID, err)
	}
	return out.Bytes(), nil
}

// verification is the page that a document's QR code opens.
func (p *Printer) verification(v record.Printout) string {
	h := v.Head()
	return p.public() + "/verify/" + string(v.Kind) + "/" + url.PathEscape(string(h.ID)) + "?sha256=" + h.Signature.SHA256
}

// sheet is a page that is being written, top down.
type sheet struct {
	*fpdf.Fpdf
	zone *time.Location
}

// Measures of the page, in millimetres and points.
const (
	margin    = 18.0
	width     = 210 - 2*margin
	line      = 6.0
	codeSide  = 34.0
	textSize  = 10.5
	smallSize = 8.5
	fontName  = "sans"
)

func newSheet(font []byte, zone *time.Location) *sheet {
	s := &sheet{fpdf.New("P", "mm", "A4", ""), zone}
	s.SetMargins(margin, margin, margin)
	s.SetAutoPageBreak(true, margin)
	s.SetCreator("Wenzhen", true)
	s.AddUTF8FontFromBytes(fontName, "", font)
	s.SetFooterFunc(func() {
		s.SetY(-12)
		s.SetFont(fontName, "", smallSize)
		s.SetTextColor(110, 120, 122)
		s.CellFormat(0, 5, fmt.Sprintf("%d / {nb}", s.PageNo()), "", 0, "C", false, 0, "")
	})
	s.AliasNbPages("{nb}")
	s.AddPage()
	return s
}

// title is what the document is, and whom it is about.
func (s *sheet) title(zh, en string, v record.Printout) {
	h := v.Head()
	s.SetTitle(zh+" "+en, true)
	s.SetFont(fontName, "", smallSize)
	s.SetTextColor(14, 94, 86)
	s.CellFormat(0, line, "问诊 Wenzhen", "", 1, "L", false, 0, "")
	s.SetTextColor(22, 38, 42)
	s.SetFont(fontName, "", 19)
	s.CellFormat(0, 11, zh, "", 1, "L", false, 0, "")
	s.SetFont(fontName, "", 12)
	s.SetTextColor(90, 102, 104)
	s.CellFormat(0, 7, en, "", 1, "L", false, 0, "")
	s.rule()
	patient, doctor := v.SignedAs.Patient, v.SignedAs.Doctor
	s.pair("姓名 Patient", patient.Name)
	if patient.BirthDate != "" || patient.Sex != "" {
		s.pair("出生日期 / 性别  Born / sex", join(" / ", patient.BirthDate, sexes[patient.Sex]))
	}
	s.pair("医生 Doctor", join("  ", doctor.Name, doctor.Title, doctor.Department))
	s.pair("日期 Date", h.Signature.SignedAt.In(s.zone).Format("2006-01-02 15:04 MST"))
	s.pair("版本 Version", strconv.Itoa(h.Version))
	if note := standing[h.Status]; note != "" {
		s.pair("打印时状态 Status when printed", note)
	}
	s.rule()
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
	s.Ln(2)
	s.SetDrawColor(201, 214, 212)
	s.Line(margin, s.GetY(), margin+width, s.GetY())
	s.Ln(3)
}

// pair is a label and what it is of.
func (s *sheet) pair(label, value string) {
	s.SetFont(fontName, "", smallSize)
	s.SetTextColor(90, 102, 104)
	s.CellFormat(58, line, label, "", 0, "L", false, 0, "")
	s.words(value)
}

func (s *sheet) heading(zh, en string) {
	s.Ln(2)
	s.SetFont(fontName, "", smallSize)
	s.SetTextColor(14, 94, 86)
	s.CellFormat(0, line, zh+"  "+en, "", 1, "L", false, 0, "")
}

func (s *sheet) words(text string) {
	s.SetFont(fontName, "", textSize)
	s.SetTextColor(22, 38, 42)
	s.MultiCell(0, line, text, "", "L", false)
}

func join(between string, parts ...string) string {
	all := ""
	for _, p := range parts {
		switch {
		case p == "":
		case all == "":
			all = p
		default:
			all += between + p
		}
	}
	return all
}
