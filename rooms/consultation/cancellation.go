package consultation

import "time"

// CancelTerms are what a patient who cancels an appointment gets back: the
// whole price until Full before its start, Percent of it until Part before it,
// nothing later. They are a clinic's own.
type CancelTerms struct {
	Full, Part time.Duration
	Percent    int // 0 to 100
}

// percent is what of the price goes back if the patient cancels c now. Without
// an appointment everything goes back until the doctor accepts.
func (t CancelTerms) percent(c Consultation, now time.Time) int {
	switch {
	case c.ScheduledAt == nil, c.ScheduledAt.Sub(now) >= t.Full:
		return 100
	case c.ScheduledAt.Sub(now) >= t.Part:
		return t.Percent
	}
	return 0
}

// refundOf names a percentage.
func refundOf(percent int) Refund {
	switch percent {
	case 0:
		return NoRefund
	case 100:
		return FullRefund
	}
	return PartialRefund
}
