package billing

import (
	"context"
	"encoding/csv"
	"strconv"
	"strings"
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/consultation"
)

// Bounds of what is asked for at once.
const (
	incomeUsual  = 31 * 24 * time.Hour
	incomeMost   = 366 * 24 * time.Hour
	incomeBatch  = 1000
	incomeExport = 10_000
)

func (in IncomeSpan) span(now time.Time) (from, to time.Time, err error) {
	to = now.Add(time.Microsecond)
	if in.To != nil {
		to = *in.To
	}
	from = to.Add(-incomeUsual)
	if in.From != nil {
		from = *in.From
	}
	switch {
	case !from.Before(to):
		return from, to, rooms.Invalid("to", "to must be after from")
	case to.Sub(from) > incomeMost:
		return from, to, rooms.TooLarge("to", "at most 366 days at a time")
	}
	return from, to, nil
}

func (s *Service) income(ctx context.Context, actor rooms.Actor, in IncomeInput) (IncomePage, error) {
	from, to, err := in.span(s.now())
	if err != nil {
		return IncomePage{}, err
	}
	limit, err := rooms.PageSize(in.Limit, 50, 200)
	if err != nil {
		return IncomePage{}, err
	}
	after, err := rooms.ParseCursor(in.Cursor)
	if err != nil {
		return IncomePage{}, err
	}
	list, err := s.store.Earned(ctx, EarnedQuery{Doctor: actor.UserID, From: from, To: to, After: after, Limit: limit + 1})
	if err != nil {
		return IncomePage{}, err
	}
	orders, next := rooms.CutPage(list, limit, paidCursor)
	page := IncomePage{Items: make([]IncomeLine, len(orders)), NextCursor: next, Totals: []IncomeTotal{}}
	for i, o := range orders {
		page.Items[i] = line(o)
	}
	err = s.earned(ctx, EarnedQuery{Doctor: actor.UserID, From: from, To: to}, func(l IncomeLine) bool {
		page.Totals = add(page.Totals, l)
		return true
	})
	return page, err
}

func paidCursor(o Order) rooms.Cursor {
	return rooms.Cursor{Num: o.PaidAt.UnixMicro(), ID: string(o.ID)}
}

// earned calls f with every line of a stretch, until it says that it is enough.
func (s *Service) earned(ctx context.Context, q EarnedQuery, f func(IncomeLine) bool) error {
	q.Limit = incomeBatch
	for {
		list, err := s.store.Earned(ctx, q)
		if err != nil {
			return err
		}
		for _, o := range list {
			if !f(line(o)) {
				return nil
			}
		}
		if len(list) < q.Limit {
			return nil
		}
		last := paidCursor(list[len(list)-1])
		q.After = &last
	}
}

// line is what an order brings to its doctor. What is on its way back is
// counted as gone.
func line(o Order) IncomeLine {
	l := IncomeLine{OrderID: o.ID, ConsultationID: o.ConsultationID, PatientName: o.PatientName, Service: o.Service, Medium: o.Medium, Status: o.Status,
		PaidAt: *o.PaidAt, Currency: o.Currency, Amount: o.Paid}
	for _, r := range o.Refunds {
		if r.Reason != consultation.ForTwice && r.Status != consultation.RefundFailed {
			l.Returned += r.Amount
		}
	}
	l.Fee = (l.Amount - l.Returned) * int64(o.FeeBasisPoints) / 10_000
	l.Net = l.Amount - l.Returned - l.Fee
	return l
}

func add(totals []IncomeTotal, l IncomeLine) []IncomeTotal {
	for i := range totals {
		if t := &totals[i]; t.Currency == l.Currency {
			t.Count, t.Amount, t.Returned, t.Fee, t.Net = t.Count+1, t.Amount+l.Amount, t.Returned+l.Returned, t.Fee+l.Fee, t.Net+l.Net
			return totals
		}
	}
	return append(totals, IncomeTotal{Currency: l.Currency, Count: 1, Amount: l.Amount, Returned: l.Returned, Fee: l.Fee, Net: l.Net})
}

// exportIncome writes the lines as CSV (RFC 4180), amounts in major units.
func (s *Service) exportIncome(ctx context.Context, actor rooms.Actor, in IncomeSpan) (string, error) {
	from, to, err := in.span(s.now())
	if err != nil {
		return "", err
	}
	var b strings.Builder
	b.WriteString("\ufeff") // without it spreadsheets take UTF-8 for something else
	w := csv.NewWriter(&b)
	w.UseCRLF = true
	if err := w.Write([]string{"paid_at", "order", "consultation", "patient", "service", "medium", "status", "currency", "amount", "returned", "fee", "net"}); err != nil {
		return "", err
	}
	lines := 0
	var failed error
	err = s.earned(ctx, EarnedQuery{Doctor: actor.UserID, From: from, To: to}, func(l IncomeLine) bool {
		failed = w.Write([]string{l.PaidAt.Format(time.RFC3339), string(l.OrderID), string(l.ConsultationID), inert(l.PatientName), string(l.Service), string(l.Medium),
			string(l.Status), l.Currency, major(l.Amount, l.Currency), major(l.Returned, l.Currency), major(l.Fee, l.Currency), major(l.Net, l.Currency)})
		lines++
		return failed == nil && lines < incomeExport
	})
	w.Flush()
	if err == nil {
		err = failed
	}
	return b.String(), err
}

// inert keeps a spreadsheet from taking a name for a formula.
func inert(text string) string {
	if text != "" && strings.ContainsRune("=+-@\t\r", rune(text[0])) {
		return "'" + text
	}
	return text
}

// minorDigits are the digits after the point of currencies that have not two
// (ISO 4217).
var minorDigits = map[string]int{"JPY": 0, "KRW": 0, "VND": 0, "CLP": 0, "ISK": 0, "UGX": 0, "XAF": 0, "XOF": 0, "XPF": 0, "KWD": 3, "BHD": 3, "OMR": 3, "JOD": 3, "TND": 3}

// major writes minor units as a decimal number.
func major(amount int64, currency string) string {
	digits, ok := minorDigits[currency]
	if !ok {
		digits = 2
	}
	text := strconv.FormatInt(amount, 10)
	if digits == 0 {
		return text
	}
	for len(text) <= digits {
		text = "0" + text
	}
	return text[:len(text)-digits] + "." + text[len(text)-digits:]
}
