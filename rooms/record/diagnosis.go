package record

import (
	"encoding/json"
	"fmt"
	"unicode/utf8"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/record/icd10"
)

// Diagnosis is what a doctor found.
type Diagnosis struct {
	Head
	DiagnosisContent
}

// DiagnosisContent is what is signed of a diagnosis.
type DiagnosisContent struct {
	// Codes are ICD-10 codes with their names at the time, the main one first.
	Codes []icd10.Coding `json:"codes"`
	// Text is the finding in the doctor's words; Advice is for the patient.
	Text   string `json:"text,omitempty"`
	Advice string `json:"advice,omitempty"`
}

// DiagnosisInput is what a doctor writes; codes are looked up.
type DiagnosisInput struct {
	Codes  []string `json:"codes"` // 1 to 20
	Text   string   `json:"text,omitempty"`
	Advice string   `json:"advice,omitempty"`
}

const (
	codesMost = 20
	textMost  = 10000
)

func (in DiagnosisInput) validate() error {
	switch {
	case len(in.Codes) == 0:
		return rooms.Invalid("codes", "a diagnosis needs at least one ICD-10 code")
	case len(in.Codes) > codesMost:
		return rooms.TooLarge("codes", "at most %d codes", codesMost)
	}
	seen := map[string]bool{}
	for i, code := range in.Codes {
		if seen[code] {
			return rooms.Invalid(fmt.Sprintf("codes[%d]", i), "%s is there twice", code)
		}
		seen[code] = true
	}
	return firstError(longest("text", in.Text, textMost), longest("advice", in.Advice, textMost))
}

// diagnosisContent is the input with the names of its codes.
func diagnosisContent(codes *icd10.Index, in DiagnosisInput) (json.RawMessage, error) {
	c := DiagnosisContent{Codes: make([]icd10.Coding, len(in.Codes)), Text: in.Text, Advice: in.Advice}
	for i, code := range in.Codes {
		found, ok := codes.Find(code)
		if !ok {
			return nil, rooms.Invalid(fmt.Sprintf("codes[%d]", i), "there is no ICD-10 code %q", code)
		}
		c.Codes[i] = found
	}
	return json.Marshal(c)
}

func diagnosisOf(d Document) (Diagnosis, error) {
	v := Diagnosis{Head: d.Head}
	err := json.Unmarshal(d.Content, &v.DiagnosisContent)
	return v, err
}

// longest refuses text of more than most characters, and text that is none.
func longest(field, text string, most int) error {
	switch {
	case !utf8.ValidString(text):
		return rooms.Invalid(field, "%s is not valid UTF-8", field)
	case utf8.RuneCountInString(text) > most:
		return rooms.TooLarge(field, "%s may have at most %d characters", field, most)
	}
	return nil
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
