package export

import (
	"archive/zip"
	"errors"
	"io"
	"path"
	"slices"
	"strings"
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/board"
	"wenzhen.example/rooms/chat"
	"wenzhen.example/rooms/consultation"
	"wenzhen.example/rooms/record"
)

// consultation writes one consultation: its log, what was said, its files and
// documents, and a page to read.
func (j *job) consultation(c consultation.Consultation) error {
	dir := "consultations/" + string(c.ID) + "/"
	in := consultation.Input{ConsultationID: c.ID}
	entered, err := ask(j, consultation.Read, in)
	if err != nil {
		return err
	}
	drawn, err := ask(j, board.Read, board.BoardRef{ConsultationID: c.ID})
	if err != nil {
		return err
	}
	if err := errors.Join(j.out.json(dir+"consultation.json", entered), j.out.json(dir+"board.json", drawn), j.log(dir+"events.json", c.ID)); err != nil {
		return err
	}
	view := visit{Words: j.words, Consultation: c}
	if err := j.said(dir, c, &view); err != nil {
		return err
	}
	if err := j.documents(dir, c, &view); err != nil {
		return err
	}
	return j.page(dir+"index.html", "visit", view)
}

// log writes the whole log of a consultation.
func (j *job) log(name string, id consultation.ID) error {
	var after rooms.Seq
	over := false
	return j.out.add(name, zip.Deflate, func(w io.Writer) error {
		return array(w, func() ([]rooms.Event, error) {
			if over {
				return nil, nil
			}
			page, err := ask(j, consultation.Events, consultation.EventsInput{ConsultationID: id, After: after, Limit: 500})
			if err != nil {
				return nil, err
			}
			if over = !page.HasMore; len(page.Items) > 0 {
				after = page.Items[len(page.Items)-1].Seq
			}
			return page.Items, nil
		})
	})
}

// said writes the files of a consultation and collects what its page shows.
func (j *job) said(dir string, c consultation.Consultation, to *visit) error {
	var messages []chat.Message
	for before := rooms.Seq(0); ; {
		page, err := ask(j, chat.History, chat.HistoryInput{ConsultationID: c.ID, Before: before, Limit: 200})
		if err != nil {
			return err
		}
		messages = append(messages, page.Items...)
		if !page.HasMore || len(page.Items) == 0 {
			break
		}
		before = page.Items[0].Seq
	}
	slices.SortFunc(messages, func(a, b chat.Message) int { return int(a.Seq - b.Seq) })
	if err := j.out.json(dir+"messages.json", messages); err != nil {
		return err
	}
	had := map[chat.AttachmentID]bool{}
	for _, m := range messages {
		line := line{At: m.CreatedAt.Format(time.RFC3339), Mine: m.SenderID == j.actor.UserID, Kind: m.Kind, Text: m.Text, Recalled: m.RecalledAt != nil}
		if m.SenderID == c.DoctorID {
			line.Name = c.DoctorName
		}
		if a := m.Attachment; a != nil {
			name := "files/" + string(a.ID) + safeSuffix(a.Name)
			line.File, line.FileName, line.Missing = name, a.Name, false
			if !had[a.ID] {
				had[a.ID] = true
				if err := j.file(dir+name, a.ID); rooms.CodeOf(err) == rooms.CodeNotFound || rooms.CodeOf(err) == rooms.CodeInternal {
					line.Missing = true // the rest is not withheld for it
				} else if err != nil {
					return err
				}
			}
		}
		to.Lines = append(to.Lines, line)
	}
	return nil
}

// file writes one attachment. It is opened before anything is written, so that
// one that is damaged leaves no entry.
func (j *job) file(name string, id chat.AttachmentID) error {
	_, content, err := j.files.Open(j.ctx, j.actor, id, false)
	var known *rooms.Error
	switch {
	case errors.As(err, &known):
		return err
	case err != nil:
		return rooms.Internal(err)
	}
	defer content.Close()
	return j.out.add(name, zip.Store, func(w io.Writer) error {
		_, err := io.Copy(w, content)
		return err
	})
}

// safeSuffix is the end of a file's name, if it is a harmless one.
func safeSuffix(name string) string {
	suffix := strings.ToLower(path.Ext(name))
	if len(suffix) < 2 || len(suffix) > 6 || strings.ContainsFunc(suffix[1:], func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') }) {
		return ""
	}
	return suffix
}

// documents writes what was signed in a consultation, each also as PDF.
func (j *job) documents(dir string, c consultation.Consultation, to *visit) error {
	in := record.InConsultation{ConsultationID: c.ID}
	found, err := ask(j, record.Diagnoses, in)
	if err != nil {
		return err
	}
	given, err := ask(j, record.Prescriptions, in)
	if err != nil {
		return err
	}
	if err := errors.Join(j.out.json(dir+"diagnoses.json", found.Items), j.out.json(dir+"prescriptions.json", given.Items)); err != nil {
		return err
	}
	for _, d := range found.Items {
		if d.Signature == nil || d.Integrity == record.Altered { // the JSON says so
			continue
		}
		v, err := ask(j, record.PrintDiagnosis, record.DiagnosisRef{DiagnosisID: d.ID})
		if err == nil {
			err = j.pdf(dir, v, to)
		}
		if err != nil {
			return err
		}
	}
	for _, p := range given.Items {
		if p.Signature == nil || p.Integrity == record.Altered {
			continue
		}
		v, err := ask(j, record.PrintPrescription, record.PrescriptionRef{PrescriptionID: p.ID})
		if err == nil {
			err = j.pdf(dir, v, to)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (j *job) pdf(dir string, v record.Printout, to *visit) error {
	content, err := j.printer.Print(j.ctx, v)
	if rooms.CodeOf(err) == rooms.CodeUnavailable && j.ctx.Err() == nil {
		return nil // a server that was built without a font; the JSON has all of it
	} else if err != nil {
		return err
	}
	name := "documents/" + string(v.Kind) + "-" + string(v.Head().ID) + ".pdf"
	to.Documents = append(to.Documents, document{Name: name, Title: j.words[string(v.Kind)]})
	return j.out.add(dir+name, zip.Store, func(w io.Writer) error {
		_, err := w.Write(content)
		return err
	})
}
