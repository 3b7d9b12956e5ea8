package record

// Warning says that a patient is allergic to something that is prescribed.
// Prescriptions of before 0.2 were signed with it.
type Warning struct {
	Item      int    `json:"item"` // index in the prescription
	Drug      string `json:"drug"`
	Substance string `json:"substance"` // as the record has it
	Severity  string `json:"severity,omitempty"`
	Reaction  string `json:"reaction,omitempty"`
}
