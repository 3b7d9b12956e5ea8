package billing

import (
	"context"
	"errors"
	"fmt"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/consultation"
)

// Callback takes what a gateway calls back with. What is not verifiably the
// gateway's own, concerns nothing that we know, or names another amount or
// currency, is refused, logged, and changes nothing. One that was taken before
// is logged and changes nothing either, but is answered like the first: its
// gateway may not have received the answer. What is logged has neither secrets nor
// anyone's name. It returns the body that the gateway expects.
// Errors: not_found (gateway, payment), forbidden (signature, certificate,
// age), invalid, conflict (amount, currency), unavailable.
func (s *Service) Callback(ctx context.Context, gateway string, c Callback) (contentType string, body []byte, err error) {
	g, ok := s.gateways[gateway]
	if !ok {
		return "", nil, rooms.NotFound("gateway")
	}
	c.At = s.now()
	content, err := g.ParseCallback(ctx, c)
	if err == nil {
		err = s.handleCallback(ctx, g, content)
	}
	switch {
	case errors.Is(err, errRepeated):
		s.log.InfoContext(ctx, "payment callback repeated", "gateway", gateway, "reference", content.Reference, "callback", content.ID)
	case err != nil:
		s.log.WarnContext(ctx, "payment callback refused", "gateway", gateway, "reference", content.Reference, "code", rooms.CodeOf(err), "error", err)
		return "", nil, err
	}
	contentType, body = g.Acknowledgement()
	return contentType, body, nil
}

// errRepeated is a callback that was taken before.
var errRepeated = errors.New("the callback was taken before")

// recordCallback records a callback of a gateway and fails with errRepeated if it
// was taken before; id is "" if the state does not come from a callback.
func (s *Service) recordCallback(tx Tx, gateway, id string) error {
	if id == "" {
		return nil
	}
	fresh, err := tx.InsertCallback(gateway, id, s.now())
	if err == nil && !fresh {
		err = errRepeated
	}
	return err
}

// handleCallback applies the verified content of a callback to its payment or
// refund.
func (s *Service) handleCallback(ctx context.Context, g Gateway, content CallbackContent) error {
	if content.RefundID != "" {
		return s.store.InTx(ctx, func(tx Tx) error {
			r, err := tx.Refund(content.RefundID)
			if err != nil {
				return err
			}
			if err := s.recordCallback(tx, g.Name(), content.ID); err != nil || r.Status != consultation.RefundPending {
				return err
			}
			return tx.SetTimer(rooms.Timer{Kind: refundTimer, Subject: string(r.ID), Due: s.now()})
		})
	}
	if content.Reference == "" {
		return nil
	}
	p, err := s.store.PaymentBy(ctx, g.Name(), content.Reference)
	if err != nil {
		return err
	}
	return s.settle(ctx, p.ID, content.Standing, content.ID)
}

// errMismatch is a charge that is not what the payment asked for.
var errMismatch = errors.New("amount or currency is not what was asked for")

// settle brings a payment to where the gateway says that it stands. It is the
// only way in which money comes into the books. callback is the number of the
// callback that told of it, "" if the gateway was asked.
func (s *Service) settle(ctx context.Context, id PaymentID, at Standing, callback string) error {
	err := s.settleOnce(ctx, id, at, callback, true)
	if code := rooms.CodeOf(err); (code == rooms.CodeConflict || code == rooms.CodeInvalid) && !errors.Is(err, errMismatch) {
		// The slot could not be taken again: refund the payment.
		err = s.settleOnce(ctx, id, at, callback, false)
	}
	return err
}

func (s *Service) settleOnce(ctx context.Context, id PaymentID, at Standing, callback string, rescue bool) error {
	doctor, err := rooms.InTx(ctx, s.store, func(tx Tx) (queued rooms.UserID, err error) {
		p, err := tx.Payment(id)
		if err != nil {
			return "", err
		}
		for _, t := range at.Transactions {
			if t.Amount != p.Amount || t.Currency != p.Currency {
				e := rooms.Conflict(string(p.Status), "%d %s was taken where %d %s was asked for", t.Amount, t.Currency, p.Amount, p.Currency)
				return "", fmt.Errorf("%w: %w", errMismatch, e)
			}
		}
		if err := s.recordCallback(tx, p.Gateway, callback); err != nil {
			return "", err
		}
		o, err := tx.Order(p.OrderID)
		if err != nil {
			return "", err
		}
		for _, t := range at.Transactions {
			if o, queued, err = s.recordCharge(tx, o, p, t, rescue); err != nil {
				return "", err
			}
		}
		return queued, s.updatePayment(tx, o, p, at.State)
	})
	if err == nil && doctor != "" {
		s.consultations.AnnounceQueue(ctx, doctor)
	}
	return err
}

// recordCharge records a charge, unless it is known. The first one for an order
// pays it; a late or second one is refunded in full.
func (s *Service) recordCharge(tx Tx, o Order, p Payment, t Transaction, rescue bool) (Order, rooms.UserID, error) {
	now := s.now()
	c := Charge{Gateway: p.Gateway, Transaction: t.ID, PaymentID: p.ID, OrderID: o.ID, Amount: t.Amount, Currency: t.Currency, At: now, Extra: o.Paid > 0}
	if fresh, err := tx.InsertCharge(c); err != nil || !fresh {
		return o, "", err
	}
	if c.Extra {
		err := s.recordRefund(tx, rooms.System, consultation.RefundID(rooms.NewID(now)), c, c.Amount, consultation.ForTwice, "")
		if err == nil {
			o, err = s.save(tx, o, rooms.System)
		}
		return o, "", err
	}
	closed := o.Status == consultation.OrderClosed
	o.Status, o.Paid, o.PaidAt, o.Gateway = consultation.OrderPaid, t.Amount, &now, p.Gateway
	cons, err := tx.Consultation(o.ConsultationID)
	if err != nil {
		return o, "", err
	}
	var doctor rooms.UserID
	if cons.Status == consultation.PendingPayment || (rescue && closed && cons.Status == consultation.Expired && cons.ScheduledAt != nil) {
		if cons, err = s.consultations.Pay(tx, cons); err != nil {
			return o, "", err
		}
		doctor = cons.DoctorID
	} else if err := s.recordRefund(tx, rooms.System, consultation.RefundID(rooms.NewID(now)), c, c.Amount, consultation.ForLate, ""); err != nil {
		return o, "", err
	}
	if err := s.stopPayments(tx, o, p.ID); err != nil {
		return o, "", err
	}
	o, err = s.save(tx, o, rooms.System)
	return o, doctor, err
}

// updatePayment brings the payment itself to a state. Once it is over the
// worker does not poll it any more.
func (s *Service) updatePayment(tx Tx, o Order, p Payment, to PaymentState) error {
	ledger, err := tx.Ledger(o.ID)
	if err != nil {
		return err
	}
	before := p.Status
	for _, c := range ledger.Charges {
		if c.PaymentID == p.ID {
			p.Status = PaymentPaid // nothing that comes later takes that back
		}
	}
	if p.Status.waits() {
		switch to {
		case StateFailed:
			p.Status = PaymentFailed
		case StateClosed:
			p.Status = PaymentClosed
		case StateUnknown:
			if !o.Status.Payable() {
				p.Status = PaymentClosed // never got there, and nobody can send it now
			}
		}
	}
	if !p.Status.waits() {
		if err := tx.ClearTimer(paymentTimer, string(p.ID)); err != nil {
			return err
		}
	}
	if p.Status == before {
		return nil
	}
	p.UpdatedAt = s.now()
	if err := tx.SavePayment(p); err != nil {
		return err
	}
	if p.Status != PaymentFailed || o.Status != consultation.OrderCreated {
		return nil
	}
	o.Status = consultation.OrderFailed
	_, err = s.save(tx, o, rooms.System)
	return err
}

// pollPayment queries the gateway for the state of a payment, and closes the
// payment there once its order cannot be paid. Its timer repeats it until the
// payment is over.
func (s *Service) pollPayment(ctx context.Context, id PaymentID) error {
	d, err := rooms.InTx(ctx, s.store, func(tx Tx) (due, error) {
		p, err := tx.Payment(id)
		if rooms.CodeOf(err) == rooms.CodeNotFound || (err == nil && !p.Status.waits()) {
			return due{}, tx.ClearTimer(paymentTimer, string(id))
		} else if err != nil {
			return due{}, err
		}
		o, err := tx.Order(p.OrderID)
		if err != nil {
			return due{}, err
		}
		// Planned before it is tried, so that a crash in between only delays it.
		p.Polls++
		if err := tx.SavePayment(p); err != nil {
			return due{}, err
		}
		most := pollMost
		if !o.Status.Payable() {
			most = retryMost
		}
		return due{o, p}, tx.SetTimer(rooms.Timer{Kind: paymentTimer, Subject: string(id), Due: s.now().Add(backoff(p.Polls, pollFirst, most))})
	})
	o, p := d.order, d.payment
	if err != nil || o.ID == "" {
		return err
	}
	gateway, ok := s.gateways[p.Gateway]
	if !ok {
		return rooms.NotFound("gateway " + p.Gateway)
	}
	asking, cancel := context.WithTimeout(ctx, s.cfg.Patience)
	defer cancel()
	ask := gateway.Query
	if !o.Status.Payable() {
		ask = gateway.Close
	}
	at, err := ask(asking, p)
	if err != nil {
		return err
	}
	return s.settle(ctx, p.ID, at, "")
}
