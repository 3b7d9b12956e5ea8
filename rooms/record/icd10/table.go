package icd10

import (
	_ "embed"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"unicode/utf8"
)

// Coding is a code with its names.
type Coding struct {
	Code string `json:"code"`
	Zh   string `json:"zh"`
	En   string `json:"en"`
}

//go:embed common.csv
var common string

// Common is the table that is shipped.
func Common() []Coding {
	list, err := Read(strings.NewReader(common))
	if err != nil {
		panic("icd10: the table that is shipped is broken: " + err.Error())
	}
	return list
}

// tableMost bounds a table; the national tables have some 40,000 codes.
const tableMost = 200_000

var codePattern = regexp.MustCompile(`^[A-Z][0-9][0-9A-Z](\.[0-9A-Z]{1,7})?[+*†]?$`)

// Read reads a table: UTF-8 CSV (RFC 4180) whose first line names the columns
// code, zh and en, in any order and among others; one of the names may be empty.
// The error names the line at fault.
func Read(r io.Reader) ([]Coding, error) {
	rows := csv.NewReader(r)
	header, err := rows.Read()
	if err != nil {
		return nil, fmt.Errorf("the first line must name the columns code, zh and en: %w", err)
	}
	at := map[string]int{}
	for i, name := range header {
		at[strings.ToLower(strings.TrimSpace(strings.TrimPrefix(name, "\ufeff")))] = i
	}
	for _, name := range []string{"code", "zh", "en"} {
		if _, there := at[name]; !there {
			return nil, fmt.Errorf("the first line names no column %q", name)
		}
	}
	var list []Coding
	lines := map[string]int{}
	for {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, err
		}
		line, _ := rows.FieldPos(0)
		c := Coding{Code: strings.ToUpper(strings.TrimSpace(row[at["code"]])), Zh: strings.TrimSpace(row[at["zh"]]), En: strings.TrimSpace(row[at["en"]])}
		switch {
		case !codePattern.MatchString(c.Code):
			return nil, fmt.Errorf("line %d: %q is no ICD-10 code", line, c.Code)
		case c.Zh == "" && c.En == "":
			return nil, fmt.Errorf("line %d: %s has no name", line, c.Code)
		case !utf8.ValidString(c.Zh) || !utf8.ValidString(c.En):
			return nil, fmt.Errorf("line %d: the names must be UTF-8", line)
		case lines[c.Code] > 0:
			return nil, fmt.Errorf("line %d: %s is in line %d already", line, c.Code, lines[c.Code])
		case len(list) == tableMost:
			return nil, fmt.Errorf("line %d: a table may have at most %d codes", line, tableMost)
		}
		lines[c.Code] = line
		list = append(list, c)
	}
	if len(list) == 0 {
		return nil, errors.New("the table has no codes")
	}
	return list, nil
}
