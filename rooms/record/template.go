package record

import (
	"context"
	"fmt"
	"strings"

	"wenzhen.example/rooms"
)

// Template is something that a doctor writes often: of a diagnosis or of a
// prescription.
type Template struct {
	ID           string             `json:"id"`
	Name         string             `json:"name"` // 1 to 100 characters
	Diagnosis    *DiagnosisInput    `json:"diagnosis,omitempty"`
	Prescription *PrescriptionInput `json:"prescription,omitempty"`
}

// TemplateList is a doctor's templates, in the doctor's order.
type TemplateList struct {
	Items      []Template `json:"items"`
	NextCursor string     `json:"nextCursor"`
}

// Validate implements rooms.Validator.
func (in TemplateList) Validate() error {
	if len(in.Items) > 100 {
		return rooms.TooLarge("items", "at most 100 templates")
	}
	for i, v := range in.Items {
		at := fmt.Sprintf("items[%d].", i)
		if strings.TrimSpace(v.Name) == "" {
			return rooms.Invalid(at+"name", "a template has a name")
		}
		if err := longest(at+"name", v.Name, 100); err != nil {
			return err
		}
		var err error
		switch {
		case (v.Diagnosis == nil) == (v.Prescription == nil):
			err = rooms.Invalid(at+"diagnosis", "a template is either of a diagnosis or of a prescription")
		case v.Diagnosis != nil:
			err = v.Diagnosis.validate()
		default:
			err = v.Prescription.validate()
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) templates(ctx context.Context, actor rooms.Actor, _ rooms.Nothing) (TemplateList, error) {
	list, err := s.store.Templates(ctx, actor.UserID)
	return TemplateList{Items: orEmpty(list)}, err
}

func (s *Service) saveTemplates(ctx context.Context, actor rooms.Actor, in TemplateList) (TemplateList, error) {
	list := make([]Template, len(in.Items))
	for i, v := range in.Items {
		if !rooms.ValidID(v.ID) {
			v.ID = rooms.NewID(s.now())
		}
		if v.Prescription != nil {
			v.Prescription.round()
		}
		list[i] = v
	}
	return rooms.InTx(ctx, s.store, func(tx Tx) (TemplateList, error) {
		return TemplateList{Items: list}, tx.SaveTemplates(actor.UserID, list)
	})
}
