package billing

import (
	"cmp"
	"context"
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/audit"
	"wenzhen.example/rooms/consultation"
)

// Kinds of timers. They are the worker's list of what to do: rows, leased by
// one worker at a time, and due again when that one dies.
const (
	refundTimer    = "refund"
	paymentTimer   = "payment"
	reconcileTimer = "reconciliation"
)

// Bounds of the worker's attempts.
const (
	retryFirst = 5 * time.Second
	retryMost  = time.Hour
)

// Timers are the timers that the service fires: it hands them to its workers.
func (s *Service) Timers() map[string]rooms.TimerFunc {
	return map[string]rooms.TimerFunc{refundTimer: s.jobs.Hand, paymentTimer: s.jobs.Hand, reconcileTimer: s.jobs.Hand}
}

// Run executes the work of timers until ctx ends.
func (s *Service) Run(ctx context.Context) { s.jobs.Run(ctx) }

// Drain executes the work that is queued now. Tests that control the clock call
// it instead of Run.
func (s *Service) Drain(ctx context.Context) { s.jobs.Drain(ctx) }

func (s *Service) work(ctx context.Context, t rooms.Timer) {
	most := s.cfg.Patience + 10*time.Second
	if t.Kind == reconcileTimer {
		most = reconcileMost
	}
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	ctx, end := s.cfg.Trace.Begin(ctx, rooms.Span{Kind: rooms.SpanTask, Of: "billing", Name: t.Kind})
	var err error
	switch t.Kind {
	case refundTimer:
		err = s.sendRefund(ctx, consultation.RefundID(t.Subject))
	case paymentTimer:
		err = s.pollPayment(ctx, PaymentID(t.Subject))
	case reconcileTimer:
		err = s.nightly(ctx, t.Subject)
	}
	end.With(err)
	if err != nil && ctx.Err() == nil {
		s.log.ErrorContext(ctx, "billing", "kind", t.Kind, "subject", t.Subject, "error", err)
	}
}

// backoff is how long to wait after so many attempts.
func backoff(attempts int, first, most time.Duration) time.Duration {
	return min(first<<min(attempts, 20), most)
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

// sendRefund sends a refund to its gateway. The gateway identifies it by its id,
// so repeating it after a crash or a lost answer does not refund twice.
func (s *Service) sendRefund(ctx context.Context, id consultation.RefundID) error {
	request, err := rooms.InTx(ctx, s.store, func(tx Tx) (*RefundRequest, error) { return s.nextAttempt(tx, id) })
	if err != nil || request == nil {
		return err
	}
	gateway, ok := s.gateways[request.Payment.Gateway]
	if !ok {
		return rooms.NotFound("gateway " + request.Payment.Gateway)
	}
	asking, cancel := context.WithTimeout(ctx, s.cfg.Patience)
	defer cancel()
	answer, err := gateway.Refund(asking, *request)
	if err != nil {
		answer = RefundAnswer{Remote: request.Remote, Status: consultation.RefundPending, Why: err.Error()}
	}
	if wrote := s.store.InTx(ctx, func(tx Tx) error { return s.applyRefund(tx, id, answer) }); wrote != nil {
		return wrote
	}
	return err
}

// nextAttempt counts an attempt at a refund, plans the one after it, and returns
// what to ask the gateway for; nil if the refund is no longer pending.
func (s *Service) nextAttempt(tx Tx, id consultation.RefundID) (*RefundRequest, error) {
	r, err := tx.Refund(id)
	if rooms.CodeOf(err) == rooms.CodeNotFound || (err == nil && r.Status != consultation.RefundPending) {
		return nil, tx.ClearTimer(refundTimer, string(id))
	} else if err != nil {
		return nil, err
	}
	p, err := tx.Payment(r.PaymentID)
	if err != nil {
		return nil, err
	}
	r.Attempts++
	if err := tx.SaveRefund(r); err != nil {
		return nil, err
	}
	return &RefundRequest{ID: r.ID, Remote: r.Remote, Payment: p, Transaction: r.Transaction, Amount: r.Amount, Currency: r.Currency, NotifyURL: s.notifyURL(r.Gateway)},
		tx.SetTimer(rooms.Timer{Kind: refundTimer, Subject: string(id), Due: s.now().Add(backoff(r.Attempts, retryFirst, retryMost))})
}

// applyRefund records the answer of a gateway to a refund.
func (s *Service) applyRefund(tx Tx, id consultation.RefundID, answer RefundAnswer) error {
	r, err := tx.Refund(id)
	if err != nil || r.Status != consultation.RefundPending {
		return err
	}
	r.Remote, r.Status, r.LastError, r.UpdatedAt = answer.Remote, answer.Status, answer.Why, s.now()
	if err := tx.SaveRefund(r); err != nil || r.Status == consultation.RefundPending {
		return err
	}
	if err := tx.ClearTimer(refundTimer, string(id)); err != nil {
		return err
	}
	o, err := tx.Order(r.OrderID)
	if err != nil {
		return err
	}
	_, err = s.save(tx, o, rooms.System)
	return err
}

// refundOrder is a refund by an admin. The amount of a refund that a gateway has
// refused permanently can be refunded again.
func (s *Service) refundOrder(ctx context.Context, actor rooms.Actor, in RefundInput) (Order, error) {
	return rooms.InTx(ctx, s.store, func(tx Tx) (Order, error) {
		o, err := tx.Order(in.OrderID)
		if err != nil {
			return Order{}, err
		}
		id := in.ID
		if id == "" {
			id = consultation.RefundID(rooms.NewID(s.now()))
		} else if first, err := tx.Refund(id); err == nil {
			if first.OrderID != o.ID || (in.Amount > 0 && first.Amount != in.Amount) {
				e := rooms.Conflict("", "this id has been used for something else")
				e.Field = "id"
				return Order{}, e
			}
			return o, nil
		} else if rooms.CodeOf(err) != rooms.CodeNotFound {
			return Order{}, err
		}
		ledger, err := tx.Ledger(o.ID)
		if err != nil {
			return Order{}, err
		}
		for _, c := range ledger.Charges {
			rest := left(c, ledger.Refunds)
			if rest == 0 {
				continue
			}
			reason := consultation.ForGoodwill
			if c.Extra {
				reason = consultation.ForTwice
			}
			if in.Amount > rest {
				return Order{}, rooms.Invalid("amount", "%d is left to refund", rest)
			}
			if err := s.recordRefund(tx, actor, id, c, cmp.Or(in.Amount, rest), reason, in.Reason); err != nil {
				return Order{}, err
			}
			return s.save(tx, o, actor)
		}
		return Order{}, rooms.Conflict(string(o.Status), "nothing is left to refund")
	})
}

// save writes an order as it stands after its refunds, and tells who pays.
func (s *Service) save(tx Tx, o Order, actor rooms.Actor) (Order, error) {
	ledger, err := tx.Ledger(o.ID)
	if err != nil {
		return o, err
	}
	o = standing(o, ledger.Refunds)
	o.UpdatedAt = s.now()
	if err := tx.SaveOrder(o); err != nil {
		return o, err
	}
	o.Refunds = make([]consultation.OrderRefund, len(ledger.Refunds))
	for i, r := range ledger.Refunds {
		o.Refunds[i] = r.OrderRefund
	}
	_, err = OrderUpdated.Record(tx, rooms.UserRoom(o.UserID), actor, s.now(), nil, func(rooms.Seq) (Order, error) { return o, nil })
	return o, err
}
