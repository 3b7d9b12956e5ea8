package document

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/skip2/go-qrcode"

	"wenzhen.example/rooms/record"
	"wenzhen.example/server/document/pdf"
)

// indent is that of how a drug is taken, under its name, in millimetres.
const indent = 6.0

func (s *sheet) diagnosis(v record.Printout) {
	d := v.Diagnosis
	s.title(v)
	s.heading("诊断", "Diagnosis (ICD-10)")
	for _, c := range d.Codes {
		s.words(join("   ", c.Code, c.Zh, c.En)...)
	}
	s.section("病情说明", "Findings", d.Text)
	s.section("医嘱", "Advice", d.Advice)
}

func (s *sheet) prescription(v record.Printout) {
	p := v.Prescription
	s.title(v)
	for i, item := range p.Items {
		number, quantity := strconv.Itoa(i+1)+".  ", "    × "+strconv.Itoa(item.Quantity)+" "
		s.words(slices.Concat([]string{number}, join("  ", item.Drug, item.Strength), []string{quantity, item.QuantityUnit})...)
		taken := join("  ", routes[item.Route], frequencies[item.Frequency], fmt.Sprintf("%d 天 days", item.Days), item.Note)
		dose := []string{"用法 Sig.  " + record.Amount(item.Dose) + " ", item.DoseUnit, "  "}
		s.write(margin+indent, smallSize+1, line, soft, slices.Concat(dose, taken)...)
		s.y++
	}
	s.section("备注", "Note", p.Note)
	for _, w := range p.Acknowledged {
		s.section("用药警示及医生说明", "Warning, and the doctor's reason", join(" – ", w.MessageZh, w.Message, w.Reason)...)
	}
	for _, w := range p.Warned {
		s.section("过敏提示（医生已知晓）", "Allergy, known to the doctor", join(" – ", w.Drug, w.Substance)...)
	}
	for _, d := range p.Decisions {
		s.section(decisions[d.Status], d.At.In(s.zone).Format("2006-01-02 15:04 MST"), join(" – ", d.ByName, d.Reason)...)
	}
}

func (s *sheet) summary(v record.Printout) {
	s.title(v)
	s.section("小结", "Summary", v.Summary.Text)
}

func (s *sheet) section(zh, en string, text ...string) {
	if len(text) == 0 || text[0] == "" {
		return
	}
	s.heading(zh, en)
	s.words(text...)
}

// signature is who signed when, the hash, and the code that verifies it.
func (s *sheet) signature(v record.Printout, address string) error {
	h := v.Head()
	code, err := qrcode.New(address, qrcode.Medium)
	if err != nil {
		return fmt.Errorf("QR code: %w", err)
	}
	if s.y+codeSide+line > bottom {
		s.turn()
	}
	s.rule()
	page, top := s.page, s.y
	s.code(code.Bitmap(), margin+width-codeSide, top)
	s.right = margin + width - codeSide - 4
	s.pair("签名 Signed by", v.SignedAs.Doctor.Name)
	s.pair("签名时间 Signed at", h.Signature.SignedAt.In(s.zone).Format("2006-01-02 15:04:05 MST"))
	s.write(margin, smallSize-1, 4.5, faint, "SHA-256 "+h.Signature.SHA256[:32]+"\n"+h.Signature.SHA256[32:])
	s.write(margin, smallSize-1, 4.5, faint, "扫码核验：内容在签名后未被更改。\nScan to verify that nothing has been changed since it was signed.")
	s.right = margin + width
	if s.page == page {
		s.y = max(s.y, top+codeSide)
	}
	return nil
}

// code draws a QR code as rectangles, which stay sharp in print.
func (s *sheet) code(bits [][]bool, x, y float64) {
	side := codeSide / float64(len(bits))
	var all []pdf.Rectangle
	for row := range bits {
		for from := 0; from < len(bits[row]); from++ {
			to := from
			for to < len(bits[row]) && bits[row][to] {
				to++
			}
			if to > from {
				all = append(all, pdf.Rectangle{X: x + float64(from)*side, Y: y + float64(row)*side, Width: float64(to-from) * side, Height: side})
				from = to
			}
		}
	}
	s.out.Fill(s.page, pdf.Color{}, all...)
}

var decisions = map[record.DocumentStatus]string{record.Approved: "药师审核通过 Approved", record.Rejected: "药师未通过 Rejected", record.Void: "作废 Void"}

var routes = map[record.Route]string{
	record.Oral: "口服 by mouth", record.Topical: "外用 on the skin", record.Inhaled: "吸入 inhaled", record.Nasal: "滴鼻 in the nose", record.Eye: "滴眼 in the eye",
	record.Ear: "滴耳 in the ear", record.Rectal: "直肠给药 rectal", record.Vaginal: "阴道给药 vaginal", record.Sublingual: "舌下含服 under the tongue",
	record.Subcutan: "皮下注射 subcutaneous", record.Intramuscul: "肌内注射 intramuscular", record.Intravenous: "静脉注射 intravenous",
}

var frequencies = map[record.Freq]string{
	record.OnceDaily: "每日一次 once a day", record.TwiceDaily: "每日两次 twice a day", record.ThriceDaily: "每日三次 three times a day",
	record.FourDaily: "每日四次 four times a day", record.AtBedtime: "睡前 at bedtime", record.EverySix: "每6小时 every 6 hours", record.EveryEight: "每8小时 every 8 hours",
	record.EveryTwelve: "每12小时 every 12 hours", record.OtherDays: "隔日一次 every other day", record.Weekly: "每周一次 once a week", record.AsNeeded: "必要时 as needed", record.AtOnce: "立即 at once",
}
