package sandbox

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/billing"
	"wenzhen.example/rooms/consultation"
)

// Name is how the gateway is called.
const Name = "sandbox"

// Ledger is where the sandbox keeps its books.
type Ledger interface {
	// Load is what was kept under a reference; nil if there is none.
	Load(ctx context.Context, reference string) ([]byte, error)
	// Change replaces it in one transaction, in which f may plant timers.
	Change(ctx context.Context, reference string, f func(tx rooms.Tx, state []byte) ([]byte, error)) error
}

// Receiver takes the sandbox's callbacks.
type Receiver func(ctx context.Context, gateway string, c billing.Callback) (contentType string, body []byte, err error)

// Options are what a sandbox needs.
type Options struct {
	Ledger Ledger
	Key    []byte // signs callbacks
	Now    func() time.Time
	// Receiver is called back.
	Receiver Receiver
}

// Gateway is the sandbox. It implements billing.Gateway.
type Gateway struct {
	ledger   Ledger
	key      []byte
	now      func() time.Time
	receiver Receiver
}

// New makes a sandbox.
func New(o Options) *Gateway {
	return &Gateway{ledger: o.Ledger, key: o.Key, now: o.Now, receiver: o.Receiver}
}

// account is what the sandbox knows of one payment.
type account struct {
	billing.SandboxPayment
	Transactions []billing.Transaction `json:"transactions,omitempty"`
	// Refunds are what was given back, by the id of the refund.
	Refunds map[consultation.RefundID]refund `json:"refunds,omitempty"`
	// Late is money that comes once the payment has been closed.
	Late bool `json:"late,omitempty"`
	// Calls are callbacks that are still to be made.
	Calls []call `json:"calls,omitempty"`
}

type refund struct {
	Transaction string `json:"transaction"`
	Amount      int64  `json:"amount"`
}

// call is a callback and when it is due.
type call struct {
	ID       string    `json:"id"`
	Due      time.Time `json:"due"`
	Callback message   `json:"notice"`
}

// Name implements billing.Gateway.
func (g *Gateway) Name() string { return Name }

// Open implements billing.Gateway.
func (g *Gateway) Open(ctx context.Context, p billing.Payment, about billing.Purchase) (billing.Payment, error) {
	p.Way = billing.Way{RedirectURL: "/sandbox/" + p.Reference}
	return p, g.change(ctx, p.Reference, func(_ rooms.Tx, a *account) error {
		if a.Reference != "" {
			return nil
		}
		a.SandboxPayment = billing.SandboxPayment{Reference: p.Reference, Title: about.Title, Amount: p.Amount, Currency: p.Currency,
			State: billing.StateOpen, ExpiresAt: p.ExpiresAt, ReturnURL: "/orders/" + string(p.OrderID)}
		return nil
	})
}

// Query implements billing.Gateway.
func (g *Gateway) Query(ctx context.Context, p billing.Payment) (billing.Standing, error) {
	a, err := g.read(ctx, p.Reference)
	return a.standing(), err
}

// Close implements billing.Gateway.
func (g *Gateway) Close(ctx context.Context, p billing.Payment) (billing.Standing, error) {
	return rooms.InTx(ctx, books{g.ledger, p.Reference}, func(a Tx) (billing.Standing, error) {
		if a.State == billing.StateOpen || a.State == billing.StateFailed {
			a.State = billing.StateClosed
		}
		at := a.standing()
		if a.Late && a.State == billing.StateClosed {
			a.Late = false
			a.pay(g.now())
			return at, a.tell(a, a.State, g.now().Add(lateBy))
		}
		return at, nil
	})
}

// Refund implements billing.Gateway.
func (g *Gateway) Refund(ctx context.Context, r billing.RefundRequest) (billing.RefundAnswer, error) {
	return rooms.InTx(ctx, books{g.ledger, r.Payment.Reference}, func(a Tx) (billing.RefundAnswer, error) {
		answer := billing.RefundAnswer{Remote: "refund-" + string(r.ID), Status: consultation.RefundSucceeded}
		if _, done := a.Refunds[r.ID]; done {
			return answer, nil
		}
		rest := int64(0)
		for _, t := range a.Transactions {
			if t.ID == r.Transaction {
				rest = t.Amount
			}
		}
		for _, other := range a.Refunds {
			if other.Transaction == r.Transaction {
				rest -= other.Amount
			}
		}
		if r.Amount > rest {
			return billing.RefundAnswer{Status: consultation.RefundFailed, Why: fmt.Sprintf("only %d is left", rest)}, nil
		}
		if a.Refunds == nil {
			a.Refunds = map[consultation.RefundID]refund{}
		}
		a.Refunds[r.ID] = refund{r.Transaction, r.Amount}
		return answer, nil
	})
}

// Acknowledgement implements billing.Gateway.
func (g *Gateway) Acknowledgement() (contentType string, body []byte) {
	return "application/json", []byte(`{"ok":true}`)
}

// Taken is all money that the sandbox took under a reference and what of it it
// gave back: its side of the books.
func (g *Gateway) Taken(ctx context.Context, reference string) (taken, returned int64, err error) {
	a, err := g.read(ctx, reference)
	for _, t := range a.Transactions {
		taken += t.Amount
	}
	for _, r := range a.Refunds {
		returned += r.Amount
	}
	return taken, returned, err
}

func (a account) standing() billing.Standing {
	if a.Reference == "" {
		return billing.Standing{State: billing.StateUnknown}
	}
	return billing.Standing{State: a.State, Transactions: a.Transactions}
}

// pay takes the money once more.
func (a *account) pay(now time.Time) {
	a.State = billing.StatePaid
	a.Transactions = append(a.Transactions, billing.Transaction{ID: "sandbox-" + rooms.NewID(now), Amount: a.Amount, Currency: a.Currency})
}

func (g *Gateway) read(ctx context.Context, reference string) (account, error) {
	var a account
	state, err := g.ledger.Load(ctx, reference)
	if err == nil && state != nil {
		err = json.Unmarshal(state, &a)
	}
	return a, err
}

func (g *Gateway) change(ctx context.Context, reference string, f func(tx rooms.Tx, a *account) error) error {
	return books{g.ledger, reference}.InTx(ctx, func(tx Tx) error { return f(tx, tx.account) })
}

// books are those of one payment.
type books struct {
	ledger    Ledger
	reference string
}

// Tx is a transaction over one account, which is written when it commits.
type Tx struct {
	rooms.Tx
	*account
}

// InTx implements rooms.Transactions.
func (b books) InTx(ctx context.Context, f func(Tx) error) error {
	return b.ledger.Change(ctx, b.reference, func(tx rooms.Tx, state []byte) ([]byte, error) {
		var a account
		if state != nil {
			if err := json.Unmarshal(state, &a); err != nil {
				return nil, err
			}
		}
		if err := f(Tx{tx, &a}); err != nil {
			return nil, err
		}
		return json.Marshal(a)
	})
}
