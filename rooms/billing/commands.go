package billing

import (
	"time"
	"unicode/utf8"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
	"wenzhen.example/rooms/consultation"
)

// The commands of orders and money.
var (
	Orders = rooms.Command[OrderFilter, OrderPage]{Name: "order:list", For: rooms.Patients, Access: rooms.Own,
		Doc: "List the caller's orders, latest first."}
	ReadOrder = rooms.Command[OrderRef, Order]{Name: "order:read", For: rooms.Patients, Access: rooms.OwnerOnly,
		Doc: "Read one of the caller's orders, with its refunds."}
	Checkout = rooms.Command[CheckoutInput, CheckedOut]{Name: "order:checkout", For: rooms.Patients, Access: rooms.OwnerOnly,
		Rate: rooms.Rate{PerSecond: 1, Burst: 30},
		Doc:  "Start paying an order at a gateway. Repeating it returns the same payment while that is open."}

	Income = rooms.Command[IncomeInput, IncomePage]{Name: "income:read", For: rooms.Doctors, Access: rooms.Own,
		Doc: "List the caller's earnings by time of payment, with totals of the whole period."}
	ExportIncome = rooms.Command[IncomeSpan, string]{Name: "income:export", For: rooms.Doctors, Access: rooms.Own,
		Doc: "The same as CSV (RFC 4180), up to 10,000 lines."}

	AllOrders = rooms.Command[OrderFilter, OrderPage]{Name: "order:search", For: rooms.Admins, Access: rooms.All,
		Doc: "Find orders by id or payer, latest first. They do not show whom a patient consults."}
	OrderFile = rooms.Command[OrderRef, OrderHistory]{Name: "order:inspect", For: rooms.Admins, Access: rooms.All,
		Doc: "Read an order with every payment, charge and refund. It does not show whom the patient consults."}
	RefundOrder = rooms.Command[RefundInput, Order]{Name: "order:refund", For: rooms.Admins, Access: rooms.All,
		Doc: "Refund the remainder of an order, or part of it. The same id refunds once."}
	Reconciliations = rooms.Command[rooms.Nothing, ReportList]{Name: "reconciliation:list", For: rooms.Admins, Access: rooms.All,
		Doc: "List the latest reconciliations of a day's payments with the gateways."}
	Reconcile = rooms.Command[DayInput, Report]{Name: "reconciliation:run", For: rooms.Admins, Access: rooms.All,
		Rate: rooms.Rate{PerSecond: 1, Burst: 5},
		Doc:  "Reconcile a day with the gateways now; missed payments and refunds are entered."}
)

// OrderUpdated is sent to all devices of the user who pays.
var OrderUpdated = rooms.EventType[Order]{Name: "order:updated", Doc: "An order of the user changed; data is the whole order."}

// OrderFilter narrows a list. Limit is 1 to 100, 20 by default. Q is for admins.
type OrderFilter struct {
	Status consultation.OrderStatus `json:"status,omitempty"` // one state, or several with commas
	Q      string                   `json:"q,omitempty"`      // part of an id, or of the patient's name
	Cursor string                   `json:"cursor,omitempty"`
	Limit  int                      `json:"limit,omitempty"`
}

// OrderPage is a page of orders; NextCursor is empty on the last.
type OrderPage struct {
	Items      []Order `json:"items"`
	NextCursor string  `json:"nextCursor"`
}

// OrderRef names an order.
type OrderRef struct {
	OrderID OrderID `json:"orderId"`
}

// CheckoutInput names an order and where to pay it. ID, over REST the
// Idempotency-Key, names the payment: another one begins another.
type CheckoutInput struct {
	OrderID OrderID   `json:"orderId"`
	Gateway string    `json:"gateway"`
	ID      PaymentID `json:"id,omitempty"`
}

// Validate implements rooms.Validator.
func (in CheckoutInput) Validate() error {
	switch {
	case in.Gateway == "":
		return rooms.Invalid("gateway", "gateway is missing")
	case in.ID != "" && !rooms.ValidID(string(in.ID)):
		return rooms.Invalid("id", "id must be 1 to 100 visible ASCII characters")
	}
	return nil
}

// CheckedOut is the order, and how to pay it.
type CheckedOut struct {
	Order     Order     `json:"order"`
	PaymentID PaymentID `json:"paymentId"`
	Way
}

// IncomeSpan is a stretch of time, at most 366 days: the last 31 days when
// nothing is given.
type IncomeSpan struct {
	From *time.Time `json:"from,omitempty"`
	To   *time.Time `json:"to,omitempty"`
}

// IncomeInput asks for a page of a stretch of time. Limit is 1 to 200, 50 by
// default.
type IncomeInput struct {
	IncomeSpan
	Cursor string `json:"cursor,omitempty"`
	Limit  int    `json:"limit,omitempty"`
}

// IncomePage is a page of lines, and the sums over all of them.
type IncomePage struct {
	Items      []IncomeLine  `json:"items"`
	NextCursor string        `json:"nextCursor"`
	Totals     []IncomeTotal `json:"totals"` // one of each currency
}

// IncomeLine is what one consultation brought, in minor units.
type IncomeLine struct {
	OrderID        OrderID                  `json:"orderId"`
	ConsultationID consultation.ID          `json:"consultationId"`
	PatientName    string                   `json:"patientName"`
	Service        account.ServiceKind      `json:"service"`
	Medium         account.Medium           `json:"medium"`
	Status         consultation.OrderStatus `json:"status"`
	PaidAt         time.Time                `json:"paidAt"`
	Currency       string                   `json:"currency"`
	Amount         int64                    `json:"amount"`
	// Returned is what went back or is on its way.
	Returned int64 `json:"returned"`
	// Fee is the platform's share of what is left, rounded down.
	Fee int64 `json:"fee"`
	Net int64 `json:"net"`
}

// IncomeTotal are the sums in one currency.
type IncomeTotal struct {
	Currency string `json:"currency"`
	Count    int    `json:"count"`
	Amount   int64  `json:"amount"`
	Returned int64  `json:"returned"`
	Fee      int64  `json:"fee"`
	Net      int64  `json:"net"`
}

// OrderHistory is an order with everything that happened to it.
type OrderHistory struct {
	Order    Order          `json:"order"`
	Payments []Payment      `json:"payments"`
	Charges  []Charge       `json:"charges"`
	Refunds  []RefundRecord `json:"refunds"`
}

// RefundRecord is a refund as an admin sees it.
type RefundRecord struct {
	consultation.OrderRefund
	Gateway     string `json:"gateway"`
	Transaction string `json:"transaction"`
	Remote      string `json:"remote,omitempty"`
	Note        string `json:"note,omitempty"`
	Attempts    int    `json:"attempts"`
	LastError   string `json:"lastError,omitempty"`
}

// RefundInput names an order and what to refund: all that is left when
// Amount is 0.
type RefundInput struct {
	OrderID OrderID               `json:"orderId"`
	ID      consultation.RefundID `json:"id,omitempty"`
	Amount  int64                 `json:"amount,omitempty" limit:"1..1000000000"`
	Reason  string                `json:"reason"`
}

// Validate implements rooms.Validator.
func (in RefundInput) Validate() error {
	switch {
	case in.ID != "" && !rooms.ValidID(string(in.ID)):
		return rooms.Invalid("id", "id must be 1 to 100 visible ASCII characters")
	case in.Reason == "":
		return rooms.Invalid("reason", "give a reason")
	case utf8.RuneCountInString(in.Reason) > 500:
		return rooms.TooLarge("reason", "reason may have at most 500 characters")
	}
	return nil
}

// DayInput is a day in UTC, such as 2026-11-21.
type DayInput struct {
	Day string `json:"day"`
}

// ReportList is reports, the latest day first.
type ReportList struct {
	Items      []Report `json:"items"`
	NextCursor string   `json:"nextCursor"`
}

// Report is a day's comparison of our books with the gateways'.
type Report struct {
	Day        string    `json:"day"` // in UTC
	StartedAt  time.Time `json:"startedAt"`
	FinishedAt time.Time `json:"finishedAt"`
	// Checked counts the payments that were compared.
	Checked     int          `json:"checked"`
	Differences []Difference `json:"differences"`
}

// Difference is a payment on which a gateway does not agree with us.
type Difference struct {
	PaymentID PaymentID `json:"paymentId"`
	OrderID   OrderID   `json:"orderId"`
	Gateway   string    `json:"gateway"`
	Ours      string    `json:"ours"`
	Theirs    string    `json:"theirs"`
	// MadeGood says that it was set right at once; else someone must look.
	MadeGood bool `json:"madeGood"`
}
