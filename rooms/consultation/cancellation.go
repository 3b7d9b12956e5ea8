package consultation

import "time"

// CancelTerms configure what is refunded to a patient who cancels an
// appointment: the whole price until Full before its start, Percent of it until
// Part before it, and nothing later. Each clinic sets its own.
type CancelTerms struct {
	Full, Part time.Duration
	Percent    int // 0 to 100
}

// percent returns how much of the price is refunded if the patient cancels c
// now. Without an appointment it is 100 until the doctor accepts.
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
