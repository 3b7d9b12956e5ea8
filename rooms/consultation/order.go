package consultation

import (
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
)

// OrderID names an order.
type OrderID string

// OrderStatus is where an order stands.
type OrderStatus string

// The states of an order.
const (
	OrderCreated           OrderStatus = "created" // can be paid until it expires
	OrderFailed            OrderStatus = "failed"  // a try to pay has failed; another may be made until it expires
	OrderPaid              OrderStatus = "paid"
	OrderRefunding         OrderStatus = "refunding" // something is on its way back
	OrderRefunded          OrderStatus = "refunded"
	OrderPartiallyRefunded OrderStatus = "partially_refunded"
	OrderClosed            OrderStatus = "closed" // was not paid in time, or was no longer wanted
)

// Payable reports whether an order in this state waits for a payment.
func (s OrderStatus) Payable() bool { return s == OrderCreated || s == OrderFailed }

// Order is what a consultation costs and how it was paid. Amounts are in minor
// units of Currency. The rules are those of package billing; the type is here
// because an order is part of the answer that opens a consultation.
type Order struct {
	ID             OrderID             `json:"id"`
	Status         OrderStatus         `json:"status"`
	ConsultationID ID                  `json:"consultationId"`
	UserID         rooms.UserID        `json:"userId"` // who pays
	DoctorID       rooms.UserID        `json:"doctorId"`
	DoctorName     string              `json:"doctorName"`
	PatientName    string              `json:"patientName"`
	Service        account.ServiceKind `json:"service"`
	Medium         account.Medium      `json:"medium"`
	// ScheduledAt is the start of the appointment, if there is one.
	ScheduledAt *time.Time `json:"scheduledAt,omitempty"`
	Amount      int64      `json:"amount"`
	Currency    string     `json:"currency"` // ISO 4217
	// Paid is what was taken for it. A second payment, taken by mistake, is in none
	// of the sums and is always refunded.
	Paid int64 `json:"paid"`
	// Refunded is how much of Paid has been refunded.
	Refunded int64 `json:"refunded"`
	// FeeBasisPoints is the platform's share of what the doctor earns, in
	// hundredths of a percent, as it was when the order was made.
	FeeBasisPoints int           `json:"feeBasisPoints"`
	Gateway        string        `json:"gateway,omitempty"` // that took the money
	CreatedAt      time.Time     `json:"createdAt"`
	UpdatedAt      time.Time     `json:"updatedAt"`
	ExpiresAt      time.Time     `json:"expiresAt"`
	PaidAt         *time.Time    `json:"paidAt,omitempty"`
	Refunds        []OrderRefund `json:"refunds"`
}

// RefundID names a refund; it is also the key by which a gateway recognises
// one that it is asked for again.
type RefundID string

// OrderRefund is one refund, from the intent until the gateway has confirmed
// it.
type OrderRefund struct {
	ID        RefundID     `json:"id"`
	Amount    int64        `json:"amount"`
	Reason    RefundReason `json:"reason"`
	Status    RefundStatus `json:"status"`
	CreatedAt time.Time    `json:"createdAt"`
	UpdatedAt time.Time    `json:"updatedAt"`
}

// RefundStatus is where a refund stands.
type RefundStatus string

// The states of a refund.
const (
	RefundPending   RefundStatus = "pending" // intended, or under way at the gateway
	RefundSucceeded RefundStatus = "succeeded"
	RefundFailed    RefundStatus = "failed" // the gateway has refused permanently; an admin decides
)

// RefundReason is why money is refunded.
type RefundReason string

// The reasons.
const (
	ForCancelled  RefundReason = "cancelled"
	ForDeclined   RefundReason = "declined"
	ForExpired    RefundReason = "expired"    // nobody accepted in time
	ForUnanswered RefundReason = "unanswered" // the doctor never answered
	ForTerminated RefundReason = "terminated" // must be seen offline
	ForLate       RefundReason = "late_payment"
	ForTwice      RefundReason = "paid_twice"
	ForGoodwill   RefundReason = "goodwill" // an admin's decision
)

// Biller keeps what consultations cost.
type Biller interface {
	// Bill is the order of c, made the first time; nil where c costs nothing.
	Bill(tx Tx, c Consultation) (*Order, error)
}

// Order is the order of c, made the first time; nil where c costs nothing.
func (s *Service) Order(tx Tx, c Consultation) (*Order, error) {
	if s.options.Biller == nil || c.Price == 0 {
		return nil, nil
	}
	return s.options.Biller().Bill(tx, c)
}
