package drug

import (
	_ "embed"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Name is a name in both languages.
type Name struct {
	Zh string `json:"zh"`
	En string `json:"en"`
}

// Drug is a substance, or a product of several.
type Drug struct {
	ID        string   `json:"id"`
	Name      Name     `json:"name"`
	Aliases   []string `json:"-"` // other names and brands, in either language
	ATC       string   `json:"atc,omitempty"`
	Classes   []string `json:"-"` // that interactions and allergies name
	Strengths []string `json:"strengths"`
	Forms     []string `json:"forms"`
	Routes    []string `json:"routes"`
	// Controlled is narcotic, psychotropic1 or psychotropic2; empty for others.
	Controlled string `json:"controlled,omitempty"`
	// Visit reports whether the drug is prescribed only where the patient is seen.
	Visit bool `json:"visit,omitempty"`

	Unit string `json:"-"` // of the limits: mg, g, ug or IU
	// Low and High are the usual dose of an adult in a day, Single and Day the
	// highest at one time and in a day on the average, KgDay the highest of a
	// child in a day for each kilogram. 0 is unknown.
	Low, High, Single, Day, KgDay float64 `json:"-"`
	// StopUnder and WarnUnder are ages in months; 0 for none.
	StopUnder, WarnUnder int `json:"-"`
	// Pregnancy is never, avoid, late (avoid from week 20 on), caution or empty;
	// Lactation is avoid, caution or empty.
	Pregnancy, Lactation string `json:"-"`
	// Parts are the substances of a product.
	Parts []Part `json:"-"`
}

// Part is a substance of a product.
type Part struct {
	ID     string
	Amount float64 // in a piece or a millilitre of the product, of the substance's unit; 0 if the product has limits of its own
}

//go:embed drugs.csv
var common string

// Common is the table that is shipped.
func Common() []Drug {
	list, err := Read(strings.NewReader(common))
	if err != nil {
		panic("drug: the table that is shipped is broken: " + err.Error())
	}
	return list
}

// rowsMost bounds a table.
const rowsMost = 50_000

// columns are those that a table must have.
func columns() []string {
	return []string{"id", "en", "zh", "aliases", "atc", "classes", "strengths", "forms", "routes", "unit", "usual", "single", "day", "kgday",
		"stopunder", "warnunder", "pregnancy", "lactation", "controlled", "visit", "ingredients"}
}

// Read reads a table: UTF-8 CSV (RFC 4180) whose first line names the columns of
// drugs.csv, in any order and among others; docs/drugs.md describes them. The
// error names the line and the column at fault.
func Read(r io.Reader) ([]Drug, error) {
	rows := csv.NewReader(r)
	header, err := rows.Read()
	if err != nil {
		return nil, fmt.Errorf("the first line must name the columns: %w", err)
	}
	at := map[string]int{}
	for i, name := range header {
		at[strings.ToLower(strings.TrimSpace(strings.TrimPrefix(name, "\ufeff")))] = i
	}
	for _, name := range columns() {
		if _, there := at[name]; !there {
			return nil, fmt.Errorf("the first line names no column %q", name)
		}
	}
	var list []Drug
	lines := map[string]int{}
	for {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, err
		}
		line, _ := rows.FieldPos(0)
		fields := fields{row: row, at: at}
		d := fields.drug()
		switch {
		case fields.err != nil:
			return nil, fmt.Errorf("line %d: %w", line, fields.err)
		case lines[d.ID] > 0:
			return nil, fmt.Errorf("line %d: %s is in line %d already", line, d.ID, lines[d.ID])
		case len(list) == rowsMost:
			return nil, fmt.Errorf("line %d: a table may have at most %d drugs", line, rowsMost)
		}
		lines[d.ID] = line
		list = append(list, d)
	}
	if len(list) == 0 {
		return nil, errors.New("the table has no drugs")
	}
	return list, nil
}

// fields reads one row; err is the first error.
type fields struct {
	row []string
	at  map[string]int
	err error
}

func (f *fields) drug() Drug {
	d := Drug{
		ID: f.text("id"), Name: Name{Zh: f.text("zh"), En: f.text("en")}, Aliases: f.list("aliases"), ATC: f.text("atc"),
		Classes: f.list("classes"), Strengths: f.list("strengths"), Forms: f.list("forms"), Routes: f.list("routes"),
		Unit: f.one("unit", "", "mg", "g", "ug", "IU"), Single: f.amount("single"), Day: f.amount("day"), KgDay: f.amount("kgday"),
		StopUnder: f.months("stopunder"), WarnUnder: f.months("warnunder"),
		Pregnancy: f.one("pregnancy", "", "never", "avoid", "late", "caution"), Lactation: f.one("lactation", "", "avoid", "caution"),
		Controlled: f.one("controlled", "", "narcotic", "psychotropic1", "psychotropic2"), Visit: f.one("visit", "", "1") == "1",
		Parts: f.parts(),
	}
	d.Low, d.High = f.usual()
	switch {
	case f.err != nil:
	case d.ID == "":
		f.err = errors.New("id: a drug needs one")
	case d.Name.Zh == "" && d.Name.En == "":
		f.err = fmt.Errorf("en, zh: %s has no name", d.ID)
	case d.Unit == "" && (d.Day > 0 || d.Single > 0 || d.KgDay > 0 || d.High > 0):
		f.err = fmt.Errorf("unit: the doses of %s have none", d.ID)
	}
	return d
}

func (f *fields) fail(column, format string, args ...any) {
	if f.err == nil {
		f.err = fmt.Errorf(column+": "+format, args...)
	}
}

func (f *fields) text(column string) string {
	s := strings.TrimSpace(f.row[f.at[column]])
	if !utf8.ValidString(s) {
		f.fail(column, "must be UTF-8")
	}
	return s
}

func (f *fields) list(column string) []string {
	list := []string{}
	for s := range strings.SplitSeq(f.text(column), ";") {
		if s = strings.TrimSpace(s); s != "" {
			list = append(list, s)
		}
	}
	return list
}

func (f *fields) one(column string, of ...string) string {
	s := f.text(column)
	if !slices.Contains(of, s) {
		f.fail(column, "%q is none of %s", s, strings.Join(of[1:], ", "))
	}
	return s
}

func (f *fields) number(column, s string) float64 {
	n, err := strconv.ParseFloat(s, 64)
	if err != nil || n <= 0 || n > 1e9 {
		f.fail(column, "%q is no amount", s)
	}
	return n
}

func (f *fields) amount(column string) float64 {
	s := f.text(column)
	if s == "" {
		return 0
	}
	return f.number(column, s)
}

func (f *fields) months(column string) int {
	s := f.text(column)
	if s == "" {
		return 0
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 || n > 1200 {
		f.fail(column, "%q is no age in months", s)
	}
	return n
}

// usual reads "500-2000".
func (f *fields) usual() (low, high float64) {
	s := f.text("usual")
	if s == "" {
		return 0, 0
	}
	from, to, ok := strings.Cut(s, "-")
	if !ok {
		to = from
	}
	if low, high = f.number("usual", from), f.number("usual", to); low > high {
		f.fail("usual", "%q: the first must not be more than the second", s)
	}
	return low, high
}

// parts reads "paracetamol 325;codeine 8.4".
func (f *fields) parts() []Part {
	var list []Part
	for _, s := range f.list("ingredients") {
		id, amount, _ := strings.Cut(s, " ")
		p := Part{ID: id}
		if amount != "" {
			p.Amount = f.number("ingredients", amount)
		}
		list = append(list, p)
	}
	return list
}
