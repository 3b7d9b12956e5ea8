package billing

import (
	"context"
	"fmt"
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/consultation"
)

// A day is compared once it is over everywhere that it can matter, at 02:00 UTC.
const (
	dayForm     = "2006-01-02"
	reconcileAt = 2 * time.Hour
	// reconcileMost is how long one may take; one that fails is tried again then.
	reconcileMost = time.Hour
	reportsShown  = 60
	compareBatch  = 100
	// catchUpDays is how far back days are compared that no report covers, such as
	// those on which no server ran.
	catchUpDays = 366
)

// PlantNightly makes sure that the next day to be compared is planned: the one
// after the last report, or today. Each day's comparison plans the next.
func (s *Service) PlantNightly(ctx context.Context) error {
	day := s.now().Truncate(24 * time.Hour)
	last, err := s.store.Reports(ctx, 1)
	if err == nil && len(last) > 0 {
		day, err = time.Parse(dayForm, last[0].Day)
		day = s.dayAfter(day)
	}
	if err != nil {
		return err
	}
	return s.store.InTx(ctx, func(tx Tx) error { return tx.SetTimer(nightlyTimer(day)) })
}

// dayAfter returns the day to be compared after another one.
func (s *Service) dayAfter(day time.Time) time.Time {
	next, first := day.AddDate(0, 0, 1), s.now().Truncate(24*time.Hour).AddDate(0, 0, -catchUpDays)
	if next.Before(first) {
		return first
	}
	return next
}

// nightlyTimer is for the comparison of a day, which is its subject.
func nightlyTimer(day time.Time) rooms.Timer {
	return rooms.Timer{Kind: reconcileTimer, Subject: day.Format(dayForm), Due: day.AddDate(0, 0, 1).Add(reconcileAt)}
}

func (s *Service) nightly(ctx context.Context, subject string) error {
	day, err := time.Parse(dayForm, subject)
	if err != nil {
		return err
	}
	again := rooms.Timer{Kind: reconcileTimer, Subject: subject, Due: s.now().Add(reconcileMost)}
	if err := s.store.InTx(ctx, func(tx Tx) error { return tx.SetTimer(again) }); err != nil {
		return err
	}
	r, err := s.compare(ctx, day)
	if err != nil {
		return err
	}
	s.log.InfoContext(ctx, "reconciliation", "day", r.Day, "checked", r.Checked, "differences", len(r.Differences))
	return s.store.InTx(ctx, func(tx Tx) error {
		if err := tx.SaveReport(r); err != nil {
			return err
		}
		if err := tx.ClearTimer(reconcileTimer, subject); err != nil {
			return err
		}
		return tx.SetTimer(nightlyTimer(s.dayAfter(day)))
	})
}

func (s *Service) reports(ctx context.Context, _ rooms.Actor, _ rooms.Nothing) (ReportList, error) {
	list, err := s.store.Reports(ctx, reportsShown)
	if list == nil {
		list = []Report{}
	}
	return ReportList{Items: list}, err
}

func (s *Service) reconcileDay(ctx context.Context, _ rooms.Actor, in DayInput) (Report, error) {
	day, err := time.Parse(dayForm, in.Day)
	if err != nil {
		return Report{}, rooms.Invalid("day", "day must be a date such as 2026-11-21")
	}
	if err := rooms.PastDate("day", in.Day, false, s.now()); err != nil {
		return Report{}, err
	}
	if day.After(s.now()) {
		return Report{}, rooms.Invalid("day", "this day is still to come")
	}
	r, err := s.compare(ctx, day)
	if err != nil || !day.AddDate(0, 0, 1).Add(reconcileAt).Before(s.now()) {
		return r, err // a day that is not over gets its own report in the night
	}
	return rooms.InTx(ctx, s.store, func(tx Tx) (Report, error) { return r, tx.SaveReport(r) })
}

// compare asks the gateways about every payment of a day, and of the day before:
// money may have come for one after that was compared. It is enough to ask about
// ours: a gateway knows none that we have not written down before. What a gateway
// has taken and we have missed is entered as if it had called back.
func (s *Service) compare(ctx context.Context, day time.Time) (Report, error) {
	r := Report{Day: day.Format(dayForm), StartedAt: s.now(), Differences: []Difference{}}
	var after PaymentID
	for {
		list, err := s.store.Active(ctx, day.AddDate(0, 0, -1), day.AddDate(0, 0, 1), after, compareBatch)
		if err != nil {
			return r, err
		}
		for _, p := range list {
			if err := ctx.Err(); err != nil {
				return r, err
			}
			r.Checked++
			if d, ok := s.differs(ctx, p); ok {
				s.log.WarnContext(ctx, "reconciliation", "payment", d.PaymentID, "ours", d.Ours, "theirs", d.Theirs, "madeGood", d.MadeGood)
				r.Differences = append(r.Differences, d)
			}
			after = p.ID
		}
		if len(list) < compareBatch {
			r.FinishedAt = s.now()
			return r, nil
		}
	}
}

func (s *Service) differs(ctx context.Context, p Payment) (Difference, bool) {
	d := Difference{PaymentID: p.ID, OrderID: p.OrderID, Gateway: p.Gateway, Ours: string(p.Status)}
	gateway, ok := s.gateways[p.Gateway]
	if !ok {
		d.Theirs = "the gateway is no longer set up"
		return d, true
	}
	asking, cancel := context.WithTimeout(ctx, s.cfg.Patience)
	defer cancel()
	at, err := gateway.Query(asking, p)
	if err != nil {
		d.Theirs = "no answer: " + err.Error()
		return d, true
	}
	ledger, err := s.store.Ledger(ctx, p.OrderID)
	if err != nil {
		d.Theirs = "our books cannot be read"
		return d, true
	}
	ours, theirs := map[string]int64{}, map[string]int64{}
	for _, c := range ledger.Charges {
		if c.PaymentID == p.ID {
			ours[c.Transaction] = c.Amount
		}
	}
	for _, t := range at.Transactions {
		theirs[t.ID] = t.Amount
	}
	stuck := overdue(ledger.Refunds, p.ID, s.now())
	if same(ours, theirs) && stuck == "" {
		return d, false
	}
	d.Ours, d.Theirs = fmt.Sprintf("%s %v", p.Status, ours)+stuck, fmt.Sprintf("%s %v", at.State, theirs)
	if stuck == "" && covers(theirs, ours) {
		err := s.settle(ctx, p.ID, at, "")
		d.MadeGood = err == nil
	}
	return d, true
}

// overdue names refunds that are under way for more than a day, or were refused.
func overdue(refunds []Refund, p PaymentID, now time.Time) string {
	text := ""
	for _, r := range refunds {
		if r.PaymentID == p && (r.Status == consultation.RefundFailed || (r.Status == consultation.RefundPending && now.Sub(r.CreatedAt) > 24*time.Hour)) {
			text += fmt.Sprintf("; refund %s of %d is %s", r.ID, r.Amount, r.Status)
		}
	}
	return text
}

func same(a, b map[string]int64) bool { return len(a) == len(b) && covers(a, b) }

// covers reports whether a has all entries of b.
func covers(a, b map[string]int64) bool {
	for id, amount := range b {
		if a[id] != amount {
			return false
		}
	}
	return true
}
