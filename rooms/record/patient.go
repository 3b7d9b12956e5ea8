package record

import (
	"fmt"
	"strings"
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
	"wenzhen.example/rooms/consultation"
)

// PatientRecord is what is known of a patient beyond a single consultation.
type PatientRecord struct {
	Patient account.Patient `json:"patient"`
	// Version counts the changes of Background; 0 before the first.
	Version int64 `json:"version"`
	Background
	UpdatedAt     *time.Time `json:"updatedAt,omitempty"`
	UpdatedBy     string     `json:"updatedBy,omitempty"` // a name
	UpdatedByID   string     `json:"updatedById,omitempty"`
	UpdatedByRole rooms.Role `json:"updatedByRole,omitempty"`
	// History is the patient's consultations, the latest first, at most 200.
	History []Episode `json:"history"`
}

// Background is the part of the record that patient and doctors keep.
type Background struct {
	Allergies   []Allergy    `json:"allergies"`
	Conditions  []Condition  `json:"conditions"`
	Medications []Medication `json:"medications"`
}

// Allergy is something that the patient does not tolerate.
type Allergy struct {
	Substance string `json:"substance"`
	Reaction  string `json:"reaction,omitempty"`
	Severity  string `json:"severity,omitempty"` // mild, moderate, severe (FHIR reaction-event-severity)
}

// Condition is an illness that stays or has been.
type Condition struct {
	Code   string `json:"code,omitempty"` // ICD-10, where it is known
	Text   string `json:"text"`
	Since  string `json:"since,omitempty"` // YYYY, YYYY-MM or YYYY-MM-DD
	Active bool   `json:"active"`
}

// Medication is a drug that the patient takes.
type Medication struct {
	Drug  string `json:"drug"`
	Usage string `json:"usage,omitempty"`
	Since string `json:"since,omitempty"` // YYYY, YYYY-MM or YYYY-MM-DD
}

// RecordEntry is an admin's look at a record of a patient who has had no
// consultation in whose room it could stand.
type RecordEntry struct {
	PatientID   account.PatientID `json:"patientId"`
	PatientName string            `json:"patientName"`
	ByID        rooms.UserID      `json:"byId"`
	Reason      string            `json:"reason"`
}

// RecordChange says that a record was changed, by whom, and not what.
type RecordChange struct {
	PatientID   account.PatientID `json:"patientId"`
	PatientName string            `json:"patientName"`
	Version     int64             `json:"version"`
	ByID        rooms.UserID      `json:"byId"`
	ByName      string            `json:"byName"`
}

// Episode is one consultation of the history with what was signed in it.
type Episode struct {
	ConsultationID consultation.ID     `json:"consultationId"`
	At             time.Time           `json:"at"`
	Status         consultation.Status `json:"status"`
	Service        account.ServiceKind `json:"service"`
	Medium         account.Medium      `json:"medium"`
	DoctorName     string              `json:"doctorName"`
	Complaint      string              `json:"complaint"`
	Diagnoses      []Diagnosis         `json:"diagnoses"`
	Prescriptions  []Prescription      `json:"prescriptions"`
	Summaries      []ClosingSummary    `json:"summaries"`
}

// BackgroundInput replaces the background, as a new version. A list that is
// missing, or null, stays as it is; an empty one says that there is nothing.
// Version, if given, is the one that was read.
type BackgroundInput struct {
	PatientID   account.PatientID `json:"patientId"`
	Allergies   []Allergy         `json:"allergies"`
	Conditions  []Condition       `json:"conditions"`
	Medications []Medication      `json:"medications"`
	Version     *int64            `json:"version,omitempty"` // over REST: If-Match
}

// over is what the background becomes.
func (in BackgroundInput) over(before Background) Background {
	next := before
	if in.Allergies != nil {
		next.Allergies = in.Allergies
	}
	if in.Conditions != nil {
		next.Conditions = in.Conditions
	}
	if in.Medications != nil {
		next.Medications = in.Medications
	}
	return next.orNothing()
}

const backgroundMost = 100 // of each list

// Validate implements rooms.Validator.
func (in BackgroundInput) Validate() error {
	for _, list := range []struct {
		field string
		size  int
	}{{"allergies", len(in.Allergies)}, {"conditions", len(in.Conditions)}, {"medications", len(in.Medications)}} {
		if list.size > backgroundMost {
			return rooms.TooLarge(list.field, "at most %d %s", backgroundMost, list.field)
		}
	}
	for i, a := range in.Allergies {
		at := fmt.Sprintf("allergies[%d].", i)
		if err := firstError(named(at+"substance", a.Substance), longest(at+"reaction", a.Reaction, 500)); err != nil {
			return err
		}
		if !oneOf([]string{"", "mild", "moderate", "severe"}, a.Severity) {
			return rooms.Invalid(at+"severity", "severity must be mild, moderate or severe")
		}
	}
	for i, c := range in.Conditions {
		at := fmt.Sprintf("conditions[%d].", i)
		if err := firstError(named(at+"text", c.Text), longest(at+"code", c.Code, 10)); err != nil {
			return err
		}
	}
	for i, m := range in.Medications {
		at := fmt.Sprintf("medications[%d].", i)
		if err := firstError(named(at+"drug", m.Drug), longest(at+"usage", m.Usage, 500)); err != nil {
			return err
		}
	}
	return nil
}

func named(field, text string) error {
	if strings.TrimSpace(text) == "" {
		return rooms.Invalid(field, "%s is missing", field)
	}
	return longest(field, text, 200)
}

// past checks that what is said to have begun has begun by now.
func (in BackgroundInput) past(now time.Time) error {
	for i, c := range in.Conditions {
		if err := rooms.PastDate(fmt.Sprintf("conditions[%d].since", i), c.Since, true, now); err != nil {
			return err
		}
	}
	for i, m := range in.Medications {
		if err := rooms.PastDate(fmt.Sprintf("medications[%d].since", i), m.Since, true, now); err != nil {
			return err
		}
	}
	return nil
}

// BackgroundVersion is one version of a background, as it is stored.
type BackgroundVersion struct {
	PatientID account.PatientID
	Version   int64
	Background
	At     time.Time
	ByID   rooms.UserID
	ByName string
	ByRole rooms.Role
}

// orNothing makes lists that are empty rather than missing.
func (b Background) orNothing() Background {
	return Background{Allergies: orEmpty(b.Allergies), Conditions: orEmpty(b.Conditions), Medications: orEmpty(b.Medications)}
}

func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}
