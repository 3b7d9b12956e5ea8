package billing

import (
	"cmp"

	"wenzhen/rooms"
	"wenzhen/rooms/audit"
	"wenzhen/rooms/consultation"
)

// Bill implements consultation.Biller: the price and the fee are what they are
// at this moment, whatever becomes of them later.
func (s *Service) Bill(of consultation.Tx, c consultation.Consultation) (*Order, error) {
	tx := s.store.In(of)
	o, err := tx.OrderOf(c.ID)
	if err == nil {
		return &o, nil
	} else if rooms.CodeOf(err) != rooms.CodeNotFound || c.Status != consultation.PendingPayment || c.DueAt == nil {
		return nil, err
	}
	if len(s.cfg.Gateways) == 0 {
		return nil, rooms.Conflict("no_gateway", "this clinic takes no payments online; choose a service that is free")
	}
	now := s.now()
	o = Order{ID: OrderID(rooms.NewID(now)), Status: consultation.OrderCreated, ConsultationID: c.ID, UserID: c.UserID, DoctorID: c.DoctorID,
		DoctorName: c.DoctorName, PatientName: c.PatientName, Service: c.Service, Medium: c.Medium, ScheduledAt: c.ScheduledAt, Amount: c.Price, Currency: c.Currency,
		FeeBasisPoints: s.cfg.FeeBasisPoints, CreatedAt: now, UpdatedAt: now, ExpiresAt: *c.DueAt, Refunds: []consultation.OrderRefund{}}
	return &o, tx.InsertOrder(o)
}

// Follow implements consultation.Follower: it applies the transitions of a
// consultation to its order. Refunds are recorded here, in the transaction of
// the transition, and executed later.
func (s *Service) Follow(of consultation.Tx, from consultation.Status, c consultation.Consultation) error {
	unpaid := from == consultation.PendingPayment && c.Status != consultation.Waiting
	if c.Price == 0 || (!unpaid && c.RefundPercent == 0) {
		return nil
	}
	tx := s.store.In(of)
	o, err := tx.OrderOf(c.ID)
	if err != nil {
		return err
	}
	if unpaid {
		return s.close(tx, o)
	}
	return s.computeRefund(tx, o, c.Price*int64(c.RefundPercent), reasonOf(c))
}

func reasonOf(c consultation.Consultation) consultation.RefundReason {
	switch c.Status {
	case consultation.Declined:
		return consultation.ForDeclined
	case consultation.Expired:
		return consultation.ForExpired
	case consultation.Ended:
		return consultation.ForUnanswered
	case consultation.Terminated:
		return consultation.ForTerminated
	}
	return consultation.ForCancelled
}

// close ends an order that nobody waits for any more; its open payments are
// closed at their gateways next.
func (s *Service) close(tx Tx, o Order) error {
	if !o.Status.Payable() {
		return nil
	}
	o.Status = consultation.OrderClosed
	if err := s.stopPayments(tx, o, ""); err != nil {
		return err
	}
	_, err := s.save(tx, o, rooms.System)
	return err
}

// stopPayments has the worker close the open payments of an order, but one.
func (s *Service) stopPayments(tx Tx, o Order, but PaymentID) error {
	ledger, err := tx.Ledger(o.ID)
	if err != nil {
		return err
	}
	for _, p := range ledger.Payments {
		if p.ID == but || !p.Status.waits() {
			continue
		}
		if err := tx.SetTimer(rooms.Timer{Kind: paymentTimer, Subject: string(p.ID), Due: s.now()}); err != nil {
			return err
		}
	}
	return nil
}

// computeRefund computes the refund for hundredths of minor units of an order's
// charge, rounded in favour of the patient and at most what is left of it, and
// records it.
func (s *Service) computeRefund(tx Tx, o Order, hundredths int64, reason consultation.RefundReason) error {
	ledger, err := tx.Ledger(o.ID)
	if err != nil {
		return err
	}
	for _, c := range ledger.Charges {
		if c.Extra {
			continue
		}
		if amount := min((hundredths+99)/100, left(c, ledger.Refunds)); amount > 0 {
			if err := s.recordRefund(tx, rooms.System, consultation.RefundID(rooms.NewID(s.now())), c, amount, reason, ""); err != nil {
				return err
			}
		}
		_, err := s.save(tx, o, rooms.System)
		return err
	}
	return nil // nothing was taken
}

// recordRefund records a refund and the actor that ordered it, and wakes the worker.
func (s *Service) recordRefund(tx Tx, actor rooms.Actor, id consultation.RefundID, c Charge, amount int64, reason consultation.RefundReason, note string) error {
	now := s.now()
	r := Refund{OrderRefund: consultation.OrderRefund{ID: id, Amount: amount, Reason: reason, Status: consultation.RefundPending, CreatedAt: now, UpdatedAt: now},
		OrderID: c.OrderID, PaymentID: c.PaymentID, Gateway: c.Gateway, Transaction: c.Transaction, Currency: c.Currency, Note: note}
	if err := tx.InsertRefund(r); err != nil {
		return err
	}
	err := audit.Append(tx, actor, now, audit.OrderRefunded, "order:"+string(c.OrderID), func(e *audit.LogEntry) { e.Reason = cmp.Or(note, string(reason)) })
	if err != nil {
		return err
	}
	return tx.SetTimer(rooms.Timer{Kind: refundTimer, Subject: string(r.ID), Due: now})
}
