package billing

import (
	"context"
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/consultation"
)

// checkout writes the payment down before the gateway receives it, so that no
// crash leaves a payment at the gateway that we do not know.
func (s *Service) checkout(ctx context.Context, actor rooms.Actor, in CheckoutInput) (CheckedOut, error) {
	if o, err := s.store.Order(ctx, in.OrderID); err != nil || o.UserID != actor.UserID {
		return CheckedOut{}, rooms.NotFound("order")
	}
	gateway, ok := s.gateways[in.Gateway]
	if !ok {
		return CheckedOut{}, rooms.Invalid("gateway", "there is no gateway %q", in.Gateway)
	}
	d, err := rooms.InTx(ctx, s.store, func(tx Tx) (due, error) {
		o, err := tx.Order(in.OrderID)
		if err != nil {
			return due{}, err
		}
		p, err := s.attempt(tx, o, in)
		return due{o, p}, err
	})
	if err != nil {
		return CheckedOut{}, err
	}
	p := d.payment
	if p.Way == (Way{}) {
		if p, err = s.openAt(ctx, gateway, d); err != nil {
			return CheckedOut{}, err
		}
	}
	o, err := s.store.Order(ctx, in.OrderID)
	return CheckedOut{Order: o, PaymentID: p.ID, Way: p.Way}, err
}

// due is an order with one of its payments.
type due struct {
	order   Order
	payment Payment
}

// attempt is the payment that the input names, or an open one at the gateway,
// or a new one.
func (s *Service) attempt(tx Tx, o Order, in CheckoutInput) (Payment, error) {
	if in.ID != "" {
		p, err := tx.Payment(in.ID)
		if err == nil && (p.OrderID != o.ID || p.Gateway != in.Gateway) {
			e := rooms.Conflict("", "this id has been used for something else")
			e.Field = "id"
			return p, e
		}
		if rooms.CodeOf(err) != rooms.CodeNotFound {
			return p, err
		}
	}
	now := s.now()
	if !o.Status.Payable() || !o.ExpiresAt.After(now) {
		return Payment{}, rooms.Conflict(string(o.Status), "the order is %s; it cannot be paid", o.Status)
	}
	if in.ID == "" {
		ledger, err := tx.Ledger(o.ID)
		if err != nil {
			return Payment{}, err
		}
		for _, p := range ledger.Payments {
			if p.Gateway == in.Gateway && p.Status == PaymentOpen {
				return p, nil
			}
		}
		in.ID = PaymentID(rooms.NewID(now))
	}
	p := Payment{ID: in.ID, OrderID: o.ID, Gateway: in.Gateway, Reference: referenceOf(PaymentID(rooms.NewID(now))), Status: PaymentOpen,
		Amount: o.Amount, Currency: o.Currency, CreatedAt: now, UpdatedAt: now, ExpiresAt: o.ExpiresAt}
	if err := tx.InsertPayment(p); err != nil {
		return p, err
	}
	if o.Status == consultation.OrderFailed {
		o.Status = consultation.OrderCreated
		if _, err := s.save(tx, o, rooms.Actor{UserID: o.UserID, Role: rooms.RolePatient}); err != nil {
			return p, err
		}
	}
	return p, tx.SetTimer(rooms.Timer{Kind: paymentTimer, Subject: string(p.ID), Due: now.Add(pollFirst)})
}

// openAt asks the gateway for a way to pay and keeps it. An order that was
// closed meanwhile has it closed again.
func (s *Service) openAt(ctx context.Context, gateway Gateway, d due) (Payment, error) {
	asking, cancel := context.WithTimeout(ctx, s.cfg.Patience)
	defer cancel()
	opened, err := gateway.Open(asking, d.payment, s.purchase(gateway, d.order))
	if err != nil {
		s.log.WarnContext(ctx, "payment gateway", "gateway", gateway.Name(), "order", d.order.ID, "error", err)
		return Payment{}, rooms.Unavailable(err, "the payment service does not answer; try again or choose another")
	}
	after, err := rooms.InTx(ctx, s.store, func(tx Tx) (due, error) {
		p, err := tx.Payment(d.payment.ID)
		if err != nil {
			return due{}, err
		}
		p.Remote, p.Way, p.UpdatedAt = opened.Remote, opened.Way, s.now()
		if err := tx.SavePayment(p); err != nil {
			return due{}, err
		}
		o, err := tx.Order(p.OrderID)
		if err != nil || o.Status.Payable() || !p.Status.waits() {
			return due{o, p}, err
		}
		return due{o, p}, tx.SetTimer(rooms.Timer{Kind: paymentTimer, Subject: string(p.ID), Due: s.now()})
	})
	if err == nil && !after.order.Status.Payable() {
		err = rooms.Conflict(string(after.order.Status), "the order is %s; it cannot be paid", after.order.Status)
	}
	return after.payment, err
}

func (s *Service) purchase(gateway Gateway, o Order) Purchase {
	return Purchase{Title: "Wenzhen " + string(o.ID[max(0, len(o.ID)-12):]), ReturnURL: s.cfg.PublicURL + "/orders/" + string(o.ID), NotifyURL: s.notifyURL(gateway.Name())}
}

func (s *Service) notifyURL(gateway string) string {
	return s.cfg.PublicURL + "/api/v1/webhooks/" + gateway
}

// When an open payment is asked about, though no callback came: soon, then
// less often.
const (
	pollFirst = 20 * time.Second
	pollMost  = 5 * time.Minute
)
