package billing

import (
	"context"
	"net/http"
	"time"

	"wenzhen.example/rooms/consultation"
)

// OrderID names an order.
type OrderID = consultation.OrderID

// Gateway takes money and gives it back. What it answers is verified: an
// answer or a callback that cannot be shown to be the gateway's own is an
// error. Any error may mean that the gateway did what it was asked for; asking
// again with the same Reference or RefundID does it at most once.
type Gateway interface {
	// Name is how the gateway is called in settings, orders and addresses.
	Name() string
	// Open makes a payment possible until about p.ExpiresAt. The Way and Remote
	// of the payment that comes back are filled in.
	Open(ctx context.Context, p Payment, about Purchase) (Payment, error)
	// Query returns the state of a payment.
	Query(ctx context.Context, p Payment) (Standing, error)
	// Close makes a payment impossible, and tells how it stands then: Paid if
	// the money was quicker.
	Close(ctx context.Context, p Payment) (Standing, error)
	// Refund refunds money. Repeated, it returns the state of the refund.
	Refund(ctx context.Context, r RefundRequest) (RefundAnswer, error)
	// ParseCallback verifies a callback and returns its content. Errors: forbidden
	// (it is not the gateway's, or too old), invalid (it cannot be parsed).
	ParseCallback(ctx context.Context, c Callback) (CallbackContent, error)
	// Acknowledgement is the answer that the gateway expects to a callback; without
	// it the gateway repeats the callback.
	Acknowledgement() (contentType string, body []byte)
}

// Purchase is what a gateway shows and where it turns to. It says nothing about
// who is ill and why.
type Purchase struct {
	Title string
	// ReturnURL is where the patient goes afterwards.
	ReturnURL string
	// NotifyURL is where the gateway calls back.
	NotifyURL string
}

// PaymentState is what a gateway says of a payment.
type PaymentState string

// The states. Unknown is a payment that the gateway has never seen.
const (
	StateUnknown PaymentState = "unknown"
	StateOpen    PaymentState = "open"
	StatePaid    PaymentState = "paid"
	StateFailed  PaymentState = "failed"
	StateClosed  PaymentState = "closed"
)

// Standing is how a payment stands at the gateway. Transactions are all that
// was taken for it: usually one, two if someone paid twice.
type Standing struct {
	State        PaymentState
	Transactions []Transaction
}

// Transaction is money taken, in minor units.
type Transaction struct {
	ID       string
	Amount   int64
	Currency string
}

// RefundRequest asks for money back. ID makes it the same one when it is asked
// for again; Remote is what the gateway called it then, if it got to answer.
type RefundRequest struct {
	ID          consultation.RefundID
	Remote      string
	Payment     Payment
	Transaction string
	Amount      int64
	Currency    string
	NotifyURL   string
}

// RefundAnswer is how a refund stands at the gateway.
type RefundAnswer struct {
	Remote string
	Status consultation.RefundStatus
	// Why is the reason of a permanent refusal.
	Why string
}

// Callback is a gateway's request, as it came. Signatures cover Body byte by byte.
type Callback struct {
	Header http.Header
	Body   []byte
	// At is when it came.
	At time.Time
}

// CallbackContent is the verified content of a callback: the state of the payment
// with a reference, or the id of a refund whose state has changed. Both are empty
// if the callback concerns something else.
type CallbackContent struct {
	// ID is the gateway's number of the callback; it stays when it is repeated.
	ID        string
	Reference string
	Standing  Standing
	RefundID  consultation.RefundID
}
