// Package billing keeps orders with payments, charges, refunds and reconciliations.
package billing

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/billing"
	"wenzhen.example/rooms/consultation"
	consultationstore "wenzhen.example/rooms/store/consultation"
	"wenzhen.example/rooms/store/engine"
)

// Encrypted are the columns that are encrypted at rest.
var Encrypted = []engine.EncryptedTable{
	{Name: "refunds", Key: []string{"id"}, Columns: []string{"note"}},
}

// Tx implements billing.Tx.
type Tx struct{ consultationstore.Tx }

// In is Tx in a transaction of the database.
func In(tx *engine.Tx) Tx { return Tx{consultationstore.In(tx)} }

// Store implements billing.Store.
type Store struct{ *engine.DB }

// InTx implements billing.Store.
func (s Store) InTx(ctx context.Context, f func(billing.Tx) error) error {
	return s.DB.InTx(ctx, func(tx *engine.Tx) error { return f(In(tx)) })
}

// In implements billing.Store.
func (Store) In(tx rooms.Tx) billing.Tx { return In(engine.Of(tx)) }

// An order is read with what its consultation says of it now: another doctor
// may have taken it over.
type orderColumn = engine.Column[billing.Order]

var orderRow = engine.RowOf(
	orderColumn{Name: "o.id", To: func(o *billing.Order) any { return &o.ID }},
	orderColumn{Name: "o.status", To: func(o *billing.Order) any { return &o.Status }},
	orderColumn{Name: "o.consultation_id", To: func(o *billing.Order) any { return &o.ConsultationID }},
	orderColumn{Name: "o.user_id", To: func(o *billing.Order) any { return &o.UserID }},
	orderColumn{Name: "c.doctor_id", To: func(o *billing.Order) any { return &o.DoctorID }},
	orderColumn{Name: "c.doctor_name", To: func(o *billing.Order) any { return &o.DoctorName }},
	orderColumn{Name: "c.patient_name", To: func(o *billing.Order) any { return &o.PatientName }},
	orderColumn{Name: "c.service", To: func(o *billing.Order) any { return &o.Service }},
	orderColumn{Name: "c.medium", To: func(o *billing.Order) any { return &o.Medium }},
	orderColumn{Name: "c.scheduled_at", To: func(o *billing.Order) any { return engine.AtOrNil(&o.ScheduledAt) }},
	orderColumn{Name: "o.amount", To: func(o *billing.Order) any { return &o.Amount }},
	orderColumn{Name: "o.currency", To: func(o *billing.Order) any { return &o.Currency }},
	orderColumn{Name: "o.paid", To: func(o *billing.Order) any { return &o.Paid }},
	orderColumn{Name: "o.refunded", To: func(o *billing.Order) any { return &o.Refunded }},
	orderColumn{Name: "o.fee_basis_points", To: func(o *billing.Order) any { return &o.FeeBasisPoints }},
	orderColumn{Name: "o.gateway", To: func(o *billing.Order) any { return &o.Gateway }},
	orderColumn{Name: "o.created_at", To: func(o *billing.Order) any { return (*engine.At)(&o.CreatedAt) }},
	orderColumn{Name: "o.updated_at", To: func(o *billing.Order) any { return (*engine.At)(&o.UpdatedAt) }},
	orderColumn{Name: "o.expires_at", To: func(o *billing.Order) any { return (*engine.At)(&o.ExpiresAt) }},
	orderColumn{Name: "o.paid_at", To: func(o *billing.Order) any { return engine.AtOrNil(&o.PaidAt) }},
)

var ordersFrom = `SELECT ` + orderRow.Columns("") + ` FROM orders o JOIN consultations c ON c.id = o.consultation_id`

func scanOrder(s engine.Scanner) (billing.Order, error) {
	o := billing.Order{Refunds: []consultation.OrderRefund{}}
	err := orderRow.Scan(s, &o)
	return o, engine.Found(err, "order")
}

// withRefunds adds the refunds to orders that have been read.
func withRefunds(ctx context.Context, q engine.Querier, list []billing.Order) ([]billing.Order, error) {
	for i, o := range list {
		if o.Paid == 0 {
			continue
		}
		refunds, err := refundsOf(ctx, q, o.ID)
		if err != nil {
			return nil, err
		}
		for _, r := range refunds {
			list[i].Refunds = append(list[i].Refunds, r.OrderRefund)
		}
	}
	return list, nil
}

func orderBy(ctx context.Context, q engine.Querier, condition string, args ...any) (billing.Order, error) {
	o, err := scanOrder(q.Row(ctx, ordersFrom+` WHERE `+condition, args...))
	if err != nil {
		return o, err
	}
	list, err := withRefunds(ctx, q, []billing.Order{o})
	if err != nil {
		return o, err
	}
	return list[0], nil
}

// Order implements billing.Store.
func (s Store) Order(ctx context.Context, id billing.OrderID) (billing.Order, error) {
	return orderBy(ctx, s.Reads(), `o.id = $1`, id)
}

// Orders implements billing.Store.
func (s Store) Orders(ctx context.Context, q billing.OrderQuery) ([]billing.Order, error) {
	w := engine.Where{}
	if q.User != "" {
		w.Add(`o.user_id = ?`, q.User)
	}
	engine.Amongst(&w, `o.status`, q.Statuses)
	if q.Text != "" {
		text := engine.Like(q.Text)
		w.Add(`(lower(o.id) LIKE ? ESCAPE '\' OR lower(c.patient_name) LIKE ? ESCAPE '\')`, text, text)
	}
	if q.After != nil {
		w.Add(`(o.created_at, o.id) < (?, ?)`, q.After.Num, q.After.ID)
	}
	list, err := engine.Collect(ctx, s.Reads(), scanOrder,
		ordersFrom+w.SQL()+` ORDER BY o.created_at DESC, o.id DESC LIMIT `+w.Param(q.Limit), w.Args...)
	if err != nil {
		return nil, err
	}
	return withRefunds(ctx, s.Reads(), list)
}

// Earned implements billing.Store.
func (s Store) Earned(ctx context.Context, q billing.EarnedQuery) ([]billing.Order, error) {
	w := engine.Where{}
	w.Add(`c.doctor_id = ?`, q.Doctor)
	w.Add(`o.paid_at >= ?`, engine.Micros(q.From))
	w.Add(`o.paid_at < ?`, engine.Micros(q.To))
	if q.After != nil {
		w.Add(`(o.paid_at, o.id) < (?, ?)`, q.After.Num, q.After.ID)
	}
	list, err := engine.Collect(ctx, s.Reads(), scanOrder,
		ordersFrom+w.SQL()+` ORDER BY o.paid_at DESC, o.id DESC LIMIT `+w.Param(q.Limit), w.Args...)
	if err != nil {
		return nil, err
	}
	return withRefunds(ctx, s.Reads(), list)
}

type paymentColumn = engine.Column[billing.Payment]

var paymentRow = engine.RowOf(
	paymentColumn{Name: "id", To: func(p *billing.Payment) any { return &p.ID }},
	paymentColumn{Name: "order_id", To: func(p *billing.Payment) any { return &p.OrderID }},
	paymentColumn{Name: "gateway", To: func(p *billing.Payment) any { return &p.Gateway }},
	paymentColumn{Name: "reference", To: func(p *billing.Payment) any { return &p.Reference }},
	paymentColumn{Name: "remote", To: func(p *billing.Payment) any { return &p.Remote }},
	paymentColumn{Name: "status", To: func(p *billing.Payment) any { return &p.Status }},
	paymentColumn{Name: "amount", To: func(p *billing.Payment) any { return &p.Amount }},
	paymentColumn{Name: "currency", To: func(p *billing.Payment) any { return &p.Currency }},
	paymentColumn{Name: "created_at", To: func(p *billing.Payment) any { return (*engine.At)(&p.CreatedAt) }},
	paymentColumn{Name: "updated_at", To: func(p *billing.Payment) any { return (*engine.At)(&p.UpdatedAt) }},
	paymentColumn{Name: "expires_at", To: func(p *billing.Payment) any { return (*engine.At)(&p.ExpiresAt) }},
	paymentColumn{Name: "redirect_url", To: func(p *billing.Payment) any { return &p.Way.RedirectURL }},
	paymentColumn{Name: "qr_code", To: func(p *billing.Payment) any { return &p.Way.QRCode }},
	paymentColumn{Name: "client_secret", To: func(p *billing.Payment) any { return &p.Way.ClientSecret }},
	paymentColumn{Name: "polls", To: func(p *billing.Payment) any { return &p.Polls }},
)

var paymentsFrom = `SELECT ` + paymentRow.Columns("") + ` FROM payments`

func scanPayment(s engine.Scanner) (billing.Payment, error) {
	var p billing.Payment
	err := paymentRow.Scan(s, &p)
	return p, engine.Found(err, "payment")
}

// PaymentBy implements billing.Store.
func (s Store) PaymentBy(ctx context.Context, gateway, reference string) (billing.Payment, error) {
	return scanPayment(s.Reads().Row(ctx, paymentsFrom+` WHERE gateway = $1 AND reference = $2`, gateway, reference))
}

// Active implements billing.Store.
func (s Store) Active(ctx context.Context, from, to time.Time, after billing.PaymentID, limit int) ([]billing.Payment, error) {
	return engine.Collect(ctx, s.Reads(), scanPayment, paymentsFrom+` WHERE id > $3
		AND (created_at >= $1 AND created_at < $2 OR updated_at >= $1 AND updated_at < $2
			OR id IN (SELECT payment_id FROM charges WHERE at >= $1 AND at < $2)
			OR id IN (SELECT payment_id FROM refunds WHERE created_at >= $1 AND created_at < $2)) ORDER BY id LIMIT $4`,
		engine.Micros(from), engine.Micros(to), after, limit)
}

type chargeColumn = engine.Column[billing.Charge]

var chargeRow = engine.RowOf(
	chargeColumn{Name: "gateway", To: func(c *billing.Charge) any { return &c.Gateway }},
	chargeColumn{Name: "transaction_id", To: func(c *billing.Charge) any { return &c.Transaction }},
	chargeColumn{Name: "payment_id", To: func(c *billing.Charge) any { return &c.PaymentID }},
	chargeColumn{Name: "order_id", To: func(c *billing.Charge) any { return &c.OrderID }},
	chargeColumn{Name: "amount", To: func(c *billing.Charge) any { return &c.Amount }},
	chargeColumn{Name: "currency", To: func(c *billing.Charge) any { return &c.Currency }},
	chargeColumn{Name: "at", To: func(c *billing.Charge) any { return (*engine.At)(&c.At) }},
	chargeColumn{Name: "extra", To: func(c *billing.Charge) any { return &c.Extra }},
)

func ledgerOf(ctx context.Context, q engine.Querier, order billing.OrderID) (billing.Ledger, error) {
	var l billing.Ledger
	var err error
	l.Payments, err = engine.Collect(ctx, q, scanPayment, paymentsFrom+` WHERE order_id = $1 ORDER BY created_at, id`, order)
	if err != nil {
		return l, err
	}
	l.Charges, err = engine.Collect(ctx, q, func(s engine.Scanner) (billing.Charge, error) {
		var c billing.Charge
		return c, chargeRow.Scan(s, &c)
	}, `SELECT `+chargeRow.Columns("")+` FROM charges WHERE order_id = $1 ORDER BY at, transaction_id`, order)
	if err != nil {
		return l, err
	}
	l.Refunds, err = refundsOf(ctx, q, order)
	if l.Payments == nil {
		l.Payments = []billing.Payment{}
	}
	if l.Charges == nil {
		l.Charges = []billing.Charge{}
	}
	return l, err
}

// Ledger implements billing.Store.
func (s Store) Ledger(ctx context.Context, order billing.OrderID) (billing.Ledger, error) {
	return ledgerOf(ctx, s.Reads(), order)
}

type refundColumn = engine.Column[billing.Refund]

var refundRow = engine.RowOf(
	refundColumn{Name: "id", To: func(r *billing.Refund) any { return &r.ID }},
	refundColumn{Name: "order_id", To: func(r *billing.Refund) any { return &r.OrderID }},
	refundColumn{Name: "payment_id", To: func(r *billing.Refund) any { return &r.PaymentID }},
	refundColumn{Name: "gateway", To: func(r *billing.Refund) any { return &r.Gateway }},
	refundColumn{Name: "transaction_id", To: func(r *billing.Refund) any { return &r.Transaction }},
	refundColumn{Name: "amount", To: func(r *billing.Refund) any { return &r.Amount }},
	refundColumn{Name: "currency", To: func(r *billing.Refund) any { return &r.Currency }},
	refundColumn{Name: "reason", To: func(r *billing.Refund) any { return &r.Reason }},
	refundColumn{Name: "status", To: func(r *billing.Refund) any { return &r.Status }},
	refundColumn{Name: "created_at", To: func(r *billing.Refund) any { return (*engine.At)(&r.CreatedAt) }},
	refundColumn{Name: "updated_at", To: func(r *billing.Refund) any { return (*engine.At)(&r.UpdatedAt) }},
	refundColumn{Name: "remote", To: func(r *billing.Refund) any { return &r.Remote }},
	refundColumn{Name: "note", To: func(r *billing.Refund) any { return engine.DecryptColumn("refunds.note", &r.ID, &r.Note) }},
	refundColumn{Name: "attempts", To: func(r *billing.Refund) any { return &r.Attempts }},
	refundColumn{Name: "last_error", To: func(r *billing.Refund) any { return &r.LastError }},
)

var refundsFrom = `SELECT ` + refundRow.Columns("") + ` FROM refunds`

func scanRefund(s engine.Scanner) (billing.Refund, error) {
	var r billing.Refund
	err := refundRow.Scan(s, &r)
	return r, engine.Found(err, "refund")
}

func refundsOf(ctx context.Context, q engine.Querier, order billing.OrderID) ([]billing.Refund, error) {
	return engine.Collect(ctx, q, scanRefund, refundsFrom+` WHERE order_id = $1 ORDER BY created_at, id`, order)
}

// Reports implements billing.Store.
func (s Store) Reports(ctx context.Context, limit int) ([]billing.Report, error) {
	return engine.Collect(ctx, s.Reads(), func(row engine.Scanner) (billing.Report, error) {
		var r billing.Report
		var differences string
		if err := row.Scan(&r.Day, (*engine.At)(&r.StartedAt), (*engine.At)(&r.FinishedAt), &r.Checked, &differences); err != nil {
			return r, err
		}
		return r, json.Unmarshal([]byte(differences), &r.Differences)
	}, `SELECT day, started_at, finished_at, checked, differences FROM reconciliations ORDER BY day DESC LIMIT $1`, limit)
}

// Order implements billing.Tx.
func (tx Tx) Order(id billing.OrderID) (billing.Order, error) {
	return orderBy(context.Background(), tx, `o.id = $1`, id)
}

// OrderOf implements billing.Tx.
func (tx Tx) OrderOf(id consultation.ID) (billing.Order, error) {
	return orderBy(context.Background(), tx, `o.consultation_id = $1`, id)
}

// InsertOrder implements billing.Tx.
func (tx Tx) InsertOrder(o billing.Order) error {
	return tx.Insert("orders",
		engine.Set("id", o.ID),
		engine.Set("status", o.Status),
		engine.Set("consultation_id", o.ConsultationID),
		engine.Set("user_id", o.UserID),
		engine.Set("amount", o.Amount),
		engine.Set("currency", o.Currency),
		engine.Set("fee_basis_points", o.FeeBasisPoints),
		engine.Set("paid", 0),
		engine.Set("refunded", 0),
		engine.Set("gateway", ""),
		engine.Set("created_at", engine.Micros(o.CreatedAt)),
		engine.Set("updated_at", engine.Micros(o.UpdatedAt)),
		engine.Set("expires_at", engine.Micros(o.ExpiresAt)),
	)
}

// SaveOrder implements billing.Tx.
func (tx Tx) SaveOrder(o billing.Order) error {
	return tx.Update("orders", "id = $1", o.ID,
		engine.Set("status", o.Status),
		engine.Set("paid", o.Paid),
		engine.Set("refunded", o.Refunded),
		engine.Set("gateway", o.Gateway),
		engine.Set("updated_at", engine.Micros(o.UpdatedAt)),
		engine.Set("paid_at", engine.MicrosOrNull(o.PaidAt)),
	)
}

// Ledger implements billing.Tx.
func (tx Tx) Ledger(order billing.OrderID) (billing.Ledger, error) {
	return ledgerOf(context.Background(), tx, order)
}

// Payment implements billing.Tx.
func (tx Tx) Payment(id billing.PaymentID) (billing.Payment, error) {
	return scanPayment(tx.Row(context.Background(), paymentsFrom+` WHERE id = $1`, id))
}

// InsertPayment implements billing.Tx.
func (tx Tx) InsertPayment(p billing.Payment) error {
	return tx.Insert("payments",
		engine.Set("id", p.ID),
		engine.Set("order_id", p.OrderID),
		engine.Set("gateway", p.Gateway),
		engine.Set("reference", p.Reference),
		engine.Set("remote", ""),
		engine.Set("status", p.Status),
		engine.Set("amount", p.Amount),
		engine.Set("currency", p.Currency),
		engine.Set("created_at", engine.Micros(p.CreatedAt)),
		engine.Set("updated_at", engine.Micros(p.UpdatedAt)),
		engine.Set("expires_at", engine.Micros(p.ExpiresAt)),
		engine.Set("redirect_url", ""),
		engine.Set("qr_code", ""),
		engine.Set("client_secret", ""),
		engine.Set("polls", 0),
	)
}

// SavePayment implements billing.Tx.
func (tx Tx) SavePayment(p billing.Payment) error {
	return tx.Update("payments", "id = $1", p.ID,
		engine.Set("remote", p.Remote),
		engine.Set("status", p.Status),
		engine.Set("updated_at", engine.Micros(p.UpdatedAt)),
		engine.Set("redirect_url", p.Way.RedirectURL),
		engine.Set("qr_code", p.Way.QRCode),
		engine.Set("client_secret", p.Way.ClientSecret),
		engine.Set("polls", p.Polls),
	)
}

// InsertCharge implements billing.Tx.
func (tx Tx) InsertCharge(c billing.Charge) (bool, error) {
	return tx.inserts(`INSERT INTO charges (gateway, transaction_id, payment_id, order_id, amount, currency, at, extra)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (gateway, transaction_id) DO NOTHING RETURNING 1`,
		c.Gateway, c.Transaction, c.PaymentID, c.OrderID, c.Amount, c.Currency, engine.Micros(c.At), c.Extra)
}

// InsertCallback implements billing.Tx.
func (tx Tx) InsertCallback(gateway, id string, at time.Time) (bool, error) {
	return tx.inserts(`INSERT INTO callbacks (gateway, id, at) VALUES ($1, $2, $3) ON CONFLICT (gateway, id) DO NOTHING RETURNING 1`, gateway, id, engine.Micros(at))
}

// inserts reports whether an INSERT with RETURNING, which does nothing on a
// conflict, has inserted a row.
func (tx Tx) inserts(sqlText string, args ...any) (bool, error) {
	var one int
	err := tx.Row(context.Background(), sqlText, args...).Scan(&one)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

// Refund implements billing.Tx.
func (tx Tx) Refund(id consultation.RefundID) (billing.Refund, error) {
	return scanRefund(tx.Row(context.Background(), refundsFrom+` WHERE id = $1`, id))
}

// InsertRefund implements billing.Tx.
func (tx Tx) InsertRefund(r billing.Refund) error {
	return tx.Insert("refunds",
		engine.Set("id", r.ID),
		engine.Set("order_id", r.OrderID),
		engine.Set("payment_id", r.PaymentID),
		engine.Set("gateway", r.Gateway),
		engine.Set("transaction_id", r.Transaction),
		engine.Set("amount", r.Amount),
		engine.Set("currency", r.Currency),
		engine.Set("reason", r.Reason),
		engine.Set("status", r.Status),
		engine.Set("created_at", engine.Micros(r.CreatedAt)),
		engine.Set("updated_at", engine.Micros(r.UpdatedAt)),
		engine.Set("remote", ""),
		engine.Set("note", engine.EncryptColumn(tx, "refunds.note", r.ID, r.Note)),
		engine.Set("attempts", 0),
		engine.Set("last_error", ""),
	)
}

// SaveRefund implements billing.Tx.
func (tx Tx) SaveRefund(r billing.Refund) error {
	return tx.Update("refunds", "id = $1", r.ID,
		engine.Set("status", r.Status),
		engine.Set("updated_at", engine.Micros(r.UpdatedAt)),
		engine.Set("remote", r.Remote),
		engine.Set("attempts", r.Attempts),
		engine.Set("last_error", r.LastError),
	)
}

// SaveReport implements billing.Tx.
func (tx Tx) SaveReport(r billing.Report) error {
	differences, err := json.Marshal(r.Differences)
	if err != nil {
		return err
	}
	return tx.Exec(`INSERT INTO reconciliations (day, started_at, finished_at, checked, differences) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (day) DO UPDATE SET started_at = excluded.started_at, finished_at = excluded.finished_at, checked = excluded.checked, differences = excluded.differences`,
		r.Day, engine.Micros(r.StartedAt), engine.Micros(r.FinishedAt), r.Checked, string(differences))
}
