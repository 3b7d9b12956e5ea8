package billing

import (
	"wenzhen.example/rooms"
	"wenzhen.example/rooms/consultation"
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
