package record

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
	"wenzhen.example/rooms/audit"
	"wenzhen.example/rooms/consultation"
	"wenzhen.example/rooms/record/drug"
)

// DrugQuery looks for drugs. Limit is 1 to 50, 20 by default.
type DrugQuery struct {
	Q     string `json:"q"` // 1 to 100 characters
	Limit int    `json:"limit,omitempty"`
}

// Validate implements rooms.Validator.
func (in DrugQuery) Validate() error { return longest("q", in.Q, 100) }

// DrugList is drugs, the best first.
type DrugList struct {
	Items []drug.Drug `json:"items"`
}

// PrescriptionCheck is a prescription as it is being written.
type PrescriptionCheck struct {
	ConsultationID consultation.ID `json:"consultationId"`
	PrescriptionInput
}

// Validate implements rooms.Validator.
func (in PrescriptionCheck) Validate() error { return in.PrescriptionInput.validate() }

// PrescriptionWarnings is what a check found, the gravest first.
type PrescriptionWarnings struct {
	Warnings []drug.Warning `json:"warnings"`
}

// Acknowledgement is a doctor's answer to a warning: the one of a code about exactly
// these items, and why the drug is prescribed all the same.
type Acknowledgement struct {
	Code  drug.WarningCode `json:"code"`
	Items []int            `json:"items"`
	// Message is that of the warning, in either language. It is needed where several
	// warnings have this code and these items, and makes sure that the warning is
	// the one that the doctor has read: the record may change before the signature.
	Message string `json:"message,omitempty" limit:"..1000"`
	Reason  string `json:"reason"` // 1 to 500 characters
}

// Acknowledged is a warning that a prescription was signed with.
type Acknowledged struct {
	drug.Warning
	Reason string `json:"reason,omitempty"` // empty if it was signed with despiteAllergies
}

// searchDrugs also takes in a table that was loaded since.
func (s *Service) searchDrugs(ctx context.Context, _ rooms.Actor, in DrugQuery) (DrugList, error) {
	limit, err := rooms.PageSize(in.Limit, 20, 50)
	if err != nil {
		return DrugList{}, err
	}
	if strings.TrimSpace(in.Q) == "" {
		return DrugList{}, rooms.Invalid("q", "q must have 1 to 100 characters")
	}
	table, err := s.drugTable(ctx)
	if err != nil {
		return DrugList{}, err
	}
	return DrugList{Items: table.Search(in.Q, limit)}, nil
}

// drugTable is the table of drugs, made anew when the clinic has loaded one.
func (s *Service) drugTable(ctx context.Context) (*drug.Table, error) {
	version, err := s.store.DrugsVersion(ctx)
	if err != nil {
		return nil, err
	}
	return s.drugs.at(version, func() (*drug.Table, error) {
		if version == 0 {
			return drug.Shipped(), nil
		}
		more, err := s.store.Drugs(ctx)
		if err != nil {
			return nil, err
		}
		return drug.NewTable(more), nil
	})
}

// checkPrescription checks what a doctor is writing. Nothing of it is kept; that
// the record was read for it is noted.
func (s *Service) checkPrescription(ctx context.Context, actor rooms.Actor, in PrescriptionCheck) (PrescriptionWarnings, error) {
	table, err := s.drugTable(ctx)
	if err != nil {
		return PrescriptionWarnings{}, err
	}
	return rooms.InTx(ctx, s.store, func(tx Tx) (PrescriptionWarnings, error) {
		c, err := s.loadWritableConsultation(tx, actor, in.ConsultationID)
		if err != nil {
			return PrescriptionWarnings{}, err
		}
		found, err := s.check(tx, table, c.PatientID, in.Items)
		if err != nil {
			return PrescriptionWarnings{}, err
		}
		return PrescriptionWarnings{Warnings: found}, audit.Append(tx, actor, s.now(), CheckPrescription.Name, patientSubject(c.PatientID), nil)
	})
}

// check compares what is prescribed with what is known of the patient now.
func (s *Service) check(tx Tx, table *drug.Table, id account.PatientID, items []Item) ([]drug.Warning, error) {
	known, err := tx.Background(id)
	if err != nil {
		return nil, err
	}
	who := drug.Patient{AgeMonths: -1}
	patient, err := tx.Patient(id)
	switch {
	case err == nil:
		who.AgeMonths, who.Female = ageMonths(patient.BirthDate, s.now()), patient.Sex == "female"
	case rooms.CodeOf(err) != rooms.CodeNotFound:
		return nil, err
	}
	for _, a := range known.Allergies {
		who.Allergies = append(who.Allergies, drug.Sensitivity{Substance: a.Substance, Severity: a.Severity})
	}
	for _, m := range known.Medications {
		who.Medications = append(who.Medications, m.Drug)
	}
	list := make([]drug.Item, len(items))
	for i, v := range items {
		list[i] = drug.Item{Drug: v.Drug, Strength: v.Strength, Dose: v.Dose, Unit: v.DoseUnit, Route: string(v.Route), PerDay: v.Frequency.perDay()}
	}
	return table.Check(list, who, s.cfg.Policy == PolicyChina), nil
}

// ageMonths is an age in whole months; -1 if the date of birth is not known.
func ageMonths(born string, now time.Time) int {
	b, err := time.Parse(time.DateOnly, born)
	if err != nil {
		return -1
	}
	months := (now.Year()-b.Year())*12 + int(now.Month()) - int(b.Month())
	if now.Day() < b.Day() {
		months--
	}
	return max(months, 0)
}

// perDay is how often a drug is taken in a day, on the average; 0 if that is open.
func (f Freq) perDay() float64 {
	switch f {
	case OnceDaily, AtBedtime, AtOnce:
		return 1
	case TwiceDaily, EveryTwelve:
		return 2
	case ThriceDaily, EveryEight:
		return 3
	case FourDaily, EverySix:
		return 4
	case OtherDays:
		return 0.5
	case Weekly:
		return 1. / 7
	}
	return 0
}

// considerWarnings checks a draft once more and keeps with it the warnings that
// the doctor acknowledged. It refuses a draft with others, and one that must not
// be signed at all. Both errors have the warnings.
func (s *Service) considerWarnings(tx Tx, table *drug.Table, d *Document, in SignPrescriptionInput) error {
	draft, err := prescriptionOf(*d)
	if err != nil {
		return err
	}
	found, err := s.check(tx, table, d.PatientID, draft.Items)
	if err != nil {
		return err
	}
	draft.Acknowledged, draft.Warned = nil, nil
	for _, w := range found {
		switch reason, ok := in.acknowledges(w, found); {
		case w.Severity == drug.Stop:
			return withWarnings(rooms.Invalid("items", "this cannot be prescribed: %s", w.Message), found)
		case ok:
			draft.Acknowledged = append(draft.Acknowledged, Acknowledged{Warning: w, Reason: reason})
		case w.Severity == drug.Warn:
			e := rooms.Conflict(string(Draft), "a warning is not acknowledged: %s", w.Message)
			e.Field = "acknowledged"
			return withWarnings(e, found)
		}
	}
	d.Content, err = json.Marshal(draft.PrescriptionContent)
	return err
}

// withWarnings adds warnings to an error.
func withWarnings(e *rooms.Error, found []drug.Warning) error {
	raw, err := json.Marshal(found)
	if err != nil {
		return rooms.Internal(err)
	}
	e.Warnings = raw
	return e
}

// acknowledges returns the reason that a doctor gave for a warning, one of those
// that were found.
func (in SignPrescriptionInput) acknowledges(w drug.Warning, found []drug.Warning) (string, bool) {
	for _, a := range in.Acknowledged {
		if a.about(w) && (a.Message != "" || !slices.ContainsFunc(found, func(other drug.Warning) bool {
			return other.Message != w.Message && a.about(other)
		})) {
			return strings.TrimSpace(a.Reason), true
		}
	}
	return "", in.DespiteAllergies && w.Code == drug.Allergy
}

// about reports whether a doctor's answer is one to a warning, as far as it says.
func (a Acknowledgement) about(w drug.Warning) bool {
	items := slices.Clone(a.Items)
	slices.Sort(items)
	return a.Code == w.Code && slices.Equal(slices.Compact(items), w.Items) && (a.Message == "" || a.Message == w.Message || a.Message == w.MessageZh)
}

// Validate implements rooms.Validator.
func (in SignPrescriptionInput) Validate() error {
	if len(in.Acknowledged) > acknowledgedMost {
		return rooms.TooLarge("acknowledged", "at most %d", acknowledgedMost)
	}
	for i, a := range in.Acknowledged {
		if err := a.validate(i); err != nil {
			return err
		}
	}
	return nil
}

const acknowledgedMost = 500

func (a Acknowledgement) validate(i int) error {
	at := fmt.Sprintf("acknowledged[%d].", i)
	switch {
	case !slices.Contains(drug.Codes(), a.Code):
		return rooms.Invalid(at+"code", "there is no warning %q", a.Code)
	case len(a.Items) == 0 || len(a.Items) > itemsMost:
		return rooms.Invalid(at+"items", "name 1 to %d items by their index", itemsMost)
	case slices.ContainsFunc(a.Items, func(n int) bool { return n < 0 || n >= itemsMost }):
		return rooms.Invalid(at+"items", "an index must be 0 to %d", itemsMost-1)
	case strings.TrimSpace(a.Reason) == "":
		return rooms.Invalid(at+"reason", "give a reason")
	}
	return longest(at+"reason", a.Reason, 500)
}
