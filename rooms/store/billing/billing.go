// Package billing keeps orders with payments, charges, refunds and reconciliations.
package billing

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"wenzhen/rooms"
	"wenzhen/rooms/billing"
	"wenzhen/rooms/consultation"
	consultationstore "wenzhen/rooms/store/consultation"
	"wenzhen/rooms/store/engine"
)

// Sealed are the columns that are encrypted at rest.
var Sealed = []engine.SealedTable{
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
const orderColumns = `o.id, o.status, o.consultation_id, o.user_id, c.doctor_id, c.doctor_name, c.patient_name, c.service, c.medium, c.scheduled_at,
	o.amount, o.currency, o.paid, o.refunded, o.fee_basis_points, o.gateway, o.created_at, o.updated_at, o.expires_at, o.paid_at`

const fromOrders = ` FROM orders o JOIN consultations c ON c.id = o.consultation_id `

func scanOrder(s engine.Scanner) (billing.Order, error) {
	o := billing.Order{Refunds: []consultation.OrderRefund{}}
	err := s.Scan(&o.ID, &o.Status, &o.ConsultationID, &o.UserID, &o.DoctorID, &o.DoctorName, &o.PatientName, &o.Service, &o.Medium, engine.AtOrNil(&o.ScheduledAt),
		&o.Amount, &o.Currency, &o.Paid, &o.Refunded, &o.FeeBasisPoints, &o.Gateway, (*engine.At)(&o.CreatedAt), (*engine.At)(&o.UpdatedAt), (*engine.At)(&o.ExpiresAt), engine.AtOrNil(&o.PaidAt))
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
	o, err := scanOrder(q.Row(ctx, `SELECT `+orderColumns+fromOrders+`WHERE `+condition, args...))
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
	list, err := engine.Collect(ctx, s.Reads(), scanOrder, `SELECT `+orderColumns+fromOrders+w.SQL()+` ORDER BY o.created_at DESC, o.id DESC LIMIT `+w.Param(q.Limit), w.Args...)
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
	list, err := engine.Collect(ctx, s.Reads(), scanOrder, `SELECT `+orderColumns+fromOrders+w.SQL()+` ORDER BY o.paid_at DESC, o.id DESC LIMIT `+w.Param(q.Limit), w.Args...)
	if err != nil {
		return nil, err
	}
	return withRefunds(ctx, s.Reads(), list)
}

const paymentColumns = `id, order_id, gateway, reference, remote, status, amount, currency, created_at, updated_at, expires_at, redirect_url, qr_code, client_secret, polls`

func scanPayment(s engine.Scanner) (billing.Payment, error) {
	var p billing.Payment
	err := s.Scan(&p.ID, &p.OrderID, &p.Gateway, &p.Reference, &p.Remote, &p.Status, &p.Amount, &p.Currency, (*engine.At)(&p.CreatedAt), (*engine.At)(&p.UpdatedAt), (*engine.At)(&p.ExpiresAt),
		&p.Way.RedirectURL, &p.Way.QRCode, &p.Way.ClientSecret, &p.Polls)
	return p, engine.Found(err, "payment")
}

// PaymentBy implements billing.Store.
func (s Store) PaymentBy(ctx context.Context, gateway, reference string) (billing.Payment, error) {
	return scanPayment(s.Reads().Row(ctx, `SELECT `+paymentColumns+` FROM payments WHERE gateway = $1 AND reference = $2`, gateway, reference))
}

// Active implements billing.Store.
func (s Store) Active(ctx context.Context, from, to time.Time, after billing.PaymentID, limit int) ([]billing.Payment, error) {
	return engine.Collect(ctx, s.Reads(), scanPayment, `SELECT `+paymentColumns+` FROM payments WHERE id > $3 AND (created_at >= $1 AND created_at < $2 OR updated_at >= $1 AND updated_at < $2
			OR id IN (SELECT payment_id FROM charges WHERE at >= $1 AND at < $2)
			OR id IN (SELECT payment_id FROM refunds WHERE created_at >= $1 AND created_at < $2)) ORDER BY id LIMIT $4`,
		engine.Micros(from), engine.Micros(to), after, limit)
}

func ledgerOf(ctx context.Context, q engine.Querier, order billing.OrderID) (billing.Ledger, error) {
	var l billing.Ledger
	var err error
	if l.Payments, err = engine.Collect(ctx, q, scanPayment, `SELECT `+paymentColumns+` FROM payments WHERE order_id = $1 ORDER BY created_at, id`, order); err != nil {
		return l, err
	}
	if l.Charges, err = engine.Collect(ctx, q, func(s engine.Scanner) (billing.Charge, error) {
		var c billing.Charge
		return c, s.Scan(&c.Gateway, &c.Transaction, &c.PaymentID, &c.OrderID, &c.Amount, &c.Currency, (*engine.At)(&c.At), &c.Extra)
	}, `SELECT gateway, transaction_id, payment_id, order_id, amount, currency, at, extra FROM charges WHERE order_id = $1 ORDER BY at, transaction_id`, order); err != nil {
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

const refundColumns = `id, order_id, payment_id, gateway, transaction_id, amount, currency, reason, status, created_at, updated_at, remote, note, attempts, last_error`

func scanRefund(s engine.Scanner) (billing.Refund, error) {
	var r billing.Refund
	err := s.Scan(&r.ID, &r.OrderID, &r.PaymentID, &r.Gateway, &r.Transaction, &r.Amount, &r.Currency, &r.Reason, &r.Status, (*engine.At)(&r.CreatedAt), (*engine.At)(&r.UpdatedAt),
		&r.Remote, engine.Unseal("refunds.note", &r.ID, &r.Note), &r.Attempts, &r.LastError)
	return r, engine.Found(err, "refund")
}

func refundsOf(ctx context.Context, q engine.Querier, order billing.OrderID) ([]billing.Refund, error) {
	return engine.Collect(ctx, q, scanRefund, `SELECT `+refundColumns+` FROM refunds WHERE order_id = $1 ORDER BY created_at, id`, order)
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
	return tx.Exec(`INSERT INTO orders (id, status, consultation_id, user_id, amount, currency, fee_basis_points, paid, refunded, gateway, created_at, updated_at, expires_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, 0, 0, '', $8, $9, $10)`,
		o.ID, o.Status, o.ConsultationID, o.UserID, o.Amount, o.Currency, o.FeeBasisPoints, engine.Micros(o.CreatedAt), engine.Micros(o.UpdatedAt), engine.Micros(o.ExpiresAt))
}

// SaveOrder implements billing.Tx.
func (tx Tx) SaveOrder(o billing.Order) error {
	return tx.Exec(`UPDATE orders SET status = $2, paid = $3, refunded = $4, gateway = $5, updated_at = $6, paid_at = $7 WHERE id = $1`,
		o.ID, o.Status, o.Paid, o.Refunded, o.Gateway, engine.Micros(o.UpdatedAt), engine.MicrosOrNull(o.PaidAt))
}

// Ledger implements billing.Tx.
func (tx Tx) Ledger(order billing.OrderID) (billing.Ledger, error) {
	return ledgerOf(context.Background(), tx, order)
}

// Payment implements billing.Tx.
func (tx Tx) Payment(id billing.PaymentID) (billing.Payment, error) {
	return scanPayment(tx.Row(context.Background(), `SELECT `+paymentColumns+` FROM payments WHERE id = $1`, id))
}

// InsertPayment implements billing.Tx.
func (tx Tx) InsertPayment(p billing.Payment) error {
	return tx.Exec(`INSERT INTO payments (`+paymentColumns+`) VALUES ($1, $2, $3, $4, '', $5, $6, $7, $8, $9, $10, '', '', '', 0)`,
		p.ID, p.OrderID, p.Gateway, p.Reference, p.Status, p.Amount, p.Currency, engine.Micros(p.CreatedAt), engine.Micros(p.UpdatedAt), engine.Micros(p.ExpiresAt))
}

// SavePayment implements billing.Tx.
func (tx Tx) SavePayment(p billing.Payment) error {
	return tx.Exec(`UPDATE payments SET remote = $2, status = $3, updated_at = $4, redirect_url = $5, qr_code = $6, client_secret = $7, polls = $8 WHERE id = $1`,
		p.ID, p.Remote, p.Status, engine.Micros(p.UpdatedAt), p.Way.RedirectURL, p.Way.QRCode, p.Way.ClientSecret, p.Polls)
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
	return scanRefund(tx.Row(context.Background(), `SELECT `+refundColumns+` FROM refunds WHERE id = $1`, id))
}

// InsertRefund implements billing.Tx.
func (tx Tx) InsertRefund(r billing.Refund) error {
	return tx.Exec(`INSERT INTO refunds (`+refundColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, '', $12, 0, '')`,
		r.ID, r.OrderID, r.PaymentID, r.Gateway, r.Transaction, r.Amount, r.Currency,
		r.Reason, r.Status, engine.Micros(r.CreatedAt), engine.Micros(r.UpdatedAt), engine.Seal(tx, "refunds.note", r.ID, r.Note))
}

// SaveRefund implements billing.Tx.
func (tx Tx) SaveRefund(r billing.Refund) error {
	return tx.Exec(`UPDATE refunds SET status = $2, updated_at = $3, remote = $4, attempts = $5, last_error = $6 WHERE id = $1`,
		r.ID, r.Status, engine.Micros(r.UpdatedAt), r.Remote, r.Attempts, r.LastError)
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
