package billing

import (
	"strings"
	"time"

	"wenzhen.example/rooms/consultation"
)

// Order is what a consultation costs.
type Order = consultation.Order

// PaymentID names one try to pay an order at one gateway.
type PaymentID string

// PaymentStatus is where a payment stands.
type PaymentStatus string

// The states of a payment.
const (
	PaymentOpen   PaymentStatus = "open"
	PaymentPaid   PaymentStatus = "paid"
	PaymentFailed PaymentStatus = "failed"
	PaymentClosed PaymentStatus = "closed"
)

// waits reports whether money may still arrive: a failed payment can be tried
// again at the gateway until it is closed there.
func (s PaymentStatus) waits() bool { return s == PaymentOpen || s == PaymentFailed }

// Payment is one try to pay an order at one gateway.
type Payment struct {
	ID      PaymentID `json:"id"`
	OrderID OrderID   `json:"orderId"`
	Gateway string    `json:"gateway"`
	// Reference is our number for it at the gateway: 32 letters and digits.
	Reference string `json:"reference"`
	// Remote is the gateway's own number for it, where it has one.
	Remote    string        `json:"remote,omitempty"`
	Status    PaymentStatus `json:"status"`
	Amount    int64         `json:"amount"`
	Currency  string        `json:"currency"`
	CreatedAt time.Time     `json:"createdAt"`
	UpdatedAt time.Time     `json:"updatedAt"`
	// ExpiresAt is when the order stops waiting for it.
	ExpiresAt time.Time `json:"expiresAt"`
	// Way is how the patient pays it; only the patient receives it.
	Way Way `json:"-"`
	// Polls counts how often the gateway was asked without a final answer.
	Polls int `json:"-"`
}

// Way is how a payment is made: by going to an address, by scanning a code
// with the gateway's own application, or with a secret for its script.
type Way struct {
	RedirectURL  string `json:"redirectUrl,omitempty"`
	QRCode       string `json:"qrCode,omitempty"` // the text in the code
	ClientSecret string `json:"clientSecret,omitempty"`
}

// Charge is money that a gateway has taken.
type Charge struct {
	Gateway string `json:"gateway"`
	// Transaction is the gateway's number for it; with the gateway it is unique.
	Transaction string    `json:"transaction"`
	PaymentID   PaymentID `json:"paymentId"`
	OrderID     OrderID   `json:"orderId"`
	Amount      int64     `json:"amount"`
	Currency    string    `json:"currency"`
	At          time.Time `json:"at"`
	// Extra is money that was taken a second time.
	Extra bool `json:"extra"`
}

// Refund is money of one charge on its way back.
type Refund struct {
	consultation.OrderRefund
	OrderID     OrderID
	PaymentID   PaymentID
	Gateway     string
	Transaction string
	Currency    string
	// Remote is the gateway's number for it, once it has been asked.
	Remote string
	// Note is what an admin gave as the reason.
	Note string
	// Attempts counts how often the gateway was asked.
	Attempts  int
	LastError string
}

// extra reports whether the refund returns a second payment, which is in none
// of the order's sums.
func (r Refund) extra() bool { return r.Reason == consultation.ForTwice }

// referenceOf is a payment's number at a gateway: WeChat Pay takes 32
// characters at most.
func referenceOf(id PaymentID) string { return strings.ReplaceAll(string(id), "-", "") }

// standing is the state of a paid order that follows from its refunds.
func standing(o Order, refunds []Refund) Order {
	var pending bool
	o.Refunded = 0
	for _, r := range refunds {
		if r.extra() {
			continue
		}
		switch r.Status {
		case consultation.RefundPending:
			pending = true
		case consultation.RefundSucceeded:
			o.Refunded += r.Amount
		}
	}
	switch {
	case o.Paid == 0:
	case pending:
		o.Status = consultation.OrderRefunding
	case o.Refunded == 0:
		o.Status = consultation.OrderPaid
	case o.Refunded < o.Paid:
		o.Status = consultation.OrderPartiallyRefunded
	default:
		o.Status = consultation.OrderRefunded
	}
	return o
}

// left is what of a charge neither went back nor is on its way.
func left(c Charge, refunds []Refund) int64 {
	amount := c.Amount
	for _, r := range refunds {
		if r.Gateway == c.Gateway && r.Transaction == c.Transaction && r.Status != consultation.RefundFailed {
			amount -= r.Amount
		}
	}
	return amount
}
