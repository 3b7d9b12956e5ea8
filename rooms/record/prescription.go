package record

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/record/drug"
)

// Prescription is what a doctor prescribes. Its decisions, a pharmacist's and
// the doctor's own, come after the signature.
type Prescription struct {
	Head
	PrescriptionContent
	Decisions []Decision `json:"decisions"`
	// Warnings are what prescription:check finds now. They are filled for doctors
	// and pharmacists, and are no part of an event.
	Warnings []drug.Warning `json:"warnings,omitempty"`
}

// PrescriptionContent is what is signed of a prescription.
type PrescriptionContent struct {
	Items []Item `json:"items"` // 1 to 20
	Note  string `json:"note,omitempty"`
	// Acknowledged are the warnings that the doctor signed it with.
	Acknowledged []Acknowledged `json:"acknowledged,omitempty"`
	// Warned are the allergies that a prescription of before 0.2 was signed with.
	Warned []Warning `json:"warned,omitempty"`
}

// Item is one drug of a prescription.
type Item struct {
	Drug      string  `json:"drug"`               // by its generic name
	Strength  string  `json:"strength,omitempty"` // "250 mg × 24"
	Dose      float64 `json:"dose"`               // of DoseUnit, each time; kept with four digits after the decimal point
	DoseUnit  string  `json:"doseUnit"`           // "mg", "片"
	Route     Route   `json:"route"`
	Frequency Freq    `json:"frequency"`
	Days      int     `json:"days"`     // 1 to 365
	Quantity  int     `json:"quantity"` // of QuantityUnit, in all
	// QuantityUnit is what is handed out: "盒", "bottle".
	QuantityUnit string `json:"quantityUnit"`
	Note         string `json:"note,omitempty"`
}

// Route is how a drug is taken.
type Route string

// The routes.
const (
	Oral        Route = "oral"
	Topical     Route = "topical"
	Inhaled     Route = "inhaled"
	Nasal       Route = "nasal"
	Eye         Route = "eye"
	Ear         Route = "ear"
	Rectal      Route = "rectal"
	Vaginal     Route = "vaginal"
	Sublingual  Route = "sublingual"
	Subcutan    Route = "subcutaneous"
	Intramuscul Route = "intramuscular"
	Intravenous Route = "intravenous"
)

// Routes are all routes.
func Routes() []Route {
	return []Route{Oral, Topical, Inhaled, Nasal, Eye, Ear, Rectal, Vaginal, Sublingual, Subcutan, Intramuscul, Intravenous}
}

// Freq is how often a drug is taken, by its Latin abbreviation.
type Freq string

// The frequencies.
const (
	OnceDaily   Freq = "qd"
	TwiceDaily  Freq = "bid"
	ThriceDaily Freq = "tid"
	FourDaily   Freq = "qid"
	AtBedtime   Freq = "qn"
	EverySix    Freq = "q6h"
	EveryEight  Freq = "q8h"
	EveryTwelve Freq = "q12h"
	OtherDays   Freq = "qod"
	Weekly      Freq = "qw"
	AsNeeded    Freq = "prn"
	AtOnce      Freq = "st"
)

// Freqs are all frequencies.
func Freqs() []Freq {
	return []Freq{OnceDaily, TwiceDaily, ThriceDaily, FourDaily, AtBedtime, EverySix, EveryEight, EveryTwelve, OtherDays, Weekly, AsNeeded, AtOnce}
}

// PrescriptionInput is what a doctor writes.
type PrescriptionInput struct {
	Items []Item `json:"items"`
	Note  string `json:"note,omitempty"`
}

const itemsMost = 20

// round rounds the doses to what is kept of them.
func (in *PrescriptionInput) round() {
	items := make([]Item, len(in.Items))
	for i, item := range in.Items {
		item.Dose = rounded(item.Dose)
		items[i] = item
	}
	in.Items = items
}

// rounded is a dose with four digits after the decimal point.
func rounded(dose float64) float64 { return math.Round(dose*10_000) / 10_000 }

// Amount is a dose in digits, with at most four after the decimal point: "0.3".
func Amount(dose float64) string { return strconv.FormatFloat(rounded(dose), 'f', -1, 64) }

// content is what is kept of the input.
func (in PrescriptionInput) content() (json.RawMessage, error) {
	in.round()
	return json.Marshal(PrescriptionContent{Items: in.Items, Note: in.Note})
}

func (in PrescriptionInput) validate() error {
	switch {
	case len(in.Items) == 0:
		return rooms.Invalid("items", "a prescription needs at least one drug")
	case len(in.Items) > itemsMost:
		return rooms.TooLarge("items", "at most %d drugs", itemsMost)
	}
	for i, item := range in.Items {
		if err := item.validate(fmt.Sprintf("items[%d].", i)); err != nil {
			return err
		}
	}
	return longest("note", in.Note, 2000)
}

func (v Item) validate(at string) error {
	err := firstError(longest(at+"drug", v.Drug, 200), longest(at+"strength", v.Strength, 100), longest(at+"doseUnit", v.DoseUnit, 20),
		longest(at+"quantityUnit", v.QuantityUnit, 20), longest(at+"note", v.Note, 500))
	switch {
	case err != nil:
		return err
	case strings.TrimSpace(v.Drug) == "":
		return rooms.Invalid(at+"drug", "name the drug")
	case !(rounded(v.Dose) > 0 && v.Dose <= 1_000_000):
		return rooms.Invalid(at+"dose", "dose must be more than 0 and at most 1,000,000; it is kept with four digits after the decimal point")
	case strings.TrimSpace(v.DoseUnit) == "":
		return rooms.Invalid(at+"doseUnit", "the dose needs a unit")
	case !oneOf(Routes(), v.Route):
		return rooms.Invalid(at+"route", "there is no route %q", v.Route)
	case !oneOf(Freqs(), v.Frequency):
		return rooms.Invalid(at+"frequency", "there is no frequency %q", v.Frequency)
	case v.Days < 1 || v.Days > 365:
		return rooms.Invalid(at+"days", "days must be 1 to 365")
	case v.Quantity < 1 || v.Quantity > 10_000:
		return rooms.Invalid(at+"quantity", "quantity must be 1 to 10,000")
	case strings.TrimSpace(v.QuantityUnit) == "":
		return rooms.Invalid(at+"quantityUnit", "the quantity needs a unit")
	}
	return nil
}

func oneOf[T comparable](list []T, v T) bool {
	for _, w := range list {
		if w == v {
			return true
		}
	}
	return false
}

func prescriptionOf(d Document) (Prescription, error) {
	v := Prescription{Head: d.Head, Decisions: d.Decisions}
	if v.Decisions == nil {
		v.Decisions = []Decision{}
	}
	err := json.Unmarshal(d.Content, &v.PrescriptionContent)
	return v, err
}
