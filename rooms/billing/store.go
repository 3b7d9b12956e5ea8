package billing

import (
	"context"
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/consultation"
)

// Store is what billing needs remembered. A thing that is not there is an
// *rooms.Error of code not_found.
type Store interface {
	rooms.Transactions[Tx]
	// In is the transaction of another feature as one of this.
	In(tx rooms.Tx) Tx

	Order(ctx context.Context, id OrderID) (Order, error)
	Orders(ctx context.Context, q OrderQuery) ([]Order, error)
	Ledger(ctx context.Context, order OrderID) (Ledger, error)
	// PaymentBy is the payment with a reference at a gateway.
	PaymentBy(ctx context.Context, gateway, reference string) (Payment, error)
	// Active are the payments that were made or ended, or took or gave back
	// money, in [from, to), by id after a cursor.
	Active(ctx context.Context, from, to time.Time, after PaymentID, limit int) ([]Payment, error)
	// Earned are the paid orders of a doctor, by when they were paid, latest first.
	Earned(ctx context.Context, q EarnedQuery) ([]Order, error)
	// Reports are the latest reconciliations, latest day first.
	Reports(ctx context.Context, limit int) ([]Report, error)
}

// Tx is a transaction over orders and the consultations that they pay for.
type Tx interface {
	consultation.Tx
	Order(id OrderID) (Order, error)
	OrderOf(id consultation.ID) (Order, error)
	InsertOrder(Order) error
	SaveOrder(Order) error
	// Ledger is everything that was paid for an order and went back.
	Ledger(order OrderID) (Ledger, error)

	Payment(id PaymentID) (Payment, error)
	InsertPayment(Payment) error
	SavePayment(Payment) error
	// InsertCharge reports whether the charge is new, by the gateway's number for
	// it.
	InsertCharge(Charge) (bool, error)
	// InsertCallback stores a gateway's number of a callback, and reports whether
	// it is new.
	InsertCallback(gateway, id string, at time.Time) (bool, error)
	Refund(id consultation.RefundID) (Refund, error)
	InsertRefund(Refund) error
	SaveRefund(Refund) error
	SaveReport(Report) error
}

// Ledger is everything that was paid for an order and went back.
type Ledger struct {
	Payments []Payment
	Charges  []Charge
	Refunds  []Refund
}

// OrderQuery is a page of orders, latest first: those of User, or all.
type OrderQuery struct {
	User     rooms.UserID
	Statuses []consultation.OrderStatus
	// Text is part of the order's or consultation's id, or of a name.
	Text  string
	After *rooms.Cursor
	Limit int
}

// EarnedQuery is a page of what a doctor earned in [From, To).
type EarnedQuery struct {
	Doctor   rooms.UserID
	From, To time.Time
	After    *rooms.Cursor
	Limit    int
}
