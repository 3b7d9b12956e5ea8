package consultation

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
)

// How long a state may last.
const (
	payWithin     = 15 * time.Minute
	acceptWithin  = 24 * time.Hour
	textClock     = 48 * time.Hour
	holdMost      = 7 * 24 * time.Hour
	reopenWithin  = 72 * time.Hour
	followUpTurns = 2
)

// transition is one row of the state machine. A command, or the clock, that
// finds no row for the present state is a conflict.
type transition struct {
	name     string
	from     []Status
	to       Status
	by       Part   // "" is Wenzhen itself: a verified payment or the clock
	refund   Refund // the intent written with it
	needs    func(c Consultation, in change, now time.Time) error
	reopened bool
	clinic   bool // neither side does it, nor their clock
}

// change is what a transition is given beside the consultation.
type change struct {
	actor           rooms.Actor
	reason, summary string
	terms           CancelTerms
	// excused patients are refunded in full: their doctor could not have come, or
	// cannot sign.
	excused bool
}

// The machine, row by row as the domain's table has it.
var (
	paid             = transition{name: "pay", from: []Status{PendingPayment}, to: Waiting}
	paidLate         = transition{name: "pay", from: []Status{Expired}, to: Waiting, needs: requireFutureSlot}
	unpaid           = transition{name: "expire", from: []Status{PendingPayment}, to: Expired}
	cancel           = transition{name: "cancel", from: []Status{PendingPayment, Waiting}, to: Cancelled, by: PartPatient, refund: FullRefund}
	decline          = transition{name: "decline", from: []Status{Waiting}, to: Declined, by: PartDoctor, refund: FullRefund, needs: requireReason}
	expireUnaccepted = transition{name: "expire", from: []Status{Waiting}, to: Expired, refund: FullRefund}
	cancelByStaff    = transition{name: "cancel", from: []Status{PendingPayment, Waiting}, to: Cancelled, refund: FullRefund}
	accept           = transition{name: "accept", from: []Status{Waiting}, to: Active, by: PartDoctor, needs: requireCheckedIn}
	hold             = transition{name: "hold", from: []Status{Active}, to: OnHold, by: PartDoctor}
	resume           = transition{name: "resume", from: []Status{OnHold}, to: Active, by: PartDoctor}
	resumeAfterHold  = transition{name: "resume", from: []Status{OnHold}, to: Active}
	end              = transition{name: "end", from: []Status{Active, OnHold}, to: Ended, by: PartDoctor, needs: requireSummary}
	finish           = transition{name: "end", from: []Status{Active, OnHold}, to: Ended, by: PartPatient, needs: refuseSummary} // refunded if never answered
	endByTimeout     = transition{name: "end", from: []Status{Active}, to: Ended}
	terminate        = transition{name: "terminate", from: []Status{Active, OnHold}, to: Terminated, by: PartDoctor, refund: FullRefund, needs: requireReason}
	reopen           = transition{name: "reopen", from: []Status{Ended}, to: Active, by: PartPatient, needs: requireFirstReopen, reopened: true}
	closeByTimeout   = transition{name: "close", from: []Status{Ended}, to: Closed}

	// What the clinic does: the doctor or the patient is gone, or an admin closes it.
	dropped  = transition{name: "close", from: []Status{PendingPayment, Waiting}, to: Cancelled, refund: FullRefund, clinic: true}
	cutShort = transition{name: "close", from: []Status{Active, OnHold}, to: Terminated, refund: FullRefund, clinic: true}
	cutOff   = transition{name: "close", from: []Status{Active, OnHold}, to: Ended, clinic: true} // refunded if never answered
	shut     = transition{name: "close", from: []Status{Ended}, to: Closed, clinic: true}
)

// byClinic returns the transition with which the clinic ends c. withoutDoctor: the
// doctor has left or was rejected, so a consultation that was not finished counts
// as not delivered. One that had ended before it was reopened counts as delivered.
func byClinic(c Consultation, withoutDoctor bool) (transition, error) {
	for _, t := range []transition{dropped, cutShort, cutOff, shut} {
		if t.leaves(c.Status) && (t.to != Terminated || withoutDoctor && !c.Reopened) {
			return t, nil
		}
	}
	return transition{}, rooms.Conflict(string(c.Status), "the consultation is %s already", c.Status)
}

// byClock is what happens when the time of a state is up.
var byClock = map[Status]transition{
	PendingPayment: unpaid, Waiting: expireUnaccepted, Active: endByTimeout, OnHold: resumeAfterHold, Ended: closeByTimeout,
}

func requireReason(_ Consultation, in change, _ time.Time) error {
	if strings.TrimSpace(in.reason) == "" {
		return rooms.Invalid("reason", "give a reason")
	}
	return nil
}

// requireFutureSlot lets a late payment save an appointment; only package billing
// knows that it was never paid before.
func requireFutureSlot(c Consultation, _ change, now time.Time) error {
	if c.ScheduledAt == nil || !c.ScheduledAt.After(now) {
		return rooms.Conflict(string(c.Status), "the consultation is %s", c.Status)
	}
	return nil
}

func requireCheckedIn(c Consultation, _ change, _ time.Time) error {
	if c.QueuedAt == nil {
		return rooms.Conflict(string(c.Status), "the patient has not checked in yet")
	}
	return nil
}

func requireSummary(c Consultation, in change, _ time.Time) error {
	if c.Service == account.Followup && strings.TrimSpace(in.summary) == "" {
		return rooms.Invalid("summary", "a followup ends with a signed summary")
	}
	return nil
}

func refuseSummary(_ Consultation, in change, _ time.Time) error {
	if in.summary != "" {
		return rooms.Invalid("summary", "only the doctor signs a summary")
	}
	return nil
}

func requireFirstReopen(c Consultation, _ change, now time.Time) error {
	if c.Reopened {
		return rooms.Conflict(string(c.Status), "the follow-up questions have been used")
	}
	if c.EndedAt != nil && now.Sub(*c.EndedAt) >= reopenWithin {
		return rooms.Conflict(string(c.Status), "it ended more than 72 hours ago")
	}
	return nil
}

func (t transition) leaves(s Status) bool {
	for _, from := range t.from {
		if from == s {
			return true
		}
	}
	return false
}

// apply moves c along t, or says why it cannot.
func (t transition) apply(c Consultation, in change, now time.Time) (Consultation, error) {
	if !t.leaves(c.Status) {
		return c, rooms.Conflict(string(c.Status), "cannot %s a consultation that is %s", t.name, c.Status)
	}
	if t.needs != nil {
		if err := t.needs(c, in, now); err != nil {
			return c, err
		}
	}
	from := c.Status
	c.Status, c.UpdatedAt, c.Refund = t.to, now, t.refund
	c.Reason, c.RefundPercent = in.reason, 0
	if t.refund == FullRefund {
		c.RefundPercent = 100
	}
	if t.to == Cancelled && t.by == PartPatient {
		c.RefundPercent = in.terms.percent(c, now)
		c.Refund = refundOf(c.RefundPercent)
	}
	if t.to == Expired && c.ScheduledAt != nil && c.QueuedAt == nil {
		c.Refund, c.RefundPercent = NoRefund, 0 // the patient did not come: as good as cancelled too late
	}
	if in.excused {
		c.Refund, c.RefundPercent = FullRefund, 100
	}
	c.EndedBy = t.endedBy(c, in)
	if c.Price == 0 || from == PendingPayment {
		c.Refund, c.RefundPercent = NoRefund, 0 // nothing was taken
	}
	switch t.to {
	case Waiting:
		if c.ScheduledAt == nil {
			c.QueuedAt = &now
		}
	case Active:
		if from == Waiting {
			c.AcceptedAt = &now
		}
		if t.reopened {
			c.Reopened, c.TurnsLeft, c.TurnOpen = true, followUpTurns, false
		}
	case OnHold:
		if c.DueAt != nil {
			c.ClockLeftMs = max(1, c.DueAt.Sub(now).Milliseconds())
		}
	case Ended:
		if t.by != PartDoctor && c.AnsweredAt == nil && c.Price > 0 {
			c.Refund, c.RefundPercent = FullRefund, 100 // the doctor never answered
		}
		if in.summary != "" {
			c.Summary = sign(c.ID, in.summary, in.actor.UserID, now)
		}
	}
	c.DueAt = due(c, from, now)
	if t.to == Ended {
		c.EndedAt = &now
	}
	if t.to == Active {
		c.ClockLeftMs = 0
	}
	return c, nil
}

// endedBy is EndedBy of c after t.
func (t transition) endedBy(c Consultation, in change) string {
	switch {
	case t.clinic, in.excused && t.to == Expired:
		return EndedByClinic
	case t.to == Closed:
		return c.EndedBy // as it was ended
	}
	return ""
}

// due is when the state that c has just entered runs out; nil if it does not.
func due(c Consultation, from Status, now time.Time) *time.Time {
	var at time.Time
	switch c.Status {
	case Waiting:
		at = now.Add(acceptWithin)
		if c.ScheduledAt != nil {
			at = c.ScheduledAt.Add(lateMost)
		}
	case Active:
		switch {
		case from == OnHold:
			at = now.Add(time.Duration(c.ClockLeftMs) * time.Millisecond)
		case from == Ended && c.EndedAt != nil:
			at = c.EndedAt.Add(reopenWithin)
		case c.Medium == account.Text:
			at = now.Add(textClock)
		default:
			at = now.Add(time.Duration(c.Minutes) * time.Minute)
		}
	case OnHold:
		at = now.Add(holdMost)
	case Ended:
		at = now.Add(reopenWithin)
	default:
		return nil
	}
	return &at
}

func sign(id ID, text string, by rooms.UserID, at time.Time) *Summary {
	sum := sha256.Sum256([]byte(strings.Join([]string{string(id), text, string(by), at.UTC().Format(time.RFC3339Nano)}, "\n")))
	return &Summary{Text: text, SignedBy: by, SignedAt: at, SHA256: hex.EncodeToString(sum[:])}
}
